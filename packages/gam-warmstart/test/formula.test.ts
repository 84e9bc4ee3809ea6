import type { XError } from "@x/core/base";
import { describe, expect, it } from "vitest";
import { openData } from "../src/data/columns.ts";
import { modelFrame } from "../src/data/frame.ts";
import { parametricColumns, parametricValues } from "../src/data/parametric.ts";
import { deparse } from "../src/formula/ast.ts";
import { evaluate } from "../src/formula/evaluate.ts";
import { parseExpression } from "../src/formula/parse.ts";
import { readFormula } from "../src/formula/terms.ts";

const labels = (text: string): string[] => readFormula(text).parametric.map((t) => t.label);

describe("terms, as R orders them", () => {
  it.each([
    ["y ~ a + b", ["a", "b"], true],
    ["y ~ a*b", ["a", "b", "a:b"], true],
    ["y ~ a:b + a", ["a", "a:b"], true],
    ["y ~ (a + b + c)^2", ["a", "b", "c", "a:b", "a:c", "b:c"], true],
    ["y ~ a*b - a:b", ["a", "b"], true],
    ["y ~ a/b", ["a", "a:b"], true],
    ["y ~ a + b - 1", ["a", "b"], false],
    ["y ~ 0 + a", ["a"], false],
    ["y ~ a + a", ["a"], true],
    ["y ~ 1", [], true],
    ["y ~ b:a + a:b", ["b:a"], true],
    ["y ~ log(a) + I(a^2) + sqrt(b)", ["log(a)", "I(a^2)", "sqrt(b)"], true],
  ])("%s", (text, wanted, intercept) => {
    expect(labels(text)).toEqual(wanted);
    expect(readFormula(text).intercept).toBe(intercept);
  });

  it("smooths keep their arguments", () => {
    const f = readFormula(
      `y ~ x + s(x1) + s(x2, bs="cr", k=20) + te(a, b, k=c(5, 6)) + ti(a) + t2(a, b) + s(x, by=fac) + s(id, bs='re') + s(u, bs="ps", m=c(2, 1), shape="increasing") + offset(log(w))`,
    );
    expect(f.smooths.map((s) => s.label)).toEqual([
      "s(x1)",
      "s(x2)",
      "te(a,b)",
      "ti(a)",
      "t2(a,b)",
      "s(x)",
      "s(id)",
      "s(u)",
    ]);
    expect(f.smooths.map((s) => s.bs.join())).toEqual(["tp", "cr", "cr,cr", "cr", "cr,cr", "tp", "re", "ps"]);
    expect(f.smooths[1]!.k).toEqual([20]);
    expect(f.smooths[2]!.k).toEqual([5, 6]);
    expect(deparse(f.smooths[5]!.by!)).toBe("fac");
    expect(f.smooths[7]).toMatchObject({ m: [2, 1], shape: "increasing" });
    expect(f.offsets.map(deparse)).toEqual(["log(w)"]);
    expect(f.parametric.map((t) => t.label)).toEqual(["x"]);
  });

  it("responses", () => {
    expect(readFormula("log(y) ~ x").response!.label).toBe("log(y)");
    expect(readFormula("cbind(s, f) ~ x").response).toMatchObject({ cbind: true, label: "cbind(s, f)" });
    expect(readFormula("~ x").response).toBeUndefined();
  });
});

