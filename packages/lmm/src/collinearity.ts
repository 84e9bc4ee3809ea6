import type { Cohort } from "./cohort.ts";

/** How much a covariate is a sum of the others. */
export interface CovariateInflation {
  /** The covariate's name. */
  readonly name: string;
  /**
   * Variance inflation factor 1/(1 − R²) of its regression on the other covariates and a constant: 1 = nothing in common.
   * Not given for constant columns.
   */
  readonly inflation: number;
  /** The other covariate with the largest correlation with it. */
  readonly nearest: string | undefined;
  /** That correlation. */
  readonly correlation: number;
}

/** From here on the report warns: less than a hundredth of the column's variance is its own. */
export const HIGH_INFLATION = 100;

/** Variance inflation of each covariate that is not constant, by elimination in their correlation matrix. */
export function covariateInflation(
  cohort: Pick<Cohort, "w" | "analyzed" | "covariateNames">,
): CovariateInflation[] {
  const n = cohort.analyzed.length;
  const columns: Float64Array[] = [];
  const names: string[] = [];
  cohort.covariateNames.forEach((name, j) => {
    const column = cohort.w.subarray(j * n, (j + 1) * n);
    const mean = column.reduce((sum, v) => sum + v, 0) / n;
    const centred = column.map((v) => v - mean);
    const norm = Math.sqrt(centred.reduce((sum, v) => sum + v * v, 0));
    if (!(norm > 1e-12 * Math.abs(mean) * Math.sqrt(n))) return;
    columns.push(centred.map((v) => v / norm));
    names.push(name);
  });
  const correlation = columns.map((a) => columns.map((b) => a.reduce((sum, v, i) => sum + v * b[i]!, 0)));
  const inverse = invert(correlation);
  return names.map((name, j) => {
    let near = -1;
    for (let k = 0; k < names.length; k++)
      if (k !== j && (near < 0 || Math.abs(correlation[j]![k]!) > Math.abs(correlation[j]![near]!))) near = k;
    return {
      name,
      inflation: inverse[j]![j]!,
      nearest: names[near],
      correlation: near < 0 ? 0 : correlation[j]![near]!,
    };
  });
}

/** Gauss-Jordan on a positive definite matrix: what `joinSamples` accepts has full rank. */
function invert(matrix: ReadonlyArray<readonly number[]>): number[][] {
  const m = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let k = 0; k < m; k++) {
    const pivot = rows[k]!;
    const by = pivot[k]!;
    for (let j = 0; j < 2 * m; j++) pivot[j]! /= by;
    for (let i = 0; i < m; i++) {
      if (i === k) continue;
      const times = rows[i]![k]!;
      for (let j = 0; j < 2 * m; j++) rows[i]![j]! -= times * pivot[j]!;
    }
  }
  return rows.map((row) => row.slice(m));
}
