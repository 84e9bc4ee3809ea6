// A folder goes on only with what it was begun with: searches and trainings.
import { describe, expect, it } from "vitest";
import { type FineTuneOptions, fineTune } from "../src/fine-tune.ts";
import { search } from "../src/index.ts";
import { trainingTrial } from "../src/search-training.ts";
import { failure, tempFolder } from "./support/files.ts";
import { fixtureStudy, TINY } from "./support/study.ts";

const { table, target, tree, split, sequences } = await fixtureStudy();
const training = { epochs: 1, batchSize: 4, device: "cpu", losses: { nucleotide: 0 } };
const common = { target, split, sequences, model: TINY, training, threads: 1 };
const ids = table.sampleIds;
const otherSplit = { ...split, train: ids.slice(1, 10), test: [ids[0]!, ...ids.slice(10)] };
const otherTarget = { ...target, values: target.values.map((v, i) => (i === 0 ? v + 1 : v)) };

describe("a search's folder", () => {
  it("is not gone on with by a study of another table, target, split, encoder, tree or sequences", async () => {
    const folder = tempFolder();
    const plan = { space: { learningRate: { choice: [0.003] } }, trials: 1, budget: 1, folder };
    const begun = { ...common, split };
    const first = await search(trainingTrial(table, begun), plan);
    expect(first.runs).toHaveLength(1);
    expect(await search(trainingTrial(table, begun), plan)).toEqual(first);
    const counts = table.select({ samples: [...ids].reverse() });
    const letters = sequences.sequences.map((s, i) => (i === 0 ? `A${s.slice(1)}C` : s));
    for (const [field, other, study] of [
      ["training samples", { ...begun, split: otherSplit }, table],
      ["target values", { ...begun, target: otherTarget }, table],
      ["target columns", { ...begun, target: { ...target, name: "weight" } }, table],
      ["tree", { ...begun, tree }, table],
      ["sequences", { ...begun, sequences: { ...sequences, sequences: letters } }, table],
      ["options", { ...begun, training: { ...training, batchSize: 2 } }, table],
      ["table", begun, counts],
    ] as const) {
      const error = await failure(() => search(trainingTrial(study, other), plan));
      expect(error.code).toBe("SEARCH_FOLDER");
      expect(error.details.fields).toContain(field);
      expect(error.message).toContain(field);
    }
  });
});

describe("a training that goes on", () => {
  it("must be the one that was begun; more epochs it may have", async () => {
    const out = tempFolder();
    const run = async (more: Partial<FineTuneOptions> = {}): Promise<number> => {
      const { model, result } = await fineTune(table, { ...common, out, ...more });
      await model[Symbol.asyncDispose]();
      return result.steps;
    };
    const steps = await run();
    for (const [field, more] of [
      ["training samples", { split: otherSplit }],
      ["target values", { target: otherTarget }],
      ["target columns", { target: { ...target, name: "weight" } }],
      ["transform", { transform: "none" as const }],
      ["learningRate", { training: { ...training, learningRate: 0.5 } }],
      ["seed", { seed: 4 }],
      ["tree", { tree }],
      ["table", {}],
    ] as const) {
      const counts = table.select({ features: [...table.featureIds].reverse() });
      const error = await failure(() =>
        field === "table"
          ? fineTune(counts, { ...common, out, resume: true })
          : run({ ...more, resume: true }),
      );
      expect(error.code).toBe("RESUME");
      expect(error.message).toContain(field);
      expect(error.details.fields).toContain(field);
    }
    expect(await run({ resume: true, training: { ...training, epochs: 2 } })).toBe(2 * steps);
  });
});
