// Learning rates step by step.
import { describe, expect, it } from "vitest";
import { cosine, cosineRestarts, oneCycle, Plateau } from "../src/index.ts";

describe("schedules", () => {
  it("cosine falls from the peak to the floor and stays there", () => {
    const rate = cosine(1, { total: 10, floor: 0.2 });
    expect([rate(0), rate(5), rate(10), rate(99)].map((x) => Number(x.toFixed(12)))).toEqual([
      1, 0.6, 0.2, 0.2,
    ]);
  });

  it("cosineRestarts begins anew after each period, and these can grow", () => {
    const even = cosineRestarts(2, { period: 4 });
    expect([0, 4, 8, 400].map(even)).toEqual([2, 2, 2, 2]);
    expect(even(2)).toBeCloseTo(1, 12);
    const growing = cosineRestarts(1, { period: 2, growth: 2 });
    expect([0, 2, 6, 14].map(growing)).toEqual([1, 1, 1, 1]);
    expect(growing(4)).toBeCloseTo(0.5, 12);
  });

  it("oneCycle rises to the peak and falls far below the start", () => {
    const rate = oneCycle(1, { total: 100 });
    const all = Array.from({ length: 100 }, (_, step) => rate(step));
    expect(rate(0)).toBeCloseTo(1 / 25, 12);
    expect(all.indexOf(Math.max(...all))).toBe(29);
    expect(rate(29)).toBe(1);
    expect(rate(99)).toBeCloseTo(1 / 25e4, 12);
    expect(rate(500)).toBe(rate(99));
    expect(all.slice(0, 29).every((r, k) => r < all[k + 1]!)).toBe(true);
    expect(all.slice(29, 99).every((r, k) => r > all[k + 30]!)).toBe(true);
    for (const rise of [0, 1])
      for (let s = 0; s < 9; s++) expect(oneCycle(1, { total: 8, rise })(s)).toBeGreaterThan(0);
  });

  it("Plateau waits, falls, and goes on from its state", () => {
    const tell = (plateau: Plateau, values: number[]): number[] =>
      values.map((v) => {
        plateau.tell(v);
        return plateau.rate();
      });
    const values = [5, 4, 4, 4, 4, 3, Number.NaN, 3, 3, 3];
    const whole = tell(new Plateau(1, { patience: 2, factor: 0.5 }), values);
    expect(whole).toEqual([1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25]);
    const first = new Plateau(1, { patience: 2, factor: 0.5 });
    tell(first, values.slice(0, 4));
    const state = JSON.parse(JSON.stringify(first.state()));
    expect(tell(new Plateau(1, { patience: 2, factor: 0.5, state }), values.slice(4))).toEqual(
      whole.slice(4),
    );
    const up = new Plateau(1, { patience: 0, direction: "max", floor: 0.2 });
    expect(tell(up, [1, 2, 1.5, 1.5, 1.5])).toEqual([1, 1, 0.3, 0.2, 0.2]);
    // An improvement below the threshold is none.
    expect(tell(new Plateau(1, { patience: 0, threshold: 0.01 }), [1, 0.995])).toEqual([1, 0.3]);
  });
});
