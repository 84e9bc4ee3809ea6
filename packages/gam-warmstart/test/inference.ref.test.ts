// What a fit infers beside its coefficients, next to mgcv 1.8-41's numbers (golden/make_inference.R): residuals of each kind,
// AIC, corrected covariances, analysis of deviance, concurvity, basis dimensions, bands; and bases, links, weights,
// offsets and knots that neither the shared references nor more.json have.
import { describe, expect, it } from "vitest";
import {
  compare,
  coxPh,
  type FitOptions,
  fit,
  type GamModel,
  gaussianLocationScale,
  type Method,
  multinomial,
  parseFamily,
  type ResidualKind,
  readData,
} from "../src/index.ts";
import { golden, readJson } from "./support/files.ts";

type Numbers = number | (number | null)[] | null;
interface Model {
  formula: string;
  family: string;
  method: Method;
  select: number;
  weights: number;
  knots: Numbers;
  /** Where mgcv stopped: the largest gradient of its criterion. */
  gradient: number | null;
  deviance: number;
  scale: number;
  edf: number;
  edf1: number;
  edf2: number | null;
  aic: number | null;
  bic: number | null;
  logLik: number | null;
  rSq: number | null;
  devExpl: number | null;
  terms: Numbers;
  names: string | string[];
  refDf: Numbers;
  stat: Numbers;
  p: Numbers;
  sp: Numbers;
  link: number[];
  se: number[];
  unconditional: Numbers;
  residuals: Partial<Record<ResidualKind, Numbers>>;
}
interface General {
  edf: number;
  edf2: number;
  aic: number;
  logLik: number;
  sp: number[];
  link: number[];
  se: number[];
  unconditional: number[];
  residuals: Partial<Record<ResidualKind, Numbers>>;
}
interface Golden {
  rows: number[];
  models: Model[];
  anovaF: number[];
  anovaChisq: number[];
  concurvity: { labels: string[]; worst: number[]; observed: number[]; estimate: number[] };
  kcheck: { labels: string[]; kPrime: number[]; edf: number[]; kIndex: number[]; p: number[] };
  critical: number;
  exclude: { fit: number[]; se: number[] };
  terms: { names: string[]; fit: number[]; se: number[]; constant: number };
  gaulss: General;
  multinom: General;
  cox: General;
}

const all = readJson<Golden>(golden("inference.json"));
const table = await readData(golden("more.csv"));
const column = (name: string): (string | number)[] => {
  const c = table.column(name);
  return c.kind === "number" ? [...c.values] : Array.from(c.codes, (k) => c.levels[k]!);
};
const count = table.rows;
const data: Record<string, (string | number)[]> = {
  ...Object.fromEntries(table.names.map((n) => [n, column(n)])),
  w: Array.from({ length: count }, (_, i) => 0.5 + ((i + 1) % 5) / 4),
  expo: Array.from({ length: count }, (_, i) => 1 + ((i + 1) % 7) / 3),
  rest: Array.from({ length: count }, (_, i) => 1 + ((i + 1) % 4)),
};
const at = (values: ArrayLike<number>): number[] => all.rows.map((r) => values[r - 1]!);
const some = Object.fromEntries(Object.entries(data).map(([n, v]) => [n, all.rows.map((r) => v[r - 1]!)]));
const list = (v: Numbers | undefined): (number | null)[] =>
  v === undefined || v === null ? [] : typeof v === "number" ? [v] : v;

/** Collects what is off; one failure tells all. */
function judge(): { near: typeof near; done: () => void } {
  const off: string[] = [];
  function near(
    what: string,
    ours: number | null | undefined,
    theirs: number | null | undefined,
    tolerance: number,
    floor = 1e-2,
  ): void {
    if (theirs === null || theirs === undefined || Number.isNaN(theirs)) return;
    const error = Math.abs(ours! - theirs) / Math.max(Math.abs(theirs), floor);
    if (!(error < tolerance)) off.push(`${what} ${ours}, mgcv ${theirs}: off by ${error.toExponential(1)}`);
  }
  return { near, done: () => expect(off).toEqual([]) };
}

const canonical = (family: string): boolean =>
  /^(gaussian|quasi|binomial|quasibinomial|poisson|quasipoisson|Gamma\(link=inverse\))$/.test(family);

const optionsOf = (m: Model): FitOptions => ({
  family: parseFamily(m.family),
  method: m.method,
  ...(m.select ? { select: true } : {}),
  ...(m.weights ? { weights: "w" } : {}),
  ...(list(m.knots)[0] == null ? {} : { knots: { x: list(m.knots) as number[] } }),
});

