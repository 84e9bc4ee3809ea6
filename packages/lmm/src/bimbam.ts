import { statSync } from "node:fs";
import { isXError, type RunOptions, readChunks, readLines, sampleHash, type Warning } from "@x/core/base";
import type { BimColumns, FamColumns, PlinkStudy } from "@x/plink-io";
import type { Table } from "apache-arrow";
import { lmmError, lmmFileError } from "./errors.ts";
import { arrowCore } from "./lazy-arrow.ts";
import { type DosageRows, dosageReader } from "./native.ts";
import { checkNames, type NamesOf, RUN_NAMES } from "./option-names.ts";

/** Rows of dosages as they lie in the file. */
export interface DosageBlock {
  /** Row of the first variant. */
  readonly start: number;
  /** Variants in this block. */
  readonly rows: number;
  /** `rows × n` dosages of the counted allele, from 0 to 2, NaN = missing. */
  readonly values: Float64Array;
}

/**
 * Dosages of people and variants, opened by {@link openBimbam}. Every step takes it where it takes a PLINK fileset; it
 * has everything of one but packed genotypes: `blocks` and `genotypes` are refused, `dosages` takes their place.
 */
export interface DosageStudy extends PlinkStudy {
  /** Blocks of the rows of `range` (half-open; default all) in file order, each at most `chunk` variants and 32 MiB. */
  dosages(options: DosageReadOptions): AsyncIterable<DosageBlock>;
}

/** Options of {@link DosageStudy.dosages}. */
export interface DosageReadOptions {
  /** Variants a block. */
  readonly chunk: number;
  /** Rows of the file. */
  readonly range?: readonly [from: number, to: number];
  /** Ends the reading. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link openBimbam}. */
export interface BimbamOptions extends RunOptions {
  /** GEMMA's annotation file (`-a`): id, position, chromosome a line. Without it positions and chromosomes are −9. */
  readonly annotation?: string;
  /** A file with the people's ids in the order of the dosages: FID and IID, or IID alone, a line. Default: 1, 2, … */
  readonly ids?: string;
}

const BIMBAM_NAMES: NamesOf<BimbamOptions> = { ...RUN_NAMES, annotation: true, ids: true };

/** Dosages held at once. */
export const DOSAGE_BYTES: number = 32 << 20;

/** True for a study of {@link openBimbam}. */
export function isDosageStudy(study: PlinkStudy): study is DosageStudy {
  return "dosages" in study;
}

/**
 * Opens BIMBAM mean genotypes (GEMMA's `-g`; plain or gzip): a line a variant with its id, the counted allele, the other
 * one and a dosage from 0 to 2 for each person, separated by commas, blanks or tabs, `NA` where missing. The whole file
 * is read and checked once.
 *
 * @throws BIMBAM_SHAPE, BIMBAM_PARSE, BIMBAM_RANGE with line and column, ANNOT_PARSE, DUP_VARIANT_ID, COUNT_MISMATCH,
 * DUP_SAMPLE, NO_VARIANTS, UNKNOWN_OPTION and the codes of files.
 */
export async function openBimbam(path: string, options: BimbamOptions = {}): Promise<DosageStudy> {
  checkNames(options, BIMBAM_NAMES, "openBimbam");
  const { signal } = options;
  const n = await countPeople(path, signal);
  const id: string[] = [];
  const a1: string[] = [];
  const a2: string[] = [];
  const progress = (done: number): void => options.onProgress?.({ stage: "reading", done, total: 0 });
  for await (const { labels } of rowsOf(path, n, signal, progress)) {
    const lines = Buffer.from(labels.buffer, labels.byteOffset, labels.length).toString("utf8").split("\n");
    lines.pop();
    for (const line of lines) {
      const [name, counted, other] = line.split("\t");
      id.push(name!);
      a1.push(counted!);
      a2.push(other!);
    }
  }
  if (id.length === 0)
    throw lmmFileError("BIMBAM_SHAPE", path, "the file has no lines: there is no variant to read.");
  const warnings: Warning[] = [];
  const places = await readAnnotation(options.annotation, id, warnings, signal);
  const fam = await people(n, options.ids, path);
  return new BimbamStudy(
    path,
    options,
    fam,
    { id, a1, a2, cm: new Float64Array(id.length), ...places },
    warnings,
  );
}

class BimbamStudy implements DosageStudy {
  readonly layout = "variant";
  readonly n: number;
  readonly p: number;
  readonly paths: { bed: string; bim: string; fam: string };
  readonly fam: FamColumns;
  readonly bim: BimColumns;
  readonly warnings: readonly Warning[];
  readonly sampleHash: string;
  readonly #opened: string;
  #samples: Table | undefined;
  #variants: Table | undefined;

