// What users get wrong, each with its code; the `artifact` and `config` rows of bad-inputs.tsv by their ids.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  binomial,
  coxPh,
  crossFit,
  type FitOptions,
  fit,
  Gamma,
  gaussianLocationScale,
  parseFamily,
  poisson,
  readModel,
} from "../src/index.ts";
import { csvOf, gam, simulated, tempFolder, visits } from "./support/files.ts";

const data = simulated(120, 3);
const n = data.y!.length;

describe("a fit refuses", () => {
  it.each<[string, string, object, FitOptions, string, RegExp]>([
    ["a formula's syntax, with its place", "y ~ s(x", {}, {}, "FORMULA_SYNTAX", /column 8/],
    ["an unknown column", "y ~ s(xx)", {}, {}, "UNKNOWN_COLUMN", /did you mean x\?/],
    [
      "k larger than the unique values",
      'y ~ s(few, bs="cr", k=20)',
      { few: data.x!.map((_, i) => i % 5) },
      {},
      "GAM_K_TOO_LARGE",
      /5/,
    ],
    [
      "a factor with one level",
      "y ~ g + s(x)",
      { g: data.x!.map(() => "a") },
      {},
      "FACTOR_LEVELS",
      /one level/,
    ],
    [
      "a perfectly separated binomial",
      "sep ~ x",
      { sep: data.x!.map((v) => Number(Number(v) > 0.5)) },
      { family: binomial() },
      "GAM_SEPARATED",
      /./,
    ],
    [
      "weights that are all zero",
      "y ~ s(x)",
      { w: data.x!.map(() => 0) },
      { weights: "w" },
      "WEIGHTS",
      /nothing is left/,
    ],
    [
      "a negative weight",
      "y ~ s(x)",
      { w: data.x!.map((_, i) => (i === 4 ? -1 : 1)) },
      { weights: "w" },
      "WEIGHTS",
      /row 5/,
    ],
    [
      "a negative count",
      "neg ~ s(x)",
      { neg: data.c!.map((v, i) => (i === 2 ? -1 : v)) },
      { family: poisson() },
      "RESPONSE_RANGE",
      /neg is -1 in row 3/,
    ],
    [
      "a zero for a positive family",
      "c ~ s(x)",
      {},
      { family: Gamma() },
      "RESPONSE_RANGE",
      /must be positive/,
    ],
    [
      "fewer rows than coefficients",
      "y ~ p1*p2*p3*p4",
      Object.fromEntries(
        ["p1", "p2", "p3", "p4"].map((p, j) => [p, data.x!.map((_, i) => `${(i * (j + 3)) % 7}`)]),
      ),
      {},
      "GAM_FEW_ROWS",
      /./,
    ],
    [
      "a column without a value",
      "y ~ s(gone)",
      { gone: data.x!.map(() => null) },
      {},
      "ALL_MISSING",
      /gone has no value in any of the 120 rows/,
    ],
    ["a smooth of texts", "y ~ s(id)", {}, {}, "COLUMN_TYPE", /bs="re"/],
    [
      "a smooth of numbers and a text",
      "y ~ s(mixed)",
      { mixed: data.x!.map((v, i) => (i === 4 ? "." : String(v))) },
      {},
      "COLUMN_TYPE",
      /\("\."; `na` names texts that mean missing\)/,
    ],
    ["fewer knots than k", "y ~ s(x)", {}, { knots: { x: [0, 1] } }, "GAM_KNOTS", /10 knots, 2 are given/],
    [
      "a constant response",
      "one ~ s(x)",
      { one: data.x!.map(() => 1) },
      {},
      "RESPONSE_CONSTANT",
      /nothing to explain/,
    ],
    ["a response of texts", "id ~ s(x)", {}, {}, "COLUMN_TYPE", /needs numbers/],
    ["a response outside 0 to 1", "c ~ s(x)", {}, { family: binomial() }, "RESPONSE_RANGE", /cbind/],
    [
      "one formula for two predictors",
      "y ~ s(x)",
      {},
      { family: gaussianLocationScale() },
      "FORMULA_RESPONSE",
      /2 formulas/,
    ],
    ["no response", "~ s(x)", {}, {}, "FORMULA_RESPONSE", /needs a response/],
    ["cbind for a gaussian", "cbind(b, c) ~ s(x)", {}, {}, "FORMULA_RESPONSE", /binomial/],
    ["an event that is no event", "Surv(x, c) ~ z", {}, { family: coxPh() }, "RESPONSE_RANGE", /event/],
    ["the same smooth twice", 'y ~ s(x) + s(x, bs="cr")', {}, {}, "FORMULA_TERM", /twice/],
    [
      "log of zero",
      "y ~ s(log(zero))",
      { zero: data.x!.map((v, i) => (i === 9 ? 0 : v)) },
      {},
      "NOT_FINITE",
      /row 10/,
    ],
    [
      "counts that are all zero",
      "zero ~ s(x)",
      { zero: data.x!.map(() => 0) },
      { family: poisson() },
      "RESPONSE_CONSTANT",
      /zero is 0 in all 120 rows/,
    ],
    [
      "all zero for nb",
      "zero ~ s(x)",
      { zero: data.x!.map(() => 0) },
      { family: parseFamily("nb") },
      "RESPONSE_CONSTANT",
      /zero is 0/,
    ],
    [
      "all zero for tw",
      "zero ~ s(x)",
      { zero: data.x!.map(() => 0) },
      { family: parseFamily("tw") },
      "RESPONSE_CONSTANT",
      /zero is 0/,
    ],
    [
      "knots of no variable",
      "y ~ s(dose)",
      { dose: data.x! },
      { knots: { dosis: [0, 1] } },
      "UNKNOWN_COLUMN",
      /did you mean dose\?/,
    ],
    [
      "knots of a parametric variable",
      "y ~ s(x) + z",
      {},
      { knots: { z: [0, 1] } },
      "UNKNOWN_COLUMN",
      /z is no variable of a smooth/,
    ],
    [
      "factors of no variable",
      "y ~ s(x) + grade",
      { grade: data.x!.map((_, i) => i % 3) },
      { factors: ["grad"] },
      "UNKNOWN_COLUMN",
      /did you mean grade\?/,
    ],
    ["too few knots", "y ~ s(x)", {}, { knots: { x: [1] } }, "KNOTS", /two/],
    ["a wrong method", "y ~ s(x)", {}, { method: "REM" as "REML" }, "OPTION_CHOICE", /REML/],
    ["cfg-unknown", "y ~ s(x)", {}, { famly: 1 } as FitOptions, "UNKNOWN_OPTION", /did you mean family/],
    [
      "cfg-proto",
      "y ~ s(x)",
      {},
      JSON.parse('{"__proto__": {"family": 1}}') as FitOptions,
      "UNKNOWN_OPTION",
      /__proto__/,
    ],
    [
      "an end without a certificate",
      'y ~ s(x, bs="cr") + s(z, bs="cr")',
      {},
      { maxOuter: 1, rho: [-6, -6] },
      "GAM_NOT_CONVERGED",
      /largest gradient/,
    ],
    ["cfg-num", "y ~ s(x)", {}, { maxOuter: 1.5 }, "OPTION_RANGE", /whole number/],
    ["cfg-num: NaN", "y ~ s(x)", {}, { gamma: Number.NaN }, "OPTION_RANGE", /gamma/],
    ["cfg-num: threads", "y ~ s(x)", {}, { threads: -1 }, "OPTION_RANGE", /threads/],
  ])("%s", async (_name, formula, columns, options, code, says) => {
    await expect(fit(formula, { ...data, ...columns } as never, options)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(says),
    });
  });

  it("a rank failure names its coefficient, and the fold", async () => {
    const rows = { ...data, twin: data.x!.map((v) => 2 * Number(v)) };
    await expect(fit("c ~ x + twin", rows as never, { family: poisson() })).rejects.toMatchObject({
      code: "GAM_RANK",
      message: expect.stringMatching(/the coefficient twin/),
    });
    const only = data.id!.map((v) => Number(v === data.id![0]));
    await expect(
      crossFit("y ~ only", { ...data, only } as never, { group: "id", countCold: false }),
    ).rejects.toMatchObject({
      code: "GAM_RANK",
      message: expect.stringMatching(new RegExp(`without ${data.id![0]}: the coefficient only`)),
    });
  });

  it("a held-out fold of zeros is no constant response", async () => {
    const c = data.c!.map((v, i) => (data.id![i] === data.id![0] ? 0 : v));
    const cv = await crossFit("c ~ x", { ...data, c } as never, {
      family: poisson(),
      group: "id",
      countCold: false,
    });
    expect(cv.predictions.every(Number.isFinite)).toBe(true);
  });

  it.each([
    [
      "counts that are zero in all rows left",
      "poisson",
      (inside: boolean) => (inside ? 3 : 0),
      /is 0 in all/,
    ],
    [
      "values that are one number in all rows left",
      "gaussian",
      (inside: boolean) => (inside ? 3 : 7),
      /is 7 in all/,
    ],
  ] as const)("a fold with %s is named", async (_what, family, value, says) => {
    const first = data.id![0]!;
    // Only the first group varies: without it nothing is left.
    const only = data.id!.map((id, i) => value(id === first) + (id === first ? i % 2 : 0));
    await expect(
      crossFit("only ~ s(x)", { ...data, only } as never, {
        family: parseFamily(family),
        group: "id",
        countCold: false,
      }),
    ).rejects.toMatchObject({
      code: "RESPONSE_CONSTANT",
      message: expect.stringMatching(new RegExp(`^without ${first}: only ${says.source}`)),
      details: { column: "only", fold: first },
    });
  });

  it("zero-weight rows count as absent", async () => {
    const w = data.x!.map((_, i) => Number(i % 4 !== 0));
    const wild = data.y!.map((v, i) => (i % 4 === 0 ? 1e3 : v));
    const knots = { x: [0, 0.15, 0.3, 0.5, 0.7, 0.85, 1] };
    const model = await fit('wild ~ s(x, bs="cr", k=7)', { ...data, wild, w }, { weights: "w", knots });
    const kept = w
      .map((v, i) => [v, i] as const)
      .filter(([v]) => v === 1)
      .map(([, i]) => i);
    const alone = await fit(
      'y ~ s(x, bs="cr", k=7)',
      { x: kept.map((i) => data.x![i]!), y: kept.map((i) => data.y![i]!) },
      { knots },
    );
    expect(model.deviance).toBeCloseTo(alone.deviance, 6);
  });

  it("rows with a missing value are dropped, counted and told", async () => {
    const x = data.x!.map((v, i) => (i < 5 ? null : v));
    const model = await fit("y ~ s(x)", { ...data, x } as never);
    expect(model.rows).toEqual({ total: n, used: n - 5, missing: { x: 5 } });
    expect(model.warnings[0]).toMatchObject({ code: "ROWS_DROPPED" });
    expect(model.summary()).toContain("5 of 120 rows have a missing value");
  });
});

