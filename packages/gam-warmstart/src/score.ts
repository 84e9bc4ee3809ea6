import type { Family } from "./family.ts";
import type { Prepared } from "./prepare.ts";

/** How well rows were predicted by a fit that did not see them. NaN where a measure has no meaning for the family. */
export interface FoldScore {
  /** Rows scored. */
  readonly rows: number;
  /** Weighted mean squared difference of response and prediction. */
  readonly mse: number;
  /** Weighted mean absolute difference. */
  readonly mae: number;
  /** Mean log loss (binomial). */
  readonly logLoss: number;
  /** Share of weights, so that folds add up. */
  readonly weight: number;
}

/** Scores of held-out rows: `mu` are the predicted means. For categories `mu` is not a mean: only counts remain. */
export function foldScore(family: Family, held: Prepared, mu: Float64Array): FoldScore {
  const { y } = held.response;
  const w = held.weights;
  let [weight, square, absolute, loss] = [0, 0, 0, 0];
  for (let i = 0; i < y.length; i++) {
    const wi = w ? w[i]! : 1;
    if (wi === 0) continue;
    const error = y[i]! - mu[i]!;
    weight += wi;
    square += wi * error * error;
    absolute += wi * Math.abs(error);
    loss -=
      wi * ((y[i]! > 0 ? y[i]! * Math.log(mu[i]!) : 0) + (y[i]! < 1 ? (1 - y[i]!) * Math.log1p(-mu[i]!) : 0));
  }
  const categories = family.name === "ocat" || family.name === "multinom" || family.name === "cox.ph";
  const mean = (sum: number): number => (categories ? Number.NaN : sum / weight);
  return {
    rows: y.length,
    mse: mean(square),
    mae: mean(absolute),
    logLoss: /binomial$/.test(family.name) ? loss / weight : Number.NaN,
    weight,
  };
}

/** Scores over all folds, each with its weight. */
export function totalScore(folds: readonly { readonly score: FoldScore }[]): FoldScore {
  const weight = folds.reduce((sum, f) => sum + f.score.weight, 0);
  const mean = (of: (s: FoldScore) => number): number =>
    folds.reduce((sum, f) => sum + of(f.score) * f.score.weight, 0) / weight;
  return {
    rows: folds.reduce((sum, f) => sum + f.score.rows, 0),
    mse: mean((s) => s.mse),
    mae: mean((s) => s.mae),
    logLoss: mean((s) => s.logLoss),
    weight,
  };
}
