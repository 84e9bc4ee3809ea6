// Tickets of AAM about training, loading and what a run leaves behind (docs/design/aam-tickets.md).
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RunTracker } from "@x/onnx-train";
import { beforeAll, describe, expect, it } from "vitest";
import { type FineTuneOptions, fineTune } from "../src/fine-tune.ts";
import { sequenceBatch } from "../src/index.ts";
import { frozenLine, takeEncoder } from "../src/key-report.ts";
import { modelConfig } from "../src/model-config.ts";
import { readModel } from "../src/model-file.ts";
import { pretrain, type TrainedModel } from "../src/pretrain.ts";
import { SeqModel } from "../src/seq-model.ts";
import { planBatch, stepBytes } from "../src/training-memory.ts";
import type { TrainingOptions } from "../src/training-options.ts";
import { failure, fileOf, tableOf, tempFolder } from "./support/files.ts";
import { fixtureStudy, TINY } from "./support/study.ts";

const study = await fixtureStudy();
const { table, tree, target, split, sequences } = study;
const QUICK: TrainingOptions = { epochs: 2, batchSize: 4, device: "cpu", learningRate: 0.01 };
const shared = { split, sequences, threads: 1, seed: 1 };
const tuned = (options: Partial<FineTuneOptions> = {}): Promise<TrainedModel> =>
  fineTune(table, {
    ...shared,
    target,
    model: options.from ? {} : TINY,
    ...options,
    training: { ...QUICK, ...options.training },
  });
let base: TrainedModel;

beforeAll(async () => {
  base = await pretrain(table, tree, { ...shared, model: TINY, training: { ...QUICK, epochs: 4 } });
});

describe("21.2 what of a checkpoint is loaded", () => {
  const config = modelConfig(TINY);

  it("every key is accounted for, wrappers' prefixes come off", () => {
    const plain = takeEncoder(base.model.weights, base.model.facts.config, "pre");
    expect(plain.report.missing).toEqual([]);
    expect(plain.report.loaded).toHaveLength(plain.report.expected);
    const wrapped = new Map([...base.model.weights].map(([name, w]) => [`_orig_mod.module.${name}`, w]));
    expect(takeEncoder(wrapped, base.model.facts.config, "pre").report).toEqual(plain.report);
    const [first, ...others] = plain.report.loaded;
    const part = new Map([...base.model.weights].filter(([name]) => name !== first));
    part.set("sample/other", { shape: [1], data: new Float32Array(1) });
    const { report } = takeEncoder(part, base.model.facts.config, "pre");
    expect([report.missing, report.unexpected]).toEqual([[first], ["sample/other"]]);
    expect(report.loaded.toSorted()).toEqual(others.toSorted());
  });

  it("other shapes are an error that names them, and so is nothing that fits", async () => {
    const wide = modelConfig({ ...config, dim: 16 });
    const shape = await failure(() => takeEncoder(base.model.weights, wide, "pre"));
    expect([shape.code, (shape.details.mismatched as string[]).length > 3]).toEqual(["MODEL_KEYS", true]);
    const none = await failure(() =>
      takeEncoder(new Map([["x", { shape: [1], data: new Float32Array(1) }]]), config, "pre"),
    );
    expect(none.code).toBe("MODEL_KEYS");
  });

  it("fine-tuning starts at the pretrained quality, and says what it loaded and froze", async () => {
    const lines: string[] = [];
    const training = { freeze: "base" as const };
    const made = await tuned({
      from: base.model,
      tree,
      keepAuxiliary: true,
      training,
      print: (line) => lines.push(line),
    });
    await using _ = made.model;
    const best = base.result.history[base.result.bestEpoch]!.validation;
    const start = made.result.history[0]!.validation;
    expect(best.scores.distanceR2).toBeDefined();
    expect(start.scores.distanceR2).toBeCloseTo(best.scores.distanceR2!, 5);
    expect(start.parts.encoder).toBeCloseTo(best.parts.encoder!, 6);
    expect(lines[0]).toMatch(/^Loaded (\d+)\/\1 keys \([\d,]+ parameters\)$/);
    expect(lines.at(-1)).toBe(frozenLine(made.result));
    expect(lines.at(-1)).toMatch(/^Frozen: [\d,]+, trainable: [\d,]+ \([\d.]+ %\)$/);
    for (const [name, { data }] of base.model.weights)
      if (name.startsWith("asv/") && !name.startsWith("asv/letters"))
        expect(made.model.weights.get(name)?.data, name).toEqual(data);
  });
});