describe("predict refuses or tells", () => {
  it("unseen levels: zero for a random effect, an error for a parametric factor", async () => {
    const model = await fit('y ~ s(x) + s(id, bs="re")', data);
    const p = await model.predict({ x: [0.5, 0.5], id: ["nobody", null] }, { se: true });
    const without = await model.predict({ x: [0.5], id: ["s01"] }, { exclude: ["s(id)"] });
    expect(p.fit[0]![0]).toBeCloseTo(without.fit[0]![0]!, 12);
    expect(p.fit[0]![1]).toBeNaN();
    expect(p.warnings.map((w) => w.code)).toEqual(["UNSEEN_LEVELS", "ROWS_MISSING"]);
    const fixed = await fit("y ~ s(x) + id", data);
    await expect(fixed.predict({ x: [0.5], id: ["nobody"] })).rejects.toMatchObject({
      code: "FACTOR_UNSEEN",
    });
    await expect(model.predict({ x: [0.5], id: ["s01"] }, { exclude: ["s(i)"] })).rejects.toMatchObject({
      code: "TERM_UNKNOWN",
    });
    await expect(model.predict({ x: [0.5] })).rejects.toMatchObject({ code: "UNKNOWN_COLUMN" });
  });
});

describe("files", () => {
  it("a model that is none, of another version, damaged or cut", async () => {
    const folder = tempFolder();
    const path = join(folder, "m.json");
    const model = await fit("y ~ s(x)", data);
    await model.save(path);
    const text = await import("node:fs").then((fs) => fs.readFileSync(path, "utf8"));
    const read = (t: string) => {
      writeFileSync(path, t);
      return () => readModel(path);
    };
    expect(read("{}")).toThrow(expect.objectContaining({ code: "MODEL_FORMAT" }));
    expect(read(text.replace('"version":1', '"version":999'))).toThrow(
      expect.objectContaining({ code: "MODEL_VERSION" }),
    );
    expect(read(text.replace('"method":"REML"', '"method":"ML"'))).toThrow(
      expect.objectContaining({ code: "MODEL_HASH" }),
    );
    expect(read(text.slice(0, 500))).toThrow(expect.objectContaining({ code: "MODEL_HASH" }));
    const back = read(text)();
    expect(back.summary()).toBe(model.summary());
    expect(() => back.residuals()).toThrow(expect.objectContaining({ code: "NO_ROWS" }));
  });
});

