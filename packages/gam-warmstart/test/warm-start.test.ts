// Fits that start from each other: same answers, fewer steps, and no artifact that could make a fit fail.
import { describe, expect, it } from "vitest";
import { artifactChecksum } from "../src/artifact/artifact.ts";
import { openData } from "../src/data/columns.ts";
import {
  binomial,
  type CrossFitOptions,
  captureArtifact,
  crossFit,
  type FitArtifact,
  fit,
  type GamModel,
  openStore,
  parseFamily,
  poisson,
} from "../src/index.ts";
import { fitDesign, hasCrossProducts, predictDesign } from "../src/native.ts";
import { engineOptions, prepare } from "../src/prepare.ts";
import { START_CLAMP } from "../src/start.ts";
import { simulated, tempFolder } from "./support/files.ts";

const data = simulated(400, 7);
const native = { threads: 1, signal: undefined };
const without = (id: string): Record<string, (number | string)[]> => {
  const keep = data.id!.map((v) => v !== id);
  return Object.fromEntries(Object.entries(data).map(([k, v]) => [k, v.filter((_, i) => keep[i])]));
};
const formula = (y: string): string => `${y} ~ s(x, bs="cr") + s(z, bs="cr") + s(id, bs="re")`;
const withNull = (y: string): string => `${formula(y)} + s(nothing, bs="cr")`;

/** Coordinates along which half a step changes the criterion by less than 1e-4: the rule of the reference's README. */
async function flatTerms(model: GamModel, rows: typeof data): Promise<boolean[]> {
  const { family } = model.parts.spec;
  const at = async (rho: number[]): Promise<number> =>
    (await fit(model.formulas, rows, { family, rho, fixedRho: true })).criterion;
  const rho = [...model.rho];
  const here = await at(rho);
  const flat = await Promise.all(
    rho.map(async (_, j) => Math.abs((await at(rho.map((r, i) => (i === j ? r + 0.5 : r)))) - here) < 1e-4),
  );
  return model.parts.shape.terms.map((t) => t.penalties.some((p) => flat[p.index]));
}

/** Criterion 1e-6 relative, edf 1e-5 (flat coordinates 1e-4), linear predictor 1e-6 of its standard deviation. */
async function agree(warm: GamModel, cold: GamModel, rows: typeof data): Promise<void> {
  expect(Math.abs(warm.criterion - cold.criterion) / Math.abs(cold.criterion)).toBeLessThan(1e-6);
  const flat = await flatTerms(cold, rows);
  warm.terms.forEach((t, i) => {
    expect(Math.abs(t.edf - cold.terms[i]!.edf)).toBeLessThan(flat[i] ? 1e-4 : 1e-5);
  });
  const [a, b] = [(await warm.predict(data)).fit[0]!, (await cold.predict(data)).fit[0]!];
  const mean = b.reduce((s, v) => s + v, 0) / b.length;
  const sd = Math.sqrt(b.reduce((s, v) => s + (v - mean) ** 2, 0) / b.length);
  expect(Math.max(...a.map((v, i) => Math.abs(v - b[i]!))) / sd).toBeLessThan(1e-6);
}

