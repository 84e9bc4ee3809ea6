// Clades of a tree, what samples hold of them, and communities drawn from them.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cladesOf } from "../src/clades.ts";
import { communities } from "../src/communities.ts";
import { distanceBetween } from "../src/embedding-distances.ts";
import { parseTree, sequenceCache, unifrac } from "../src/index.ts";
import { Inference } from "../src/inference.ts";
import { embeddingWidth, modelConfig } from "../src/model-config.ts";
import { formOf, pretrain } from "../src/pretrain.ts";
import { ridgeHead } from "../src/ridge-head.ts";
import { batchOf } from "../src/training-data.ts";
import { trainingConfig } from "../src/training-options.ts";
import { tableOf } from "./support/files.ts";
import { fixtureStudy, TINY } from "./support/study.ts";

const study = await fixtureStudy();
const { table, tree, sequences, split } = study;
const cache = sequenceCache(table, sequences);
const train = table.sampleIndices(split.train);

describe("clades", () => {
  it("know what stands below them, and what a chain of branches is long", () => {
    const features = ["AACCA", "AACCC", "AACCG", "AACCT"];
    const small = tableOf(
      [
        [1, 2, 0, 0],
        [0, 1, 3, 0],
        [1, 0, 0, 4],
      ],
      features,
    );
    // A chain above C and G, a stem above all, a branch nobody stands below.
    const chained = parseTree("((((AACCA:1,AACCC:2):0.5,((AACCG:3):4,X:9):0):1,AACCT:5):7,Y:1);");
    const own = { ids: features, sequences: features, path: "here" };
    const found = cladesOf(small, sequenceCache(small, own), {
      tree: chained,
      train: Uint32Array.of(0, 1, 2),
      most: 100,
    });
    expect(found.size).toBe(7);
    const all = found.of([0, 1, 2, 3]);
    const sets = Array.from({ length: found.size }, (_, k) => {
      const below = [0, 1, 2, 3].filter((row) => all[row * found.size + k] === 1);
      return [below.join(""), found.lengths[k]!] as const;
    });
    const unit = 1 / sets.find(([below]) => below === "0")![1];
    const lengths = Object.fromEntries(sets.map(([below, l]) => [below, Math.round(l * unit * 1e6) / 1e6]));
    expect(lengths).toEqual({ "0": 1, "1": 2, "01": 0.5, "2": 7, "012": 1, "3": 5, "0123": 7 });
  });

  it("give unweighted UniFrac by presence, all of them", async () => {
    const known = cladesOf(table, cache, { tree, train, most: 1e6 });
    using exact = await unifrac(table, tree, { metric: "unweighted" });
    const presence = table.sampleIds.map((_, s) => {
      const rows: number[] = [];
      for (let e = table.indptr[s]!; e < table.indptr[s + 1]!; e++)
        if (table.values[e]! > 0) rows.push(cache.rowOf[table.indices[e]!]!);
      const below = known.of(rows);
      return Array.from({ length: known.size }, (_, k) =>
        rows.some((_, i) => below[i * known.size + k] === 1),
      );
    });
    for (let a = 0; a < 6; a++)
      for (let b = 0; b < a; b++) {
        let [either, one] = [0, 0];
        known.lengths.forEach((l, k) => {
          if (presence[a]![k] || presence[b]![k]) either += l;
          if (presence[a]![k] !== presence[b]![k]) one += l;
        });
        const truth = exact.between(table.sampleIds[a]!, table.sampleIds[b]!);
        expect(Math.abs(one / either - truth)).toBeLessThan(1e-12);
      }
  });

  it("the most telling ones come first", () => {
    const all = cladesOf(table, cache, { tree, train, most: 1e6 });
    const few = cladesOf(table, cache, { tree, train, most: 5 });
    const five = (rows: Float32Array, size: number): number[] =>
      Array.from({ length: 10 }, (_, r) => Array.from(rows.subarray(r * size, r * size + 5))).flat();
    const rows = Array.from({ length: 10 }, (_, r) => r);
    expect(five(few.of(rows), few.size)).toEqual(five(all.of(rows), all.size));
  });
});

