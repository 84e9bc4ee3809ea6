// Families and bases that the shared references lack, beside mgcv 1.8-41's numbers (golden/make_more.R).
import { describe, expect, it } from "vitest";
import { fit, type Method, multinomial, orderedCategorical, parseFamily, readData } from "../src/index.ts";
import { golden, readJson } from "./support/files.ts";

interface Numbers {
  deviance: number;
  edf: number;
  link: number[];
  se: number[];
  response: number[];
  responseSe: number[];
}
interface Golden {
  rows: number[];
  models: (Numbers & {
    formula: string;
    family: string;
    method: Method;
    nullDeviance: number;
    scale: number;
    theta: number | number[] | null;
    logLik: number | null;
  })[];
  multinom: Numbers;
}

const all = readJson<Golden>(golden("more.json"));
const table = await readData(golden("more.csv"));
const column = (name: string): (string | number | null)[] => {
  const c = table.column(name);
  return c.kind === "number" ? [...c.values] : Array.from(c.codes, (k) => c.levels[k]!);
};
const data = Object.fromEntries(table.names.map((n) => [n, column(n)]));
const some = Object.fromEntries(table.names.map((n) => [n, all.rows.map((r) => data[n]![r - 1]!)]));

function near(what: string, ours: number, theirs: number, tolerance: number, floor = 1e-2): void {
  const error = Math.abs(ours - theirs) / Math.max(Math.abs(theirs), floor);
  if (!(error < tolerance))
    expect.soft(`${what} ${ours}`, `off by ${error.toExponential(1)}`).toBe(`${what} ${theirs}`);
}

const exact = all.models.filter((m) => !m.formula.includes("t2("));

describe("mgcv on more.csv", () => {
  it.each(exact.map((m) => [`${m.formula}, ${m.family}, ${m.method}`, m] as const))(
    "%s",
    async (_name, m) => {
      const tolerance = m.family === "gaussian" ? 1e-6 : 1e-5;
      const model = await fit(m.formula, data, { family: parseFamily(m.family), method: m.method });
      near("deviance", model.deviance, m.deviance, tolerance);
      near("scale", model.scale, m.scale, tolerance);
      near("edf", model.edf, m.edf, tolerance, 10);
      const link = await model.predict(some, { se: true });
      m.link.forEach((v, i) => {
        near("link", link.fit[0]![i]!, v, tolerance, 1);
      });
      m.se.forEach((v, i) => {
        near("se", link.se![0]![i]!, v, tolerance);
      });
      const response = await model.predict(some, { se: true, type: "response" });
      m.response.forEach((v, i) => {
        near("response", response.fit.flatMap((f) => [...f])[i]!, v, tolerance, 1);
      });
      m.responseSe.forEach((v, i) => {
        near("response se", response.se!.flatMap((f) => [...f])[i]!, v, tolerance);
      });
    },
  );

  // mgcv takes the free functions of t2, fs and cs from an eigen routine, in whatever rotation it returns them; its fit of the
  // bases that do not depend on one (golden/make_separable.R) is the reference.
  it.each([
    ["t2", "normal ~ t2(x, z, k=5)"],
    ["random", 'normal ~ t2(x, g, bs=c("cr","re"))'],
    ["fs", 'normal ~ s(x, g, bs="fs", k=6)'],
    ["cs", 'normal ~ s(z, bs="cs", k=6)'],
  ] as const)("%s: free functions by a rule", async (kind, formula) => {
    const m = readJson<Record<typeof kind, Numbers & { scale: number }>>(golden("separable.json"))[kind];
    const model = await fit(formula, data);
    near("deviance", model.deviance, m.deviance, 1e-6);
    near("scale", model.scale, m.scale, 1e-6);
    near("edf", model.edf, m.edf, 1e-6, 10);
    const link = await model.predict(some, { se: true });
    m.link.forEach((v, i) => {
      near("link", link.fit[0]![i]!, v, 1e-6, 1);
      near("se", link.se![0]![i]!, m.se[i]!, 1e-6);
    });
    expect(model.rho).toHaveLength({ t2: 3, random: 2, fs: 3, cs: 1 }[kind]);
  });

  it("t2: mgcv's own basis is near by", async () => {
    const m = all.models.find((m) => m.formula.includes("t2("))!;
    const model = await fit(m.formula, data);
    near("edf", model.edf, m.edf, 1e-2, 10);
    const link = await model.predict(some, {});
    m.link.forEach((v, i) => {
      near("link", link.fit[0]![i]!, v, 1e-2, 1);
    });
  });

  it("a factor smooth: one smoothing parameter for all levels and one for each free function", async () => {
    const model = await fit('normal ~ s(x, g, bs="fs", k=6)', data);
    expect(model.coefficientNames).toHaveLength(1 + 5 * 6);
    const unseen = await model.predict({ x: [0.5], g: ["other"] }, {});
    expect(unseen.fit[0]![0]).toBeCloseTo(model.parametric[0]!.estimate, 12);
  });

  it("probabilities of ordered categories add up to one", async () => {
    const model = await fit('grade ~ s(x, bs="cr", k=8)', data, { family: orderedCategorical() });
    const p = await model.predict(some, { type: "response", se: true });
    expect(p.names).toEqual(["1", "2", "3", "4"]);
    for (const i of all.rows.keys()) expect(p.fit.reduce((s, c) => s + c[i]!, 0)).toBeCloseTo(1, 12);
  });

  it("multinom, its category probabilities and their standard errors", async () => {
    const { multinom: m } = all;
    const formulas = ['class ~ s(x, bs="cr", k=8) + z', '~ s(x, bs="cr", k=8) + s(z, bs="cr", k=6)'];
    const model = await fit(formulas, data, { family: multinomial(3) });
    near("deviance", model.deviance, m.deviance, 1e-5);
    near("edf", model.edf, m.edf, 1e-5, 10);
    const [link, response] = await Promise.all([
      model.predict(some, { se: true }),
      model.predict(some, { se: true, type: "response" }),
    ]);
    const flat = (columns: readonly Float64Array[]): number[] => columns.flatMap((c) => [...c]);
    flat(link.fit).forEach((v, i) => {
      near("link", v, m.link[i]!, 1e-5, 1);
    });
    flat(link.se!).forEach((v, i) => {
      near("se", v, m.se[i]!, 1e-5);
    });
    flat(response.fit).forEach((v, i) => {
      near("response", v, m.response[i]!, 1e-5, 1);
    });
    flat(response.se!).forEach((v, i) => {
      near("response se", v, m.responseSe[i]!, 1e-5);
    });
  });
});
