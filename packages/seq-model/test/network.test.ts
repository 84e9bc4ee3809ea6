// What must hold for the network and its training, on a small table.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fineTune } from "../src/fine-tune.ts";
import { FeatureTable, parseTree } from "../src/index.ts";
import type { SampleBatch } from "../src/model-interfaces.ts";
import { type PretrainOptions, pretrain } from "../src/pretrain.ts";
import { ridgeHead } from "../src/ridge-head.ts";
import { SeqModel } from "../src/seq-model.ts";
import { sequenceBatch } from "../src/sequence-batches.ts";
import { failure, tableOf, tempFolder } from "./support/files.ts";

const BASES = "ACGT";
const sequence = (f: number): string =>
  Array.from({ length: 24 }, (_, k) => BASES[(f * 5 + k * (2 + (f % 5)) + ((f >> (k % 3)) & 1)) & 3]).join(
    "",
  ) +
  BASES[f & 3] +
  BASES[(f >> 2) & 3];
const features = Array.from({ length: 12 }, (_, f) => sequence(f));
const table = tableOf(
  Array.from({ length: 15 }, (_, s) =>
    features.map((_, f) => ((s * 5 + f * 3) % 4 === 0 ? 0 : 1 + ((s * f) % 9))),
  ),
  features,
);
const tree = parseTree(
  `((${features
    .slice(0, 6)
    .map((f, i) => `${f}:0.${i + 1}`)
    .join(",")}):0.3,(${features
    .slice(6)
    .map((f, i) => `${f}:0.${i + 2}`)
    .join(",")}):0.5);`,
);
const split = { train: table.sampleIds.slice(0, 8), test: table.sampleIds.slice(8), how: "given" };
const target = {
  name: "age",
  values: Float64Array.from(table.sampleIds, (_, s) => 20 + 3 * s + (s % 3)),
  classes: [],
};
const model = { dim: 16, heads: 2, layers: { asv: 1, sample: 1 } };
const common = { model, split, threads: 1, seed: 5 } satisfies PretrainOptions;
const training = { epochs: 2, batchSize: 4, chunk: 4, device: "cpu" };

const encoders = new Map<string, Promise<SeqModel>>();
/** One encoder for all tests. */
function encoder(): Promise<SeqModel> {
  const known =
    encoders.get("one") ?? pretrain(table, tree, { ...common, training }).then((made) => made.model);
  encoders.set("one", known);
  return known;
}
const predictor = async () =>
  (
    await fineTune(table, {
      ...common,
      target,
      from: await encoder(),
      training: { ...training, freeze: "asvs" },
    })
  ).model;

const near = (a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number) => {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++)
    expect(Math.abs(a[i]! - b[i]!)).toBeLessThan(tolerance * (1 + Math.abs(b[i]!)));
};

describe("the default model", () => {
  it("does not see the order of ASVs", async () => {
    await using known = await predictor();
    const { values } = await known.predictTable(table);
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(
          features.map((_, f) => f),
          { minLength: features.length },
        ),
        async (order) => {
          const shuffled = table.select({ features: order.map((f) => features[f]!) });
          near((await known.predictTable(shuffled)).values, values, 1e-5);
        },
      ),
      { numRuns: 5 },
    );
  });

  it("does not see padding: a sample is predicted the same alone and among larger ones", async () => {
    await using known = await predictor();
    const { values } = await known.predictTable(table, { batchSize: 15 });
    near((await known.predictTable(table, { batchSize: 1 })).values, values, 1e-5);
    near((await known.predictTable(table, { batchSize: 4 })).values, values, 1e-5);
  });

  it("predicts a table whose samples are longer and shorter after saving, loading and exporting", async () => {
    await using known = await predictor();
    const folder = tempFolder();
    await known.save(join(folder, "model.safetensors"));
    await using loaded = await SeqModel.load(folder, { threads: 1 });
    const { values } = await known.predictTable(table);
    expect((await loaded.predictTable(table)).values).toEqual(values);
    const made = await known.exportOnnx(join(folder, "model.onnx"));
    expect(made.difference).toBeLessThan(1e-5);
    expect(made.outputs).toEqual(["embedding", "prediction"]);
    expect(made.inputs).not.toContain("letters");
  });

  it("tells how predictions change with the presence of each ASV", async () => {
    await using known = await predictor();
    const cache = known.cache(table);
    const batch: SampleBatch = { ...sequenceBatch(table, cache, [0, 3]), ids: ["a", "b"] };
    const ones = new Float32Array(batch.mask);
    const slopes = await known.slotGradients(batch, ones, 0);
    expect(slopes.length).toBe(batch.mask.length);
    expect(slopes.some((v) => v !== 0)).toBe(true);
    batch.mask.forEach((m, i) => {
      if (m === 0) expect(slopes[i]).toBe(0);
    });
  });
});

