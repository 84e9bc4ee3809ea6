import { type RunOptions, resolveThreads } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import { DOSAGE_BYTES, isDosageStudy } from "./bimbam.ts";
import type { Cohort } from "./cohort.ts";
import { lmmError } from "./errors.ts";
import { FILTER_NAMES, type FilterOptions, filterOptions, VariantFilter } from "./filter.ts";
import { Kinship } from "./kinship-matrix.ts";
import { kinshipMeans } from "./kinship-means.ts";
import {
  addDosages,
  addToGram,
  type DosageScale,
  decodeFloat64,
  dosageGram,
  finishDosages,
  finishGram,
  type Matrix,
  type NativeOptions,
  peopleGram,
} from "./native.ts";
import { checkNames, type NamesOf, RUN_NAMES } from "./option-names.ts";
import { fitChunk, kinshipParts } from "./plan.ts";
import { type FilteredBlock, filteredBlocks, requireCohort } from "./study.ts";

/** How genotypes enter a kinship: see `mode` of {@link KinshipOptions}. */
export type KinshipMode = "centered" | "standardized" | "hardy";

const SCALES: Readonly<Record<KinshipMode, DosageScale>> = {
  centered: "none",
  standardized: "deviation",
  hardy: "hardy",
};

/** Options of {@link kinship}. */
export interface KinshipOptions extends FilterOptions, RunOptions {
  /**
   * `centered` is GEMMA's `-gk 1`: K = Σ x x′ / p with x centred at its mean. `standardized` is `-gk 2`: each x is
   * divided by its standard deviation over everyone, missing calls counting as the mean. `hardy` divides by
   * √(2 f (1 − f)) instead, f the frequency of A1, as PLINK's relationship matrix. Default `centered`.
   */
  readonly mode?: KinshipMode;
  /** Only these variant ids make the kinship (GEMMA's `-ksnps`), whatever `snps` lists for the tests. */
  readonly kinshipSnps?: ReadonlySet<string>;
  /** Variants read at once; the result does not depend on it. Default: as memory allows, at most 4096. */
  readonly chunk?: number;
}

export const KINSHIP_NAMES: NamesOf<KinshipOptions> = {
  ...FILTER_NAMES,
  ...RUN_NAMES,
  mode: true,
  kinshipSnps: true,
  chunk: true,
};

/**
 * The relatedness matrix of ALL people of the fileset, analysed or not, as GEMMA's `-gk`: variants are chosen by the
 * analysed people's calls, each variant's mean is over everyone with a call, missing calls count as that mean. Sums are
 * taken in a fixed order (for `centered` of a PLINK fileset they are exact integers with one correction): same bytes for
 * any `threads` and `chunk`.
 *
 * @throws NO_VARIANTS_AFTER_FILTER, COHORT_MISMATCH, MEM_PREFLIGHT, INPUT_CHANGED, OPTION_RANGE,
 * OPTION_RANGE for another mode, UNKNOWN_OPTION.
 */
export async function kinship(
  study: PlinkStudy,
  cohort: Cohort,
  options: KinshipOptions = {},
): Promise<Kinship> {
  checkNames(options, KINSHIP_NAMES, "kinship");
  const mode = options.mode ?? "centered";
  if (!Object.hasOwn(SCALES, mode))
    throw lmmError("OPTION_RANGE", `mode must be centered, standardized or hardy, ${mode} given.`, {
      usage: true,
      details: { option: "mode", value: mode },
    });
  requireCohort(study, cohort);
  const snps = options.kinshipSnps ?? options.snps;
  const filter = new VariantFilter(snps ? { ...options, snps } : options);
  const threads = resolveThreads(options.threads);
  const native: NativeOptions = { signal: options.signal, threads };
  const real = mode !== "centered" || isDosageStudy(study);
  const parts = (chunk: number) => kinshipParts({ samples: study.n, chunk, threads, real });
  const pass = {
    ...native,
    onProgress: options.onProgress,
    stage: "kinship",
    chunk: fitChunk(options, parts),
  };
  const blocks = filteredBlocks(study, cohort, filter, pass);
  const finish = real
    ? await sumDosages(study, blocks, SCALES[mode], native)
    : await sumPlanes(study, cohort, blocks, native);
  await study.check();
  filter.requireSome();
  const matrix = await finish(filter.counts.kept);
  return new Kinship(matrix, {
    fid: study.fam.fid,
    iid: study.fam.iid,
    sampleHash: study.sampleHash,
    mode,
    choice: { ...filterOptions(options), snps },
    snps: filter.counts.kept,
    filters: filter.counts,
    source: `${mode} kinship of ${study.paths.bed}`,
  });
}

type Finish = (snps: number) => Promise<Matrix>;

/** Packed genotypes by bit planes: integers. */
async function sumPlanes(
  study: PlinkStudy,
  cohort: Cohort,
  blocks: AsyncIterable<FilteredBlock>,
  native: NativeOptions,
): Promise<Finish> {
  const gram = peopleGram(study.n);
  for await (const block of blocks) {
    const { packed, kept } = block;
    if (kept.rows.length === 0) continue;
    const means = await kinshipMeans(study, cohort, block, native);
    await addToGram(gram, packed, kept.rows, means, native);
  }
  return (snps) => finishGram(gram, snps, native);
}

/** Dosages, and packed genotypes that are divided by their deviation: real numbers. */
async function sumDosages(
  study: PlinkStudy,
  blocks: AsyncIterable<FilteredBlock>,
  scale: DosageScale,
  native: NativeOptions,
): Promise<Finish> {
  const { n } = study;
  const gram = dosageGram(n, scale);
  const stride = Math.ceil(n / 4);
  const tile = Math.max(1, Math.floor(DOSAGE_BYTES / (8 * n)));
  for await (const { rows, packed, dosages, kept } of blocks) {
    if (dosages) {
      await addDosages(gram, dosages, kept.rows, native);
      continue;
    }
    for (let from = 0; from < rows; from += tile) {
      const to = Math.min(from + tile, rows);
      const here = kept.rows.filter((row) => row >= from && row < to).map((row) => row - from);
      if (here.length === 0) continue;
      const values = await decodeFloat64(packed.subarray(from * stride, to * stride), n, to - from, native);
      await addDosages(gram, values, here, native);
    }
  }
  return (snps) => finishDosages(gram, snps, native);
}