describe("the command line refuses", () => {
  const folder = tempFolder();
  const csv = join(folder, "d.csv");
  writeFileSync(csv, csvOf(data));
  it.each([
    [["fit", csv, "y ~ s(x"], 2, /^FORMULA_SYNTAX column 8/],
    [["fit", csv, "y ~ s(q)"], 1, /^UNKNOWN_COLUMN /],
    [["fit", csv, "y ~ s(x)", "--family", "gausian"], 2, /^FAMILY .*did you mean gaussian/],
    [["fit", csv, "y ~ s(x)", "--famly", "gaussian"], 2, /^UNKNOWN_OPTION .*did you mean --family/],
    [["fit", csv, "y ~ s(x)", "--gamma", "-1"], 2, /^OPTION_RANGE/],
    [["fit", csv, "y ~ s(x)", "--max-outer", "1.5"], 2, /^OPTION_RANGE/],
    [["fit", csv, "y ~ s(x)", "--threads", "0"], 2, /^OPTION_RANGE/],
    [["fit", csv, "y ~ s(x)", "--knots", "x"], 2, /^KNOTS/],
    [["fit", csv], 2, /^ARGUMENT_MISSING/],
    [["fit", join(folder, "none.csv"), "y ~ s(x)"], 1, /^ENOENT/],
    [["fit", csv, "y ~ s(x)", "--out", join(folder, "no", "m.json")], 1, /^OUT_DIR/],
    [["crossfit", csv, "y ~ s(x)"], 2, /^OPTION_CONFLICT/],
    [["predict", csv, csv], 1, /^MODEL_FORMAT/],
    [["artifact", csv], 1, /^ARTIFACT_(FORMAT|TRUNCATED)/],
    [["artifact", folder], 1, /^NOT_A_FILE/],
    [["fit", csv, "y ~ s(x)", "--knots", "q=0,1"], 2, /^UNKNOWN_COLUMN/],
    [["frobnicate"], 2, /^UNKNOWN_COMMAND/],
    [["fitt", csv], 2, /^UNKNOWN_COMMAND .*did you mean fit/],
  ])("%j", async (args, code, says) => {
    const ran = await gam(args, { cwd: folder });
    expect(ran, ran.err).toMatchObject({ code, out: "" });
    expect(ran.err).toMatch(says);
    expect(ran.err).not.toMatch(/\n\s+at /);
  });
  it("a pipe where an artifact should be: refused, not waited for", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const ran = await gam(["artifact", pipe]);
    expect(ran).toMatchObject({ code: 1, err: expect.stringMatching(/^NOT_A_FILE/) });
    const cold = await gam(["fit", csv, "y ~ s(x)", "--warm-start", pipe]);
    expect(cold).toMatchObject({ code: 0, err: expect.stringMatching(/COLD_START.*NOT_A_FILE/) });
  });
  it("errors under --json are one object", async () => {
    const ran = await gam(["fit", visits, "y ~ s(x)", "--json"]);
    expect(JSON.parse(ran.err).error).toMatchObject({ code: "UNKNOWN_COLUMN" });
  });
});

it.each([
  ["poisson", "half", "NON_INTEGER"],
  ["nb", "bursts", "NON_INTEGER"],
  ["binomial", "share", "NON_INTEGER"],
  ["quasipoisson", "half", undefined],
  ["poisson", "c", undefined],
])("%s of %s: a warning where counts are not whole", async (family, response, code) => {
  const half = data.c!.map((v) => Number(v) + 0.5);
  const bursts = half.map((v, i) => (i % 4 === 0 ? 6 * v : v));
  const share = data.x!.map((v) => 0.2 + 0.6 * Number(v));
  const model = await fit(
    `${response} ~ s(x)`,
    { ...data, half, bursts, share },
    { family: parseFamily(family) },
  );
  expect(model.warnings.map((w) => w.code)).toEqual(code === undefined ? [] : [code]);
});