describe("mgcv's inference on more.csv", () => {
  it.each(all.models.map((m) => [`${m.formula}, ${m.family}, ${m.method}`, m] as const))(
    "%s",
    async (_name, m) => {
      const { near, done } = judge();
      const tolerance = m.family === "gaussian" ? 1e-6 : 1e-5;
      const model = await fit(m.formula, data, optionsOf(m));
      // The corrected covariance of a term at infinity depends on where the search stopped.
      const corrected = model.certificate.infinite.length > 0 ? 2e-5 : 1e-5;
      const { summary } = model.parts;
      near("deviance", model.deviance, m.deviance, tolerance);
      near("scale", model.scale, m.scale, tolerance);
      near("edf", model.edf, m.edf, tolerance, 10);
      near("edf1", summary.edf1Total, m.edf1, tolerance, 10);
      near("edf2", summary.edf2Total, m.edf2, corrected, 10);
      near("log likelihood", model.logLik, m.logLik, tolerance);
      near("AIC", model.aic, m.aic, corrected);
      near("BIC", model.bic, m.bic, corrected);
      near("R squared", summary.rSqAdj ?? Number.NaN, m.rSq, tolerance);
      near("deviance explained", summary.devExplained ?? Number.NaN, m.devExpl, tolerance);
      expect(model.parametric.map((c) => c.name)).toEqual([m.names].flat());
      model.terms.forEach((t, i) => {
        near(`edf ${t.label}`, t.edf, list(m.terms)[i], tolerance, 10);
        // nb: mgcv stopped at a gradient of 1.1e-6.
        near(`Ref.df ${t.label}`, t.refDf, list(m.refDf)[i], m.gradient! > 1e-6 ? 2e-5 : 1e-5);
        near(`statistic ${t.label}`, t.stat, list(m.stat)[i], 1e-5);
        const p = list(m.p)[i];
        if (p !== null && p !== undefined && p >= 1e-10) near(`p ${t.label}`, t.p, p, 1e-3, 1e-300);
      });
      const [plain, wide] = [
        await model.predict(some, { se: true }),
        await model.predict(some, { se: true, unconditional: true }),
      ];
      m.link.forEach((v, i) => {
        near("link", plain.fit[0]![i], v, tolerance, 1);
        near("se", plain.se![0]![i], m.se[i], tolerance);
        near("unconditional se", wide.se![0]![i], list(m.unconditional)[i], corrected);
      });
      for (const [kind, values] of Object.entries(m.residuals)) {
        // mgcv's are of Newton's method; of a canonical link they are Fisher's, which ours always are.
        if (kind === "working" && !canonical(m.family)) continue;
        const ours = at(model.residuals(kind as ResidualKind));
        list(values).forEach((v, i) => {
          near(`${kind} residual`, ours[i], v, tolerance, 1);
        });
      }
      done();
    },
  );

  it.each([
    ["gaulss", ['normal ~ s(x, bs="cr", k=8)', '~ s(z, bs="cr", k=6)'], { family: gaussianLocationScale() }],
    [
      "multinom",
      ['class ~ s(x, bs="cr", k=8)', '~ s(x, bs="cr", k=8) + s(z, bs="cr", k=6)'],
      { family: multinomial(3) },
    ],
    ["cox", ['Surv(time, event) ~ s(x, bs="cr", k=8) + s(z, bs="cr", k=6)'], { family: coxPh() }],
  ] as const)("%s: corrected covariances and residuals", async (kind, formulas, options) => {
    const { near, done } = judge();
    const m = all[kind];
    const model = await fit([...formulas], data, options);
    near("edf", model.edf, m.edf, 1e-5, 10);
    near("edf2", model.parts.summary.edf2Total, m.edf2, 1e-5, 10);
    // mgcv 1.8-41 counts one too much for each row of multinom's first class; ours is minus half the deviance.
    if (kind !== "multinom") {
      near("log likelihood", model.logLik, m.logLik, 1e-5);
      near("AIC", model.aic, m.aic, 1e-5);
    }
    const [plain, wide] = [
      await model.predict(some, { se: true }),
      await model.predict(some, { se: true, unconditional: true }),
    ];
    const flat = (columns: readonly Float64Array[]): number[] => columns.flatMap((c) => [...c]);
    flat(plain.fit).forEach((v, i) => {
      near("link", v, m.link[i], 1e-5, 1);
    });
    flat(plain.se!).forEach((v, i) => {
      near("se", v, m.se[i], 1e-5);
    });
    flat(wide.se!).forEach((v, i) => {
      near("unconditional se", v, m.unconditional[i], 1e-5);
    });
    for (const [name, values] of Object.entries(m.residuals)) {
      const ours = at(model.residuals(name as ResidualKind));
      list(values).forEach((v, i) => {
        near(`${name} residual`, ours[i], v, 1e-5, 1);
      });
    }
    done();
  });
});

