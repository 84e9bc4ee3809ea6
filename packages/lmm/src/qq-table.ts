import type { Table } from "apache-arrow";
import { arrowCore } from "./lazy-arrow.ts";
import { betaQuantile, finite } from "./report/qq.ts";

/**
 * What a QQ plot draws, largest first: `expected` and `observed` −log₁₀ p, and `low` and `high`, between which 95 % of
 * this rank's values lie when nothing is associated. Values that are not finite are left out.
 */
export function qqTable(negLog10P: ArrayLike<number>): Table {
  const observed = finite(negLog10P).reverse();
  const m = observed.length;
  const rank = (value: (rank: number) => number): Float64Array =>
    Float64Array.from(observed, (_, i) => value(i + 1));
  const bound = (z: number) => rank((i) => -Math.log10(betaQuantile(i, m - i + 1, z)));
  return arrowCore().tableFromColumns({
    expected: rank((i) => -Math.log10((i - 0.5) / m)),
    observed,
    low: bound(1.959963984540054),
    high: bound(-1.959963984540054),
  });
}
