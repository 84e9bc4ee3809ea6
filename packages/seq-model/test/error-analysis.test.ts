// Where a model errs: the numbers, and the picture.
import { describe, expect, it } from "vitest";
import { errorAnalysis, errorSvg, metadataOf } from "../src/index.ts";
import { failure, tableOf } from "./support/files.ts";

const n = 40;
const ids = Array.from({ length: n }, (_, s) => `s${s}`);
const truth = ids.map((_, s) => s);
const noise = (s: number): number => ((s * 37) % 11) / 11 - 0.5;
// Feature 2 is there in every fourth sample, and there the model says too much.
const counts = ids.map((_, s) => [100 + (s % 7), 50 + ((s * 3) % 5), s % 4 === 0 ? 30 : 0, s === 5 ? 9 : 0]);
const predicted = truth.map((y, s) => y + noise(s) + (s % 4 === 0 ? 6 : 0));

describe("16.2 error analysis", () => {
  const table = tableOf(counts, ["a", "b", "<guilty>", "once"]);
  const metadata = metadataOf(
    ids,
    new Map([
      ["dose", { kind: "numeric" as const, values: ids.map((_, s) => (s % 4 === 0 ? 2 : 1)) }],
      ["flat", { kind: "numeric" as const, values: ids.map(() => 0.1) }],
      ["site", { kind: "categorical" as const, values: ids.map(() => "gut") }],
    ]),
    "m.tsv",
  );
  const found = errorAnalysis(ids, truth, predicted, { table, metadata, worst: 3, bins: 8 });

  it("finds distribution and worst samples", () => {
    const errors = predicted.map((p, s) => p - truth[s]!);
    expect(found.mean).toBeCloseTo(errors.reduce((a, b) => a + b, 0) / n, 12);
    expect(found.counts.reduce((a, b) => a + b, 0)).toBe(n);
    expect([found.counts.length, found.edges.length]).toEqual([8, 9]);
    expect(found.quartiles[0]).toBe(Math.min(...errors));
    expect(found.quartiles[4]).toBe(Math.max(...errors));
    expect(found.worst).toHaveLength(3);
    for (const { sample } of found.worst) expect(Number(sample.slice(1)) % 4).toBe(0);
  });

  it("finds what errors go with, checked against a plain correlation", () => {
    expect(
      found.correlations
        .slice(0, 2)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(["<guilty>", "dose"]);
    const shares = counts.map((row) => row[1]! / row.reduce((a, b) => a + b, 0));
    const errors = predicted.map((p, s) => p - truth[s]!);
    const mean = (x: number[]): number => x.reduce((a, b) => a + b, 0) / x.length;
    const centred = (x: number[]): number[] => x.map((v) => v - mean(x));
    const [x, y] = [centred(shares), centred(errors)];
    const dot = (a: number[], b: number[]): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
    const plain = dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
    const b = found.correlations.find(({ name, source }) => name === "b" && source === "feature")!;
    expect(b.signed).toBeCloseTo(plain, 12);
    const names = found.correlations.map(({ name }) => name);
    expect(names).not.toContain("flat");
    expect(names).not.toContain("once");
  });

  it("draws it, with names escaped", () => {
    const svg = errorSvg(errorAnalysis(["<x>", "y"], [1, 2], [2, 2]), { label: "age & sex" });
    expect(svg).toMatch(/^<svg[\s\S]*<\/svg>$/);
    expect(svg).toContain("&#60;x&#62;");
    expect(svg).toContain("true age &#38; sex");
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(errorSvg(errorAnalysis(["one"], [1], [1]))).not.toMatch(/NaN|Infinity|undefined/);
    expect(errorSvg(found).match(/<circle/g)).toHaveLength(n);
  });

  it("refuses what does not fit together", async () => {
    expect((await failure(() => errorAnalysis(["a"], [1, 2], [1]))).code).toBe("SPLIT_SAMPLES");
    expect((await failure(() => errorAnalysis([], [], []))).code).toBe("SPLIT_SAMPLES");
    expect((await failure(() => errorAnalysis(["q"], [1], [1], { table }))).code).toBe("SAMPLE_UNKNOWN");
  });
});
