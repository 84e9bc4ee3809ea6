// Tickets of AAM that a small network alone can answer (docs/design/aam-tickets.md).
import { compile } from "@x/onnx-train";
import { describe, expect, it } from "vitest";
import { encoderTypes, registerEncoderType } from "../src/encoder-types.ts";
import { feedOf } from "../src/feeds.ts";
import { sequenceBatch, sequenceCache } from "../src/index.ts";
import { maskLetters } from "../src/letter-masks.ts";
import { type ModelOptions, modelConfig } from "../src/model-config.ts";
import { buildNetwork, type LossWeights } from "../src/network.ts";
import { trainingConfig } from "../src/training-options.ts";
import { failure, tableOf } from "./support/files.ts";

const letters = (f: number): string =>
  Array.from({ length: 20 }, (_, k) => "ACGT"[(f * 7 + k * (1 + (f % 3))) & 3]).join("");
const ids = Array.from({ length: 8 }, (_, f) => letters(f) + "ACGT"[f & 3] + "ACGT"[(f >> 2) & 3]);
const table = tableOf(
  Array.from({ length: 4 }, (_, s) => ids.map((_, f) => ((s * 5 + f * 3) % 4 === 0 ? 0 : 1 + s + f))),
  ids,
);
const cache = sequenceCache(table);
const WEIGHTS: LossWeights = { target: 1, count: 1, encoder: 1, nucleotide: 1, phylogeny: 0 };
const LOSS = { loss: "huber", overPenalty: 1, underPenalty: 1 } as const;
const SMALL: ModelOptions = {
  dim: 8,
  heads: 2,
  poolHeads: 2,
  maxLength: 22,
  layers: { asv: 1, sample: 1 },
  outputs: 1,
};

/** One evaluation of a network of this form, its weights drawn from one seed. */
async function evaluated(
  form: ModelOptions,
  { weights = WEIGHTS, chunk = 0 }: { weights?: LossWeights; chunk?: number } = {},
) {
  const config = modelConfig({ ...SMALL, ...form });
  const samples = [0, 1, 2, 3];
  const outputs = Math.max(1, config.outputs);
  const batch = {
    ...sequenceBatch(table, cache, samples),
    ids: table.sampleIds,
    targets: Float32Array.from({ length: 4 * (config.classifier ? 1 : outputs) }, (_, i) =>
      config.classifier ? i % 2 : 2 * i - 3,
    ),
    ...(config.encoder === "test-ph" && { encoderValues: new Float32Array(8).fill(0.5) }),
    distances: Float32Array.from({ length: 16 }, (_, k) => (k % 5 === 0 ? 0 : 0.4)),
  };
  const masked = maskLetters(
    batch.tokens,
    batch.width,
    { ratio: 0.3, strategy: "random" },
    { seed: 1, step: 0 },
  );
  const lengths = { asvs: 8, samples: 4, slots: batch.slots };
  const feed = feedOf(batch, config, { lengths, counts: { least: 1, most: 12 }, masked });
  const model = buildNetwork(config, { part: "whole", weights, loss: LOSS, chunk });
  await using trainer = await compile(model, { dims: lengths, device: "cpu", threads: 1, seed: 4 });
  return { ...(await trainer.evaluate(feed)), size: trainer.size };
}

describe("21.1 weight of the target", () => {
  it("weighs each loss in the total, and tells them unweighted", async () => {
    const form = { countPrediction: true };
    const plain = await evaluated(form);
    const { target, count, encoder, nucleotide } = plain.parts;
    expect(plain.loss).toBeCloseTo(target! + count! + encoder! + nucleotide!, 5);
    const heavy = await evaluated(form, {
      weights: { target: 3, count: 0.5, encoder: 2, nucleotide: 0.1, phylogeny: 0 },
    });
    expect(heavy.parts.target).toBeCloseTo(target!, 6);
    expect(heavy.loss).toBeCloseTo(3 * target! + 0.5 * count! + 2 * encoder! + 0.1 * nucleotide!, 5);
    expect(trainingConfig().losses.target).toBe(1);
    expect((await failure(() => trainingConfig({ losses: { target: -1 } }))).code).toBe("OPTION_RANGE");
  });

  it("21.4 a loss of weight 0 is not computed, and has no name to be shown by", async () => {
    const off = await evaluated(
      { countPrediction: true },
      { weights: { ...WEIGHTS, count: 0, nucleotide: 0 } },
    );
    expect(Object.keys(off.parts).sort()).toEqual(["encoder", "target"]);
    expect(off.outputs.logits).toBeUndefined();
  });
});

