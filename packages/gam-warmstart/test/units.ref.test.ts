// The unit of a response or a covariate changes no fit: edf, explained deviance and p-values are those of mgcv 1.8-41 in
// the ordinary unit (golden/make_units.R), whatever the unit is.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fit, type GamModel, gaussianLocationScale, type ModelOptions, parseFamily } from "../src/index.ts";
import { golden, readJson } from "./support/files.ts";

interface Figures {
  formula: string;
  family: string;
  edf: number[];
  refDf: number[];
  p: (number | null)[];
  devianceExplained: number;
}

const all = readJson<{ response: Figures[]; covariates: Figures[] }>(golden("units.json"));
type Data = Record<string, readonly (number | string)[]>;

const [head, ...lines] = readFileSync(golden("more.csv"), "utf8")
  .trim()
  .split("\n")
  .map((l) => l.split(","));
const cell = (text: string): number | string => (Number.isNaN(Number(text)) ? text : Number(text));
const data: Data = Object.fromEntries(head!.map((n, j) => [n, lines.map((l) => cell(l[j]!))]));

const inUnits = (names: readonly string[], factor: number, shift = 0): Data => ({
  ...data,
  ...Object.fromEntries(names.map((n) => [n, data[n]!.map((v) => Number(v) * factor + shift)])),
});

const relative = (a: number, b: number, floor: number): number =>
  Math.abs(a - b) / Math.max(Math.abs(b), floor);

const explained = (model: GamModel): number => model.parts.summary.devExplained!;

/** Figures of `model` that differ from `other` by more than these parts. */
function differences(model: GamModel, other: GamModel, tolerance: number): [string, number][] {
  const off: [string, number][] = [
    ["edf", relative(model.edf, other.edf, 1)],
    ["deviance explained", relative(explained(model), explained(other), 1e-2)],
    ["coefficients", Math.abs(model.coefficients.length - other.coefficients.length)],
  ];
  model.terms.forEach((t, i) => {
    const o = other.terms[i]!;
    off.push([`${t.label} edf`, relative(t.edf, o.edf, 1)], [`${t.label} p`, relative(t.p, o.p, 1e-3) / 10]);
  });
  return off.filter(([, v]) => !(v < tolerance));
}

/** mgcv's own figures, within 1e-5; p-values within 1e-3 where they are more than integration error. */
function besideReference(model: GamModel, m: Figures): void {
  // Two bases that mgcv takes from an eigen routine in any rotation; ours follow a rule.
  const own = /bs="cs"|t2/.test(m.formula) ? 3e-2 : 1e-5;
  expect(relative(explained(model), m.devianceExplained, 1e-2)).toBeLessThan(own);
  model.terms.forEach((t, i) => {
    // A term that is all but gone ends where the search ends.
    expect(relative(t.edf, m.edf[i]!, 1), t.label).toBeLessThan(m.refDf[i]! < 1.01 ? 1e-3 : own);
    if (m.p[i] !== null && m.p[i]! > 1e-4) expect(relative(t.p, m.p[i]!, 1e-3), t.label).toBeLessThan(1e-3);
  });
}