describe("a mistake has its column", () => {
  it.each([
    ["y ~ s(x", "FORMULA_SYNTAX", 8, /\) is missing; the \( is in column 6/],
    ["y ~ s(x, k=)", "FORMULA_SYNTAX", 12, /\) where a name/],
    ["y ~ x +", "FORMULA_SYNTAX", 8, /the end where/],
    ["y x", "FORMULA_SYNTAX", 3, /x where ~/],
    ["y ~", "FORMULA_SYNTAX", 4, /terms are missing/],
    ["", "FORMULA_SYNTAX", 1, /empty/],
    ["y ~ x)", "FORMULA_SYNTAX", 6, /closes nothing/],
    ["y ~ x ~ z", "FORMULA_SYNTAX", 7, /second ~/],
    ['y ~ s(x, bs="cr)', "FORMULA_SYNTAX", 13, /never closed/],
    ["y ~ x # z", "FORMULA_SYNTAX", 7, /# cannot stand/],
    ["y ~ s(x, bz='cr')", "FORMULA_ARGUMENT", 13, /did you mean bs/],
    ["y ~ s(x, bs='crr')", "FORMULA_ARGUMENT", 13, /did you mean "cr"/],
    ["y ~ s(x, k=1)", "FORMULA_ARGUMENT", 12, /from 2 to/],
    ["y ~ s(x, k=2.5)", "FORMULA_ARGUMENT", 12, /whole number/],
    ["y ~ s(x, 20)", "FORMULA_ARGUMENT", 10, /by name, e\.g\. k=10/],
    ["y ~ s(x, sp=3)", "FORMULA_ARGUMENT", 13, /not supported/],
    ["y ~ s(x):fac", "FORMULA_TERM", 5, /s\(x, by=fac\)/],
    ["y ~ x == 2", "FORMULA_TERM", 7, /I\(x == 2\)/],
    ["y ~ 5 + x", "FORMULA_TERM", 5, /5 is no term/],
    ["y ~ .", "FORMULA_TERM", 5, /dot/],
    ["3 ~ x", "FORMULA_RESPONSE", 1, /no column/],
    ["cbind(a,b,c) ~ x", "FORMULA_RESPONSE", 1, /two columns/],
  ])("%s", (text, code, column, says) => {
    try {
      readFormula(text);
      expect.unreachable();
    } catch (thrown) {
      const e = thrown as XError;
      expect(e.code).toBe(code);
      expect(e.details.column).toBe(column);
      expect(e.message).toMatch(says);
      expect(e.exitCode).toBe(2);
    }
  });

  it("brackets without end do not overflow the stack", () => {
    expect(() => readFormula(`y ~ ${"(".repeat(100_000)}x`)).toThrow(/nested more than 200 deep/);
    expect(() => readFormula(`y ~ ${"-".repeat(100_000)}x`)).toThrow(/nested more than 200 deep/);
  });
});

describe("expressions", () => {
  const data = openData({ x: [1, 4, null], g: ["b", "a", "b"], up: [true, false, true] });
  const value = (text: string): unknown => {
    const c = evaluate(parseExpression(text), data, text);
    return c.kind === "number" ? [...c.values] : c;
  };
  it("arithmetic with R's precedence; missing stays missing", () => {
    expect(value("-x^2 + 1")).toEqual([0, -15, Number.NaN]);
    expect(value("I(sqrt(x) * 2)")).toEqual([2, 4, Number.NaN]);
    expect(value("log(x, 2)")).toEqual([0, 2, Number.NaN]);
    expect(value("x > 2")).toEqual([0, 1, Number.NaN]);
    expect(value('g == "b"')).toEqual([1, 0, 1]);
    expect(value("up + 1")).toEqual([2, 1, 2]);
    expect(value("2^-1 + pi * 0")).toEqual([0.5, 0.5, 0.5]);
    expect(value("x %% 3")).toEqual([1, 1, Number.NaN]);
  });
  it("factors of numbers sort by value", () => {
    const c = evaluate(parseExpression("factor(x)"), openData({ x: [10, 9, 10, 100] }), "");
    expect(c).toMatchObject({ levels: ["9", "10", "100"] });
  });
  it("unknown functions and columns are named", () => {
    expect(() => value("lgo(x)")).toThrow(/lgo\(\) is not known; did you mean log\?/);
    expect(() => value("scale(x)")).toThrow(/depends on all rows/);
    expect(() => value("log(g)")).toThrow(/holds texts/);
    expect(() => value("log(xx)")).toThrow(/no column xx; did you mean x\?/);
    expect(() => value("constructor(x)")).toThrow(/is not known/);
  });
});

