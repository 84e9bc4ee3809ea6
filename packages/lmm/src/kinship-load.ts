import { fromSystemError, isXError, openInput, readTable, resolveThreads } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import { lmmFileError } from "./errors.ts";
import { readKinshipText } from "./gemma/kinship-read.ts";
import { Kinship, type KinshipLoadOptions } from "./kinship-matrix.ts";
import { inspect, type Matrix } from "./native.ts";
import { requireParts } from "./plan.ts";

/** Entries above and below the diagonal may differ by this share of the largest diagonal entry: ten printed digits. */
const ASYMMETRY = 1e-8;

/** See {@link Kinship.load}. */
export async function loadKinship(
  path: string,
  study: PlinkStudy,
  options: KinshipLoadOptions,
): Promise<Kinship> {
  const { n, fam } = study;
  requireParts([{ name: "kinship, 8 n²", bytes: 8 * n * n }], options);
  const native = { signal: options.signal, threads: resolveThreads(options.threads) };
  if (await isArrow(path)) {
    const { loadKinshipArrow } = await import("./kinship-arrow.ts");
    const file = await loadKinshipArrow(path, n, options.signal).catch((e: unknown) => {
      throw isXError(e) ? e : fromSystemError(e, path);
    });
    requireOrder(path, file, fam);
    await checkMatrix(path, file.matrix, native);
    const { fid, iid, mode, snps } = file;
    return new Kinship(file.matrix, {
      fid,
      iid,
      mode,
      snps,
      sampleHash: study.sampleHash,
      source: path,
      contentHash: file.sha256,
    });
  }
  if (options.ids !== undefined) requireOrder(options.ids, await readIds(options.ids), fam);
  const matrix = await readKinshipText(path, n, options);
  await checkMatrix(path, matrix, native);
  return new Kinship(matrix, { fid: fam.fid, iid: fam.iid, sampleHash: study.sampleHash, source: path });
}

async function isArrow(path: string): Promise<boolean> {
  await using file = openInput(path);
  if (file.size === 0) throw lmmFileError("KIN_TRUNCATED", path, "the file is empty.", { byte: 0 });
  return Buffer.from(await file.read(0, Math.min(6, file.size))).toString("latin1") === "ARROW1";
}

async function checkMatrix(
  path: string,
  m: Matrix,
  native: { signal: AbortSignal | undefined; threads: number },
): Promise<void> {
  const found = await inspect(m, native);
  const refuse = (
    code: "KIN_NAN" | "KIN_ZERO" | "KIN_ASYMMETRIC",
    message: string,
    details: Record<string, number>,
  ): never => {
    m.release();
    throw lmmFileError(code, path, message, details);
  };
  if (found.nanRow >= 0)
    refuse("KIN_NAN", `row ${found.nanRow + 1}, column ${found.nanCol + 1} is not a finite number.`, {
      line: found.nanRow + 1,
      row: found.nanRow + 1,
      column: found.nanCol + 1,
    });
  if (found.zero) refuse("KIN_ZERO", "every entry is 0: the matrix carries no relatedness.", {});
  const [row, column] = [found.asymmetryRow + 1, found.asymmetryCol + 1];
  if (found.asymmetry > ASYMMETRY * Math.max(Math.abs(found.trace) / m.n, Number.MIN_VALUE))
    refuse(
      "KIN_ASYMMETRIC",
      `entries (${row}, ${column}) and (${column}, ${row}) differ by ${found.asymmetry.toPrecision(6)}; a relatedness matrix is symmetric.`,
      {
        row,
        column,
        difference: found.asymmetry,
      },
    );
}

interface Ids {
  readonly fid: readonly string[];
  readonly iid: readonly string[];
}

async function readIds(path: string): Promise<Ids> {
  const { columns } = await readTable(path, { header: false, delimiter: "whitespace" });
  const iid = columns[1] ?? columns[0]!;
  return { fid: columns[0]!, iid };
}

/** @throws KIN_N for other people, KIN_ID_ORDER for the same people in another order, naming the first row. */
function requireOrder(path: string, found: Ids, fam: Ids): void {
  const row = fam.iid.findIndex((iid, i) => iid !== found.iid[i] || fam.fid[i] !== found.fid[i]);
  if (row < 0 && found.iid.length === fam.iid.length) return;
  if (found.iid.length !== fam.iid.length)
    throw lmmFileError("KIN_N", path, `${found.iid.length} people, the fileset has ${fam.iid.length}.`);
  const have = new Set(found.iid.map((iid, i) => `${found.fid[i]}\t${iid}`));
  const same = fam.iid.every((iid, i) => have.has(`${fam.fid[i]}\t${iid}`));
  const name = (ids: Ids): string => `${ids.fid[row]} ${ids.iid[row]}`;
  throw lmmFileError(
    "KIN_ID_ORDER",
    path,
    `row ${row + 1} is ${name(found)}, the .fam has ${name(fam)} there: ${same ? "the same people in another order; reorder the matrix" : "other people"}.`,
    { line: row + 1, row: row + 1 },
  );
}
