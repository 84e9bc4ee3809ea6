import { checkOptions, xError } from "@x/core/base";
import { readNames } from "./names.ts";
import { checkRunning, SELECT_OPTIONS, silently, WRITE_OPTIONS } from "./run-options.ts";
import { sampleIndex, selectSamples, selectVariants } from "./select.ts";
import type { PlinkStudy, PlinkWarning, SelectOptions } from "./types.ts";
import { StudyView } from "./view.ts";
import { refuseInputs, type WriteOptions, type Written, writeFileset } from "./write.ts";

/** Which variants and people stay; a path names a text file, PLINK's own formats. */
export interface SelectionLists extends SelectOptions {
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
  /** Stops the reading of lists. */
  signal?: AbortSignal;
}

const LISTS = [...SELECT_OPTIONS, "extract", "exclude", "keep", "remove", "warn"];

/** Options of {@link subset}. */
export interface SubsetOptions extends SelectionLists, WriteOptions {}

/**
 * A part of a study as a study of its own, chosen by lists; nothing is copied but names. Order stays as in the file.
 *
 * @throws XError NO_VARIANTS_AFTER_FILTER, NO_SAMPLES_AFTER_FILTER, SAMPLE_AMBIGUOUS, EMPTY_LIST.
 */
export async function selectStudy(study: PlinkStudy, options: SelectionLists = {}): Promise<PlinkStudy> {
  checkOptions(options, [...LISTS, "signal"], "selectStudy");
  return partOf(study, options);
}

async function partOf(study: PlinkStudy, options: SelectionLists): Promise<PlinkStudy> {
  return new StudyView(study, await variantRows(study, options), await sampleRows(study, options));
}

/** Writes a part of a fileset as a new one: {@link selectStudy}, then writePlink. */
export async function subset(
  study: PlinkStudy,
  prefix: string,
  options: SubsetOptions = {},
): Promise<Written> {
  checkRunning(options, [...LISTS, ...WRITE_OPTIONS], "subset");
  refuseInputs([study.paths], prefix);
  const part = await partOf(study, options);
  const genotypes = part.blocks(silently(options));
  return writeFileset(prefix, { samples: part.fam, variants: part.bim, genotypes }, options);
}

async function variantRows(study: PlinkStudy, options: SelectionLists): Promise<Uint32Array> {
  let rows = selectVariants(study.bim, options);
  const known = new Set(study.bim.id);
  for (const [option, list] of [
    ["extract", options.extract],
    ["exclude", options.exclude],
  ] as const) {
    if (list === undefined) continue;
    const names = new Set(await readNames(list, "ids", options.signal));
    warnOfUnknown(option, names, (name) => known.has(name), "variants", options.warn);
    rows = rows.filter((j) => names.has(study.bim.id[j]!) === (option === "extract"));
  }
  if (rows.length > 0) return rows;
  throw xError(
    "NO_VARIANTS_AFTER_FILTER",
    `none of the ${study.p} variants is left by --extract and --exclude.`,
    { details: { variants: study.p } },
  );
}

async function sampleRows(study: PlinkStudy, options: SelectionLists): Promise<Uint32Array> {
  const chosen = selectSamples(study.fam, options.samples) ?? Uint32Array.from(study.fam.iid.keys());
  let samples = chosen;
  const index = sampleIndex(study.fam);
  for (const [option, list] of [
    ["keep", options.keep],
    ["remove", options.remove],
  ] as const) {
    if (list === undefined) continue;
    const names = new Set(await readNames(list, "people", options.signal));
    warnOfUnknown(option, names, (name) => index.has(name), "samples", options.warn);
    const ambiguous = [...names].find((name) => index.get(name) === -1);
    if (ambiguous !== undefined)
      throw xError(
        "SAMPLE_AMBIGUOUS",
        `--${option}: individual ${JSON.stringify(ambiguous)} is in several families. Write "FID IID".`,
        { details: { name: ambiguous } },
      );
    const listed = new Set([...names].map((name) => index.get(name)));
    samples = samples.filter((i) => listed.has(i) === (option === "keep"));
  }
  if (samples.length > 0) return samples;
  throw xError("NO_SAMPLES_AFTER_FILTER", `none of the ${study.n} samples is left by --keep and --remove.`, {
    details: { samples: study.n },
  });
}

function warnOfUnknown(
  option: string,
  names: Set<string>,
  known: (name: string) => boolean,
  what: string,
  warn: SelectionLists["warn"],
): void {
  const unknown = [...names].filter((name) => !known(name));
  if (unknown.length === 0) return;
  warn?.({
    code: "UNKNOWN_NAMES",
    message: `--${option}: ${unknown.length} of ${names.size} listed ${what} are not in the fileset (first: ${JSON.stringify(unknown[0]!.replace("\t", " "))}).`,
    details: { option, count: unknown.length, listed: names.size, first: unknown[0] },
  });
}
