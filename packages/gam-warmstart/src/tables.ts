import type { ModelParts } from "./model.ts";

/** A smooth term of a fitted model. */
export interface SmoothRow {
  /** mgcv's label. */
  readonly label: string;
  /** Effective degrees of freedom. */
  readonly edf: number;
  /** Reference degrees of freedom of the test; NaN where there is no test. */
  readonly refDf: number;
  /** Test statistic: F with an estimated scale, else chi-squared. */
  readonly stat: number;
  /** Which of the two. */
  readonly statKind: "F" | "Chi.sq";
  /**
   * p-value (Wood 2013), of a random effect the test of zero variance. To the digits of mgcv, whose integration has an absolute
   * accuracy of 2e-5: below about 1e-4 `negLog10P` is the one to rely on.
   */
  readonly p: number;
  /** −log₁₀ of the exact p, below 1e-308 too. */
  readonly negLog10P: number;
  /** Log smoothing parameters of its penalties. */
  readonly rho: readonly number[];
  /** Basis dimension after constraints. */
  readonly width: number;
}

/** A parametric coefficient. */
export interface CoefficientRow {
  /** R's name. */
  readonly name: string;
  /** Estimate. */
  readonly estimate: number;
  /** Standard error. */
  readonly se: number;
  /** Estimate over standard error. */
  readonly stat: number;
  /** `t` with an estimated scale, else `z`. */
  readonly statKind: "t" | "z";
  /** Two-sided p-value. */
  readonly p: number;
}

const or = (v: number | null | undefined): number => v ?? Number.NaN;

/** The smooth terms. */
export function smoothTable({ summary, shape, arrays }: ModelParts): SmoothRow[] {
  return summary.terms.map((t, i) => ({
    label: t.label,
    edf: t.edf,
    refDf: or(t.refDf),
    stat: or(t.stat),
    statKind: t.statKind,
    p: or(t.p),
    negLog10P: -or(t.pLog) / Math.LN10,
    rho: shape.terms[i]!.penalties.map((p) => arrays.rho[p.index]!),
    width: shape.terms[i]!.width,
  }));
}

/** The parametric coefficients. */
export function coefficientTable({ summary }: ModelParts): CoefficientRow[] {
  return summary.parametric.map((c) => ({ ...c, stat: or(c.stat), p: or(c.p) }));
}
