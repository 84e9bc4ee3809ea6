// Scores against numbers worked out by hand.
import { Random } from "@x/core/base";
import { expect, it } from "vitest";
import {
  adjustedRand,
  auroc,
  averagePrecision,
  integrationScores,
  layout,
  leiden,
  matching,
  nearest,
  neighbourLabels,
  normalizedMutualInformation,
  type Points,
  pearson,
  scatterSvg,
} from "../src/index.ts";

/** Two clouds of 40 points far apart in five dimensions. */
function clouds(): { points: Points; labels: string[] } {
  const random = new Random(1);
  const labels = Array.from({ length: 80 }, (_, i) => (i < 40 ? "a" : "b"));
  const values = Float32Array.from({ length: 400 }, (_, i) => random.normal() + (i < 200 ? 0 : 12));
  return { points: { values, count: 80, dimensions: 5 }, labels };
}

it("areas and correlations", () => {
  expect(auroc([1, 2, 3, 4], [0, 1, 0, 1])).toBe(0.75);
  expect(auroc([1, 1, 1, 1], [0, 1, 0, 1])).toBe(0.5);
  expect(auroc([1, 2], [1, 1])).toBeNaN();
  expect(averagePrecision([1, 2, 3, 4], [0, 1, 0, 1])).toBeCloseTo((1 + 2 / 3) / 2, 12);
  expect(pearson([1, 2, 3], [2, 4, 6])).toBeCloseTo(1, 12);
  expect(pearson([1, 1, 1], [2, 4, 6])).toBeNaN();
});

it("agreement of groupings", () => {
  expect(adjustedRand([0, 0, 1, 1], ["x", "x", "y", "y"])).toBe(1);
  expect(adjustedRand([0, 0, 1, 1], [0, 1, 0, 1])).toBeCloseTo(-0.5, 12);
  expect(normalizedMutualInformation([0, 0, 1, 1], [1, 1, 0, 0])).toBeCloseTo(1, 12);
  expect(normalizedMutualInformation([0, 0, 1, 1], [0, 1, 0, 1])).toBeCloseTo(0, 12);
});

it("neighbours, the nearest first, ties by index", () => {
  const points = { values: Float32Array.of(0, 1, 2, 3), count: 4, dimensions: 1 };
  expect([...nearest(points, points, { k: 2, self: false }).indices]).toEqual([1, 2, 0, 2, 1, 3, 2, 1]);
});

it("a perfect match has no cell in between, a reversed one many", () => {
  const a = { values: Float32Array.of(0, 1, 2, 3), count: 4, dimensions: 1 };
  expect(matching(a, a).foscttm).toBe(0);
  const b = { ...a, values: Float32Array.of(3, 2, 1, 0) };
  expect(matching(a, b).foscttm).toBeGreaterThan(0.3);
});

it("two clouds are two clusters, far apart on the plane", () => {
  const { points, labels } = clouds();
  const found = leiden(nearest(points, points, { k: 10, self: false }), { resolution: 0.3 });
  expect(adjustedRand([...found], labels)).toBe(1);
  expect(leiden(nearest(points, points, { k: 10, self: false }))).toEqual(
    leiden(nearest(points, points, { k: 10, self: false })),
  );
  expect(neighbourLabels(points, labels).accuracy).toBe(1);
  const at = layout(points);
  expect(neighbourLabels({ values: at, count: 80, dimensions: 2 }, labels).accuracy).toBe(1);
  expect(scatterSvg(at, labels, "<types>")).toContain("&lt;types&gt;");
});

it("batches that are mixed score high, batches that are types low", () => {
  const { points, labels } = clouds();
  const mixed = labels.map((_, i) => (i % 2 ? "x" : "y"));
  const good = integrationScores(points, { batches: mixed, labels });
  expect(good.iLisi).toBeGreaterThan(0.8);
  expect(good.graphConnectivity).toBe(1);
  expect(good.labelSilhouette).toBeGreaterThan(0.8);
  const bad = integrationScores(points, { batches: labels, labels });
  expect(bad.iLisi).toBeLessThan(0.8);
  expect(bad.kBet).toBeLessThan(good.kBet);
});
