import type { Table } from "apache-arrow";
import { arrowCore } from "./lazy-arrow.ts";
import { betaQuantile, finite } from "./report/qq.ts";

/** Ranks of a QQ plot, from 1, with what is drawn at each: see {@link qqTable}. */
export interface QqPoints {
  /** 1 is the smallest p. */
  readonly rank: readonly number[];
  /** −log₁₀ p expected of the rank. */
  readonly expected: readonly number[];
  /** −log₁₀ p found. */
  readonly observed: readonly number[];
  /** Lower end of the band of 95 %. */
  readonly low: readonly number[];
  /** Upper end. */
  readonly high: readonly number[];
}

/**
 * What a QQ plot draws, largest first: `expected` and `observed` −log₁₀ p, and `low` and `high`, between which 95 % of
 * this rank's values lie when nothing is associated. Values that are not finite are left out.
 */
export function qqTable(negLog10P: ArrayLike<number>): Table {
  const observed = finite(negLog10P).reverse();
  const { rank: _, ...columns } = at(
    observed,
    Array.from(observed, (_, i) => i + 1),
  );
  return arrowCore().tableFromColumns(
    Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, Float64Array.from(values)])),
  );
}

/** The same at all of the first hundred ranks, then at ever fewer: at most about 800 of a million. */
export function shownQq(negLog10P: ArrayLike<number>): QqPoints {
  const observed = finite(negLog10P).reverse();
  const m = observed.length;
  const ranks = Array.from({ length: Math.min(m, 100) }, (_, i) => i + 1);
  for (let rank = 101; rank < m; rank = Math.ceil(rank * 1.015)) ranks.push(rank);
  if (m > 100) ranks.push(m);
  return at(observed, ranks);
}

function at(observed: Float64Array, rank: readonly number[]): QqPoints {
  const m = observed.length;
  const bound = (z: number) => rank.map((i) => -Math.log10(betaQuantile(i, m - i + 1, z)));
  return {
    rank,
    expected: rank.map((i) => -Math.log10((i - 0.5) / m)),
    observed: rank.map((i) => observed[i - 1]!),
    low: bound(1.959963984540054),
    high: bound(-1.959963984540054),
  };
}
