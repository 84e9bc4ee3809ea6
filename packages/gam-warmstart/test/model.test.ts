// What a fitted model offers, looked at through identities that hold whatever the numbers are.
import { join } from "node:path";
import { tableFromColumns } from "@x/core";
import { describe, expect, it } from "vitest";
import { binomial, compare, effectSvg, fit, readModel, residualSvg, withRows } from "../src/index.ts";
import { simulated, tempFolder } from "./support/files.ts";

const data = simulated(300, 5);
const formula = 'y ~ nothing + s(x, bs="cr") + te(x, z, k=c(4, 4)) + s(id, bs="re")';
const model = await fit('y ~ nothing + s(x, bs="cr") + s(z, bs="ps") + s(id, bs="re")', data);
const logistic = await fit('b ~ s(x, bs="cr") + s(id, bs="re")', data, { family: binomial() });

describe("predictions", () => {
  it("terms and the constant add up to the linear predictor", async () => {
    const [link, terms] = [await model.predict(data), await model.predict(data, { type: "terms", se: true })];
    expect(terms.names).toEqual(["nothing", "s(x)", "s(z)", "s(id)"]);
    link.fit[0]!.forEach((v, i) => {
      expect(terms.fit.reduce((s, t) => s + t[i]!, terms.constant!)).toBeCloseTo(v, 10);
    });
    expect(terms.table.schema.fields.map((f) => f.name).slice(4)).toEqual([
      "se.nothing",
      "se.s(x)",
      "se.s(z)",
      "se.s(id)",
    ]);
  });
  it("response is the inverse link; rows of the fit need not be given again", async () => {
    const [link, response] = [
      await logistic.predict(data, { se: true }),
      await logistic.predict(undefined, { type: "response", se: true }),
    ];
    link.fit[0]!.forEach((v, i) => {
      const mu = 1 / (1 + Math.exp(-v));
      expect(response.fit[0]![i]).toBeCloseTo(mu, 12);
      expect(response.se![0]![i]).toBeCloseTo(link.se![0]![i]! * mu * (1 - mu), 12);
    });
  });
  it("an excluded term, smooth or parametric, is its own part less", async () => {
    const terms = await model.predict(data, { type: "terms" });
    for (const [label, at] of [
      ["s(id)", 3],
      ["nothing", 0],
    ] as const) {
      const [all, less] = [await model.predict(data), await model.predict(data, { exclude: [label] })];
      expect(less.fit[0]![7]).toBeCloseTo(all.fit[0]![7]! - terms.fit[at]![7]!, 10);
    }
  });
  it("standard errors grow when smoothing parameters count as uncertain", async () => {
    const [plain, wide] = [
      await model.predict(data, { se: true }),
      await model.predict(data, { se: true, unconditional: true }),
    ];
    expect(wide.se![0]!.every((s, i) => s >= plain.se![0]![i]! * (1 - 1e-9))).toBe(true);
  });
});

it("an Arrow table, plain columns and a subset of columns give the same fit", async () => {
  const table = tableFromColumns(data as never);
  const a = await fit("y ~ s(x) + nothing", table);
  const b = await fit("y ~ s(x) + nothing", { x: data.x!, y: data.y!, nothing: data.nothing! });
  expect(JSON.stringify(a.toJSON())).toBe(JSON.stringify(b.toJSON()));
});

describe("residuals", () => {
  it("deviance residuals square to the deviance; response residuals are differences", async () => {
    for (const m of [model, logistic])
      expect(m.residuals().reduce((s, r) => s + r * r, 0)).toBeCloseTo(m.deviance, 8);
    const fitted = (await logistic.fitted()).fit[0]!;
    expect(logistic.residuals("response")[3]).toBeCloseTo(Number(data.b![3]) - fitted[3]!, 12);
    expect(model.residuals("scaled.pearson")[0]).toBeCloseTo(
      model.residuals("pearson")[0]! / Math.sqrt(model.scale),
      12,
    );
  });
});