  constructor(
    path: string,
    options: BimbamOptions,
    fam: FamColumns,
    bim: BimColumns,
    warnings: readonly Warning[],
  ) {
    this.fam = fam;
    this.bim = bim;
    this.warnings = warnings;
    this.n = fam.iid.length;
    this.p = bim.id.length;
    this.paths = { bed: path, bim: options.annotation ?? path, fam: options.ids ?? path };
    const columns: Record<string, string[]> = { fid: fam.fid, iid: fam.iid };
    const getChild = (name: string) => ({ get: (row: number): string => columns[name]![row]! });
    this.sampleHash = sampleHash({ numRows: this.n, getChild });
    this.#opened = stamp(path);
  }

  get samples(): PlinkStudy["samples"] {
    const { fid, iid, father, mother, sex } = this.fam;
    this.#samples ??= arrowCore().tableFromColumns({ fid, iid, father, mother, sex });
    return this.#samples as PlinkStudy["samples"];
  }

  get variants(): PlinkStudy["variants"] {
    const { chrom, id, cm, pos, a1, a2 } = this.bim;
    this.#variants ??= arrowCore().tableFromColumns({ chrom, id, cm, pos, a1, a2 });
    return this.#variants as PlinkStudy["variants"];
  }

  async *dosages(options: DosageReadOptions): AsyncGenerator<DosageBlock> {
    const { n } = this;
    const [from, to] = options.range ?? [0, this.p];
    const most = Math.max(1, Math.min(options.chunk, Math.floor(DOSAGE_BYTES / (8 * n))));
    const block = new Float64Array(most * n);
    let [row, start, filled] = [0, from, 0];
    for await (const { values } of rowsOf(this.paths.bed, n, options.signal)) {
      const rows = values.length / n;
      const last = Math.min(rows, to - row) * n;
      for (let at = Math.max(0, from - row) * n; at < last; ) {
        const take = Math.min(last - at, block.length - filled);
        block.set(values.subarray(at, at + take), filled);
        filled += take;
        at += take;
        if (filled < block.length) continue;
        yield { start, rows: most, values: block.slice() };
        start += most;
        filled = 0;
      }
      row += rows;
      if (row >= to) break;
    }
    if (filled > 0) yield { start, rows: filled / n, values: block.slice(0, filled) };
  }

  blocks(): never {
    throw this.#unpacked("blocks");
  }

  genotypes(): never {
    throw this.#unpacked("genotypes");
  }

  #unpacked(what: string): Error {
    return lmmError(
      "NOT_IMPLEMENTED",
      `dosages have no packed genotypes: ${what} is for PLINK filesets; take dosages.`,
    );
  }

