import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { counted, formatE, formatE6, formatFixed3, formatG, parseStrictNumber } from "../src/numbers.ts";

/** 20,000 doubles with what C prints; made by golden/printf.py. */
function golden(): { x: number; e6: string; g10: string; fixed3: string }[] {
  const text = gunzipSync(readFileSync(new URL("golden/printf.tsv.gz", import.meta.url))).toString();
  const view = new DataView(new ArrayBuffer(8));
  return text
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [bits, e6, g10, fixed3] = line.split("\t") as [string, string, string, string];
      view.setBigUint64(0, BigInt(`0x${bits}`));
      return { x: view.getFloat64(0), e6, g10, fixed3 };
    });
}

describe("printf formats", () => {
  const table = golden();

  it("equals C byte for byte on 20,000 doubles", () => {
    expect(table.length).toBe(20000);
    expect(table.filter((row) => formatE6(row.x) !== row.e6).slice(0, 5)).toEqual([]);
    expect(table.filter((row) => formatE(row.x, 6) !== row.e6).slice(0, 5)).toEqual([]);
    expect(table.filter((row) => formatG(row.x, 10) !== row.g10).slice(0, 5)).toEqual([]);
    const fixed = table.filter((row) => row.fixed3 !== "");
    expect(fixed.filter((row) => formatFixed3(row.x) !== row.fixed3).slice(0, 5)).toEqual([]);
  });

  it("rounds exact ties to even and keeps the sign of zero", () => {
    expect(formatFixed3(0.0625)).toBe("0.062");
    expect(formatFixed3(0.1875)).toBe("0.188");
    expect(formatFixed3(-0.0001)).toBe("-0.000");
    expect(formatFixed3(1e22)).toBe("10000000000000000000000.000");
    expect(formatE6(10000005)).toBe("1.000000e+07");
    expect(formatE6(10000015)).toBe("1.000002e+07");
    expect(formatE(2.5, 0)).toBe("2e+00");
    expect(formatE(3.5, 0)).toBe("4e+00");
    expect(formatG(-0)).toBe("-0");
    expect(formatG(1e6)).toBe("1e+06");
    expect(formatG(123456)).toBe("123456");
    expect([Number.NaN, Infinity, -Infinity].map(formatE6)).toEqual(["nan", "inf", "-inf"]);
  });

  it("agrees with the exact slow way on any double", () => {
    fc.assert(
      fc.property(fc.double(), (x) => formatE6(x) === formatE(x, 6)),
      { numRuns: 3000 },
    );
  });

  it("reads back to within half a unit of the last digit", () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 });
    fc.assert(
      fc.property(
        finite,
        (x) => Math.abs(Number(formatE6(x)) - x) <= Math.max(Math.abs(x) * 5.01e-7, 5e-324),
      ),
    );
  });
});

describe("parseStrictNumber", () => {
  it.each(["1", "-1", "+1", "1.", ".5", "1.5e3", "1E-3", "0001", "1e+05", "-0.0"])("accepts %s", (text) => {
    expect(parseStrictNumber(text)).toBe(Number(text));
  });

  it.each([
    "",
    " ",
    "1 ",
    " 1",
    "0x10",
    "0b1",
    "1_000",
    "1,5",
    "1e",
    "e5",
    "+-1",
    "--1",
    ".",
    "nan",
    "NaN",
    "inf",
    "Infinity",
    "-inf",
    "1.2.3",
    "0x1p3",
    "１",
    "1\n",
    "1f",
  ])("refuses %j", (text) => {
    expect(parseStrictNumber(text)).toBeUndefined();
  });

  it("gives an infinity beyond the range of doubles, which callers refuse", () => {
    expect(parseStrictNumber("1e400")).toBe(Infinity);
    expect(parseStrictNumber("-1e400")).toBe(-Infinity);
  });

  it("reads what any double prints", () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(finite, (x) => Object.is(parseStrictNumber(Object.is(x, -0) ? "-0" : String(x)), x)),
    );
  });
});

it("counted says one in the singular", () => {
  expect([0, 1, 2].map((n) => counted(n, "epoch"))).toEqual(["0 epochs", "1 epoch", "2 epochs"]);
});
