// Quantiles and intervals that keep what they promise.
import { Random } from "@x/core/base";
import { describe, expect, it } from "vitest";
import {
  conformalIntervals,
  coverageOf,
  pinball,
  quantileConformal,
  sortedQuantiles,
  splitConformal,
  uncrossed,
} from "../src/index.ts";
import { failure } from "./support/files.ts";

describe("quantiles", () => {
  it("are sorted and unique", async () => {
    expect(sortedQuantiles([0.9, 0.1, 0.5])).toEqual([0.1, 0.5, 0.9]);
    expect((await failure(() => sortedQuantiles([0.5, 0.5]))).code).toBe("OPTION_CHOICE");
    expect((await failure(() => sortedQuantiles([]))).code).toBe("OPTION_CHOICE");
    expect((await failure(() => sortedQuantiles([1]))).code).toBe("OPTION_RANGE");
  });

  it("do not cross, and that is never worse", () => {
    const crossed = [3, 1, 2, 5, 6, 4];
    const sorted = uncrossed(crossed, 3);
    expect(Array.from(sorted)).toEqual([1, 2, 3, 4, 5, 6]);
    const levels = [0.1, 0.5, 0.9];
    expect(pinball([2, 5], sorted, levels)).toBeLessThanOrEqual(pinball([2, 5], crossed, levels));
    expect(pinball([10], [8, 12], [0.1, 0.9])).toBeCloseTo((0.2 + 0.2) / 2, 12);
  });
});

describe("conformal intervals", () => {
  it("take the right one of the errors", () => {
    const truth = Array.from({ length: 9 }, (_, i) => i + 1);
    const found = splitConformal(truth, new Float64Array(9), 0.9);
    expect(found).toEqual({ kind: "split", coverage: 0.9, width: 9, samples: 9 });
    expect(splitConformal(truth.slice(1), new Float64Array(8), 0.9).width).toBe(Number.POSITIVE_INFINITY);
    expect(splitConformal(truth, new Float64Array(9), 0.5).width).toBe(5);
  });

  it("cover as many new samples as they say, where the noise is skewed and grows", () => {
    const random = new Random(5);
    const draw = () => {
      const x = random.uniform();
      return { x, y: 10 * x - Math.log(random.uniform()) * (0.2 + x) };
    };
    const [calibration, fresh] = [2000, 4000].map((n) => Array.from({ length: n }, draw));
    const y = (rows: { y: number }[]) => rows.map((r) => r.y);
    const point = (rows: { x: number }[]) => rows.map((r) => 10 * r.x);
    const split = splitConformal(y(calibration!), point(calibration!), 0.8);
    const wide = conformalIntervals(split, point(fresh!));
    // Three standard errors of the calibrated and the measured share.
    expect(Math.abs(coverageOf(y(fresh!), wide) - 0.8)).toBeLessThan(0.035);
    const ends = (rows: { x: number }[]) => ({
      low: rows.map((r) => 10 * r.x),
      high: rows.map((r) => 10 * r.x + 4 * (0.2 + r.x)),
    });
    const asked = (rows: { x: number }[]) => {
      const { low, high } = ends(rows);
      return { low: Float64Array.from(low), high: Float64Array.from(high) };
    };
    const cqr = quantileConformal(y(calibration!), asked(calibration!), 0.8);
    // What was asked for is too wide, so it shrinks.
    expect(cqr.width).toBeLessThan(0);
    const fitted = conformalIntervals(cqr, asked(fresh!));
    expect(Math.abs(coverageOf(y(fresh!), fitted) - 0.8)).toBeLessThan(0.035);
  });

  it("ends meet instead of crossing, and mistakes are named", async () => {
    const one = (a: number, b: number) => ({ low: Float64Array.of(a), high: Float64Array.of(b) });
    const met = conformalIntervals({ kind: "cqr", coverage: 0.5, width: -3, samples: 9 }, one(0, 4));
    expect([met.low[0], met.high[0]]).toEqual([2, 2]);
    expect((await failure(() => splitConformal([], []))).code).toBe("CONFORMAL");
    expect((await failure(() => splitConformal([Number.NaN], [1]))).code).toBe("CONFORMAL");
    const split = splitConformal([1, 2, 3], [1, 2, 3], 0.5);
    expect((await failure(() => conformalIntervals(split, one(0, 1)))).code).toBe("CONFORMAL");
  });
});
