/** Nearest neighbours by comparing all pairs, a block of rows at a time. */

/** Points, row-major. */
export interface Points {
  readonly values: ArrayLike<number>;
  readonly count: number;
  readonly dimensions: number;
}

/** For each query its nearest points, nearest first; equal distances by index. */
export interface Neighbours {
  readonly k: number;
  /** queries × k. */
  readonly indices: Int32Array;
  /** Euclidean, queries × k. */
  readonly distances: Float32Array;
}

/** The k nearest of `points` for each of `queries`; a query that is itself a point is left out with `self: false`. */
export function nearest(
  queries: Points,
  points: Points,
  { k, self = true }: { k: number; self?: boolean },
): Neighbours {
  const { dimensions } = points;
  const most = Math.min(k, points.count - (self ? 0 : 1));
  const data = Float64Array.from(points.values);
  const indices = new Int32Array(queries.count * most);
  const distances = new Float32Array(queries.count * most);
  const bestAt = new Int32Array(most);
  const best = new Float64Array(most);
  const q = new Float64Array(dimensions);
  for (let i = 0; i < queries.count; i++) {
    for (let d = 0; d < dimensions; d++) q[d] = queries.values[i * dimensions + d]!;
    let found = 0;
    for (let j = 0; j < points.count; j++) {
      if (!self && i === j) continue;
      const limit = found < most ? Number.POSITIVE_INFINITY : best[most - 1]!;
      let sum = 0;
      const base = j * dimensions;
      for (let d = 0; d < dimensions; d++) {
        const x = q[d]! - data[base + d]!;
        sum += x * x;
      }
      if (sum >= limit) continue;
      let at = found < most ? found++ : most - 1;
      while (at > 0 && best[at - 1]! > sum) {
        best[at] = best[at - 1]!;
        bestAt[at] = bestAt[at - 1]!;
        at--;
      }
      best[at] = sum;
      bestAt[at] = j;
    }
    for (let n = 0; n < most; n++) {
      indices[i * most + n] = bestAt[n]!;
      distances[i * most + n] = Math.sqrt(best[n]!);
    }
  }
  return { k: most, indices, distances };
}
