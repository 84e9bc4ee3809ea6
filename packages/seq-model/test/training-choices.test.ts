// Choices of a training: dropout at every level, graphs by length, what counts do, and who chooses the epoch.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bySize } from "../src/buckets.ts";
import { lossesByOutput } from "../src/cli-target-options.ts";
import { modelOptions } from "../src/cli-train-options.ts";
import { type FineTuneOptions, fineTune } from "../src/fine-tune.ts";
import { modelConfig } from "../src/model-config.ts";
import { pretrain, type TrainedModel } from "../src/pretrain.ts";
import { innerSplit } from "../src/search-training.ts";
import type { TrainingOptions } from "../src/training-options.ts";
import { failure, tableOf, tempFolder } from "./support/files.ts";
import { fixtureStudy, TINY } from "./support/study.ts";

const { table, tree, target, split, sequences } = await fixtureStudy();
const QUICK: TrainingOptions = { epochs: 2, batchSize: 4, device: "cpu" };
const shared = { split, sequences, threads: 1, seed: 1 };
const tuned = (options: Partial<FineTuneOptions> = {}): Promise<TrainedModel> =>
  fineTune(table, {
    ...shared,
    target,
    model: TINY,
    ...options,
    training: { ...QUICK, ...options.training },
  });

describe("dropout", () => {
  const run = async (dropout: number, more: TrainingOptions = {}): Promise<TrainedModel["result"]> => {
    const { model, result } = await pretrain(table, tree, {
      ...shared,
      model: { ...TINY, dropout },
      training: { ...QUICK, epochs: 1, ...more },
    });
    await model[Symbol.asyncDispose]();
    return result;
  };

  it("reaches the letters: with no layers over samples training changes, judging does not", async () => {
    const [none, half, again] = [await run(0), await run(0.5), await run(0.5)];
    expect(half.history[0]!.validation).toEqual(none.history[0]!.validation);
    expect(half.history[1]!.loss).not.toBeCloseTo(none.history[1]!.loss, 5);
    expect(again.history).toEqual(half.history);
  });

  it("goes with chunks of ASVs, all at once or a few at a time", async () => {
    const [cut, whole] = [await run(0.5, { chunk: 4 }), await run(0.5, { chunk: 0 })];
    expect(Number.isFinite(cut.history[1]!.loss)).toBe(true);
    expect(Number.isFinite(whole.history[1]!.loss)).toBe(true);
  });

  it("leaves a frozen encoder alone", async () => {
    const { model } = await pretrain(table, tree, {
      ...shared,
      model: { ...TINY, dropout: 0.5, layers: { asv: 1, sample: 1 } },
      training: QUICK,
    });
    await using from = model;
    // Without a learning rate the loss moves with noise alone: there is none.
    const frozen = await tuned({
      from,
      model: {},
      training: { freeze: "base", learningRate: 0, weightDecay: 0, batchSize: 10, epochs: 3, ema: 0 },
    });
    await using _ = frozen.model;
    const losses = frozen.result.history.slice(1).map(({ loss }) => loss);
    for (const loss of losses) expect(loss).toBeCloseTo(losses[0]!, 5);
  });
});

