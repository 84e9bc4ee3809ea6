import { readFileSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { philox4x32, Random, randomU32, type Words } from "../src/random.ts";

type Kind = "known" | "u32" | "uniform" | "normal" | "int" | "shuffle";
const file = new URL("../../../fixtures/random/philox.json", import.meta.url);
const golden: Record<Kind, string[]> = JSON.parse(readFileSync(file, "utf8"));

/** Seed and stream, then the other words of a golden row. */
function rows(kind: Kind): { seed: bigint; stream: bigint; rest: string[] }[] {
  return golden[kind].map((line) => {
    const [seed, stream, ...rest] = line.split(" ") as [string, string, ...string[]];
    return { seed: BigInt(seed), stream: BigInt(stream), rest };
  });
}

function bits(x: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  return view.getBigUint64(0).toString(16).padStart(16, "0");
}

describe("golden vectors, shared with native/crates/random", () => {
  it("gives the published known answers of philox4x32-10", () => {
    for (const line of golden.known) {
      const w = line.split(" ").map((word) => Number.parseInt(word, 16));
      expect(philox4x32(w.slice(0, 4) as unknown as Words, [w[4]!, w[5]!])).toEqual(w.slice(6));
    }
  });

  it("randomU32", () => {
    for (const { seed, stream, rest } of rows("u32")) {
      expect(randomU32(seed, stream, Number(rest[0]))).toBe(Number(rest[1]));
      expect(new Random(seed, stream, Number(rest[0])).u32()).toBe(Number(rest[1]));
    }
  });

  it.each(["uniform", "normal"] as const)("%s, bit for bit", (kind) => {
    for (const { seed, stream, rest } of rows(kind)) {
      const random = new Random(seed, stream);
      expect(rest.map(() => bits(random[kind]()))).toEqual(rest);
    }
  });

  it("int and shuffle", () => {
    for (const { seed, stream, rest } of rows("int")) {
      const [n, ...values] = rest.map(Number) as [number, ...number[]];
      const random = new Random(seed, stream);
      expect(values.map(() => random.int(n))).toEqual(values);
    }
    for (const { seed, stream, rest } of rows("shuffle")) {
      expect(new Random(seed, stream).shuffle(rest.map((_, i) => i))).toEqual(rest.map(Number));
    }
  });
});

describe("Random", () => {
  it("can start anywhere: word i is the same however it is reached", () => {
    const start = fc.nat(2 ** 31 - 1);
    fc.assert(
      fc.property(fc.nat(), fc.nat(), start, fc.nat(50), (seed, stream, from, skip) => {
        const random = new Random(seed, stream, from);
        for (let i = 0; i < skip; i++) random.u32();
        return random.u32() === randomU32(seed, stream, from + skip);
      }),
    );
  });

  it("stays in range, and int(n) reaches every value", () => {
    const random = new Random(3);
    const seen = new Set<number>();
    for (let i = 0; i < 2000; i++) {
      const u = random.uniform();
      expect(u >= 0 && u < 1).toBe(true);
      seen.add(random.int(10));
    }
    expect([...seen].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("normal() has the moments of a standard normal", () => {
    const random = new Random(11);
    const n = 200_000;
    const sums = [0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      const x = random.normal();
      for (let p = 1; p <= 4; p++) sums[p - 1]! += x ** p / n;
    }
    const [m1, m2, m3, m4] = sums as [number, number, number, number];
    // five standard errors of each moment
    expect(Math.abs(m1)).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(m2 - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(m3)).toBeLessThan(5 * Math.sqrt(15 / n));
    expect(Math.abs(m4 - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
  });

  it("shuffle keeps the elements", () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.nat(), (array, seed) => {
        const shuffled = new Random(seed).shuffle([...array]);
        expect(shuffled.toSorted((a, b) => a - b)).toEqual(array.toSorted((a, b) => a - b));
      }),
    );
  });

  it("refuses seeds and bounds that are no whole numbers", () => {
    for (const bad of [-1, 1.5, Number.NaN, 2 ** 60]) {
      expect(() => new Random(bad)).toThrow(expect.objectContaining({ code: "OPTION_RANGE" }));
    }
    expect(() => new Random().int(0)).toThrow(expect.objectContaining({ code: "OPTION_RANGE" }));
    expect(() => new Random().int(2 ** 32 + 1)).toThrow(expect.objectContaining({ code: "OPTION_RANGE" }));
  });
});
