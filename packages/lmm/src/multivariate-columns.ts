import type { MultiColumns } from "./native-multivariate.ts";

/** Which tests a multivariate run makes. */
export type MultivariateTest = "wald" | "lrt" | "score";

/**
 * Results of a run of variants as plain columns; those of tests that did not run are empty.
 */
export interface MultivariateColumns {
  /** .bim row of each variant. */
  readonly index: Uint32Array;
  /** Missing calls among the analysed people. */
  readonly nMiss: Int32Array;
  /** Frequency of A1 among the analysed people. */
  readonly af: Float64Array;
  /** Effects of one copy of A1, variant × trait. */
  readonly beta: Float64Array;
  /** Their covariance: the lower triangle by rows, d(d + 1)/2 a variant. */
  readonly vBeta: Float64Array;
  /** REML log-likelihood with the variant (Wald). */
  readonly loglReml: Float64Array;
  /** Log-likelihood with the variant (LRT). */
  readonly loglMle: Float64Array;
  /** p of the Wald test, χ² with one degree of freedom a trait; 0 where it underflows. */
  readonly pWald: Float64Array;
  /** p of the likelihood ratio test. */
  readonly pLrt: Float64Array;
  /** p of the score test. */
  readonly pScore: Float64Array;
  /** −log₁₀ of the Wald p, which does not underflow. */
  readonly negLog10PWald: Float64Array;
  /** −log₁₀ of the LRT p. */
  readonly negLog10PLrt: Float64Array;
  /** −log₁₀ of the score p. */
  readonly negLog10PScore: Float64Array;
}

/** The statistics of a test, by name. */
export const TEST_COLUMNS = {
  wald: ["pWald", "negLog10PWald", "p_wald", "neg_log10_p_wald"],
  lrt: ["pLrt", "negLog10PLrt", "p_lrt", "neg_log10_p_lrt"],
  score: ["pScore", "negLog10PScore", "p_score", "neg_log10_p_score"],
} as const;

/** What the kernel returns, with the filter's columns. */
export function multivariateColumns(
  kept: { index: Uint32Array; nMiss: Int32Array; af: Float64Array },
  m: MultiColumns,
): MultivariateColumns {
  const { degenerate: _d, unconverged: _u, steps: _s, ...columns } = m;
  return { ...kept, ...columns };
}

/** The entries of the effects' covariance in GEMMA's order, counted from 1: by rows of the upper triangle. */
export function upperPairs(traits: number): Array<readonly [i: number, j: number]> {
  const pairs: Array<readonly [number, number]> = [];
  for (let i = 1; i <= traits; i++) for (let j = i; j <= traits; j++) pairs.push([i, j]);
  return pairs;
}

/** Where entry (i, j), i <= j, counted from 1, lies in a variant's lower triangle. */
export function triangleIndex(i: number, j: number): number {
  return ((j - 1) * j) / 2 + i - 1;
}
