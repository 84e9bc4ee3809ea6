// Which ASVs a sample keeps where it has more than the limit follows from their sequences, not from the table's order.
import { describe, expect, it } from "vitest";
import { sequenceBatch, sequenceCache } from "../src/index.ts";
import { tableOf } from "./support/files.ts";

const names = ["ACGT", "TTTT", "CCCC", "GGGG", "AAAA", "ACCA"].map((s) => s.repeat(6));
const counts = [9, 2, 2, 2, 2, 1];

function kept(order: readonly number[], sampling: "abundance" | "random", step = 0): string[] {
  const features = order.map((f) => names[f]!);
  const table = tableOf([order.map((f) => counts[f]!)], features);
  const cache = sequenceCache(table);
  const batch = sequenceBatch(table, cache, [0], { tokenLimit: 3, sampling, seed: 5, step });
  const rows = Array.from(batch.sequence, (at) => batch.unique[at]!);
  return rows.map((row) => features[cache.rowOf.indexOf(row)]!).sort();
}

describe("the token limit", () => {
  const orders = [
    [0, 1, 2, 3, 4, 5],
    [5, 4, 3, 2, 1, 0],
    [3, 1, 5, 0, 2, 4],
  ];
  it("decides among equally abundant ASVs by their sequence", () => {
    for (const order of orders)
      expect(kept(order, "abundance")).toEqual([names[0], names[4], names[2]].sort());
  });
  it("draws the same ASVs in any order of the table", () => {
    for (let step = 0; step < 20; step++)
      for (const order of orders)
        expect(kept(order, "random", step)).toEqual(kept(orders[0]!, "random", step));
    expect(
      new Set(Array.from({ length: 20 }, (_, s) => kept(orders[0]!, "random", s).join())).size,
    ).toBeGreaterThan(3);
  });
});
