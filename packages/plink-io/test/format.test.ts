import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chromosomeCode } from "../src/chromosomes.ts";
import { formatG4, nameWidth } from "../src/plink/format.ts";
import { ReportLines } from "../src/plink/lines.ts";
import { StringTexts } from "../src/texts.ts";

describe("PLINK's numbers", () => {
  it("as its own reports have them", () => {
    // From `plink1.9 --freq --hardy` on synthetic counts; several are ties that binary rounding hides.
    const seen: [number, string][] = [
      [0.010625, "0.01062"],
      [0.015625, "0.01562"],
      [0.021875, "0.02188"],
      [0.036875, "0.03688"],
      [0.0015625, "0.001562"],
      [0.43875, "0.4388"],
      [0.0049875, "0.004988"],
      [1.672e-24, "1.672e-24"],
      [0.5, "0.5"],
      [1, "1"],
      [0, "0"],
      [Number.NaN, "nan"],
      [0.99996, "1"],
      [0.00001, "1e-05"],
    ];
    for (const [value, text] of seen) expect(formatG4(value), String(value)).toBe(text);
  });

  it("are the nearest four digits", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-300, max: 1, noNaN: true, minExcluded: true }), (value) => {
        expect(Math.abs(Number(formatG4(value)) / value - 1)).toBeLessThan(5.001e-4);
      }),
    );
  });

  it("stand in the lines of a report as formatG4 has them, whole numbers as they are", () => {
    const lines = new ReportLines();
    const numbers = fc.oneof(fc.double({ min: 0, max: 1 }), fc.constantFrom(0.99996, 0.099999, 0.1, 0.25));
    fc.assert(
      fc.property(numbers, fc.nat(), (value, whole) => {
        lines.g4(value, 12).int(whole, 4).end();
        const expected = ` ${formatG4(value).padStart(12)} ${String(whole).padStart(4)}\n`;
        expect(Buffer.from(lines.take()).toString()).toBe(expected);
      }),
    );
    lines.first(new StringTexts(["é".repeat(300_000)]), 0, 9).text("|");
    expect(Buffer.from(lines.take()).toString()).toBe(`${"é".repeat(300_000)}|`);
  });

  it("name columns widen as PLINK widens them", () => {
    const width = (...names: string[]) => nameWidth(new StringTexts(names));
    expect(width("rs1")).toBe(4);
    expect(width("snp10", "snp100")).toBe(7);
    expect(width("rs3683945", "rs13476200")).toBe(11);
    expect(width("rs1", "a_rather_long_variant_name:1:2:A:C")).toBe(36);
  });
});

it("chromosomes have PLINK's numbers", () => {
  const codes = ["1", "chr7", "X", "chrX", "y", "XY", "MT", "chrM", "0", "26", "27", "weird", "PAR1"].map(
    chromosomeCode,
  );
  expect(codes).toEqual([1, 7, 23, 23, 24, 25, 26, 26, 0, 26, undefined, undefined, undefined]);
});
