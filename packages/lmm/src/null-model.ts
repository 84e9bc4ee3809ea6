import { type RunOptions, resolveThreads } from "@x/core/base";
import type { Cohort } from "./cohort.ts";
import { Eigen } from "./eigen-matrix.ts";
import { fitNull, project } from "./native.ts";

/** Where λ = vg/ve is searched. Defaults are GEMMA's: 1e-5, 1e5, 10 intervals equal in log λ. */
export interface LambdaOptions {
  readonly lmin?: number;
  readonly lmax?: number;
  readonly regions?: number;
}

/** The model without a variant; everything but the MLE fields at the REML λ. */
export interface NullModel {
  /** Share of the phenotype's variance that the kinship explains, t λ/(t λ + 1) with t the mean eigenvalue. */
  readonly pve: number;
  readonly pveSe: number;
  readonly vg: number;
  readonly ve: number;
  /** λ = vg/ve of both likelihoods. */
  readonly lambda: { readonly reml: number; readonly mle: number };
  readonly logLik: { readonly reml: number; readonly mle: number };
  /** Effects of the covariates, in the cohort's order, and their standard errors. */
  readonly beta: Float64Array;
  readonly betaSe: Float64Array;
}

/**
 * Fits y = Wα + u + e, the numbers of GEMMA's log file.
 * @throws COHORT_MISMATCH, DF, COVAR_RANK, NULL_FIT.
 */
export async function nullModel(
  cohort: Cohort,
  eigen: Eigen,
  options: RunOptions & LambdaOptions = {},
): Promise<NullModel> {
  const vectors = Eigen.vectorsFor(eigen, cohort);
  const n = cohort.analyzed.length;
  const c = cohort.w.length / n;
  const columns = new Float64Array(n * (c + 1));
  columns.set(cohort.y);
  columns.set(cohort.w, n);
  const native = { signal: options.signal, threads: resolveThreads(options.threads) };
  const rotated = await project(vectors, columns, c + 1, native);
  const fit = fitNull(eigen.values, rotated.subarray(0, n), rotated.subarray(n), c, lambdaOptions(options));
  return Object.freeze({
    pve: fit.pve,
    pveSe: fit.pveSe,
    vg: fit.vg,
    ve: fit.ve,
    lambda: { reml: fit.lambdaReml, mle: fit.lambdaMle },
    logLik: { reml: fit.loglikReml, mle: fit.loglikMle },
    beta: Float64Array.from(fit.beta),
    betaSe: Float64Array.from(fit.betaSe),
  });
}

/** The options with GEMMA's defaults filled in. */
export function lambdaOptions(o: LambdaOptions): { lmin: number; lmax: number; regions: number } {
  return { lmin: o.lmin ?? 1e-5, lmax: o.lmax ?? 1e5, regions: o.regions ?? 10 };
}