describe("posterior", () => {
  it("the same seed gives the same draws for any number of threads; their mean is the fit", async () => {
    const run = (seed: number, threads: number) => model.posterior({ draws: 400, seed, threads, data: null });
    const [a, b, c] = [await run(1, 1), await run(1, 2), await run(2, 1)];
    expect(b.coefficients).toEqual(a.coefficients);
    expect(c.coefficients).not.toEqual(a.coefficients);
    const p = model.coefficients.length;
    const mean =
      Array.from({ length: 400 }, (_, d) => a.coefficients[d * p]!).reduce((s, v) => s + v, 0) / 400;
    expect(Math.abs(mean - model.coefficients[0]!)).toBeLessThan(0.3 * model.parametric[0]!.se);
    const few = await logistic.posterior({ draws: 3, data: { x: [0.5, 0.6], id: ["s00", "s01"] } });
    expect(few.fit.map((f) => f.length)).toEqual([2, 2, 2]);
    expect(few.fit.flatMap((f) => [...f]).every((v) => v > 0 && v < 1)).toBe(true);
  });
  it("a simultaneous band is wider than a pointwise one", async () => {
    const band = await model.band("s(x)", { draws: 2000, seed: 4 });
    expect(band.critical).toBeGreaterThan(2.2);
    expect(band.critical).toBeLessThan(4);
    expect((await model.band("s(x)", { draws: 2000, seed: 4 })).critical).toBe(band.critical);
    await expect(model.band("s(id)")).rejects.toMatchObject({ code: "NOT_SUPPORTED" });
    await expect(model.band("s(q)")).rejects.toMatchObject({ code: "TERM_UNKNOWN" });
  });
});

it("compare: the larger model gains, and only models of the same rows are compared", async () => {
  const small = await fit('y ~ s(id, bs="re")', data);
  const c = compare(small, model);
  expect(c.test.deviance).toBeCloseTo(small.deviance - model.deviance, 8);
  expect(c.test.p).toBeLessThan(1e-6);
  expect(c.deltaAic).toBeGreaterThan(0);
  expect(compare(model, small).test).toEqual(c.test);
  expect(() => compare(model, logistic)).toThrow(expect.objectContaining({ code: "COMPARE" }));
});

it("a model read from its file predicts the same bits, and takes its rows again", async () => {
  const path = join(tempFolder(), "m.json");
  await logistic.save(path);
  const back = readModel(path);
  const [a, b] = [await logistic.predict(data, { se: true }), await back.predict(data, { se: true })];
  expect(b.fit).toEqual(a.fit);
  expect(b.se).toEqual(a.se);
  expect(back.capture()).toEqual(logistic.capture());
  expect((await withRows(back, data)).residuals()).toEqual(logistic.residuals());
  await expect(withRows(back, simulated(299, 5))).rejects.toMatchObject({ code: "COMPARE" });
  const others = withRows(back, { ...data, x: data.x!.map((x) => 1 - Number(x)) });
  await expect(others).rejects.toMatchObject({ code: "COMPARE", message: /deviance/ });
});

describe("pictures", () => {
  const clean = (svg: string): void => {
    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>$/);
    expect(svg).not.toMatch(/NaN|Infinity|undefined|href/);
  };
  it("effects of one variable, of two and of a random effect; residual panels", async () => {
    const surface = await fit(formula.replace('s(x, bs="cr") + ', ""), data);
    clean(await effectSvg(model, "s(x)"));
    clean(await effectSvg(model, "s(id)"));
    clean(await effectSvg(surface, "te(x,z)"));
    const levels = await fit('y ~ s(x, id, bs="fs", k=5)', data);
    const curves = await effectSvg(levels, "s(x,id)");
    clean(curves);
    expect(curves.match(/stroke-width:1.5/g)).toHaveLength(10);
    for (const panel of ["qq", "linear-predictor", "histogram", "response"] as const)
      clean(await residualSvg(logistic, panel));
    await expect(effectSvg(model, "s(q)")).rejects.toMatchObject({ code: "TERM_UNKNOWN" });
  });
});
