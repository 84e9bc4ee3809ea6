/** Scores of labels: kNN transfer, agreement of two groupings. */
import { nearest, type Points } from "./neighbours.ts";

/** How well labels were found again. */
export interface LabelScore {
  /** Share that is right. */
  readonly accuracy: number;
  /** Mean over the labels of the share that is right. */
  readonly balanced: number;
}

/** Labels of queries by a vote of their k nearest references; a tie goes to the label of the nearest among them. */
export function transferLabels(
  queries: Points,
  references: Points,
  labels: readonly string[],
  k = 15,
): string[] {
  const near = nearest(queries, references, { k });
  return Array.from({ length: queries.count }, (_, i) => {
    const votes = new Map<string, number>();
    for (let n = 0; n < near.k; n++) {
      const label = labels[near.indices[i * near.k + n]!]!;
      votes.set(label, (votes.get(label) ?? 0) + 1);
    }
    // Entries stand in the order of their nearest member, so the first of the largest wins.
    let best = "";
    let most = 0;
    for (const [label, count] of votes)
      if (count > most) {
        best = label;
        most = count;
      }
    return best;
  });
}

/** Compares labels with the truth. */
export function scoreLabels(found: readonly string[], truth: readonly string[]): LabelScore {
  const right = new Map<string, [number, number]>();
  truth.forEach((label, i) => {
    const entry = right.get(label) ?? [0, 0];
    entry[1]++;
    if (found[i] === label) entry[0]++;
    right.set(label, entry);
  });
  const shares = [...right.values()];
  const hits = shares.reduce((n, [hit]) => n + hit, 0);
  return {
    accuracy: hits / truth.length,
    balanced: shares.reduce((s, [hit, all]) => s + hit / all, 0) / shares.length,
  };
}

/** Accuracy of the labels of each point by its k nearest others. */
export function neighbourLabels(points: Points, labels: readonly string[], k = 15): LabelScore {
  const near = nearest(points, points, { k, self: false });
  const found = labels.map((_, i) => {
    const votes = new Map<string, number>();
    for (let n = 0; n < near.k; n++) {
      const label = labels[near.indices[i * near.k + n]!]!;
      votes.set(label, (votes.get(label) ?? 0) + 1);
    }
    return [...votes].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
  });
  return scoreLabels(found, labels);
}

interface Contingency {
  cells: number[];
  rows: number[];
  columns: number[];
  n: number;
}

function contingency(a: readonly unknown[], b: readonly unknown[]): Contingency {
  const count = (keys: readonly string[]): Map<string, number> => {
    const m = new Map<string, number>();
    for (const key of keys) m.set(key, (m.get(key) ?? 0) + 1);
    return m;
  };
  const [x, y] = [a.map(String), b.map(String)];
  return {
    cells: [...count(x.map((v, i) => JSON.stringify([v, y[i]]))).values()],
    rows: [...count(x).values()],
    columns: [...count(y).values()],
    n: x.length,
  };
}

/** Adjusted Rand index (Hubert and Arabie 1985): 1 for the same groups, 0 by chance. */
export function adjustedRand(a: readonly unknown[], b: readonly unknown[]): number {
  const { cells, rows, columns, n } = contingency(a, b);
  const pairs = (xs: readonly number[]): number => xs.reduce((s, x) => s + (x * (x - 1)) / 2, 0);
  const [same, left, right, all] = [pairs(cells), pairs(rows), pairs(columns), (n * (n - 1)) / 2];
  const expected = (left * right) / all;
  const most = (left + right) / 2;
  return most === expected ? 1 : (same - expected) / (most - expected);
}

/** Mutual information over the mean entropy: 1 for the same groups. */
export function normalizedMutualInformation(a: readonly unknown[], b: readonly unknown[]): number {
  const { cells, rows, columns, n } = contingency(a, b);
  const entropy = (xs: readonly number[]): number => -xs.reduce((s, x) => s + (x / n) * Math.log(x / n), 0);
  const [h, k, both] = [entropy(rows), entropy(columns), entropy(cells)];
  return h + k === 0 ? 1 : (2 * (h + k - both)) / (h + k);
}