describe("21.4 auxiliary predictions", () => {
  it("a frozen encoder has no losses of its own unless they are kept", async () => {
    const off = await tuned({ from: base.model, tree, training: { freeze: "base" } });
    const on = await tuned({ from: base.model, tree, keepAuxiliary: true, training: { freeze: "base" } });
    await using _ = off.model;
    await using __ = on.model;
    expect(off.model.facts.training.losses).toMatchObject({
      nucleotide: 0,
      encoder: 0,
      count: 0,
      phylogeny: 0,
    });
    expect(on.model.facts.training.losses).toMatchObject({ nucleotide: 0, encoder: 1 });
    expect(Object.keys(off.result.history[1]!.parts)).toEqual(["target"]);
    expect(Object.keys(on.result.history[1]!.parts).toSorted()).toEqual(["encoder", "target"]);
  });
});

describe("20.1 hidden letters that are too easy", () => {
  it("are told, and a harder mask switches on", async () => {
    const warnings: string[] = [];
    const same = { ...sequences, sequences: sequences.sequences.map(() => "A".repeat(24)) };
    const made = await pretrain(table, tree, {
      ...shared,
      sequences: same,
      model: TINY,
      training: {
        ...QUICK,
        epochs: 14,
        learningRate: 0.05,
        losses: { encoder: 0, phylogeny: 0, count: 0 },
        harderMask: { ratio: 0.5, strategy: "span" },
      },
      warn: ({ code, message }) => warnings.push(`${code} ${message}`),
    });
    await using _ = made.model;
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^MASK_EASY .*too easy to learn from; the mask is now span, 0.5/);
  });
});

describe("12.2 batches that fit memory, 18.6 --max-memory-gb", () => {
  const config = modelConfig({ dim: 128, maxLength: 150 });
  const sizes = { wanted: 32, asvsPerSample: 100, asvs: 3000, slots: 200, chunk: 64 };

  it("cuts ASVs into chunks, then the batch, and makes up for it", async () => {
    const whole = planBatch(config, { ...sizes, limit: 1e12 });
    expect(whole).toMatchObject({ batchSize: 32, accumulate: 1, chunk: 64 });
    // Half of what is not onnxruntime itself.
    const limit = 1.8e8 + 0.5 * (whole.bytes - 1.8e8);
    const small = planBatch(config, { ...sizes, limit });
    expect(small.bytes).toBeLessThanOrEqual(limit);
    expect(small.batchSize * small.accumulate).toBeGreaterThanOrEqual(32);
    expect((await failure(() => planBatch(config, { ...sizes, limit: 1e6 }))).code).toBe("MEMORY_BATCH");
    // Less again by computing twice.
    expect(whole.keep).toBe(true);
    const tight = planBatch(config, { ...sizes, limit: whole.bytes / 2 });
    expect(tight.keep).toBe(false);
    const step = { samples: 8, asvs: 800, slots: 200 };
    const bytes = (chunk: number, keep: boolean) => stepBytes(config, { ...step, chunk, keep });
    expect(bytes(16, false)).toBeLessThan(bytes(16, true));
    expect(bytes(16, true)).toBeLessThan(bytes(0, true));
  });
});

describe("15.1 run tracking", () => {
  it("each epoch's losses, weighted and not, and scores go to the trackers", async () => {
    const seen: Readonly<Record<string, number>>[] = [];
    const tracker: RunTracker = { log: (_, values) => void seen.push(values), close: () => {} };
    const made = await tuned({ trackers: [tracker], training: { losses: { target: 3, nucleotide: 0 } } });
    await using _ = made.model;
    expect(seen).toHaveLength(2);
    expect(seen[1]!["weighted/target"]).toBeCloseTo(3 * seen[1]!["loss/target"]!, 6);
    expect(seen[1]).toHaveProperty("valid/r2");
  });
});

describe("17.3 ONNX export", () => {
  it("is compared with the model before it is written, and knows the letters", async () => {
    const path = join(tempFolder(), "model.onnx");
    const made = await tuned({ from: base.model });
    await using model = made.model;
    const report = await model.exportOnnx(path);
    expect(report.difference).toBeLessThanOrEqual(1e-5);
    expect(report.outputs).toEqual(["embedding", "prediction"]);
    expect(existsSync(path)).toBe(true);
  });
});

