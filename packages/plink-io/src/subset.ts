import { xError } from "@x/core";
import { readNames } from "./names.ts";
import { sampleIndex, selectSamples, selectVariants } from "./select.ts";
import type { BimColumns, FamColumns, PlinkStudy, PlinkWarning, SelectOptions } from "./types.ts";
import { type WriteOptions, type Written, writePlink } from "./write.ts";

/** Which variants and people stay; a path names a text file, PLINK's own formats. */
export interface SubsetOptions extends Omit<SelectOptions, "rows">, WriteOptions {
  /** Variant identifiers to keep: a list, or a file of them (`--extract`). */
  extract?: string | readonly string[];
  /** Variant identifiers to leave out (`--exclude`). */
  exclude?: string | readonly string[];
  /** People to keep: `FID IID` (or an IID that is unique), a list or a file with one a line (`--keep`). */
  keep?: string | readonly string[];
  /** People to leave out (`--remove`). */
  remove?: string | readonly string[];
  /** Told about names in a list that are not in the fileset. */
  warn?: (warning: PlinkWarning) => void;
}

/**
 * Writes a part of a fileset as a new one; order stays as in the file.
 *
 * @throws XError NO_VARIANTS_AFTER_FILTER, NO_SAMPLES_AFTER_FILTER, COLUMNS (a line of --keep without an IID),
 * SAMPLE_AMBIGUOUS and the codes of writePlink.
 */
export async function subset(study: PlinkStudy, prefix: string, options: SubsetOptions = {}): Promise<Written> {
  const { rows, samples } = await subsetSelection(study, options);
  const { signal, threads, onProgress, overwrite } = options;
  const kernel = { ...(signal && { signal }), ...(threads !== undefined && { threads }) };
  const data = {
    samples: takeSamples(study.fam, samples),
    variants: takeVariants(study.bim, rows),
    genotypes: study.blocks({ rows, samples, ...kernel }),
  };
  return writePlink(prefix, data, { ...kernel, ...(onProgress && { onProgress }), ...(overwrite !== undefined && { overwrite }) });
}

/** Rows and sample indices that the lists leave. */
export async function subsetSelection(
  study: PlinkStudy,
  options: SubsetOptions,
): Promise<{ rows: Uint32Array; samples: Uint32Array }> {
  return { rows: await variantRows(study, options), samples: await sampleRows(study, options) };
}

async function variantRows(study: PlinkStudy, options: SubsetOptions): Promise<Uint32Array> {
  let rows = selectVariants(study.bim, options);
  const known = new Set(study.bim.id);
  for (const [option, list] of [["extract", options.extract], ["exclude", options.exclude]] as const) {
    if (list === undefined) continue;
    const names = new Set(await readNames(list, "ids", options.signal));
    warnOfUnknown(option, names, (name) => known.has(name), "variants", options.warn);
    rows = rows.filter((j) => names.has(study.bim.id[j]!) === (option === "extract"));
  }
  if (rows.length > 0) return rows;
  throw xError("NO_VARIANTS_AFTER_FILTER", `none of the ${study.p} variants is left by --extract and --exclude.`, { details: { variants: study.p } });
}

async function sampleRows(study: PlinkStudy, options: SubsetOptions): Promise<Uint32Array> {
  const chosen = selectSamples(study.fam, options.samples) ?? Uint32Array.from(study.fam.iid.keys());
  let samples = chosen;
  const index = sampleIndex(study.fam);
  for (const [option, list] of [["keep", options.keep], ["remove", options.remove]] as const) {
    if (list === undefined) continue;
    const names = new Set(await readNames(list, "people", options.signal));
    warnOfUnknown(option, names, (name) => index.has(name), "samples", options.warn);
    const ambiguous = [...names].find((name) => index.get(name) === -1);
    if (ambiguous !== undefined)
      throw xError("SAMPLE_AMBIGUOUS", `--${option}: individual ${JSON.stringify(ambiguous)} is in several families. Write "FID IID".`, { details: { name: ambiguous } });
    const listed = new Set([...names].map((name) => index.get(name)));
    samples = samples.filter((i) => listed.has(i) === (option === "keep"));
  }
  if (samples.length > 0) return samples;
  throw xError("NO_SAMPLES_AFTER_FILTER", `none of the ${study.n} samples is left by --keep and --remove.`, { details: { samples: study.n } });
}

function warnOfUnknown(
  option: string,
  names: Set<string>,
  known: (name: string) => boolean,
  what: string,
  warn: SubsetOptions["warn"],
): void {
  const unknown = [...names].filter((name) => !known(name));
  if (unknown.length === 0) return;
  warn?.({
    code: "UNKNOWN_NAMES",
    message: `--${option}: ${unknown.length} of ${names.size} listed ${what} are not in the fileset (first: ${JSON.stringify(unknown[0]!.replace("\t", " "))}).`,
    details: { option, count: unknown.length, listed: names.size, first: unknown[0] },
  });
}

/** The people at these indices. */
export function takeSamples(fam: FamColumns, samples: Uint32Array): FamColumns {
  const take = (column: string[]): string[] => Array.from(samples, (i) => column[i]!);
  return {
    fid: take(fam.fid),
    iid: take(fam.iid),
    father: take(fam.father),
    mother: take(fam.mother),
    sex: Int8Array.from(samples, (i) => fam.sex[i]!),
    phenotypes: fam.phenotypes.map((column) => Float64Array.from(samples, (i) => column[i]!)),
  };
}

/** The variants at these rows. */
export function takeVariants(bim: BimColumns, rows: Uint32Array): BimColumns {
  const take = (column: string[]): string[] => Array.from(rows, (j) => column[j]!);
  return {
    chrom: take(bim.chrom),
    id: take(bim.id),
    cm: Float64Array.from(rows, (j) => bim.cm[j]!),
    pos: Int32Array.from(rows, (j) => bim.pos[j]!),
    a1: take(bim.a1),
    a2: take(bim.a2),
  };
}
