import type { Cohort } from "./cohort.ts";
import type { KeptRows, VariantFilter } from "./filter.ts";
import { covariateR2, type NativeOptions } from "./native.ts";

/** GEMMA tests variants against the covariates only where there are two or more columns. */
export function testsCovariates(cohort: Cohort, filter: VariantFilter): boolean {
  return cohort.covariateNames.length >= 2 && filter.r2 < 1;
}

/**
 * GEMMA's r² test: x′W(W′W)⁻¹W′x / x′x of the uncentred, mean-imputed dosage x among the analysed people. Drops the kept
 * variants of a block that the covariates explain: of a variant that a covariate equals no effect can be estimated.
 */
export async function dropExplained(
  cohort: Cohort,
  filter: VariantFilter,
  kept: KeptRows,
  genotypes: { readonly packed: Uint8Array; readonly dosages?: Float64Array | undefined },
  o: NativeOptions,
): Promise<KeptRows> {
  return filter.dropExplained(kept, await covariateR2(genotypes, cohort, kept, o));
}
