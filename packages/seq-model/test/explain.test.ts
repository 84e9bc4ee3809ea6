// What a model's predictions rest on, checked on a model whose every number is known.
import { describe, expect, it } from "vitest";
import {
  attentionMap,
  attentionSvg,
  explain,
  importanceTreeSvg,
  parseTree,
  sequenceBatch,
  sequenceCache,
  sequenceNames,
} from "../src/index.ts";
import { failure, tableOf } from "./support/files.ts";
import { knownPredictor } from "./support/predictor.ts";

const letters = (f: number): string =>
  Array.from({ length: 24 }, (_, k) => "ACGT"[(f >> (2 * (k % 3))) & 3]).join("");
const ids = [0, 1, 2, 3, 4, 5].map(letters);
const rows = Array.from({ length: 12 }, (_, s) => [
  5 + s,
  (s * 5) % 7,
  (s * 3) % 4,
  s % 2 ? 9 : 0,
  1 + ((s * 11) % 5),
  s === 4 ? 2 : 0,
]);
const table = tableOf(rows, ids);
const cache = sequenceCache(table);
const effects = { [ids[1]!]: 0.5, [ids[3]!]: -0.4, [ids[4]!]: 0.1 };
const model = knownPredictor(table, cache, effects);
const predictionOf = (row: readonly number[]): number =>
  Math.tanh(row.reduce((sum, c, f) => sum + (effects[ids[f]!] ?? 0) * Math.log1p(c), 0));

describe("13.2 importance", () => {
  it("integrated gradients add up to the prediction less that of nothing", async () => {
    const found = await explain(model, table, cache, { steps: 200, batchSize: 5 });
    const sum = found.signed.reduce((a, b) => a + b, 0);
    const mean = rows.reduce((a, row) => a + predictionOf(row), 0) / rows.length;
    expect(sum).toBeCloseTo(mean, 5);
    expect(found.signed[3]).toBeLessThan(0);
    expect(found.signed[1]).toBeGreaterThan(0);
    expect(found.values[0]).toBe(0);
    // Within a sample, parts of a function of a sum are in proportion to the terms.
    const one = await explain(model, table.select({ samples: ["s1"] }), cache, { steps: 50 });
    expect(one.signed[1]! / one.signed[4]!).toBeCloseTo(
      (0.5 * Math.log1p(rows[1]![1]!)) / (0.1 * Math.log1p(rows[1]![4]!)),
      5,
    );
    const arrow = found.toArrow();
    expect(arrow.numRows).toBe(6);
    expect(arrow.getChild("feature")!.get(0)).toBe(ids[found.values.indexOf(Math.max(...found.values))]);
  });

  it("batches of any size give the same", async () => {
    const [one, all] = [1, 12].map((batchSize) => explain(model, table, cache, { batchSize, steps: 4 }));
    const [a, b] = [await one!, await all!];
    a.values.forEach((v, f) => {
      expect(v).toBeCloseTo(b.values[f]!, 6);
    });
  });

  it("attention is the mean weight in the pooling", async () => {
    const found = await explain(model, table, cache, { method: "attention" });
    expect(found.values.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    const share = (row: readonly number[]): number =>
      Math.log1p(row[0]!) / row.reduce((sum, c) => sum + Math.log1p(c), 0);
    expect(found.values[0]).toBeCloseTo(rows.reduce((sum, row) => sum + share(row), 0) / 12, 6);
  });

  it("permutation finds what predictions need, and only that", async () => {
    const truth = rows.map(predictionOf);
    const found = await explain(model, table, cache, { method: "permutation", truth, repeats: 4, seed: 2 });
    expect(found.values[0]).toBeCloseTo(0, 12);
    expect(found.values[1]).toBeGreaterThan(0.05);
    expect(found.values[3]).toBeGreaterThan(0.05);
    const some = await explain(model, table, cache, {
      method: "permutation",
      truth,
      features: [ids[3]!],
      repeats: 4,
      seed: 2,
    });
    expect(some.values[3]).toBe(found.values[3]);
    expect(some.values[1]).toBe(0);
    expect((await failure(() => explain(model, table, cache, { method: "permutation" }))).code).toBe(
      "EXPLAIN_TRUTH",
    );
    expect((await failure(() => explain(model, table, cache, { output: 1 }))).code).toBe("OPTION_RANGE");
  });

  it("features of one sequence share its importance", async () => {
    const twins = tableOf(
      [
        [3, 1],
        [2, 2],
      ],
      ["a", "b"],
    );
    const known = { ids: ["a", "b"], sequences: [ids[1]!, ids[1]!], path: "f" };
    const same = sequenceCache(twins, known);
    const found = await explain(knownPredictor(twins, same, { a: 1, b: 1 }), twins, same);
    expect(found.values[0]).toBe(found.values[1]);
    expect(found.values[0]).toBeGreaterThan(0);
  });

  it("can be stopped", async () => {
    const stop = new AbortController();
    const onProgress = (): void => stop.abort();
    const running = explain(model, table, cache, { batchSize: 2, signal: stop.signal, onProgress });
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("13.1 attention, and importances on the tree, as pictures", () => {
  const tree = parseTree(
    `((${ids[0]}:1,(${ids[1]}:.5,${ids[2]}:.5)x:.5):1,((${ids[3]}:1,${ids[5]}:1):.2,(${ids[4]}:2):.3):1);`,
  );

  it("draws the tips that matter, with a bar on the side of their sign", async () => {
    const found = await explain(model, table, cache);
    const svg = importanceTreeSvg(tree, found, { nameOf: (id) => `<${ids.indexOf(id)}>` });
    expect(svg).toMatch(/^<svg[\s\S]*<\/svg>$/);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    // Three features matter, so three bars.
    expect(svg.match(/<rect/g)).toHaveLength(3);
    for (const f of [1, 3, 4]) expect(svg).toContain(`&#60;${f}&#62;`);
    const bar = (f: number): string =>
      new RegExp(`<rect[^>]*fill="([^"]+)"[^>]*><title>&#60;${f}&#62;`).exec(svg)![1]!;
    expect([bar(1), bar(3)]).toEqual(["var(--a)", "var(--hit)"]);
    expect(importanceTreeSvg(tree, found, { most: 1 }).match(/<rect/g)).toHaveLength(1);
    const other = parseTree("(a:1,b:1);");
    expect((await failure(() => importanceTreeSvg(other, found))).code).toBe("TREE_TIP");
  });

  it("draws nothing rather than failing where nothing matters", async () => {
    const none = await explain(knownPredictor(table, cache, {}), table, cache, { steps: 1 });
    expect(importanceTreeSvg(tree, none)).not.toMatch(/NaN|Infinity|undefined|<rect/);
  });

  it("attention of samples to ASVs is a heat map", async () => {
    const batch = { ...sequenceBatch(table, cache, [0, 1, 2]), ids: table.sampleIds.slice(0, 3) };
    const map = await attentionMap(model, batch, { most: 4 });
    expect(map.weights).toHaveLength(12);
    const svg = attentionSvg(map, { nameOf: sequenceNames(cache, table.featureIds) });
    const cells = Array.from(map.weights).filter((w) => !Number.isNaN(w)).length;
    expect(svg.match(/<rect/g)).toHaveLength(cells);
    expect(svg).toContain(ids[0]!.slice(0, 15));
    expect(svg).not.toMatch(/NaN|undefined/);
  });
});
