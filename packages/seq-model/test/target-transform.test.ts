// Targets are scaled by what training saw, and come back as they were.
import { describe, expect, it } from "vitest";
import {
  applyTargetTransform,
  fitTargetTransform,
  invertTargetTransform,
  TARGET_TRANSFORMS,
  type TargetTransform,
} from "../src/index.ts";
import { failure } from "./support/files.ts";
import { fc, test } from "./support/property.ts";

describe("target transforms", () => {
  it("follow their formulas", () => {
    const z = (kind: TargetTransform["kind"], values: number[]): number[] =>
      Array.from(applyTargetTransform(fitTargetTransform(kind, values), values));
    expect(z("none", [1, 5])).toEqual([1, 5]);
    expect(z("minmax", [1, 2, 5])).toEqual([0, 0.25, 1]);
    expect(z("zscore", [1, 3])).toEqual([-1, 1]);
    expect(z("log-minmax", [0, Math.E - 1, Math.E ** 2 - 1])).toEqual([0, 0.5, 1]);
    expect(z("log-zscore", [0, Math.E ** 2 - 1])).toEqual([-1, 1]);
    expect(z("sqrt-zscore", [1, 9])).toEqual([-1, 1]);
    expect(z("minmax", [3, 3])).toEqual([0, 0]);
    // The mean of three times 0.1 is not 0.1.
    for (const value of z("zscore", [0.1, 0.1, 0.1])) expect(Math.abs(value)).toBeLessThan(1e-15);
  });

  it("know only the training samples", () => {
    const t = fitTargetTransform("minmax", [10, 20]);
    expect([t.shift, t.scale]).toEqual([[10], [10]]);
    expect(Array.from(applyTargetTransform(t, [0, 40]))).toEqual([-1, 3]);
  });

  it("scale each output, and every quantile of it alike", () => {
    const t = fitTargetTransform("minmax", [0, 100, 10, 300], { outputs: 2 });
    expect(Array.from(applyTargetTransform(t, [5, 200]))).toEqual([0.5, 0.5]);
    const back = invertTargetTransform(t, [0, 0.5, 1, 0, 0.5, 1], { inner: 3 });
    expect(Array.from(back)).toEqual([0, 5, 10, 100, 200, 300]);
  });

  it("take a category's own numbers, the common ones where it is new", () => {
    const categories = ["a", "a", "__proto__", "__proto__"];
    const t = fitTargetTransform("zscore-category", [1, 3, 10, 30], { categories });
    expect(Array.from(applyTargetTransform(t, [1, 30], { categories: ["a", "__proto__"] }))).toEqual([-1, 1]);
    expect(applyTargetTransform(t, [11], { categories: ["new"] })[0]).toBeCloseTo(0, 12);
  });

  it("refuse what they cannot scale, with the sample", async () => {
    const at = (call: () => unknown) => failure(call);
    expect((await at(() => fitTargetTransform("log-minmax", [1, -1]))).details).toMatchObject({ sample: 1 });
    expect((await at(() => fitTargetTransform("zscore", [1, Number.NaN]))).code).toBe("TARGET_TRANSFORM");
    expect((await at(() => fitTargetTransform("zscore", []))).code).toBe("TARGET_TRANSFORM");
    expect((await at(() => fitTargetTransform("zscore-category", [1, 2]))).code).toBe("TARGET_TRANSFORM");
    expect((await at(() => fitTargetTransform("sqrt" as "none", [1]))).code).toBe("OPTION_CHOICE");
  });

  test(
    "invert to what was put in, also after JSON",
    fc.record({
      kind: fc.constantFrom(...TARGET_TRANSFORMS),
      values: fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 20 }),
    }),
    async ({ kind, values }) => {
      const categories = values.map((_, s) => (s % 2 ? "a" : "b"));
      const fitted = fitTargetTransform(kind, values, { categories });
      const read: TargetTransform = JSON.parse(JSON.stringify(fitted));
      const back = invertTargetTransform(read, applyTargetTransform(read, values, { categories }), {
        categories,
      });
      const most = Math.max(...values);
      back.forEach((y, s) => {
        expect(Math.abs(y - values[s]!)).toBeLessThanOrEqual(1e-9 * Math.max(1, most));
      });
    },
  );
});