describe("training", () => {
  it("counts the last, smaller batch of validation", async () => {
    const { result } = await fineTune(table, {
      ...common,
      target,
      training: { ...training, epochs: 1, batchSize: 4 },
    });
    const whole = await fineTune(table, {
      ...common,
      target,
      training: { ...training, epochs: 1, batchSize: 4 },
    });
    expect(whole.result.history[0]!.validation).toEqual(result.history[0]!.validation);
    // 7 samples to judge by, 4 a batch: scores are those of all 7.
    const { values } = await new SeqModel(whole.model.facts, whole.result.weights, {
      threads: 1,
    }).predictTable(table.select({ samples: split.test }));
    const truth = target.values.subarray(8);
    const mae = truth.reduce((sum, y, i) => sum + Math.abs(y - values[i]!), 0) / 7;
    const best = whole.result.history.find(({ epoch }) => epoch === whole.result.bestEpoch)!;
    expect(best.validation.scores.mae).toBeCloseTo(mae, 3);
  });

  it("goes on from a checkpoint to the same bytes", async () => {
    const settings = { ...training, epochs: 4, ema: 0.9, accumulate: 2, schedule: "plateau" as const };
    const [whole, parts] = [tempFolder(), tempFolder()];
    const one = await pretrain(table, tree, { ...common, training: settings, out: whole });
    const controller = new AbortController();
    const stopped = pretrain(table, tree, {
      ...common,
      training: settings,
      out: parts,
      signal: controller.signal,
      trackers: [{ log: async (epoch) => void (epoch === 2 && controller.abort()), close: async () => {} }],
    });
    await expect(stopped).rejects.toThrow();
    const two = await pretrain(table, tree, { ...common, training: settings, out: parts, resume: true });
    expect(two.result.history).toEqual(one.result.history);
    for (const name of ["last.safetensors", "best.safetensors"])
      expect(readFileSync(join(parts, name)).equals(readFileSync(join(whole, name)))).toBe(true);
  });

  it("starts at the pretrained quality: step 0 of fine-tuning has the encoder's numbers", async () => {
    const first = await pretrain(table, tree, { ...common, training });
    const best = first.result.history.find(({ epoch }) => epoch === first.result.bestEpoch)!;
    const tuned = await fineTune(table, { ...common, target, tree, from: first.model, training });
    const start = tuned.result.history[0]!.validation;
    for (const name of ["encoder", "nucleotide"])
      expect(start.parts[name]).toBeCloseTo(best.validation.parts[name]!, 5);
    expect(start.scores.distanceR2).toBeCloseTo(best.validation.scores.distanceR2!, 5);
    // The head begins as ridge regression.
    const mean = target.values.subarray(0, 8).reduce((a, b) => a + b, 0) / 8;
    expect(mean).toBeGreaterThan(0);
    expect(tuned.result.weights.has("target/head/out/w")).toBe(true);
  });

  it("a frozen encoder stays as it is, and its losses are off", async () => {
    const from = await encoder();
    const lines: string[] = [];
    const { result } = await fineTune(table, {
      ...common,
      target,
      tree,
      from,
      training: { ...training, freeze: "base" },
      print: (line) => lines.push(line),
    });
    for (const [name, { data }] of from.weights)
      if (!name.startsWith("target/")) expect(result.weights.get(name)!.data).toEqual(data);
    expect(Object.keys(result.history.at(-1)!.parts)).toEqual(["target"]);
    expect(lines[0]).toMatch(/^Loaded (\d+)\/\1 keys \([\d,]+ parameters\)$/);
    expect(lines.at(-1)).toMatch(/^Frozen: [\d,]+, trainable: [\d,]+ \([\d.]+ %\)$/);
  });

  it("an encoder of another form, or of nothing, is refused by name", async () => {
    const from = await encoder();
    const other = new SeqModel(
      from.facts,
      new Map([["asv/token", { shape: [2, 2], data: new Float32Array(4) }]]),
    );
    const wrong = await failure(() => fineTune(table, { ...common, target, from: other, training }));
    expect(wrong.code).toBe("MODEL_KEYS");
    expect(wrong.message).toContain("asv/token [2,2]");
    const nothing = new SeqModel(from.facts, new Map([["x", { shape: [1], data: new Float32Array(1) }]]));
    expect((await failure(() => fineTune(table, { ...common, target, from: nothing, training }))).code).toBe(
      "MODEL_KEYS",
    );
  });

  it("classes, quantiles, several targets and metadata", async () => {
    const classes = {
      name: "side",
      values: Float64Array.from(table.sampleIds, (_, s) => s % 2),
      classes: ["a", "b"],
    };
    const one = await fineTune(table, { ...common, target: classes, training });
    const said = await one.model.predictTable(table);
    expect(said.width).toBe(2);
    for (let s = 0; s < 15; s++) expect(said.values[2 * s]! + said.values[2 * s + 1]!).toBeCloseTo(1, 5);
    expect(one.result.history.at(-1)!.validation.scores.accuracy).toBeGreaterThanOrEqual(0);
    const two = await fineTune(table, {
      ...common,
      model: { ...model, quantiles: [0.1, 0.5, 0.9] },
      target: [target, { ...target, name: "again" }],
      training,
    });
    expect((await two.model.predictTable(table)).width).toBe(6);
  });

  it("sample weights are checked, and NaN is no weight", async () => {
    const sampleWeights = new Float32Array(15).fill(1);
    sampleWeights[3] = Number.NaN;
    const wrong = await failure(() => fineTune(table, { ...common, target, sampleWeights, training }));
    expect(wrong.code).toBe("SAMPLE_WEIGHTS");
  });
});

it("ridge regression finds a line through its points", async () => {
  const n = 30;
  const x = Float32Array.from({ length: n * 2 }, (_, i) => Math.sin(i * 1.7) * (i % 2 === 0 ? 3 : 1));
  const y = Float64Array.from({ length: n }, (_, i) => 4 + 2 * x[2 * i]! - 5 * x[2 * i + 1]!);
  const { w, b } = await ridgeHead(x, y, n);
  near([...w, ...b], [2, -5, 4], 1e-3);
});

it("an empty sample is an error with its name", async () => {
  const empty = new FeatureTable({
    sampleIds: ["s"],
    featureIds: features,
    indptr: Float64Array.of(0, 0),
    indices: new Uint32Array(0),
    values: new Float64Array(0),
  });
  const known = await predictor();
  const wrong = await failure(() => known.predictTable(empty));
  expect(wrong.code).toBe("EMPTY_SAMPLE");
  expect(wrong.message).toContain("s ");
});