describe("the unit of the response", () => {
  it.each(all.response.map((m) => [`${m.family}`, m] as const))("%s", async (_name, m) => {
    const family = parseFamily(m.family);
    const name = m.formula.split(" ")[0]!;
    for (const method of ["REML", "ML", "GCV"] as const) {
      if (m.family === "tw" && method === "GCV") continue;
      const options: ModelOptions = { family, method };
      const plain = await fit(m.formula, data, options);
      if (method === "REML") besideReference(plain, m);
      for (const factor of [1e-6, 1e6]) {
        const other = await fit(m.formula, inUnits([name], factor), options);
        expect(differences(other, plain, method === "GCV" ? 5e-6 : 2e-6), `${method} × ${factor}`).toEqual(
          [],
        );
      }
    }
  });

  it("a response far from zero", async () => {
    const formula = 'normal ~ s(x, bs="cr", k=8) + s(z, k=8)';
    const plain = await fit(formula, data);
    for (const shift of [1e3, 1e6, -1e8])
      expect(differences(await fit(formula, inUnits(["normal"], 1, shift)), plain, 2e-6), `${shift}`).toEqual(
        [],
      );
  });

  it("gaulss, whose least standard deviation is in that unit", async () => {
    const formulas = ['normal ~ s(x, bs="cr", k=8)', '~ s(z, bs="cr", k=6)'];
    const plain = await fit(formulas, data, { family: gaussianLocationScale() });
    for (const factor of [1e-6, 1e6]) {
      const family = gaussianLocationScale({ b: 0.01 * factor });
      const other = await fit(formulas, inUnits(["normal"], factor), { family });
      expect(differences(other, plain, 2e-6), `× ${factor}`).toEqual([]);
      const shown = await other.predict(inUnits(["normal"], factor), { type: "response" });
      const mine = await plain.predict(data, { type: "response" });
      expect(relative(shown.fit[1]![0]! * factor, mine.fit[1]![0]!, 0)).toBeLessThan(1e-6);
    }
    await expect(
      fit(formulas, inUnits(["normal"], 1e-6), { family: gaussianLocationScale() }),
    ).rejects.toMatchObject({ code: "GAM_RESPONSE", message: expect.stringMatching(/smaller b/) });
    expect(parseFamily("gaulss(b=1e-8)")).toEqual(gaussianLocationScale({ b: 1e-8 }));
  });

  it("the unit of prior weights", async () => {
    const weights = data.z!.map((z) => 0.5 + Number(z));
    for (const family of ["gaussian", "Gamma(link=log)"]) {
      const options = { family: parseFamily(family) };
      const formula = 'positive ~ s(x, bs="cr", k=8) + s(z, bs="cr", k=6)';
      const plain = await fit(formula, data, { ...options, weights });
      for (const factor of [1e-6, 1e6]) {
        const other = await fit(formula, data, { ...options, weights: weights.map((w) => w * factor) });
        expect(differences(other, plain, 2e-6), `${family} × ${factor}`).toEqual([]);
      }
    }
  });
});

describe("the unit of the covariates", () => {
  it.each(all.covariates.map((m) => [m.formula.slice("positive ~ ".length), m] as const))(
    "%s",
    async (_n, m) => {
      const options: ModelOptions = { family: parseFamily(m.family) };
      const plain = await fit(m.formula, data, options);
      besideReference(plain, m);
      // A slope without an intercept of its own, and a smooth times a covariate, are other models when that is shifted.
      const shifts = /bs="re"|by=x/.test(m.formula)
        ? []
        : ([
            [1, 2000],
            [10, 1e8],
          ] as const);
      for (const [factor, shift] of [[1e8, 0], [1e-8, 0], ...shifts] as const) {
        const other = await fit(m.formula, inUnits(["x", "z"], factor, shift), options);
        // So far from zero a covariate has only nine digits left for what it varies by.
        expect(differences(other, plain, shift === 1e8 ? 1e-5 : 2e-6), `× ${factor} + ${shift}`).toEqual([]);
      }
    },
  );

  it("a year or a base pair as a parametric term", async () => {
    const formula = 'positive ~ x + s(z, bs="cr", k=6)';
    const plain = await fit(formula, data);
    for (const [factor, shift] of [
      [30, 2000],
      [1e6, 1e8],
      [1, 1e8],
    ] as const) {
      const given = inUnits(["x"], factor, shift);
      const other = await fit(formula, given);
      expect(differences(other, plain, 1e-5), `× ${factor} + ${shift}`).toEqual([]);
      const slope = (model: GamModel): number => model.parametric.find((p) => p.name === "x")!.stat;
      expect(relative(slope(other), slope(plain), 1)).toBeLessThan(1e-5);
      const [a, b] = [(await other.predict(given)).fit[0]!, (await plain.predict(data)).fit[0]!];
      expect(Math.max(...a.map((v, i) => Math.abs(v - b[i]!)))).toBeLessThan(1e-5);
    }
  });
});
