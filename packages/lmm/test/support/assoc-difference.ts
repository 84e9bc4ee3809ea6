// Column by column distance of two `.assoc.txt` texts, in the units of the promises.
import { ASSOC_TOLERANCES } from "../../src/index.ts";

export interface Worst {
  difference: number;
  label: string;
  a: string;
  b: string;
}

/** Largest difference of each column of numbers; texts, headers and rows must be equal. `b` is the reference. */
export function differences(a: string, b: string): Map<string, Worst> {
  const [rowsA, rowsB] = [a, b].map((text) =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t")),
  );
  const head = rowsB![0]!;
  if (head.join() !== rowsA![0]!.join()) throw new Error(`headers differ: ${rowsA![0]} instead of ${head}`);
  if (rowsA!.length !== rowsB!.length) throw new Error(`${rowsA!.length} rows instead of ${rowsB!.length}`);
  const se = head.indexOf("se");
  const worst = new Map<string, Worst>();
  for (const [j, name] of head.entries()) {
    const kind = ASSOC_TOLERANCES[name]?.kind ?? "exact";
    const found: Worst = { difference: 0, label: "", a: "", b: "" };
    for (let i = 1; i < rowsB!.length; i++) {
      const [x, y] = [rowsA![i]![j]!, rowsB![i]![j]!];
      if (x === y) continue;
      if (kind === "exact") throw new Error(`row ${i}, ${name}: ${x} instead of ${y}`);
      const [p, q] = [Number(x), Number(y)];
      let difference = Math.abs(p - q) / Math.abs(q);
      if (kind === "se") difference = Math.abs(p - q) / Number(rowsB![i]![se]);
      if (kind === "log10")
        difference = Math.abs(Math.log10(p) - Math.log10(q)) / Math.max(1, -Math.log10(q));
      if (!(difference <= found.difference))
        Object.assign(found, {
          difference: Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference,
        });
      if (found.difference === difference) Object.assign(found, { label: rowsB![i]![1], a: x, b: y });
    }
    if (kind !== "exact") worst.set(name, found);
  }
  return worst;
}