  check(): void {
    if (stamp(this.paths.bed) === this.#opened) return;
    throw lmmFileError("INPUT_CHANGED", this.paths.bed, "the file is no longer the one that was opened.");
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Size and first bytes' place in time: what tells that a file was replaced between two passes. */
function stamp(path: string): string {
  const { size, mtimeMs, ino } = statSync(path);
  return `${size} ${mtimeMs} ${ino}`;
}

async function* rowsOf(
  path: string,
  n: number,
  signal: AbortSignal | undefined,
  progress?: (bytes: number) => void,
): AsyncGenerator<DosageRows> {
  const reader = dosageReader(n);
  const placed = <T>(call: () => T): T => {
    try {
      return call();
    } catch (e) {
      throw isXError(e) && e.code.startsWith("BIMBAM_")
        ? lmmFileError(
            e.code as "BIMBAM_PARSE",
            path,
            e.message.replace(/^line \d+(, column \d+)?: /, ""),
            e.details,
          )
        : e;
    }
  };
  let bytes = 0;
  for await (const chunk of readChunks(path, { signal })) {
    bytes += chunk.length;
    progress?.(bytes);
    yield placed(() => reader.push(chunk));
  }
  yield placed(() => reader.finish());
}

/** The first line says how many people there are. */
async function countPeople(path: string, signal: AbortSignal | undefined): Promise<number> {
  for await (const { text } of readLines(path, { signal })) {
    const fields = text.trim().split(/[ \t]*,[ \t]*|[ \t]+/).length;
    if (fields > 3) return fields - 3;
    throw lmmFileError(
      "BIMBAM_SHAPE",
      path,
      `${fields} fields; a line has an id, two alleles and a dosage for each person.`,
      { line: 1, found: fields },
    );
  }
  throw lmmFileError("BIMBAM_SHAPE", path, "the file has no lines: there is no variant to read.");
}

async function people(n: number, ids: string | undefined, path: string): Promise<FamColumns> {
  const fid: string[] = [];
  const iid: string[] = [];
  if (ids === undefined) {
    for (let i = 1; i <= n; i++) iid.push(String(i));
    fid.push(...iid);
  } else {
    const seen = new Map<string, number>();
    for await (const { text, number } of readLines(ids)) {
      const fields = text.trim().split(/[\s,]+/);
      const [family, person] = fields.length > 1 ? fields : [fields[0], fields[0]];
      const key = `${family}\t${person}`;
      const before = seen.get(key);
      if (before !== undefined)
        throw lmmFileError(
          "DUP_SAMPLE",
          ids,
          `${key.replace("\t", " ")} is on line ${before} and again here.`,
          {
            line: number,
            lines: [before, number],
          },
        );
      seen.set(key, number);
      fid.push(family!);
      iid.push(person!);
    }
    if (iid.length !== n)
      throw lmmFileError(
        "COUNT_MISMATCH",
        ids,
        `${iid.length} people found, ${n} expected: one for each dosage of ${path}.`,
        {
          line: Math.min(iid.length, n) + 1,
          found: iid.length,
          expected: n,
        },
      );
  }
  const unknown = Array<string>(n).fill("0");
  return { fid, iid, father: unknown, mother: unknown, sex: new Int8Array(n), phenotypes: [] };
}

/** GEMMA's annotation: id, position, chromosome; in any order of variants, some of which may be absent. */
async function readAnnotation(
  path: string | undefined,
  ids: readonly string[],
  warnings: Warning[],
  signal: AbortSignal | undefined,
): Promise<Pick<BimColumns, "chrom" | "pos">> {
  const chrom = Array<string>(ids.length).fill("-9");
  const pos = new Int32Array(ids.length).fill(-9);
  if (path === undefined) return { chrom, pos };
  const known = new Map<string, readonly [chrom: string, pos: number, line: number]>();
  const names = new Map<string, string>();
  for await (const { text, number } of readLines(path, { signal, blank: "skip" })) {
    const [id, place, name] = text.trim().split(/[ \t]*,[ \t]*|[ \t]+/);
    const at = place === "NA" ? -9 : /^-?\d+$/.test(place ?? "") ? Number(place) : Number.NaN;
    if (id === undefined || name === undefined || !Number.isInteger(at) || Math.abs(at) > 2147483647)
      throw lmmFileError(
        "ANNOT_PARSE",
        path,
        `expected id, position and chromosome, found "${text.slice(0, 60)}".`,
        {
          line: number,
        },
      );
    const before = known.get(id);
    if (before)
      throw lmmFileError("DUP_VARIANT_ID", path, `${id} is on line ${before[2]} and again here; keep one.`, {
        line: number,
        lines: [before[2], number],
      });
    // Equal names share one string.
    if (!names.has(name)) names.set(name, name);
    known.set(id, [names.get(name)!, at, number]);
  }
  let absent = 0;
  ids.forEach((id, row) => {
    const place = known.get(id);
    if (!place) {
      absent++;
      return;
    }
    chrom[row] = place[0];
    pos[row] = place[1];
  });
  if (absent > 0)
    warnings.push({
      code: "ANNOT_MISSING",
      message: `${path}: ${absent} of ${ids.length} variants are not in it; their chromosome and position are written -9.`,
      details: { path, count: absent },
    });
  return { chrom, pos };
}
