// Each choice of the model and its training that has a name: it trains, and does what it says.
import { describe, expect, it } from "vitest";
import { type FineTuneOptions, fineTune } from "../src/fine-tune.ts";
import { readMetadata, unifrac } from "../src/index.ts";
import { pretrain, type TrainedModel } from "../src/pretrain.ts";
import type { TrainingOptions } from "../src/training-options.ts";
import { fixture } from "./support/files.ts";
import { fixtureStudy, TINY } from "./support/study.ts";

const { table, tree, target, split, sequences } = await fixtureStudy();
const metadata = (await readMetadata(fixture("metadata.tsv"))).select(table.sampleIds);
const QUICK: TrainingOptions = { epochs: 2, batchSize: 5, device: "cpu", losses: { nucleotide: 0 } };
const shared = { split, sequences, threads: 1, seed: 1 };
const tuned = async (
  more: Partial<FineTuneOptions> = {},
): Promise<TrainedModel["result"] & { values: Float64Array }> => {
  const { model, result } = await fineTune(table, {
    ...shared,
    target,
    model: TINY,
    ...more,
    training: { ...QUICK, ...more.training },
  });
  await using _ = model;
  const categories = Int32Array.from(table.sampleIds, (_, s) => 1 + (s % 2));
  const { values } = await model.predictTable(table, { sequences, ...(more.categorical && { categories }) });
  return { ...result, values };
};
const losses = ({ history }: TrainedModel["result"]): number[] => history.slice(1).map(({ loss }) => loss);
const finite = (result: TrainedModel["result"]): void =>
  expect(losses(result).every(Number.isFinite), String(losses(result))).toBe(true);

describe("categorical metadata", () => {
  it.each(["concat", "add", "gmu", "cross-attention"] as const)(
    "%s: a category changes the prediction, with clades and without",
    async (fusion) => {
      const categorical = { metadata, columns: ["group"] };
      for (const more of [{}, { tree, model: { ...TINY, fusion, clades: 9 } }]) {
        const result = await tuned({ model: { ...TINY, fusion }, categorical, ...more });
        finite(result);
        const { model } = await fineTune(table, {
          ...shared,
          target,
          model: { ...TINY, fusion },
          categorical,
          training: QUICK,
        });
        await using _ = model;
        const all = (code: number): Promise<Float64Array> =>
          model
            .predictTable(table, { sequences, categories: new Int32Array(table.sampleIds.length).fill(code) })
            .then(({ values }) => values);
        expect((await all(1))[0]).not.toBeCloseTo((await all(2))[0]!, 6);
      }
    },
    60_000,
  );
});

describe("encoder types", () => {
  const taxa = Float32Array.from({ length: 7 * table.sampleIds.length }, (_, i) => (i % 5) / 5);
  it.each([
    ["unifrac", ["distanceR2"]],
    ["weighted", ["distanceR2"]],
    ["generalized", ["distanceR2"]],
    ["bray-curtis", ["distanceR2"]],
    ["jaccard", ["distanceR2"]],
    ["aitchison", ["distanceR2"]],
    ["faith-pd", []],
    ["taxonomy", []],
    ["combined", ["distanceR2"]],
  ] as const)(
    "%s learns what it is called",
    async (encoder, scores) => {
      const { model, result } = await pretrain(table, tree, {
        ...shared,
        model: { ...TINY, encoder },
        training: { ...QUICK, losses: { nucleotide: 0, phylogeny: 0, clades: 0 } },
        ...(encoder === "taxonomy" && { encoderValues: taxa }),
      });
      await model[Symbol.asyncDispose]();
      finite(result);
      const { validation, parts } = result.history.at(-1)!;
      expect(Object.keys(parts)).toEqual(["encoder"]);
      expect(Object.keys(validation.scores)).toEqual([...scores]);
    },
    60_000,
  );

  it("distances from a file teach the same as those of the tree", async () => {
    using distances = await unifrac(table, tree, { metric: "unweighted" });
    const run = async (more: object): Promise<number[]> => {
      const { model, result } = await pretrain(table, tree, {
        ...shared,
        model: TINY,
        training: { ...QUICK, synthetic: 0 },
        ...more,
      });
      await model[Symbol.asyncDispose]();
      return losses(result);
    };
    const [file, onTheFly] = [await run({ distances }), await run({})];
    file.forEach((loss, i) => {
      expect(loss).toBeCloseTo(onTheFly[i]!, 5);
    });
  });
});

describe("optimisation", () => {
  it.each(["cosine", "constant", "plateau", "one-cycle"] as const)(
    "%s trains",
    async (schedule) => {
      finite(await tuned({ training: { schedule, epochs: 3 } }));
    },
    60_000,
  );

  it("early stopping ends a run that gets no better", async () => {
    const result = await tuned({ training: { learningRate: 0, weightDecay: 0, epochs: 9, patience: 2 } });
    expect([result.stoppedEarly, result.history.length]).toEqual([true, 3]);
  });

  it("accumulation and a moving average of the weights are not the weights of every step", async () => {
    const rate = { learningRate: 0.02, weightDecay: 0, epochs: 2 } as const;
    const at = async (more: TrainingOptions): Promise<Float64Array> =>
      (await tuned({ training: { ...rate, bestMetric: "last", ...more } })).values;
    const start = (await tuned({ training: { ...rate, learningRate: 0, bestMetric: "last" } })).values;
    const moved = (values: Float64Array): number =>
      values.reduce((sum, v, i) => sum + Math.abs(v - start[i]!), 0);
    const whole = moved(await at({}));
    expect(moved(await at({ accumulate: 2 }))).not.toBeCloseTo(whole, 3);
    expect(moved(await at({ ema: 0.9 }))).not.toBeCloseTo(whole, 3);
  });

  it("each loss of numbers, one for each output", async () => {
    for (const loss of ["mse", "mae", "huber", "asymmetric"] as const)
      finite(await tuned({ training: { loss: { loss } } }));
    const two = [target, { ...target, name: "again" }];
    finite(await tuned({ target: two, training: { loss: { loss: ["mae", "asymmetric"] } } }));
  });
});
