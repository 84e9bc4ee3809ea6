import { describe, expect, it } from "vitest";

import { lowerNormalQuantile, naturalLog, normalQuantile } from "../src/normal.ts";

describe("naturalLog", () => {
  it("is within two units in the last place of Math.log", () => {
    for (let i = 0; i < 20000; i++) {
      const x = 2 ** -54 * 1.0021 ** i;
      const exact = Math.log(x);
      expect(Math.abs(naturalLog(x) - exact)).toBeLessThanOrEqual(Math.abs(exact) * 4.5e-16);
    }
  });
});

describe("lowerNormalQuantile", () => {
  // Φ(x) = p from tables with 16 digits (Abramowitz and Stegun 26.5, and exact symmetry at 1/2)
  it.each([
    [0.5, 0],
    [0.25, -0.6744897501960817],
    [0.1, -1.2815515655446004],
    [0.05, -1.6448536269514729],
    [0.025, -1.9599639845400545],
    [0.001, -3.090232306167813],
    [1e-6, -4.753424308822899],
    [1e-12, -7.034483825301131],
    [1e-16, -8.222082216130437],
  ])("of %f is %f", (p, x) => {
    expect(Math.abs(lowerNormalQuantile(p) - x)).toBeLessThanOrEqual(Math.abs(x) * 1e-15);
  });
});

describe("normalQuantile", () => {
  it("is odd about 1/2, infinite at the ends and NaN outside", () => {
    for (const p of [0.4375, 0.25, 0.0625, 2 ** -20, 2 ** -50]) {
      expect(normalQuantile(1 - p)).toBe(-lowerNormalQuantile(p));
      expect(normalQuantile(p)).toBe(lowerNormalQuantile(p));
    }
    expect([0, 0.5, 1].map(normalQuantile)).toEqual([Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY]);
    expect([-1e-300, 1.0000000000000002, Number.NaN].map(normalQuantile)).toEqual(Array(3).fill(Number.NaN));
  });

  it("goes on to the smallest double", () => {
    // mpmath, 40 digits: the root of ln(erfc(-x / sqrt(2)) / 2) = ln p
    expect(normalQuantile(1e-300)).toBeCloseTo(-37.0470962993612, 12);
    expect(normalQuantile(5e-324)).toBeCloseTo(-38.467405617144344, 12);
    expect(normalQuantile(2 ** -1023)).toBeLessThan(normalQuantile(2 ** -1022));
  });
});
