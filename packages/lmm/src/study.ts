import type { PlinkStudy } from "@x/plink-io";
import { type DosageStudy, isDosageStudy } from "./bimbam.ts";
import type { Cohort } from "./cohort.ts";
import { dropExplained, testsCovariates } from "./covariate-r2.ts";
import { lmmError } from "./errors.ts";
import { type FilterCounts, type FilterOptions, type KeptRows, VariantFilter } from "./filter.ts";
import { countGenotypes, dosageCounts, type NativeOptions } from "./native.ts";

/** One block of the .bed after the filter. */
export interface FilteredBlock {
  /** .bim row of the block's first variant. */
  readonly start: number;
  readonly rows: number;
  /** Empty for dosages. */
  readonly packed: Uint8Array;
  /** In place of packed genotypes: rows of everyone's dosages, NaN = missing. */
  readonly dosages?: Float64Array;
  /** Rows within the block, with means of the analysed people. */
  readonly kept: KeptRows;
}

/**
 * One pass over the .bed: reads a block ahead, counts the analysed people's genotypes and drops what the filter drops.
 * @throws COHORT_MISMATCH when the cohort was joined to another fileset.
 */
export async function* filteredBlocks(
  study: PlinkStudy,
  cohort: Cohort,
  filter: VariantFilter,
  options: NativeOptions & { chunk: number; range?: readonly [from: number, to: number] },
): AsyncGenerator<FilteredBlock> {
  const { chunk, signal, threads, range = [0, study.p] } = options;
  const quiet: NativeOptions = { signal, threads };
  const everyone = cohort.analyzed.length === cohort.samples;
  const covariates = testsCovariates(cohort, filter);
  let done = 0;
  const progress = (rows: number): void => {
    done += rows;
    options.onProgress?.({ stage: options.stage ?? "variants", done, total: range[1] - range[0] });
  };
  if (isDosageStudy(study)) {
    for await (const block of dosageBlocks(study, cohort, filter, { ...quiet, chunk, range })) {
      const kept = covariates ? await dropExplained(cohort, filter, block.kept, block, quiet) : block.kept;
      yield { ...block, kept };
      progress(block.rows);
    }
    return;
  }
  const blocks = study.blocks({ chunk, threads, range, ...(signal ? { signal } : {}) });
  for await (const { start, rows, packed } of blocks) {
    const counts = await countGenotypes(packed, study.n, rows, everyone ? null : cohort.mask, quiet);
    let kept = filter.apply(counts, (row) => study.bim.id[start + row]!);
    if (covariates) kept = await dropExplained(cohort, filter, kept, { packed }, quiet);
    yield { start, rows, packed, kept };
    progress(rows);
  }
}

async function* dosageBlocks(
  study: DosageStudy,
  cohort: Cohort,
  filter: VariantFilter,
  options: NativeOptions & { chunk: number; range: readonly [from: number, to: number] },
): AsyncGenerator<FilteredBlock> {
  const packed = new Uint8Array();
  for await (const { start, rows, values } of study.dosages(options)) {
    const counts = await dosageCounts(values, study.n, cohort.analyzed, options);
    const kept = filter.apply(counts.classes, (row) => study.bim.id[start + row]!, counts);
    yield { start, rows, packed, dosages: values, kept };
  }
}

/** What the filter would keep, without doing anything with it. */
export async function countVariants(
  study: PlinkStudy,
  cohort: Cohort,
  options: FilterOptions & { chunk: number; threads: number; signal?: AbortSignal },
): Promise<FilterCounts> {
  const filter = new VariantFilter(options);
  for await (const _block of filteredBlocks(study, cohort, filter, { signal: undefined, ...options })) {
    // Counted by the filter itself.
  }
  return filter.counts;
}

/** Refuses a cohort that was joined to another fileset. */
export function requireCohort(study: PlinkStudy, cohort: Cohort): void {
  if (cohort.sampleHash === study.sampleHash && cohort.samples === study.n) return;
  throw lmmError(
    "COHORT_MISMATCH",
    `the cohort belongs to another fileset: it was joined to ${cohort.samples} people, ${study.paths.fam} lists ${study.n}${cohort.samples === study.n ? " others" : ""}.`,
    { details: { cohort: cohort.sampleHash, study: study.sampleHash } },
  );
}

export { VariantFilter };