describe("21.3 heads", () => {
  const said = async (form: ModelOptions): Promise<number[]> =>
    Array.from((await evaluated(form)).outputs.prediction!.data as Float32Array);

  it("are unbounded unless asked", async () => {
    expect(modelConfig().bounded).toBe(false);
    for (const y of await said({ bounded: true })) expect(y > 0 && y < 1).toBe(true);
    for (const outputActivation of ["relu", "softplus", "exp"] as const)
      for (const y of await said({ outputActivation })) expect(y).toBeGreaterThanOrEqual(0);
  });

  it("linear, MLP and residual, with LayerNorm and a learned scale", async () => {
    const linear = await evaluated({ head: "linear" });
    const mlp = await evaluated({ head: "mlp", hidden: [6] });
    const residual = await evaluated({ head: "residual", hidden: [6] });
    expect(mlp.size - linear.size).toBe(8 * 6 + 6 + 6 + 1 - (8 + 1));
    expect(residual.size).toBe(mlp.size + 8 + 1);
    expect((await evaluated({ targetLayerNorm: true })).size).toBe(linear.size + 16);
    const scaled = await evaluated({ learnableScale: true });
    expect(scaled.size).toBe(linear.size + 2);
    // It begins as the identity.
    expect(scaled.parts.target).toBeCloseTo(linear.parts.target!, 5);
  });

  it("several targets, classes, quantiles", async () => {
    expect(await said({ outputs: 3 })).toHaveLength(12);
    const classes = await said({ outputs: 3, classifier: true });
    for (let s = 0; s < 4; s++)
      expect(classes[3 * s]! + classes[3 * s + 1]! + classes[3 * s + 2]!).toBeCloseTo(1, 5);
    expect(await said({ quantiles: [0.1, 0.5, 0.9] })).toHaveLength(12);
  });
});

describe("20.1 masked autoencoder", () => {
  const rows = Uint8Array.from({ length: 200 * 30 }, (_, i) =>
    i % 30 === 0 ? 5 : i % 30 > 25 ? 0 : i % 7 === 0 ? 7 : 1 + (i % 4),
  );

  it.each(["random", "span"] as const)(
    "%s: only letters, about as many as asked, from the seed",
    (strategy) => {
      const made = maskLetters(rows, 30, { ratio: 0.15, strategy }, { seed: 2, step: 1 });
      let [letterCount, hidden] = [0, 0];
      rows.forEach((token, at) => {
        const isLetter = token >= 1 && token <= 4;
        letterCount += Number(isLetter);
        hidden += made.scored[at]!;
        if (!isLetter) expect(made.tokens[at]).toBe(token);
        expect(made.tokens[at]).toBe(made.scored[at] === 1 ? 6 : token);
      });
      // Four standard errors of 0.15 among some 4,000; spans round down in each row.
      const [least, most] = strategy === "random" ? [0.127, 0.173] : [0.1, 0.15];
      expect(hidden / letterCount).toBeGreaterThan(least);
      expect(hidden / letterCount).toBeLessThanOrEqual(most);
      expect(maskLetters(rows, 30, { ratio: 0.15, strategy }, { seed: 2, step: 1 }).tokens).toEqual(
        made.tokens,
      );
      expect(maskLetters(rows, 30, { ratio: 0.15, strategy }, { seed: 2, step: 2 }).tokens).not.toEqual(
        made.tokens,
      );
    },
  );

  it("the loss is that of hidden letters alone: near ln of the letters before training", async () => {
    const { parts } = await evaluated(
      {},
      { weights: { target: 0, count: 0, encoder: 0, nucleotide: 1, phylogeny: 0 } },
    );
    expect(parts.nucleotide).toBeGreaterThan(0.1);
    expect(parts.letters).toBeGreaterThanOrEqual(0);
    expect(parts.letters).toBeLessThanOrEqual(1);
    expect(trainingConfig().mask).toEqual({ ratio: 0.15, strategy: "random" });
  });
});

