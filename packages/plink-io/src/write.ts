import { statSync } from "node:fs";
import { type AtomicWriter, fileError, lockOutput, OutputFiles, throwIfAborted, xError } from "@x/core/base";
import type { RecordBatch, Table } from "apache-arrow";
import { BED_HEADER, rowBytes } from "./bed.ts";
import { clearPadding, encodePacked } from "./encode.ts";
import { arrowTables } from "./lazy.ts";
import { checkRunning, WRITE_OPTIONS } from "./run-options.ts";
import type { BimColumns, FamColumns, PlinkPaths, RunningOptions } from "./types.ts";

/** Some variants' genotypes: PLINK 2-bit codes, or dosages of allele 1 with −127 or NaN for missing. */
export interface GenotypeBlock {
  /** Variants. */
  rows: number;
  /** `rows × ceil(samples / 4)` bytes. */
  packed?: Uint8Array;
  /** `rows × samples` values, used when `packed` is absent. */
  dosages?: Int8Array | Float32Array | Float64Array;
}

/** What {@link writePlink} writes. */
export interface PlinkData {
  /** People, in the order of the genotypes. */
  samples: Table | FamColumns;
  /** Variants, in the order of the genotypes. Left out: the variant columns of the record batches. */
  variants?: Table | BimColumns;
  /** Record batches with a `packed` or `g` column, or plain blocks. */
  genotypes: AsyncIterable<RecordBatch | GenotypeBlock> | Iterable<RecordBatch | GenotypeBlock>;
}

/** Options of {@link writePlink}. */
export interface WriteOptions extends RunningOptions {
  /** False refuses existing files (OUT_EXISTS). Default true: they are replaced when the new ones are complete. */
  overwrite?: boolean;
}

/** What was written. */
export interface Written<Paths = PlinkPaths> {
  /** The files. */
  paths: Paths;
  /** Samples. */
  samples: number;
  /** Variants. */
  variants: number;
}

/**
 * Writes a PLINK 1 fileset. The three files appear under their names only when all of them are complete; a second
 * writer of the same prefix is refused.
 *
 * @throws XError OUT_STDOUT, OUT_DIR, OUT_EXISTS, LOCKED, ENOSPC, COUNT_MISMATCH (genotypes and variants differ in number), SHAPE,
 * GENOTYPE_VALUE, NO_SAMPLES, NO_VARIANTS, TEXT_FIELD (a name that is empty or holds white space).
 */
export async function writePlink(
  prefix: string,
  data: PlinkData,
  options: WriteOptions = {},
): Promise<Written> {
  checkRunning(options, WRITE_OPTIONS, "writePlink");
  return writeFileset(prefix, data, options);
}

/** {@link writePlink} for callers that have checked their options. */
export async function writeFileset(prefix: string, data: PlinkData, options: WriteOptions): Promise<Written> {
  checkPrefix(prefix);
  await using _lock = lockOutput(prefix);
  await using files = new OutputFiles({ overwrite: options.overwrite ?? true, signal: options.signal });
  const [fam, bim, bed] = [`${prefix}.fam`, `${prefix}.bim`, `${prefix}.bed`].map((path) =>
    files.open(path),
  ) as [AtomicWriter, AtomicWriter, AtomicWriter];
  const samples = "schema" in data.samples ? arrowTables().famColumns(data.samples) : data.samples;
  const n = samples.iid.length;
  if (n === 0) throw xError("NO_SAMPLES", `${prefix}: there is no sample to write.`);
  await writeText(fam, famLines(samples));
  const variants =
    data.variants && ("schema" in data.variants ? arrowTables().bimColumns(data.variants) : data.variants);
  if (variants) await writeText(bim, bimLines(variants));
  await bed.write(BED_HEADER);
  let p = 0;
  for await (const block of data.genotypes) {
    throwIfAborted(options.signal);
    const plain = "schema" in block ? arrowTables().batchGenotypes(block) : block;
    if (!variants) await writeText(bim, bimLines(arrowTables().bimColumns(block as RecordBatch)));
    await bed.write(packedRows(plain, n, p));
    p += plain.rows;
    options.onProgress?.({ stage: "writing", done: p, total: variants?.id.length ?? 0 });
  }
  if (p === 0) throw xError("NO_VARIANTS", `${prefix}: there is no variant to write.`);
  if (variants && variants.id.length !== p)
    throw xError("COUNT_MISMATCH", `${prefix}: ${variants.id.length} variants but genotypes of ${p}.`, {
      details: { variants: variants.id.length, genotypes: p },
    });
  await files.commit();
  return { paths: { bed: bed.path, bim: bim.path, fam: fam.path }, samples: n, variants: p };
}

