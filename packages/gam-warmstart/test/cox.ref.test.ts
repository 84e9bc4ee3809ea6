// Cox models beside mgcv's (test/golden/make_cox_shape.R). mgcv answers method="ML" with REML for this family, so only that is compared.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { coxPh, fit, readData } from "../src/index.ts";

interface Reference {
  rows: number[];
  times: number[];
  cox: {
    formula: string;
    criterion: number;
    deviance: number;
    nullDeviance: number;
    edf: number;
    logLik: number;
    rho: number | number[];
    link: number[];
    se: number[];
    survival: number[];
    survivalSe: number[];
    martingale: number[];
    devianceResiduals: number[];
  }[];
}

const here = join(import.meta.dirname, "golden");
const reference = JSON.parse(readFileSync(join(here, "cox-shape.json"), "utf8")) as Reference;
const data = await readData(join(here, "more.csv"));
const some = Object.fromEntries(
  ["x", "z", "g"].map((name) => {
    const column = data.column(name)!;
    const values =
      column.kind === "number"
        ? Array.from(column.values)
        : Array.from(column.codes, (c) => column.levels[c]!);
    return [name, reference.rows.map((i) => values[i]!)];
  }),
) as Record<string, number[] | string[]>;

const near = (what: string, found: number, expected: number, tolerance: number, floor = 1): void => {
  expect(
    Math.abs(found - expected) / Math.max(Math.abs(expected), floor),
    `${what}: ${found}, mgcv ${expected}`,
  ).toBeLessThan(tolerance);
};

it.each(reference.cox)("$formula", async (m) => {
  const model = await fit(m.formula, data, { family: coxPh() });
  near("criterion", model.criterion, m.criterion, 1e-6);
  near("deviance", model.deviance, m.deviance, 1e-5);
  near("null deviance", model.parts.summary.nullDeviance!, m.nullDeviance, 1e-5);
  near("log likelihood", model.logLik, m.logLik, 1e-5);
  near("edf", model.edf, m.edf, 1e-5);
  const link = await model.predict(some, { se: true });
  m.link.forEach((v, i) => {
    near("link", link.fit[0]![i]!, v, 1e-5);
  });
  m.se.forEach((v, i) => {
    near("se", link.se![0]![i]!, v, 1e-5, 0.1);
  });
  const curves = await model.survival(some, { times: reference.times, se: true });
  m.survival.forEach((v, i) => {
    near("survival", curves.survival[i]!, v, 1e-5);
  });
  m.survivalSe.forEach((v, i) => {
    near("survival se", curves.se![i]!, v, 1e-5, 0.1);
  });
  const martingale = model.residuals("martingale");
  const deviance = model.residuals("deviance");
  reference.rows.forEach((row, i) => {
    near("martingale", martingale[row]!, m.martingale[i]!, 1e-5);
    near("deviance residual", deviance[row]!, m.devianceResiduals[i]!, 1e-5);
  });
  expect(martingale.reduce((s, r) => s + r, 0)).toBeCloseTo(0, 8);
});

it("survival begins at one, falls, and is for Cox models only", async () => {
  const model = await fit('Surv(time, event) ~ s(x, bs="cr", k=8)', data, { family: coxPh() });
  const { times, survival } = await model.survival({ x: [0.3] });
  expect(times.length).toBeGreaterThan(10);
  survival.forEach((s, i) => {
    expect(s).toBeLessThanOrEqual(i === 0 ? 1 : survival[i - 1]!);
  });
  const before = await model.survival({ x: [0.3] }, { times: [0] });
  expect(before.survival[0]).toBe(1);
  await expect(model.survival({ x: [0.3] }, { times: [-1] })).rejects.toMatchObject({
    code: "RESPONSE_RANGE",
  });
  const other = await fit("normal ~ x", data);
  await expect(other.survival()).rejects.toMatchObject({ code: "FAMILY" });
});
