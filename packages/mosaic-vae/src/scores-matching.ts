/** Do the two halves of one cell find each other? */
import type { Points } from "./neighbours.ts";

/** How well two embeddings of the same cells match. */
export interface Matching {
  /** Share of cells closer than the true match, mean of both directions: 0 is best, 0.5 is chance (Singh et al. 2020). */
  readonly foscttm: number;
  /** Share of cells whose true match is among their k nearest of the other side, mean of both directions. */
  readonly topK: number;
}

/** Row i of `a` and row i of `b` are the same cell. */
export function matching(a: Points, b: Points, k = 10): Matching {
  const n = a.count;
  let closer = 0;
  let top = 0;
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const d = from.dimensions;
    for (let i = 0; i < n; i++) {
      const distance = (j: number): number => {
        let sum = 0;
        for (let c = 0; c < d; c++) sum += (from.values[i * d + c]! - to.values[j * d + c]!) ** 2;
        return sum;
      };
      const own = distance(i);
      let nearer = 0;
      for (let j = 0; j < n; j++) if (j !== i && distance(j) < own) nearer++;
      closer += nearer / Math.max(1, n - 1);
      if (nearer < k) top++;
    }
  }
  return { foscttm: closer / (2 * n), topK: top / (2 * n) };
}