describe("a fold started from the fit of all rows", () => {
  it.each([
    ["gaussian", undefined, "y"],
    ["binomial", binomial(), "b"],
    ["poisson", poisson(), "c"],
  ] as const)("%s: a missing subject and a covariate without effect", async (_name, family, y) => {
    const options = family ? { family } : {};
    const parent = await fit(withNull(y), data, options);
    const artifact = captureArtifact(parent);
    const fold = without("s03");
    const cold = await fit(withNull(y), fold, options);
    const warm = await fit(withNull(y), fold, { ...options, warmStart: artifact });
    expect(warm.start.kind).toBe("warm");
    expect(warm.start.terms.map((t) => t.provenance)).toEqual([
      "projected",
      "projected",
      "projected",
      "projected",
      "projected",
    ]);
    await agree(warm, cold, fold);
  });

  it("iteration 0 of the solver is the transferred point", async () => {
    const parent = await fit(formula("b"), data, { family: binomial() });
    const artifact = captureArtifact(parent);
    const warm = await fit(formula("b"), without("s01"), { family: binomial(), warmStart: artifact });
    const { iterations, trace } = warm.parts.summary;
    const moved = artifact.terms
      .flatMap((t) => t.rho)
      .map((r) => Math.min(START_CLAMP, Math.max(-START_CLAMP, r)));
    const cold = await fit(formula("b"), without("s01"), { family: binomial() });
    expect(iterations.criterionEvaluations).toBeLessThan(cold.iterations.criterionEvaluations);
    expect(iterations.start).toEqual({ rho: moved, beta: true });
    expect(trace[0]!.rho).toEqual(moved);
  });

  it("one changed term does not lose the others", async () => {
    const artifact = captureArtifact(await fit(formula("y"), data));
    const m = await fit(`y ~ s(x, bs="cr") + s(z, bs="cr", k=7) + s(id, bs="re")`, data, {
      warmStart: artifact,
    });
    expect(m.start.terms.map((t) => t.provenance)).toEqual(["projected", "projected", "cold", "projected"]);
    await agree(m, await fit(`y ~ s(x, bs="cr") + s(z, bs="cr", k=7) + s(id, bs="re")`, data), data);
  });

  it("the order of fits never changes a result", async () => {
    const artifact = captureArtifact(await fit(formula("b"), data, { family: binomial() }));
    const run = async (id: string) =>
      JSON.stringify(
        (await fit(formula("b"), without(id), { family: binomial(), warmStart: artifact })).toJSON(),
      );
    const first = [await run("s01"), await run("s02")];
    const second = [await run("s02"), await run("s01")].reverse();
    expect(second).toEqual(first);
  });
});

const resigned = (a: FitArtifact): FitArtifact => ({ ...a, checksum: artifactChecksum(a) });

describe("an artifact never makes a fit fail", () => {
  it.each([
    ["another schema", (a: object) => ({ ...a, schema: 9 }), "ARTIFACT_VERSION"],
    ["damaged", (a: object) => ({ ...a, checksum: "0".repeat(64) }), "ARTIFACT_HASH"],
    [
      "NaN inside",
      (a: object) => ({ ...a, global: { objective: Number.NaN, converged: true, rows: 1, theta: [] } }),
      "ARTIFACT_VALUES",
    ],
    ["no artifact", () => 42, "ARTIFACT_FORMAT"],
    ["null", () => null, "ARTIFACT_FORMAT"],
  ])("%s: cold, with the code as the reason", async (_name, damage, code) => {
    const artifact = captureArtifact(await fit("y ~ s(x)", data));
    const cold = await fit("y ~ s(x)", data);
    const m = await fit("y ~ s(x)", data, { warmStart: damage(artifact) });
    expect(m.start).toMatchObject({ kind: "cold", reason: code });
    expect(m.criterion).toBe(cold.criterion);
    expect(m.warnings.map((w) => w.code)).toContain("COLD_START");
  });
  type Term = FitArtifact["terms"][number];
  const terms = (change: (t: Term) => Partial<Term>) => (a: FitArtifact) =>
    resigned({ ...a, terms: a.terms.map((t) => ({ ...t, ...change(t) })) });
  const theta = (values: number[]) => (a: FitArtifact) =>
    resigned({ ...a, global: { ...a.global, theta: values } });
  it.each<[string, string, string, (a: FitArtifact) => FitArtifact]>([
    ["poisson, coefficients far off", "poisson", "c", terms((t) => ({ beta: t.beta.map(() => -50) }))],
    ["nb, coefficients far off", "nb", "c", terms((t) => ({ beta: t.beta.map(() => -50) }))],
    ["Gamma, coefficients of no mean", "Gamma", "p", terms((t) => ({ beta: t.beta.map(() => -50) }))],
    ["Gamma(log), huge coefficients", "Gamma(log)", "p", terms((t) => ({ beta: t.beta.map(() => 9e5) }))],
    ["binomial, huge rho", "binomial", "b", terms((t) => ({ rho: t.rho.map(() => 1e300) }))],
    ["binomial, tiny rho", "binomial", "b", terms((t) => ({ rho: t.rho.map(() => -1e300) }))],
    ["nb, theta below its range", "nb", "c", theta([-5])],
    ["nb, theta at infinity", "nb", "c", theta([1e300])],
    ["nb, as many theta as no family has", "nb", "c", theta([0, 1, 2, 3, 4])],
    ["tw, theta out of range", "tw", "c", theta([7])],
  ])("%s: the cold fit's answer", async (_name, family, y, damage) => {
    const rows = { ...data, p: data.y!.map((v) => Math.exp(Number(v) / 2)) };
    const text = `${y} ~ s(x, bs="cr")`;
    const options = { family: parseFamily(family) };
    const cold = await fit(text, rows, options);
    const m = await fit(text, rows, { ...options, warmStart: damage(captureArtifact(cold)) });
    expect(Math.abs(m.criterion / cold.criterion - 1)).toBeLessThan(1e-6);
    expect(m.edf).toBeCloseTo(cold.edf, 3);
    if (m.start.kind === "cold") expect(m.start.reason).toMatch(/^(GAM_|ARTIFACT_VALUES)/);
  });
  it("a parent in another unit", async () => {
    const p = data.y!.map((v) => Math.exp(Number(v) / 2));
    const family = parseFamily("Gamma");
    const parent = await fit('p ~ s(x, bs="cr")', { ...data, p: p.map((v) => v * 1e3) }, { family });
    const cold = await fit('p ~ s(x, bs="cr")', { ...data, p }, { family });
    const warm = await fit(
      'p ~ s(x, bs="cr")',
      { ...data, p },
      { family, warmStart: captureArtifact(parent) },
    );
    expect(Math.abs(warm.criterion / cold.criterion - 1)).toBeLessThan(1e-6);
  });
  it("another family, or no term in common", async () => {
    const artifact = captureArtifact(await fit("y ~ s(x)", data));
    expect((await fit("c ~ s(x)", data, { family: poisson(), warmStart: artifact })).start.reason).toBe(
      "DESCRIPTOR_MISMATCH",
    );
    expect((await fit("y ~ s(z) - 1", data, { warmStart: artifact })).start.reason).toBe(
      "DESCRIPTOR_MISMATCH",
    );
  });
});