describe("mgcv's functions of models", async () => {
  const model = (i: number): Promise<GamModel> =>
    fit(all.models[i]!.formula, data, optionsOf(all.models[i]!));
  const [full, small, yes, yesSmall] = await Promise.all([0, 1, 2, 3].map(model));

  it.each([
    ["F", all.anovaF, small!, full!],
    ["Chi.sq", all.anovaChisq, yesSmall!, yes!],
  ] as const)("anova, %s", (kind, row, a, b) => {
    const { near, done } = judge();
    const { models, test } = compare(a, b);
    const [residualDf, residualDeviance, df, deviance, ...rest] = row;
    expect(test.statKind).toBe(kind);
    near("residual df", models[1].residualDf, residualDf, 1e-6);
    near("deviance", models[1].deviance, residualDeviance, 1e-6);
    near("df", test.df, df, 1e-5);
    near("difference", test.deviance, deviance, 1e-5);
    if (kind === "F") near("F", test.stat, rest[0], 1e-5);
    near("p", test.p, rest.at(-1), 1e-3, 1e-300);
    done();
  });

  it("concurvity", async () => {
    const { near, done } = judge();
    const ours = await full!.concurvity();
    // mgcv's `para` is the intercept, against all other columns; ours is the parametric part as a whole.
    for (const row of ours.slice(1)) {
      const i = all.concurvity.labels.indexOf(row.label);
      for (const what of ["worst", "observed", "estimate"] as const)
        near(`${what} ${row.label}`, row[what], all.concurvity[what][i], 1e-6, 1);
    }
    expect(ours.map((r) => r.label)).toEqual(all.concurvity.labels);
    expect(ours[0]!.worst).toBeLessThan(0.1);
    done();
  });

  it("basis dimensions: p-values to the error of the reshuffles", async () => {
    const { near, done } = judge();
    const ours = await full!.basisCheck({ seed: 1, draws: 4000 });
    ours.forEach((row, i) => {
      expect(row.label).toBe(all.kcheck.labels[i]);
      near("k'", row.kPrime, all.kcheck.kPrime[i], 1e-12);
      near("edf", row.edf, all.kcheck.edf[i], 1e-5);
      near("k-index", row.kIndex, all.kcheck.kIndex[i], 1e-5);
      near("p", row.p, all.kcheck.p[i], 0.04, 1);
    });
    done();
  });

  it("terms, and what is left without some of them", async () => {
    const { near, done } = judge();
    const terms = await full!.predict(some, { type: "terms", se: true });
    const rows = all.rows.length;
    all.terms.names.forEach((name, j) => {
      const k = terms.names.indexOf(name);
      for (let i = 0; i < rows; i++) {
        near(name, terms.fit[k]![i], all.terms.fit[j * rows + i], 1e-6, 1);
        near(`se ${name}`, terms.se![k]![i], all.terms.se[j * rows + i], 1e-5);
      }
    });
    near("constant", terms.constant, all.terms.constant, 1e-6);
    const less = await full!.predict(some, { se: true, exclude: ["s(z)", "g"] });
    all.exclude.fit.forEach((v, i) => {
      near("without", less.fit[0]![i], v, 1e-6, 1);
      near("se without", less.se![0]![i], all.exclude.se[i], 1e-6);
    });
    done();
  });

  it("a simultaneous band: the critical value of 200,000 draws", async () => {
    const band = await full!.band("s(x)", { draws: 100_000, seed: 2 });
    expect(Math.abs(band.critical - all.critical)).toBeLessThan(0.01);
  });

  it("posterior draws have the covariance of the coefficients", async () => {
    const draws = 50_000;
    const { coefficients } = await full!.posterior({ draws, seed: 3, data: null });
    const p = full!.coefficients.length;
    const { beta, vp } = full!.parts.arrays;
    for (const [i, j] of [
      [0, 0],
      [0, 3],
      [5, 6],
      [p - 1, p - 1],
      [2, p - 2],
    ] as const) {
      let sum = 0;
      for (let d = 0; d < draws; d++)
        sum += (coefficients[d * p + i]! - beta[i]!) * (coefficients[d * p + j]! - beta[j]!);
      const error = Math.sqrt((vp[i * p + i]! * vp[j * p + j]! + vp[i * p + j]! ** 2) / draws);
      expect(Math.abs(sum / draws - vp[i * p + j]!)).toBeLessThan(5 * error);
    }
  });
});
