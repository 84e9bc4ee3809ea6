// Single values that once hung, leaked or were written as something else.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  auroc,
  DistanceMatrix,
  faithPd,
  fineTune,
  pretrain,
  splitSamples,
  writeDistances,
} from "../src/index.ts";
import { encoderData, formOf } from "../src/pretrain.ts";
import { failure, tempFolder } from "./support/files.ts";
import { fixtureStudy, TINY } from "./support/study.ts";

const { table, tree, split, sequences, metadata } = await fixtureStudy();

it("the area under a curve of scores that are no numbers is none, and takes no time", () => {
  expect(auroc([0.1, Number.NaN, 0.3], [1, 0, 1])).toBeNaN();
  expect(
    auroc([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY], [0, 1, 1]),
  ).toBe(1);
});

it("class weights are checked before a training begins", async () => {
  const names = metadata.column("group").values.map(String);
  const classes = [...new Set(names)].sort();
  const target = { name: "group", values: Float64Array.from(names, (n) => classes.indexOf(n)), classes };
  for (const classWeights of [
    [1],
    [1, 2, 3],
    [1, Number.NaN],
    [1, -1],
    [0, 0],
    [1, Number.POSITIVE_INFINITY],
  ]) {
    const training = { epochs: 1, device: "cpu", loss: { classWeights } };
    const error = await failure(() => fineTune(table, { target, split, sequences, model: TINY, training }));
    expect(error.code).toBe("CLASS_WEIGHTS");
    expect(error.message).toContain("a, b");
  }
});

it("all samples cannot be tested on", async () => {
  expect((await failure(() => splitSamples(["a", "b", "c"], { testSize: 1 }))).code).toBe("SPLIT_EMPTY");
});

it("names with tabs or line breaks stand in no text file", async () => {
  using matrix = DistanceMatrix.fromSquare(Float64Array.of(0, 1, 1, 0), ["a\tb", "c\nd"]);
  for (const [name, code] of [
    ["d.tsv", "MATRIX_FORMAT"],
    ["d.npy", "MATRIX_FORMAT"],
  ] as const) {
    const error = await failure(() => writeDistances(join(tempFolder(), name), matrix));
    expect(error.code).toBe(code);
    expect(error.details.samples).toEqual(["a\tb", "c\nd"]);
  }
  expect(await writeDistances(join(tempFolder(), "d.arrow"), matrix)).toHaveLength(1);
});

describe("an encoder that learns Faith PD", () => {
  it("sees it in units of the largest training sample", async () => {
    const { values } = faithPd(table, tree);
    const order = Array.from(values, (_, s) => s).sort((a, b) => values[a]! - values[b]!);
    const train = Uint32Array.from(order.slice(0, 9));
    const model = { ...TINY, encoder: "faith-pd" };
    const { config, cache } = formOf(table, { model, sequences, tree, train });
    const weights = { target: 0, count: 1, encoder: 1, nucleotide: 0, phylogeny: 0, clades: 0 };
    const { encoderValues } = await encoderData(table, tree, { cache, config, weights, options: {}, train });
    const most = values[order[8]!]!;
    encoderValues!.forEach((v, s) => {
      expect(v).toBeCloseTo(values[s]! / most, 6);
    });
    expect(Math.max(...encoderValues!)).toBeGreaterThan(1);
    const made = await pretrain(table, tree, {
      model,
      sequences,
      split,
      training: { epochs: 1, device: "cpu", losses: { nucleotide: 0 } },
      threads: 1,
    });
    await using _ = made.model;
    expect(made.result.history).toHaveLength(2);
  });
});
