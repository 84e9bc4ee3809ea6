// Scores that come batch by batch are those of the whole.
import { describe, expect, it } from "vitest";
import {
  auroc,
  ClassMetrics,
  classAurocs,
  classScores,
  predictInPasses,
  RegressionMetrics,
  Reservoir,
  regressionScores,
} from "../src/index.ts";
import { fc, test } from "./support/property.ts";

const numbers = fc.array(fc.tuple(fc.double({ min: -1e3, max: 1e3, noNaN: true }), fc.nat(20)), {
  minLength: 3,
  maxLength: 60,
});

describe("18.2 streaming metrics", () => {
  test("parts merged are the whole", fc.tuple(numbers, fc.nat(60)), async ([pairs, cut]) => {
    const [truth, predicted] = [pairs.map(([y]) => y), pairs.map(([y, e]) => y + e / 7)];
    const [first, second] = [new RegressionMetrics(), new RegressionMetrics()];
    first.add(truth.slice(0, cut), predicted.slice(0, cut));
    second.add(truth.slice(cut), predicted.slice(cut));
    first.merge(RegressionMetrics.from(JSON.parse(JSON.stringify(second))));
    const [found, whole] = [first.scores(), regressionScores(truth, predicted)];
    expect(first.n).toBe(truth.length);
    expect(found.mae).toBeCloseTo(whole.mae, 9);
    expect(found.rmse).toBeCloseTo(whole.rmse, 9);
    if (whole.r2 > -1e6) expect(found.r2).toBeCloseTo(whole.r2, 6);
  });

  it("a large mean does not drown the spread", () => {
    const metrics = new RegressionMetrics();
    for (let i = 0; i < 1000; i++) metrics.add([1e9 + (i % 2)], [1e9 + 0.5]);
    expect(metrics.scores().r2).toBeCloseTo(0, 12);
  });

  it("counts of padding do not count", () => {
    const metrics = new RegressionMetrics();
    metrics.add([0.5, 0, 1, 0], [0.25, 9, 1, 9], [1, 0, 1, 0]);
    expect(metrics.scores()).toMatchObject({ mae: 0.125, rmse: Math.sqrt(0.0625 / 2), bias: -0.125 });
  });

  it("classes: confusion, precision, recall, merged", () => {
    const [truth, said] = [
      [0, 0, 1, 1, 2, 2],
      [0, 1, 1, 1, 0, 2],
    ];
    const [a, b] = [new ClassMetrics(3), new ClassMetrics(3)];
    a.add(truth.slice(0, 2), said.slice(0, 2));
    b.add(truth.slice(2), said.slice(2));
    a.merge(new ClassMetrics(3, b.toJSON().confusion));
    expect(Array.from(a.confusion)).toEqual([1, 1, 0, 0, 2, 0, 1, 0, 1]);
    expect(a.scores()).toEqual(classScores(truth, said, 3));
    expect(a.details()[1]).toEqual({ support: 2, precision: 2 / 3, recall: 1, f1: 0.8 });
  });

  it("AUROC: the chance that a sample of the class scores higher", () => {
    expect(auroc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])).toBe(0.75);
    expect(auroc([1, 1, 1], [true, false, true])).toBe(0.5);
    expect(auroc([1, 2], [1, 1])).toBeNaN();
    expect(classAurocs([0.9, 0.1, 0.2, 0.8, 0.7, 0.3], [0, 1, 0], 2)).toEqual([1, 1]);
  });

  test(
    "AUROC is the share of ordered pairs",
    fc.array(fc.tuple(fc.nat(6), fc.boolean()), { minLength: 2, maxLength: 30 }),
    async (items) => {
      let [won, pairs] = [0, 0];
      for (const [a, yes] of items)
        for (const [b, other] of items)
          if (yes && !other) {
            pairs++;
            won += a > b ? 1 : a === b ? 0.5 : 0;
          }
      const found = auroc(
        items.map(([s]) => s),
        items.map(([, yes]) => yes),
      );
      if (pairs > 0) expect(found).toBeCloseTo(won / pairs, 12);
      else expect(found).toBeNaN();
    },
  );

  it("a reservoir keeps 1,000 at most, the same whatever the parts, and is fair", () => {
    const [whole, left, right] = [
      new Reservoir<number>(1000, 3),
      new Reservoir<number>(1000, 3),
      new Reservoir<number>(1000, 3),
    ];
    for (let i = 0; i < 20_000; i++) {
      whole.add(i, i);
      (i % 3 ? left : right).add(i, i);
    }
    right.merge(left);
    const kept = whole.items();
    expect(right.items()).toEqual(kept);
    expect(kept).toHaveLength(1000);
    // The mean of 1,000 of 0 … 19,999 has a standard error of 183.
    expect(Math.abs(kept.reduce((a, b) => a + b, 0) / 1000 - 9999.5)).toBeLessThan(4 * 183);
    const few = new Reservoir<string>();
    few.add(0, "a");
    expect(few.items()).toEqual(["a"]);
  });

  it("passes: mean and variance of each prediction", async () => {
    const passes = [
      [1, 10],
      [2, 10],
      [6, 10],
    ];
    const found = await predictInPasses(3, async (pass) => passes[pass]!);
    expect(Array.from(found.mean)).toEqual([3, 10]);
    expect(Array.from(found.variance)).toEqual([7, 0]);
    expect((await predictInPasses(1, async () => [4])).variance).toEqual(Float64Array.of(0));
  });
});
