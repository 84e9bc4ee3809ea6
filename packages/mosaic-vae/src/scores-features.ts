/** Scores of imputed values by feature: correlation, error, and how well 0 and 1 are told apart. */

/** Pearson correlation; NaN where either side is constant. */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const n = x.length;
  let [mx, my] = [0, 0];
  for (let i = 0; i < n; i++) {
    mx += x[i]! / n;
    my += y[i]! / n;
  }
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [a, b] = [x[i]! - mx, y[i]! - my];
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : Number.NaN;
}

/** Area under the ROC curve of scores against 0/1, ties counted half; NaN where there is only one class. */
export function auroc(scores: ArrayLike<number>, truth: ArrayLike<number>): number {
  const order = orderOf(scores);
  let [rank, positives, sum] = [0, 0, 0];
  for (let i = 0; i < order.length; ) {
    let j = i;
    while (j < order.length && scores[order[j]!] === scores[order[i]!]) j++;
    const middle = rank + (j - i + 1) / 2;
    for (let t = i; t < j; t++)
      if (truth[order[t]!]! > 0) {
        positives++;
        sum += middle;
      }
    rank += j - i;
    i = j;
  }
  const negatives = order.length - positives;
  if (positives === 0 || negatives === 0) return Number.NaN;
  return (sum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Average precision: area under the precision-recall curve; NaN without a 1. */
export function averagePrecision(scores: ArrayLike<number>, truth: ArrayLike<number>): number {
  const order = orderOf(scores);
  let positives = 0;
  for (let i = 0; i < order.length; i++) if (truth[i]! > 0) positives++;
  if (positives === 0) return Number.NaN;
  let [hits, seen, area] = [0, 0, 0];
  for (let end = order.length; end > 0; ) {
    let start = end;
    while (start > 0 && scores[order[start - 1]!] === scores[order[end - 1]!]) start--;
    let now = 0;
    for (let t = start; t < end; t++) if (truth[order[t]!]! > 0) now++;
    hits += now;
    seen += end - start;
    area += (now / positives) * (hits / seen);
    end = start;
  }
  return area;
}

/** Places by increasing score. */
function orderOf(scores: ArrayLike<number>): Uint32Array {
  const values = Float64Array.from(scores);
  return Uint32Array.from(values, (_, i) => i).sort((a, b) => values[a]! - values[b]! || a - b);
}

/** The middle of those that are numbers. */
export function medianOf(values: Iterable<number>): number {
  const sorted = [...values].filter((v) => !Number.isNaN(v)).sort((a, b) => a - b);
  const half = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The mean of those that are numbers. */
export function meanOf(values: Iterable<number>): number {
  const list = [...values].filter((v) => !Number.isNaN(v));
  return list.reduce((a, b) => a + b, 0) / list.length;
}
