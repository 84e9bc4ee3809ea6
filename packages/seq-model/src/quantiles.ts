import { checkRange, xError } from "@x/core/base";

/** Quantiles in ascending order. `OPTION_RANGE` for one that is not between 0 and 1, `OPTION_CHOICE` for one given twice. */
export function sortedQuantiles(quantiles: readonly number[]): number[] {
  const [least, most] = [Number.EPSILON, 1 - Number.EPSILON];
  const sorted = quantiles
    .map((q) => checkRange("quantiles", q, { min: least, max: most }))
    .sort((a, b) => a - b);
  const twice = sorted.find((q, k) => k > 0 && sorted[k - 1] === q);
  if (twice === undefined && sorted.length > 0) return sorted;
  const message =
    twice === undefined ? "there is no quantile to predict" : `quantile ${twice} stands more than once`;
  throw xError("OPTION_CHOICE", message, { usage: true, details: { option: "quantiles" } });
}

/**
 * Predicted quantiles that do not cross: each group of `count` numbers beside each other in ascending order, which never
 * makes them worse (Chernozhukov, Fernández-Val and Galichon 2010).
 */
export function uncrossed(values: ArrayLike<number>, count: number): Float64Array {
  const sorted = Float64Array.from(values);
  for (let at = 0; at < sorted.length; at += count) sorted.subarray(at, at + count).sort();
  return sorted;
}

/** Mean pinball loss of predicted quantiles: max(t e, (t − 1) e) with e = truth − predicted. */
export function pinball(
  truth: ArrayLike<number>,
  predicted: ArrayLike<number>,
  quantiles: readonly number[],
): number {
  let sum = 0;
  for (let i = 0; i < predicted.length; i++) {
    const t = quantiles[i % quantiles.length]!;
    const e = truth[Math.floor(i / quantiles.length)]! - predicted[i]!;
    sum += Math.max(t * e, (t - 1) * e);
  }
  return sum / predicted.length;
}