describe("18 memory", () => {
  it("18.1 ASVs worked on in chunks give the same losses", async () => {
    const whole = await evaluated({});
    const chunked = await evaluated({}, { chunk: 2 });
    for (const [name, value] of Object.entries(whole.parts))
      expect(chunked.parts[name], name).toBeCloseTo(value, 5);
    expect(trainingConfig().chunk).toBeGreaterThan(0);
  });

  it("18.3 without their loss no letters are predicted", async () => {
    const weights = { ...WEIGHTS, nucleotide: 0 };
    expect((await evaluated({}, { weights })).outputs.logits).toBeUndefined();
    expect((await evaluated({})).outputs.logits).toBeDefined();
  });

  it("18.4 --ffn-ratio sets the width of feed-forward layers", async () => {
    const [two, four] = [await evaluated({ ffnRatio: 2 }), await evaluated({ ffnRatio: 4 })];
    // One layer over letters and one over ASVs, each of 8 → 8 r → 8.
    expect(four.size - two.size).toBe(2 * (2 * 8 * 16 + 16));
  });

  it("18.5 ASVs that samples share are embedded once", async () => {
    const batch = sequenceBatch(table, cache, [0, 1, 2, 3]);
    const there = batch.mask.reduce((a, b) => a + b, 0);
    expect(batch.unique.length).toBeLessThan(there);
    expect(batch.tokens).toHaveLength(batch.unique.length * batch.width);
  });
});

describe("13.3 encoder types", () => {
  it("are a registry that grows", async () => {
    expect(encoderTypes()).toEqual(
      expect.arrayContaining(["unifrac", "faith-pd", "taxonomy", "combined", "bray-curtis", "aitchison"]),
    );
    registerEncoderType("test-ph", { values: 2, valuesFrom: "user", activation: "sigmoid" });
    const own = await evaluated({ encoder: "test-ph" });
    for (const v of own.outputs.values!.data as Float32Array) expect(v > 0 && v < 1).toBe(true);
    expect(own.outputs.values!.shape).toEqual([4, 2]);
    expect((await failure(() => registerEncoderType("unifrac", { values: 1 }))).code).toBe("ENCODER_TYPE");
    expect((await failure(() => registerEncoderType("nothing", {}))).code).toBe("ENCODER_TYPE");
    expect((await failure(() => modelConfig({ encoder: "weighed" }))).code).toBe("ENCODER_TYPE");
  });
});

describe("12.3 sequence cache", () => {
  it("tokenises each different sequence once", () => {
    const twins = tableOf([[1, 2, 3]], ["a", "b", "c"]);
    const known = { ids: ["a", "b", "c"], sequences: ["ACGT", "AC", "ACGT"], path: "f" };
    const made = sequenceCache(twins, known);
    expect([made.table.lengths.length, Array.from(made.rowOf)]).toEqual([2, [0, 1, 0]]);
    const batch = sequenceBatch(twins, made, [0]);
    expect([Array.from(batch.unique), Array.from(batch.sequence)]).toEqual([
      [0, 1],
      [0, 1, 0],
    ]);
  });

  it("ASVs of a sample that has more than the limit: largest, first, or drawn", () => {
    const take = (sampling: "abundance" | "first" | "random", step = 0): number[] => {
      const { unique } = sequenceBatch(table, cache, [0], { tokenLimit: 3, sampling, seed: 1, step });
      return Array.from(unique);
    };
    const there = ids.map((_, f) => f).filter((f) => (f * 3) % 4 !== 0);
    expect(take("first")).toEqual(there.slice(0, 3));
    expect(take("abundance")).toEqual(there.slice(-3));
    expect(take("random")).toEqual(take("random"));
    const drawn = new Set([0, 1, 2, 3, 4, 5, 6, 7].flatMap((step) => take("random", step)));
    expect([...drawn].sort()).toEqual(there);
  });
});
