import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rebatch } from "../src/associate.ts";
import { concatColumns } from "../src/association-columns.ts";
import { design } from "../src/covariates.ts";
import { VariantFilter } from "../src/filter.ts";
import { genomicInflation, manhattanSvg, qqSvg } from "../src/index.ts";
import { pHtml, pText } from "../src/report/p-value.ts";

const one = (counts: number[], options = {}): Record<string, number> => {
  const filter = new VariantFilter(options);
  filter.apply(Uint32Array.from(counts), () => "v");
  return Object.fromEntries(Object.entries(filter.counts).filter(([k, v]) => v > 0 && k !== "total"));
};

describe("VariantFilter", () => {
  it("keeps 5 % missing and drops more", () => {
    expect(one([30, 35, 30, 5])).toEqual({ kept: 1 });
    expect(one([30, 34, 30, 6])).toEqual({ missing: 1 });
    expect(one([0, 0, 0, 9], { miss: 1 })).toEqual({ missing: 1 });
  });
  it("allele frequency is strict and not folded", () => {
    expect(one([0, 2, 98, 0])).toEqual({ kept: 1 });
    expect(one([0, 1, 99, 0])).toEqual({ maf: 1 });
    expect(one([98, 2, 0, 0])).toEqual({ kept: 1 });
    expect(one([99, 1, 0, 0])).toEqual({ maf: 1 });
    expect(one([99, 1, 0, 0], { maf: -1 })).toEqual({ kept: 1 });
  });
  it("needs two genotype classes", () => {
    expect(one([0, 50, 0, 0])).toEqual({ heterozygous: 1 });
    expect(one([50, 0, 0, 0], { maf: 0 })).toEqual({ monomorphic: 1 });
    expect(one([0, 0, 50, 0], { maf: -1 })).toEqual({ monomorphic: 1 });
    expect(one([25, 0, 25, 0])).toEqual({ kept: 1 });
    expect(one([25, 0, 25, 0], { hwe: 1e-6 })).toEqual({ hwe: 1 });
  });
  it("every variant is counted once", () => {
    const count = fc
      .array(fc.nat(20), { minLength: 4, maxLength: 40 })
      .map((a) => a.slice(0, a.length - (a.length % 4)));
    fc.assert(
      fc.property(count, (counts) => {
        const filter = new VariantFilter();
        const { rows, af, means } = filter.apply(Uint32Array.from(counts), () => "v");
        const { total, ...rest } = filter.counts;
        expect(Object.values(rest).reduce((a, b) => a + b, 0)).toBe(total);
        expect(rows.length).toBe(rest.kept);
        for (const [i, f] of af.entries()) expect(means[i]).toBeCloseTo(2 * f, 12);
      }),
    );
  });
  it("refuses thresholds out of range", () => {
    for (const options of [{ maf: 0.6 }, { miss: -1 }, { hwe: 2 }, { r2: Number.NaN }])
      expect(() => new VariantFilter(options)).toThrow(
        expect.objectContaining({ code: "OPTION_RANGE", exitCode: 2 }),
      );
  });
});

describe("design", () => {
  const x = Float64Array.of(1, 2, 4, 8, 16);
  it("adds the intercept at the end, unless a column is constant", () => {
    expect(design([x], ["x"], 5)).toEqual({
      w: Float64Array.of(1, 2, 4, 8, 16, 1, 1, 1, 1, 1),
      names: ["x", "intercept"],
    });
    expect(design([new Float64Array(5).fill(3), x], ["c", "x"], 5).names).toEqual(["c", "x"]);
    expect(design([], [], 5).names).toEqual(["intercept"]);
  });
  it("refuses a column of zeros and one that others explain, whatever their scale", () => {
    expect(() => design([new Float64Array(5), x], ["z", "x"], 5)).toThrow(/column 1 \(z\) is zero/);
    expect(() => design([x, x.map((v) => v * 1e-200)], ["x", "y"], 5)).toThrow(/column 2 \(y\)/);
  });
});

