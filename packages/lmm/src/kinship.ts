import { type RunOptions, resolveThreads } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import type { Cohort } from "./cohort.ts";
import { lmmError } from "./errors.ts";
import { FILTER_NAMES, type FilterOptions, VariantFilter } from "./filter.ts";
import { Kinship } from "./kinship-matrix.ts";
import { kinshipMeans } from "./kinship-means.ts";
import { addToGram, finishGram, type NativeOptions, peopleGram } from "./native.ts";
import { checkNames, type NamesOf, RUN_NAMES } from "./option-names.ts";
import { fitChunk, kinshipParts } from "./plan.ts";
import { filteredBlocks, requireCohort } from "./study.ts";

/** Options of {@link kinship}. */
export interface KinshipOptions extends FilterOptions, RunOptions {
  /** `centered` is GEMMA's `-gk 1`: K = Σ x x′ / p with x centred at its mean. */
  readonly mode?: "centered";
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
 * The centred relatedness matrix of ALL people of the fileset, analysed or not, as GEMMA's `-gk 1`: variants are chosen
 * by the analysed people's calls, each variant's mean is over everyone with a call, missing calls count as that mean.
 * Sums are exact integers with one correction in a fixed order: same bytes for any `threads` and `chunk`.
 *
 * @throws NO_VARIANTS_AFTER_FILTER, COHORT_MISMATCH, MEM_PREFLIGHT, INPUT_CHANGED, OPTION_RANGE,
 * NOT_IMPLEMENTED for another mode, UNKNOWN_OPTION.
 */
export async function kinship(
  study: PlinkStudy,
  cohort: Cohort,
  options: KinshipOptions = {},
): Promise<Kinship> {
  checkNames(options, KINSHIP_NAMES, "kinship");
  if ((options.mode ?? "centered") !== "centered")
    throw lmmError("NOT_IMPLEMENTED", `the ${options.mode} kinship is not in this version; "centered" is.`, {
      usage: true,
      details: { option: "mode" },
    });
  requireCohort(study, cohort);
  const snps = options.kinshipSnps ?? options.snps;
  const filter = new VariantFilter(snps ? { ...options, snps } : options);
  const threads = resolveThreads(options.threads);
  const chunk = fitChunk(options, (c) => kinshipParts({ samples: study.n, chunk: c, threads }));
  const native: NativeOptions = { signal: options.signal, threads };
  const gram = peopleGram(study.n);
  const pass = { ...native, onProgress: options.onProgress, stage: "kinship", chunk };
  for await (const block of filteredBlocks(study, cohort, filter, pass)) {
    const { packed, kept } = block;
    if (kept.rows.length === 0) continue;
    const means = await kinshipMeans(study, cohort, block, native);
    await addToGram(gram, packed, kept.rows, means, native);
  }
  await study.check();
  filter.requireSome();
  const matrix = await finishGram(gram, filter.counts.kept, native);
  return new Kinship(matrix, {
    fid: study.fam.fid,
    iid: study.fam.iid,
    sampleHash: study.sampleHash,
    snps: filter.counts.kept,
    filters: filter.counts,
    source: `centred kinship of ${study.paths.bed}`,
  });
}
