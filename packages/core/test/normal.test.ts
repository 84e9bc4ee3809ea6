import { describe, expect, it } from "vitest";

import { lowerNormalQuantile, naturalLog } from "../src/normal.ts";

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