it("rebatch: the same rows in batches that do not depend on how they came", async () => {
  const block = (from: number, to: number) => {
    const values = Float64Array.from({ length: to - from }, (_, i) => from + i);
    return {
      index: Uint32Array.from(values),
      nMiss: Int32Array.from(values),
      af: values,
      beta: values,
      se: values,
      loglH1: values,
      lRemle: values,
      pWald: values,
      negLog10PWald: values,
    };
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 }),
      async (sizes) => {
        async function* source() {
          let at = 0;
          for (const size of sizes) {
            at += size;
            yield block(at - size, at);
          }
        }
        const total = sizes.reduce((a, b) => a + b, 0);
        const out = [];
        for await (const b of rebatch(source(), 5)) out.push(b);
        expect(out.map((b) => b.index.length)).toEqual([
          ...Array(Math.floor(total / 5)).fill(5),
          ...(total % 5 ? [total % 5] : []),
        ]);
        expect(concatColumns(out)).toEqual(block(0, total));
      },
    ),
  );
});

describe("report", () => {
  it("genomicInflation is 1 for uniform p values and NaN without any", () => {
    const uniform = Float64Array.from({ length: 9999 }, (_, i) => -Math.log10((i + 1) / 10_000));
    expect(genomicInflation(uniform)).toBeCloseTo(1, 9);
    expect(genomicInflation([])).toBeNaN();
  });
  it("p values below the range of a double are printed", () => {
    expect(pHtml(385.67)).toBe("2.14 × 10<sup>−386</sup>");
    expect(pText(385.67)).toBe("2.14e-386");
    for (const form of [pHtml, pText]) expect([form(0.5), form(Number.NaN)]).toEqual(["0.316", "–"]);
    expect(pHtml(3)).toBe("1.00 × 10<sup>−3</sup>");
    expect(pText(3.0000001)).toBe("1.00e-3");
  });
  it("names of chromosomes do not touch each other in a narrow plot", () => {
    const n = 22 * 40;
    const chrom = Array.from({ length: n }, (_, i) => String(1 + Math.floor(i / 40)));
    const pos = Array.from({ length: n }, (_, i) => 1 + (i % 40));
    const placed = (width: number): Array<[x: number, name: string]> =>
      [
        ...manhattanSvg({ chrom, pos, negLog10P: Array(n).fill(1) }, { width }).matchAll(
          /<text x="([\d.]+)" y="\d+" text-anchor="middle">(\d+)</g,
        ),
      ].map((m) => [Number(m[1]), m[2]!]);
    expect(placed(1160).map(([, name]) => name)).toEqual(Array.from({ length: 22 }, (_, i) => String(i + 1)));
    const narrow = placed(400);
    expect(narrow.length).toBeGreaterThan(8);
    for (let i = 1; i < narrow.length; i++)
      expect(narrow[i]![0] - narrow[i - 1]![0]).toBeGreaterThanOrEqual(
        3.5 * (narrow[i]![1].length + narrow[i - 1]![1].length),
      );
  });
  it("plots stay small, escape ids and take odd data", () => {
    const n = 200_000;
    const data = {
      chrom: Array.from({ length: n }, (_, i) => String(1 + Math.floor((22 * i) / n))),
      pos: Int32Array.from({ length: n }, (_, i) => (i * 7919) % 1e8),
      negLog10P: Float64Array.from({ length: n }, (_, i) => -Math.log10((((i * 104729) % n) + 0.5) / n)),
      id: Array.from({ length: n }, (_, i) => `<rs&${i}>`),
    };
    data.negLog10P[5] = Number.NaN;
    data.negLog10P[6] = 400;
    const svg = manhattanSvg(data);
    expect(svg.length).toBeLessThan(2_500_000);
    expect(svg).not.toMatch(/<rs&|NaN/);
    expect(qqSvg(data.negLog10P).length).toBeLessThan(60_000);
    for (const text of [
      manhattanSvg({ chrom: [], pos: [], negLog10P: [] }),
      qqSvg([]),
      manhattanSvg({ chrom: ["."], pos: [-9], negLog10P: [1] }),
    ])
      expect(text).not.toMatch(/NaN|Infinity/);
  });
});