describe("contrasts", () => {
  const data = openData({
    y: [1, 2, 3, 4, 5, 6],
    a: ["p", "q", "r", "p", "q", "r"],
    b: ["u", "u", "v", "v", "u", "v"],
    x: [1, 2, 3, 4, 5, 6],
  });
  const names = (text: string): string[] => {
    const f = readFormula(text);
    const frame = modelFrame([f], data);
    return parametricColumns(f, frame.variables, f.intercept).map((c) => c.name);
  };
  // The lists are colnames(model.matrix(...)) of R 4.2.2 without "(Intercept)".
  it.each([
    ["y ~ a", ["aq", "ar"]],
    ["y ~ a - 1", ["ap", "aq", "ar"]],
    ["y ~ a + b - 1", ["ap", "aq", "ar", "bv"]],
    ["y ~ a * b", ["aq", "ar", "bv", "aq:bv", "ar:bv"]],
    ["y ~ a:b", ["ap:bu", "aq:bu", "ar:bu", "ap:bv", "aq:bv", "ar:bv"]],
    ["y ~ a + a:b", ["aq", "ar", "ap:bv", "aq:bv", "ar:bv"]],
    ["y ~ a:x", ["ap:x", "aq:x", "ar:x"]],
    ["y ~ x + a:x", ["x", "x:aq", "x:ar"]],
    ["y ~ a * x", ["aq", "ar", "x", "aq:x", "ar:x"]],
    ["y ~ x - 1", ["x"]],
  ])("%s", (text, wanted) => {
    expect(names(text)).toEqual(wanted);
  });

  it("values are products", () => {
    const f = readFormula("y ~ a * x");
    const frame = modelFrame([f], data);
    const column = parametricColumns(f, frame.variables, true).find((c) => c.name === "ar:x")!;
    expect([...parametricValues(column, frame.columns, 6)]).toEqual([0, 0, 3, 0, 0, 6]);
  });
});

describe("rows", () => {
  const f = readFormula("y ~ x + g");
  it("rows with a missing value are dropped and counted by the first variable", () => {
    const data = openData({ y: [1, null, 3, 4], x: [1, 2, Number.NaN, 5], g: ["a", "b", "a", null] });
    const data2 = openData({
      y: [1, null, 3, 4, 5, 6],
      x: [1, 2, Number.NaN, 5, 6, 7],
      g: ["a", "b", "a", null, "b", "a"],
    });
    expect(() => modelFrame([f], data, { also: [parseExpression("y")] })).toThrow(/FACTOR_LEVELS|one level/);
    const frame = modelFrame([f], data2, { also: [parseExpression("y")] });
    expect([...frame.rows]).toEqual([0, 4, 5]);
    expect(frame.missing).toEqual({ rows: 3, by: { x: 1, g: 1, y: 1 } });
  });
  it.each([
    [{ x: [null, null], g: ["a", "b"], y: [1, 2] }, "ALL_MISSING"],
    [{ x: [1, null], g: [null, "b"], y: [1, 2] }, "NO_ROWS"],
    [{ x: [], g: [], y: [] }, "NO_ROWS"],
    [{ x: [1, Number.POSITIVE_INFINITY], g: ["a", "b"], y: [1, 2] }, "NOT_FINITE"],
    [{ x: [1, 2], g: ["a", "a"], y: [1, 2] }, "FACTOR_LEVELS"],
    [{ x: [1, 2], gg: ["a", "b"], y: [1, 2] }, "UNKNOWN_COLUMN"],
    [{ x: [1, 2], g: ["a"], y: [1, 2] }, "COLUMN_LENGTH"],
    [{ x: [1, "2"], g: ["a", "b"], y: [1, 2] }, "COLUMN_TYPE"],
  ])("%j is %s", (columns, code) => {
    expect(() => modelFrame([f], openData(columns as never))).toThrow(expect.objectContaining({ code }));
  });
  it("levels a parent knew stay for random effects only", () => {
    const r = readFormula("y ~ g + s(id, bs='re')");
    const data = openData({ y: [1, 2, 3], g: ["a", "b", "a"], id: ["k", "m", "k"] });
    const frame = modelFrame([r], data, { levels: { g: ["a", "b", "c"], id: ["j", "k", "m"] } });
    expect(frame.variables).toEqual([
      { label: "g", levels: ["a", "b"] },
      { label: "id", levels: ["j", "k", "m"], random: true },
    ]);
  });
});