describe("length buckets", () => {
  it("part the samples by how many ASVs they have", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 4, maxLength: 40 }),
        fc.integer({ min: 1, max: 6 }),
        (sizes, lengthBuckets) => {
          const made = tableOf(sizes.map((n) => Array.from({ length: 9 }, (_, f) => (f < n ? 1 : 0))));
          const train = Uint32Array.from(sizes, (_, s) => s);
          const parts = bySize({ table: made, train }, { lengthBuckets, batchSize: 2 });
          expect(parts.flatMap((part) => [...part]).sort((a, b) => a - b)).toEqual([...train]);
          for (let k = 1; k < parts.length; k++) {
            const [before, after] = [parts[k - 1]!, parts[k]!].map((part) =>
              Array.from(part, (s) => sizes[s]!),
            );
            expect(Math.max(...before!)).toBeLessThanOrEqual(Math.min(...after!));
          }
          expect(parts.length).toBeLessThanOrEqual(lengthBuckets);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("make one training: every sample once an epoch, and a resumed run has the same bytes", async () => {
    const few = table.select({ samples: table.sampleIds });
    const run = async (out: string, more: Partial<FineTuneOptions> = {}): Promise<TrainedModel> =>
      fineTune(few, {
        ...shared,
        target,
        model: TINY,
        out,
        training: { ...QUICK, epochs: 4, lengthBuckets: 2, losses: { nucleotide: 0 } },
        ...more,
      });
    const straight = await run(tempFolder());
    // Ten samples in two buckets of five: two batches each.
    expect(straight.result.steps).toBe(4 * 4);
    const cut = tempFolder();
    const stop = new AbortController();
    const onProgress = ({ done }: { done: number }): void => {
      if (done === 10) stop.abort();
    };
    await expect(run(cut, { signal: stop.signal, onProgress })).rejects.toMatchObject({ name: "AbortError" });
    const resumed = await run(cut, { resume: true });
    const bytes = async ({ model }: TrainedModel): Promise<Buffer> => {
      const path = join(tempFolder(), "m.safetensors");
      await model.save(path);
      await model[Symbol.asyncDispose]();
      return readFileSync(path);
    };
    expect((await bytes(resumed)).equals(await bytes(straight))).toBe(true);
  });
});

describe("counts and orders", () => {
  it("counts join embeddings unless they are kept out", () => {
    expect(modelConfig().countEmbedding).toBe("film");
    expect(modelOptions({ "count-embedding": false }).countEmbedding).toBe("none");
    expect(modelOptions({ "count-embedding-method": "add" }).countEmbedding).toBe("add");
    expect(modelOptions({}).countEmbedding).toBeUndefined();
  });

  it("shuffled ASVs change nothing without sample positions, and something with them", async () => {
    const run = async (samplePositions: boolean, shuffleAsvs: boolean): Promise<number> => {
      const { model, result } = await tuned({
        model: { ...TINY, samplePositions },
        training: { epochs: 1, losses: { nucleotide: 0 }, variation: { shuffleAsvs } },
      });
      await model[Symbol.asyncDispose]();
      return result.history[1]!.loss;
    };
    expect(await run(false, true)).toBeCloseTo(await run(false, false), 5);
    expect(await run(true, true)).not.toBeCloseTo(await run(true, false), 5);
  });
});

describe("options that AAM has by another form", () => {
  it("--unifrac-metric names an encoder, --loss-config a loss for each column", async () => {
    expect(modelOptions({ "unifrac-metric": "faith_pd" }).encoder).toBe("faith-pd");
    expect(modelOptions({ "unifrac-metric": "weighted", encoder: "jaccard" }).encoder).toBe("jaccard");
    const columns = { "metadata-column": "age, mass" };
    expect(lossesByOutput(columns)).toBeUndefined();
    expect(lossesByOutput({ ...columns, "loss-config": '{"mass":"mae"}' })).toEqual(["huber", "mae"]);
    for (const text of ["{", "[]", '{"height":"mae"}', '{"age":"l2"}'])
      expect((await failure(() => lossesByOutput({ ...columns, "loss-config": text }))).code).toBe(
        "OPTION_CHOICE",
      );
  });
});

it("who chooses the epoch is taken from the training samples, whole groups at a time", () => {
  const groups = new Map(table.sampleIds.map((id, s) => [id, `host${s % 5}`]));
  const inner = innerSplit(split, { seed: 3, share: 0.3, groups, groupName: "host" });
  expect([...inner.train, ...inner.test].sort()).toEqual([...split.train].sort());
  const hosts = (ids: readonly string[]): Set<string> => new Set(ids.map((id) => groups.get(id)!));
  expect([...hosts(inner.test)].filter((h) => hosts(inner.train).has(h))).toEqual([]);
  expect(inner.test.some((id) => split.test.includes(id))).toBe(false);
});