describe("communities", () => {
  const known = cladesOf(table, cache, { tree, train, most: 64 });
  const source = { table, cache, train, clades: known };

  it("are the same for the same seed and step, of any size up to the limit, and never empty", () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.nat(1000), fc.integer({ min: 1, max: 30 }), (seed, step, slots) => {
        const options = { share: 1, slots, seed, step };
        const made = communities(source, [0, 1, 2, 3], options);
        expect(communities(source, [0, 1, 2, 3], options).values).toEqual(made.values);
        for (let s = 0; s < 4; s++) {
          const size = made.indptr[s + 1]! - made.indptr[s]!;
          expect(size).toBeGreaterThan(0);
          expect(size).toBeLessThanOrEqual(slots);
        }
        expect(made.values.every((v) => v > 0)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it("leave a share of the samples as they are", () => {
    const made = communities(source, [2, 5], { share: 0, slots: 1e6, seed: 1, step: 0 });
    const whole = table.select({ samples: [table.sampleIds[2]!, table.sampleIds[5]!] });
    expect(made.values).toEqual(whole.values);
  });
});

describe("a network with clades", () => {
  it("learns memberships, reads presence whatever the counts, and distances outside of the graph are those inside", async () => {
    const { model, result } = await pretrain(table, tree, {
      sequences,
      split,
      seed: 3,
      threads: 1,
      model: { ...TINY, dim: 16, nucleotides: false },
      training: { epochs: 25, batchSize: 5, learningRate: 0.02, bestMetric: "last", device: "cpu" },
    });
    await using _ = model;
    const { config } = model.facts;
    expect([config.distance, config.clades > 10]).toEqual(["shared", true]);
    const losses = result.history.slice(1).map(({ parts }) => parts.clades!);
    expect(losses.at(-1)!).toBeLessThan(0.5 * losses[0]!);
    const { embeddings } = await model.predictTable(table, { sequences });
    const wide = embeddingWidth(config);
    const tenfold = tableOf(
      table.sampleIds.map((_, s) =>
        table.featureIds.map((_, f) => {
          for (let e = table.indptr[s]!; e < table.indptr[s + 1]!; e++)
            if (table.indices[e] === f) return table.values[e]! * (1 + (f % 7));
          return 0;
        }),
      ),
      table.featureIds,
    );
    const other = (await model.predictTable(tenfold, { sequences })).embeddings;
    let moved = 0;
    for (let d = 0; d < wide; d++) {
      if (d < config.clades) expect(other[d]!).toBeCloseTo(embeddings[d]!, 5);
      else moved += Math.abs(other[d]! - embeddings[d]!);
    }
    expect(moved).toBeGreaterThan(0.1);
    const weights = new Map(model.weights);
    await using inference = await Inference.create(config, weights, {
      losses: { target: 0, count: 0, encoder: 1, nucleotide: 0 },
      loss: trainingConfig().loss,
      counts: { least: 0, most: 1 },
      threads: 1,
      device: "cpu",
    });
    const places = Uint32Array.of(0, 1, 2, 3);
    const data = { table, cache: model.cache(table, sequences), train, valid: train };
    const { distance } = await inference.compute(await batchOf(data, places, config, {}), ["distance"]);
    const between = distanceBetween(embeddings, config, weights);
    for (let a = 0; a < 4; a++)
      for (let b = 0; b < a; b++)
        expect((distance!.data as Float32Array)[a * 4 + b]!).toBeCloseTo(between(a, b), 4);
    const square = model.distances(embeddings);
    expect(square[1]).toBe(between(1, 0));
    expect(square[0]).toBe(0);
  });

  it("has none without a tree, and as many as asked", () => {
    const form = (model: object, given = {}) =>
      formOf(table, { model: { ...TINY, ...model }, sequences, train, ...given }).config;
    expect(form({}).clades).toBe(0);
    expect(form({}).distance).toBe("squared");
    expect(form({ clades: 7 }, { tree }).clades).toBe(7);
    expect(form({ clades: 0 }, { tree }).clades).toBe(0);
    const warned: string[] = [];
    const bare = parseTree("(a:1,b:1);");
    const warn = ({ code }: { code: string }): void => void warned.push(code);
    expect(form({}, { tree: bare, warn }).clades).toBe(0);
    expect(warned).toEqual(["CLADES_TIPS"]);
    expect(embeddingWidth(modelConfig({ dim: 8, clades: 3 }))).toBe(14);
  });
});

describe("a head that begins as ridge regression", () => {
  it("judges penalties by groups left out, as refitting without each does", async () => {
    const [n, columns] = [12, 4];
    const x = Float32Array.from({ length: n * columns }, (_, i) => Math.sin(i * 1.3) + (i % 5) / 3);
    const y = Float64Array.from({ length: n }, (_, i) => x[i * columns]! - x[i * columns + 2]! + Math.cos(i));
    const groups = Array.from({ length: n }, (_, i) => i % 4);
    const weights = new Float64Array(columns).fill(1);
    const whole = await ridgeHead(x, y, n, { groups, schemes: [weights] });
    // The same map by hand: grow the grid's best error from fits that never saw the group.
    const errors: number[] = [];
    const centre = (rows: number[], a: number): number =>
      rows.reduce((s, i) => s + x[i * columns + a]!, 0) / rows.length;
    const all = Array.from({ length: n }, (_, i) => i);
    const gram = (rows: number[], means: number[]): number[][] =>
      Array.from({ length: columns }, (_, a) =>
        Array.from({ length: columns }, (_, b) =>
          rows.reduce((s, i) => s + (x[i * columns + a]! - means[a]!) * (x[i * columns + b]! - means[b]!), 0),
        ),
      );
    const meansAll = Array.from({ length: columns }, (_, a) => centre(all, a));
    const unit = gram(all, meansAll).reduce((s, row, a) => s + row[a]!, 0) / n;
    for (let k = 0; k < 29; k++) {
      const penalty = 10 ** (k / 4 - 5) * unit;
      let error = 0;
      for (const group of [0, 1, 2, 3]) {
        const rows = all.filter((i) => groups[i] !== group);
        const means = Array.from({ length: columns }, (_, a) => centre(rows, a));
        const my = rows.reduce((s, i) => s + y[i]!, 0) / rows.length;
        const a = gram(rows, means).map((row, i) => row.map((v, j) => v + (i === j ? penalty : 0)));
        const b = Array.from({ length: columns }, (_, c) =>
          rows.reduce((s, i) => s + (x[i * columns + c]! - means[c]!) * (y[i]! - my), 0),
        );
        const w = solve(a, b);
        for (const i of all.filter((j) => groups[j] === group)) {
          const said = my + w.reduce((s, v, c) => s + v * (x[i * columns + c]! - means[c]!), 0);
          error += (y[i]! - said) ** 2;
        }
      }
      errors.push(error / n);
    }
    expect(whole.error).toBeCloseTo(Math.min(...errors), 6);
  });
});

function solve(a: number[][], b: number[]): number[] {
  const m = a.map((row, i) => [...row, b[i]!]);
  for (let k = 0; k < m.length; k++)
    for (let i = 0; i < m.length; i++) {
      if (i === k) continue;
      const factor = m[i]![k]! / m[k]![k]!;
      for (let j = k; j <= m.length; j++) m[i]![j]! -= factor * m[k]![j]!;
    }
  return m.map((row, i) => row[m.length]! / row[i]!);
}
