// What pictures say besides their points: names that tell apart, scales, marks.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attentionSvg, DistanceMatrix, pcoa, pcoaSvg } from "../src/index.ts";
import { shortNames } from "../src/short-names.ts";

describe("names in pictures", () => {
  it("keep their beginning where that tells them apart, else what does", () => {
    expect(shortNames(["short", "abcdefghijkl"], 8)).toEqual(["short", "abcdefg…"]);
    expect(shortNames(["TACGGAGGATCC", "TACGGAGGATGG"], 8)).toEqual(["TACG…TCC", "TACG…TGG"]);
    const middle = ["TACGGAAAAAAGATCCC", "TACGGAAATAAGATCCC"];
    expect(shortNames(middle, 8)).toEqual(["…AAAGAT…", "…TAAGAT…"]);
    const long = ["A", "C", "G"].map(
      (letter) => `${"T".repeat(20)}${"A".repeat(20)}${letter}${"C".repeat(20)}`,
    );
    expect(shortNames(["AT", ...long.map((name) => name + name)], 8)).toEqual([
      ...["AT", "…ACCCCC…", "…CCCCCC…", "…GCCCCC…"],
    ]);
  });

  it("never show two names as one", () => {
    const name = fc.string({ unit: fc.constantFrom("A", "C"), minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 30 }), (names) => {
        const shown = shortNames(names, 10);
        expect(new Set(shown).size).toBe(names.length);
        expect(Math.max(0, ...shown.map((text) => text.length))).toBeLessThanOrEqual(10);
      }),
    );
  });
});

it("the heat map of attention has a title and a scale", () => {
  const weights = Float64Array.of(0.8, 0.2, 0.1, Number.NaN);
  const svg = attentionSvg({ sampleIds: ["a", "b"], sequences: [0, 1], weights });
  expect(svg).toMatch(/<text class="t"[^>]*>Attention of samples to ASVs</);
  for (const weight of ["0", "0.05", "0.2", "0.8"]) expect(svg).toContain(`>${weight}</text>`);
});

it("principal coordinates have marks on both axes and say their metric", async () => {
  const square = Float64Array.of(0, 1, 2, 1, 0, 1.5, 2, 1.5, 0);
  using matrix = DistanceMatrix.fromSquare(square, ["a", "b", "c"], "unweighted");
  const found = await pcoa(matrix);
  const svg = pcoaSvg(found);
  expect(svg).toContain(">Principal coordinates, unweighted</text>");
  expect(svg.match(/text-anchor="end">-?[\d.]+</g)!.length).toBeGreaterThan(1);
  expect(svg.match(/text-anchor="middle">-?[\d.]+</g)!.length).toBeGreaterThan(1);
  expect(svg).not.toMatch(/NaN|undefined/);
});
