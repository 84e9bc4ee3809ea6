import { checkRange, type RunOptions, resolveThreads } from "@x/core/base";
import type { Cohort } from "./cohort.ts";
import { Eigen } from "./eigen-matrix.ts";
import { lmmError } from "./errors.ts";
import { fitNull, project } from "./native.ts";
import { checkNames, type NamesOf, RUN_NAMES } from "./option-names.ts";

/** Where λ = vg/ve is searched. Defaults are GEMMA's: 1e-5, 1e5, 10 intervals equal in log λ. */
export interface LambdaOptions {
  /** Smallest λ. */
  readonly lmin?: number;
  /** Largest λ. */
  readonly lmax?: number;
  /** Intervals searched for a root. */
  readonly regions?: number;
}

export const LAMBDA_NAMES: NamesOf<LambdaOptions> = { lmin: true, lmax: true, regions: true };
export const NULL_MODEL_NAMES: NamesOf<LambdaOptions & RunOptions> = { ...LAMBDA_NAMES, ...RUN_NAMES };

/** One number of each likelihood. */
export interface Likelihoods {
  /** Restricted likelihood. */
  readonly reml: number;
  /** Full likelihood. */
  readonly mle: number;
}

/** The model without a variant; everything but the MLE fields at the REML λ. */
export interface NullModel {
  /** Share of the phenotype's variance that the kinship explains, t λ/(t λ + 1) with t the mean eigenvalue. */
  readonly pve: number;
  /** Standard error of `pve`. */
  readonly pveSe: number;
  /** Genetic variance. */
  readonly vg: number;
  /** Residual variance. */
  readonly ve: number;
  /** λ = vg/ve of both likelihoods. */
  readonly lambda: Likelihoods;
  /** Log-likelihoods at these λ. */
  readonly logLik: Likelihoods;
  /** Effects of the covariates, in the cohort's order, and their standard errors. */
  readonly beta: Float64Array;
  /** Standard errors of `beta`. */
  readonly betaSe: Float64Array;
}

/**
 * Fits y = Wα + u + e, the numbers of GEMMA's log file.
 * @throws COHORT_MISMATCH, DF, COVAR_RANK, NULL_FIT, OPTION_RANGE, UNKNOWN_OPTION.
 */
export async function nullModel(
  cohort: Cohort,
  eigen: Eigen,
  options: RunOptions & LambdaOptions = {},
): Promise<NullModel> {
  checkNames(options, NULL_MODEL_NAMES, "nullModel");
  const lambda = lambdaOptions(options);
  const vectors = Eigen.vectorsFor(eigen, cohort);
  const n = cohort.analyzed.length;
  const c = cohort.w.length / n;
  const columns = new Float64Array(n * (c + 1));
  columns.set(cohort.y);
  columns.set(cohort.w, n);
  const native = { signal: options.signal, threads: resolveThreads(options.threads) };
  const rotated = await project(vectors, columns, c + 1, native);
  const fit = fitNull(eigen.values, rotated.subarray(0, n), rotated.subarray(n), c, lambda);
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

/** The options with GEMMA's defaults filled in. @throws OPTION_RANGE. */
export function lambdaOptions(o: LambdaOptions): { lmin: number; lmax: number; regions: number } {
  const lmin = checkRange("lmin", o.lmin ?? 1e-5, { min: 1e-300, max: 1e300 });
  const lmax = checkRange("lmax", o.lmax ?? 1e5, { min: 1e-300, max: 1e300 });
  const regions = checkRange("regions", o.regions ?? 10, { min: 1, max: 1000, integer: true });
  if (lmin < lmax) return { lmin, lmax, regions };
  throw lmmError("OPTION_RANGE", `lmin must be below lmax, got ${lmin} and ${lmax}.`, {
    usage: true,
    details: { option: "lmin", value: lmin, lmax },
  });
}
