import { checkRange } from "@x/core/base";
import type { MultiNullFit, MultiSearch } from "./native-multivariate.ts";
import type { NamesOf } from "./option-names.ts";

/** How far the searches for Vg and Ve go. */
export interface MultivariateSearchOptions {
  /** Most EM steps of the null model (`-emi`). Default 10,000. */
  readonly emIterations?: number;
  /** Gain of log-likelihood below which EM ends and Newton's method begins (`-emp`). Default 1e-3. */
  readonly emPrecision?: number;
  /** Most Newton steps of a model (`-nri`). Default 100. */
  readonly newtonIterations?: number;
  /** Gain of log-likelihood that a step promises below which it is the last (`-nrp`). Default 1e-10. */
  readonly newtonPrecision?: number;
}

export const SEARCH_NAMES: NamesOf<MultivariateSearchOptions> = {
  emIterations: true,
  emPrecision: true,
  newtonIterations: true,
  newtonPrecision: true,
};

/** The options with defaults. @throws OPTION_RANGE. */
export function searchOptions(o: MultivariateSearchOptions): MultiSearch {
  const steps = (name: keyof MultivariateSearchOptions, value: number, min: number): number =>
    checkRange(name, value, { min, max: 1e9, integer: true });
  const gain = (name: keyof MultivariateSearchOptions, value: number): number =>
    checkRange(name, value, { min: 1e-300, max: 1e300 });
  return {
    emIterations: steps("emIterations", o.emIterations ?? 10_000, 0),
    emPrecision: gain("emPrecision", o.emPrecision ?? 1e-3),
    newtonIterations: steps("newtonIterations", o.newtonIterations ?? 100, 1),
    newtonPrecision: gain("newtonPrecision", o.newtonPrecision ?? 1e-10),
  };
}

/** Estimates of one likelihood; matrices of the traits are row-major, trait × trait. */
export interface MultivariateEstimate {
  /** Log-likelihood. */
  readonly logLik: number;
  /** Genetic covariance of the traits. */
  readonly vg: Float64Array;
  /** Residual covariance. */
  readonly ve: Float64Array;
  /** Standard errors of `vg`, from the observed information; NaN where the maximum is on the border (a singular `vg`). */
  readonly vgSe: Float64Array;
  /** Standard errors of `ve`. */
  readonly veSe: Float64Array;
  /** Share of each trait's variance that the kinship explains, t Vg/(t Vg + Ve) with t the mean eigenvalue. */
  readonly pve: Float64Array;
  /** Standard errors of `pve`, by the delta method from the observed information; NaN where that has none. */
  readonly pveSe: Float64Array;
  /** Correlations of `vg`, trait × trait; NaN beside a trait without genetic variance. */
  readonly geneticCorrelation: Float64Array;
  /** Standard errors of `geneticCorrelation`, by the delta method; 0 on the diagonal. */
  readonly geneticCorrelationSe: Float64Array;
  /** Correlations of `ve`. */
  readonly residualCorrelation: Float64Array;
  /** Standard errors of `residualCorrelation`. */
  readonly residualCorrelationSe: Float64Array;
  /** Effects of the covariates and, with one, of the environment: trait × covariate, the environment last. */
  readonly beta: Float64Array;
  /** Their standard errors. */
  readonly betaSe: Float64Array;
  /** False when the search ended at its last step. */
  readonly converged: boolean;
}

/** The model of several traits without a variant; an environment is a covariate of it, as in GEMMA. */
export interface MultivariateNullModel {
  /** Restricted likelihood. */
  readonly reml: MultivariateEstimate;
  /** Full likelihood. */
  readonly mle: MultivariateEstimate;
}

export function frozenNull(fit: MultiNullFit): MultivariateNullModel {
  const estimate = (e: MultiNullFit["reml"]): MultivariateEstimate =>
    Object.freeze({
      logLik: e.loglik,
      vg: e.vg,
      ve: e.ve,
      vgSe: e.vgSe,
      veSe: e.veSe,
      pve: e.pve,
      pveSe: e.pveSe,
      geneticCorrelation: e.rg,
      geneticCorrelationSe: e.rgSe,
      residualCorrelation: e.re,
      residualCorrelationSe: e.reSe,
      beta: e.b,
      betaSe: e.bSe,
      converged: e.converged,
    });
  return Object.freeze({ reml: estimate(fit.reml), mle: estimate(fit.mle) });
}