describe("TRN training that does not lose things", () => {
  it("TRN-5 the last small validation batch counts", async () => {
    // Four samples to judge by: batches of 3 leave one over.
    const [all, parts] = await Promise.all(
      [4, 3].map((batchSize) => tuned({ from: base.model, training: { batchSize, epochs: 1 } })),
    );
    await using _ = all!.model;
    await using __ = parts!.model;
    const [a, b] = [all!, parts!].map((m) => m.result.history[0]!.validation);
    expect(b!.scores.mae).toBeCloseTo(a!.scores.mae!, 4);
    expect(b!.parts.target).toBeCloseTo(a!.parts.target!, 5);
  });

  it("the best epoch follows the direction of its metric", async () => {
    for (const bestMetric of ["r2", "mae"] as const) {
      const { model, result } = await tuned({ training: { bestMetric, epochs: 4, learningRate: 0.05 } });
      await using _ = model;
      const scores = result.history.map(({ validation }) => validation.scores[bestMetric]!);
      const best = bestMetric === "r2" ? Math.max(...scores) : Math.min(...scores);
      expect(result.bestEpoch).toBe(scores.indexOf(best));
    }
  });

  it("sample weights are numbers of at least 0, one a sample", async () => {
    for (const bad of [
      [1, 2],
      table.sampleIds.map((_, s) => (s === 3 ? -1 : 1)),
      table.sampleIds.map((_, s) => (s === 3 ? Number.NaN : 1)),
    ]) {
      const error = await failure(() => tuned({ sampleWeights: bad }));
      expect(error.code).toBe("SAMPLE_WEIGHTS");
      if (bad.length > 2) expect(error.details.samples).toEqual([table.sampleIds[3]]);
    }
  });

  it("a model file's fields are checked, and it comes back as it was", async () => {
    const folder = tempFolder();
    await base.model.save(join(folder, "model.safetensors"));
    await using read = await SeqModel.load(folder);
    expect(read.facts).toEqual(base.model.facts);
    const bytes = readFileSync(join(folder, "model.safetensors"));
    const bad = Buffer.from(bytes.toString("latin1").replace("x-seq-model 1", "x-seq-other 1"), "latin1");
    expect((await failure(() => readModel(fileOf("m.safetensors", bad)))).code).toBe("MODEL_FORMAT");
    expect((await failure(() => readModel(fileOf("m.safetensors", bytes.subarray(0, 400))))).code).toMatch(
      /^CHECKPOINT_/,
    );
  });

  it("a training that is stopped leaves no half files, and goes on to the same bytes", async () => {
    const run = async (out: string, more: Partial<FineTuneOptions> = {}): Promise<TrainedModel> =>
      tuned({ out, training: { epochs: 4, losses: { nucleotide: 0 } }, ...more });
    const [whole, cut] = [tempFolder(), tempFolder()];
    const straight = await run(whole);
    const stop = new AbortController();
    const onProgress = ({ done }: { done: number }): void => {
      if (done === 7) stop.abort();
    };
    await expect(run(cut, { signal: stop.signal, onProgress })).rejects.toMatchObject({ name: "AbortError" });
    expect(readdirSync(cut).filter((name) => !/^(?:last|best)\.safetensors$/.test(name))).toEqual([]);
    const resumed = await run(cut, { resume: true });
    await using _ = straight.model;
    await using __ = resumed.model;
    const saved = async ({ model }: TrainedModel): Promise<Buffer> => {
      const path = join(tempFolder(), "m.safetensors");
      await model.save(path);
      return readFileSync(path);
    };
    expect((await saved(resumed)).equals(await saved(straight))).toBe(true);
  });
});

describe("REG-8 order and padding", () => {
  it("a sample's prediction depends neither on the order of its ASVs nor on who stands beside it", async () => {
    const { model } = await tuned({ from: base.model });
    await using _ = model;
    const cache = model.cache(table, sequences);
    const at = (places: number[]) => ({
      ...sequenceBatch(table, cache, places),
      ids: places.map((p) => table.sampleIds[p]!),
    });
    const [alone, among] = [await model.predict(at([2])), await model.predict(at([0, 2, 5]))];
    expect(among.values[1]).toBeCloseTo(alone.values[0]!, 4);
    const batch = at([2]);
    const turned = { ...batch, sequence: batch.sequence.toReversed(), counts: batch.counts.toReversed() };
    expect((await model.predict(turned)).values[0]).toBeCloseTo(alone.values[0]!, 4);
    const empty = tableOf([[0, 1]], ["ACGTACGTACGTACGTACGT", "ACGTACGTACGTACGTACGA"]);
    expect(
      (await failure(() => model.predictTable(empty.select({ features: [empty.featureIds[0]!] })))).code,
    ).toBe("EMPTY_SAMPLE");
  });
});