describe("stores", () => {
  it("the latest artifact of a model is its start; two runs write the same bytes", async () => {
    const store = openStore(tempFolder());
    expect((await fit(formula("y"), data, { store })).start.kind).toBe("cold");
    // The key of a fold without a subject is the parent's only when the model spec states the levels.
    const levels = { id: [...new Set(data.id as string[])].sort() };
    expect((await fit(formula("y"), without("s01"), { store, levels })).start.kind).toBe("warm");
    const [a, b] = [
      captureArtifact(await fit(formula("y"), data)),
      captureArtifact(await fit(formula("y"), data)),
    ];
    expect(a).toEqual(b);
  });
  it("exactly the same data and model resume at the stored point", async () => {
    const store = openStore(tempFolder());
    const first = await fit(formula("b"), data, { family: binomial(), resume: store });
    expect(first.start.kind).toBe("cold");
    const again = await fit(formula("b"), data, { family: binomial(), resume: store });
    expect(again.start.kind).toBe("exact");
    await agree(again, first, data);
    expect(again.iterations.criterionEvaluations).toBeLessThanOrEqual(2);
    expect((await fit(formula("b"), without("s01"), { family: binomial(), resume: store })).start.kind).toBe(
      "cold",
    );
  });
});

describe("crossFit", () => {
  it.each([
    ["gaussian", undefined, "y", true],
    ["binomial", binomial(), "b", false],
    ["poisson", poisson(), "c", false],
  ] as const)("%s: every fold as if fitted alone", asIfAlone);
  async function asIfAlone(
    _name: string,
    family: ReturnType<typeof binomial> | undefined,
    y: string,
    crossProducts: boolean,
  ): Promise<void> {
    const options: CrossFitOptions = { ...(family ? { family } : {}), group: "id", keepModels: true };
    const cv = await crossFit(withNull(y), data, options);
    expect(cv.crossProducts).toBe(crossProducts && hasCrossProducts());
    expect(cv.folds.map((f) => f.name)).toEqual([...new Set(data.id)].sort());
    expect(cv.predictions.every(Number.isFinite)).toBe(true);
    for (const f of cv.folds) {
      expect(Math.abs(f.criterion - f.cold!.criterion) / Math.abs(f.cold!.criterion)).toBeLessThan(1e-6);
      const keep = data.id!.map((v) => v !== f.name);
      const rows = Object.fromEntries(Object.entries(data).map(([k, v]) => [k, v.filter((_, i) => keep[i])]));
      const flat = await flatTerms(f.model!, rows);
      f.edf.forEach((e, i) => {
        expect(Math.abs(e - f.cold!.edf[i]!)).toBeLessThan(flat[i] ? 1e-4 : 1e-5);
      });
    }
    expect(cv.cost.warm.criterionEvaluations).toBeLessThanOrEqual(cv.cost.cold!.criterionEvaluations);
  }

  // Twenty subjects, with and without a covariate without effect. The probes beside the parent's optimum count here; the
  // checks for a better basin stand apart.
  const twenty = simulated(2000, 5, 20);
  it.each([
    ["gaussian", undefined, "y"],
    ["binomial", binomial(), "b"],
    ["poisson", poisson(), "c"],
  ] as const)("%s: three evaluations a fold, 2.5 times fewer inner iterations", async (_name, family, y) => {
    let [cold, warm] = [0, 0];
    for (const text of [formula(y), withNull(y)]) {
      const cv = await crossFit(text, twenty, { ...(family ? { family } : {}), group: "id" });
      const { cost } = cv;
      const evaluations = cost.warm.criterionEvaluations + cost.probes.criterionEvaluations;
      expect(evaluations / cv.folds.length).toBeLessThanOrEqual(3);
      cold += cost.cold!.inner;
      warm += cost.warm.inner + cost.probes.inner;
      for (const f of cv.folds) {
        expect(Math.abs(f.criterion - f.cold!.criterion) / Math.abs(f.cold!.criterion)).toBeLessThan(1e-6);
        f.edf.forEach((e, i) => {
          expect(Math.abs(e - f.cold!.edf[i]!)).toBeLessThan(1e-5);
        });
      }
    }
    expect(cold / warm).toBeGreaterThanOrEqual(2.5);
  });

  it("a parent at infinity: each fold looks once at the other basin, counted apart", async () => {
    const cv = await crossFit(withNull("c"), twenty, { family: poisson(), group: "id", countCold: false });
    const saturated = Array.from(cv.parent.rho).filter((r) => Math.abs(r) >= 9).length;
    expect(saturated).toBeGreaterThan(0);
    for (const f of cv.folds) {
      expect(f.start.saturated).toHaveLength(saturated);
      expect(f.start.basinChecks).toBeGreaterThan(0);
    }
    expect(cv.cost.basinChecks).toBe(cv.folds.reduce((sum, f) => sum + f.start.basinChecks, 0));
    const plain = await crossFit(formula("y"), twenty, { group: "id", countCold: false });
    expect(plain.cost).toMatchObject({ basinChecks: 0, restarts: 0 });
  });

  it("gaussian folds from total minus part equal fits of the rows that are left", async () => {
    // With stated knots the bases do not depend on the rows, so that a plain fit is the same model.
    const knots = { x: [0, 0.2, 0.4, 0.6, 0.8, 1], z: [0, 0.2, 0.4, 0.6, 0.8, 1] };
    const k6 = 'y ~ s(x, bs="cr", k=6) + s(z, bs="cr", k=6) + s(id, bs="re")';
    const cv = await crossFit(k6, data, { group: "id", countCold: false, keepModels: true, knots });
    for (const name of ["s00", "s07"]) {
      const fold = cv.folds.find((f) => f.name === name)!;
      const alone = await fit(k6, without(name), { knots });
      const [a, b] = [await fold.model!.predict(data), await alone.predict(data)];
      expect(Math.max(...a.fit[0]!.map((v, i) => Math.abs(v - b.fit[0]![i]!)))).toBeLessThan(1e-5);
      expect(fold.edf.reduce((s, e) => s + e, 0)).toBeCloseTo(
        alone.terms.reduce((s, t) => s + t.edf, 0),
        5,
      );
      const rows = data.id!.map((_, i) => i).filter((i) => data.id![i] === name);
      expect(fold.heldOut).toBe(rows.length);
      rows.forEach((i) => {
        expect(cv.predictions[i]).toBeCloseTo(b.fit[0]![i]!, 5);
      });
    }
  });

  it.each([
    ["gaussian", undefined, "y"],
    ["binomial", binomial(), "b"],
    ["poisson", poisson(), "c"],
  ] as const)(
    "%s: a fold ends where its gradient is zero, and predicts what a cold one does",
    async (_name, family, y) => {
      const options = family ? { family } : {};
      const cv = await crossFit(withNull(y), data, { ...options, group: "id", countCold: false });
      const { spec, state, variables } = cv.parent.parts;
      const mean = cv.link.reduce((sum, v) => sum + v, 0) / cv.link.length;
      const spread = Math.sqrt(cv.link.reduce((sum, v) => sum + (v - mean) ** 2, 0) / cv.link.length);
      for (const f of cv.folds) {
        const rows = Uint32Array.from(data.id!.keys()).filter((i) => data.id![i] !== f.name);
        const fold = await prepare(spec, openData(data), native, { rows, variables, state });
        const base = { ...engineOptions(spec, null, options), covariances: false, tests: false };
        const run = (o: typeof base) =>
          fitDesign(fold.design, fold.response.y, fold.weights, fold.offset, o, native);
        const there = await run({ ...base, rho: [...f.rho] });
        // What a search from there goes on to move, times its Hessian, is the gradient evaluated there.
        expect(there.summary.iterations.outer).toBe(0);
        const m = f.rho.length;
        const gradient = Array.from(there.gradient, (g, i) =>
          f.rho.reduce((sum, r, j) => sum + there.hessian[i * m + j]! * (r - there.rho[j]!), g),
        );
        const moving = gradient.filter((_, i) => !there.summary.certificate.infinite.includes(i));
        expect(Math.max(...moving.map(Math.abs))).toBeLessThan(1e-7);
        const cold = await run({ ...base, look: f.start.saturated.length > 0 });
        const held = Uint32Array.from(data.id!.keys()).filter((i) => data.id![i] === f.name);
        const out = await prepare(spec, openData(data), native, { rows: held, variables, state });
        const { fit: eta } = await predictDesign(out.design, cold.beta, undefined, out.offset, native);
        held.forEach((row, i) => {
          expect(Math.abs(cv.link[row]! - eta[i]!) / spread).toBeLessThan(1e-6);
        });
      }
    },
  );

  it("the same bytes for any number of threads and of folds at once", async () => {
    const run = async (threads: number, parallel: number) => {
      const { folds, predictions } = await crossFit(formula("b"), data, {
        family: binomial(),
        group: "id",
        countCold: false,
        threads,
        parallel,
      });
      return JSON.stringify({
        folds: folds.map((f) => ({ ...f, rho: [...f.rho] })),
        predictions: [...predictions],
      });
    };
    const one = await run(1, 1);
    expect(await run(2, 1)).toBe(one);
    expect(await run(2, 3)).toBe(one);
  });

  it("K folds by number and by list", async () => {
    const five = await crossFit("y ~ s(x)", data, { folds: 5, seed: 3, countCold: false });
    expect(five.folds.map((f) => f.heldOut)).toEqual([80, 80, 80, 80, 80]);
    const listed = await crossFit("y ~ s(x)", data, {
      folds: data.x!.map((_, i) => i % 2),
      countCold: false,
    });
    expect(listed.folds.map((f) => f.name)).toEqual(["fold 0", "fold 1"]);
  });

  it.each([
    [{}, "OPTION_CONFLICT"],
    [{ group: "id", folds: 3 }, "OPTION_CONFLICT"],
    [{ group: "idd" }, "UNKNOWN_COLUMN"],
    [{ folds: 1 }, "OPTION_RANGE"],
    [{ folds: [1, 2] }, "GROUPS"],
    [{ folds: data.x!.map(() => 1) }, "GROUPS"],
    [{ gruop: "id" }, "UNKNOWN_OPTION"],
  ] as const)("%j is refused", async (options, code) => {
    await expect(crossFit("y ~ s(x)", data, options as CrossFitOptions)).rejects.toMatchObject({ code });
  });
});
