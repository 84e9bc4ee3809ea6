import { checkRange, type RunOptions, resolveThreads } from "@x/core/base";
import type { Cohort } from "./cohort.ts";
import { DualEigen } from "./dual-eigen.ts";
import type { Decomposition } from "./eigen.ts";
import { Eigen } from "./eigen-matrix.ts";
import { lmmError } from "./errors.ts";
import { fitNull, type LambdaRange, type NativeOptions, project } from "./native.ts";
import { fitDualNull } from "./native-dual.ts";
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
  eigen: Decomposition,
  options: RunOptions & LambdaOptions = {},
): Promise<NullModel> {
  checkNames(options, NULL_MODEL_NAMES, "nullModel");
  const native = { signal: options.signal, threads: resolveThreads(options.threads) };
  return (await countedNullModel(cohort, eigen, lambdaOptions(options), native)).model;
}

/** Models that were fitted, by decomposition, phenotype, covariates and search: none is fitted twice. */
const known = new WeakMap<
  Decomposition,
  WeakMap<Float64Array, WeakMap<Float64Array, Map<string, NullModel>>>
>();

/** The null model, and whether it had to be fitted. */
export async function countedNullModel(
  cohort: Cohort,
  eigen: Decomposition,
  lambda: LambdaRange,
  native: NativeOptions,
): Promise<{ model: NullModel; fitted: boolean }> {
  const ofEigen = getOr(known, eigen, () => new WeakMap());
  const models = getOr(
    getOr(ofEigen, cohort.y, () => new WeakMap()),
    cohort.w,
    () => new Map(),
  );
  const key = [lambda.lmin, lambda.lmax, lambda.regions].join();
  const earlier = models.get(key);
  if (earlier) return { model: earlier, fitted: false };
  const model = await fit(cohort, eigen, lambda, native);
  models.set(key, model);
  return { model, fitted: true };
}

function getOr<K, V>(
  map: { get(key: K): V | undefined; set(key: K, value: V): unknown },
  key: K,
  make: () => V,
): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

async function fit(
  cohort: Cohort,
  eigen: Decomposition,
  lambda: LambdaRange,
  native: NativeOptions,
): Promise<NullModel> {
  const fitted =
    eigen instanceof DualEigen
      ? await fitDualNull(DualEigen.modelFor(eigen, cohort).model, cohort, lambda, native)
      : await rotateAndFit(cohort, eigen, lambda, native);
  return Object.freeze({
    pve: fitted.pve,
    pveSe: fitted.pveSe,
    vg: fitted.vg,
    ve: fitted.ve,
    lambda: { reml: fitted.lambdaReml, mle: fitted.lambdaMle },
    logLik: { reml: fitted.loglikReml, mle: fitted.loglikMle },
    beta: Float64Array.from(fitted.beta),
    betaSe: Float64Array.from(fitted.betaSe),
  });
}

async function rotateAndFit(
  cohort: Cohort,
  eigen: Eigen,
  lambda: LambdaRange,
  native: NativeOptions,
): Promise<ReturnType<typeof fitNull>> {
  const vectors = Eigen.vectorsFor(eigen, cohort);
  const n = cohort.analyzed.length;
  const c = cohort.w.length / n;
  const columns = new Float64Array(n * (c + 1));
  columns.set(cohort.y);
  columns.set(cohort.w, n);
  const rotated = await project(vectors, columns, c + 1, native);
  return fitNull(eigen.values, rotated.subarray(0, n), rotated.subarray(n), c, lambda);
}

/** The options with GEMMA's defaults filled in. @throws OPTION_RANGE. */
export function lambdaOptions(o: LambdaOptions): LambdaRange {
  const lmin = checkRange("lmin", o.lmin ?? 1e-5, { min: 1e-300, max: 1e300 });
  const lmax = checkRange("lmax", o.lmax ?? 1e5, { min: 1e-300, max: 1e300 });
  const regions = checkRange("regions", o.regions ?? 10, { min: 1, max: 1000, integer: true });
  if (lmin < lmax) return { lmin, lmax, regions };
  throw lmmError("OPTION_RANGE", `lmin must be below lmax, got ${lmin} and ${lmax}.`, {
    usage: true,
    details: { option: "lmin", value: lmin, lmax },
  });
}
