// What is said of samples that took no part in training: scores, classes, intervals.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { coverageOf } from "../src/conformal.ts";
import { type FineTuneOptions, fineTune } from "../src/fine-tune.ts";
import { calibrateIntervals, intervalsOf, judge, testLines } from "../src/judge.ts";
import { SeqModel } from "../src/seq-model.ts";
import type { Target } from "../src/targets.ts";
import { tempFolder } from "./support/files.ts";
import { fixtureStudy, TINY } from "./support/study.ts";

const { table, target, split, sequences } = await fixtureStudy();
const tuned = async (more: Pick<FineTuneOptions, "target"> & Partial<FineTuneOptions>): Promise<SeqModel> =>
  (
    await fineTune(table, {
      split,
      sequences,
      threads: 1,
      seed: 1,
      model: TINY,
      training: { epochs: 2, batchSize: 4, device: "cpu" },
      ...more,
    })
  ).model;

describe("judging a model", () => {
  it("numbers: scores and the share inside calibrated intervals, which the model file keeps", async () => {
    await using model = await tuned({ target });
    const judged = { table, targets: [target], sequences };
    const conformal = await calibrateIntervals(model, { ...judged, samples: split.train }, 0.8);
    expect(conformal).toHaveLength(1);
    const facts = { ...model.facts, target: { ...model.facts.target!, conformal } };
    const path = join(tempFolder(), "model.safetensors");
    await using widened = new SeqModel(facts, model.weights);
    await widened.save(path);
    await using read = await SeqModel.load(path);
    expect(read.facts.target!.conformal).toEqual(conformal);
    const report = await judge(read, { ...judged, samples: split.train });
    if (!("outputs" in report)) throw new Error("numbers were expected");
    const { values } = await read.predictTable(table.select({ samples: [...split.train] }), { sequences });
    const truth = Array.from(table.sampleIndices(split.train), (p) => target.values[p]!);
    const inside = coverageOf(truth, intervalsOf(conformal[0]!, values, read.facts.config, 0));
    expect(report.outputs[0]!.coverage).toBe(inside);
    expect(inside).toBeGreaterThanOrEqual(0.8);
    expect(testLines(report)[0]).toMatch(/^10 test samples: age: R² .*% inside their interval$/);
  });

  it("too few samples promise nothing, and the file says so", async () => {
    await using model = await tuned({ target });
    const few = { table, targets: [target], sequences, samples: split.train.slice(0, 3) };
    const conformal = await calibrateIntervals(model, few, 0.9);
    expect(conformal[0]!.width).toBe(Number.POSITIVE_INFINITY);
    const path = join(tempFolder(), "model.safetensors");
    await new SeqModel({ ...model.facts, target: { ...model.facts.target!, conformal } }, model.weights).save(
      path,
    );
    await using read = await SeqModel.load(path);
    expect(read.facts.target!.conformal![0]!.width).toBe(Number.POSITIVE_INFINITY);
  });

  it("quantiles: the outer ones are what is widened", async () => {
    await using model = await tuned({ target, model: { ...TINY, quantiles: [0.1, 0.5, 0.9] } });
    const judged = { table, targets: [target], sequences, samples: split.train };
    expect((await calibrateIntervals(model, judged, 0.8))[0]).toMatchObject({ kind: "cqr", coverage: 0.8 });
  });

  it("classes: AUROC, each by itself, and who was taken for whom", async () => {
    const classes = ["old", "young"];
    const kind: Target = {
      name: "kind",
      values: target.values.map((v, s) => (v > 40 || s === 0 ? 0 : 1)),
      classes,
    };
    await using model = await tuned({ target: kind });
    const report = await judge(model, { table, targets: [kind], sequences, samples: table.sampleIds });
    if (!("classes" in report)) throw new Error("classes were expected");
    const total = report.confusion.flat().reduce((a, b) => a + b, 0);
    expect(total).toBe(table.sampleIds.length);
    for (const { auroc, support } of report.classes) {
      expect(auroc).toBeGreaterThanOrEqual(0);
      expect(auroc).toBeLessThanOrEqual(1);
      expect(support).toBeGreaterThan(0);
    }
    expect(testLines(report)).toHaveLength(6);
  });
});