/**
 * Refuses a prefix that is standard output, a device or a pipe: they cannot take three files.
 *
 * @throws XError OUT_STDOUT.
 */
export function checkPrefix(prefix: string): void {
  const stat = prefix === "-" ? undefined : statSync(prefix, { throwIfNoEntry: false });
  const place = /^(-|\/dev\/std(out|err)|(\/dev|\/proc\/self)\/fd\/.*)$/;
  if (!place.test(prefix) && !stat?.isCharacterDevice() && !stat?.isFIFO()) return;
  const message = `${prefix}: several files cannot be written to standard output or a device; give a prefix for their names.`;
  throw xError("OUT_STDOUT", message, { usage: true, details: { path: prefix } });
}

/**
 * Refuses to write over a fileset that is being read. Names may differ (links, `./`), so files are told by device and inode.
 *
 * @throws XError OUT_IS_INPUT.
 */
export function refuseInputs(inputs: readonly PlinkPaths[], prefix: string): void {
  for (const input of inputs)
    for (const [extension, path] of Object.entries(input)) {
      const from = statSync(path, { throwIfNoEntry: false, bigint: true });
      const to = statSync(`${prefix}.${extension}`, { throwIfNoEntry: false, bigint: true });
      if (from && to && from.ino === to.ino && from.dev === to.dev)
        throw fileError(
          "OUT_IS_INPUT",
          `${prefix}.${extension}`,
          "this file is being read; write to another name",
        );
    }
}

/** Writes pieces of text. */
export async function writeText(writer: AtomicWriter, pieces: Iterable<string | Uint8Array>): Promise<void> {
  for (const piece of pieces) await writer.write(piece);
}

function packedRows(block: GenotypeBlock, n: number, firstRow: number): Uint8Array {
  const { rows, packed, dosages } = block;
  const [found, expected] = packed ? [packed.length, rows * rowBytes(n)] : [dosages?.length, rows * n];
  if (found !== expected)
    throw xError(
      "SHAPE",
      `genotypes from variant ${firstRow} on: ${found} values for ${rows} variants × ${n} samples, ${expected} expected.`,
      {
        details: { rows, samples: n, found, expected },
      },
    );
  return packed ? clearPadding(packed, n, rows) : encodePacked(dosages!, n, rows, firstRow);
}

/** Lines of a .fam: single spaces, missing phenotypes as −9. */
export function* famLines(fam: FamColumns): Generator<string> {
  const phenotype = (value: number): string => (Number.isNaN(value) ? "-9" : String(value));
  for (let i = 0; i < fam.iid.length; i++) {
    const names = [fam.fid[i]!, fam.iid[i]!, fam.father[i]!, fam.mother[i]!];
    checkNames(names, ".fam", i);
    const values =
      fam.phenotypes.length === 0 ? "-9" : fam.phenotypes.map((column) => phenotype(column[i]!)).join(" ");
    yield `${names.join(" ")} ${fam.sex[i]} ${values}\n`;
  }
}

/** Lines of a .bim: tabs. */
export function* bimLines(bim: BimColumns): Generator<string> {
  for (let j = 0; j < bim.pos.length; j++) {
    checkNames([bim.chrom[j]!, bim.id[j]!, bim.a1[j]!, bim.a2[j]!], ".bim", j);
    yield `${bim.chrom[j]}\t${bim.id[j]}\t${bim.cm[j]}\t${bim.pos[j]}\t${bim.a1[j]}\t${bim.a2[j]}\n`;
  }
}

function checkNames(names: readonly string[], file: string, row: number): void {
  const bad = names.find((name) => !/^[^\s\0]+$/.test(name));
  if (bad === undefined) return;
  throw xError(
    "TEXT_FIELD",
    `${file} line ${row + 1}: ${JSON.stringify(bad)} cannot be written: it is empty or holds white space.`,
    {
      details: { file, line: row + 1, found: bad },
    },
  );
}
