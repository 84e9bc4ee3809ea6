// The 29 models of mgcv 1.8-41 through the public API, with the tolerances of ../shared/data/gam/README.md: 1e-6 relative for
// gaussian models, 1e-5 for the others (m08, a flat GCV criterion, 1e-3); what is compared does not depend on the basis.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type FitOptions, fit, type GamModel, parseFamily, readData } from "../src/index.ts";
import { hasReferences, readJson, references } from "./support/files.ts";

interface Reference {
  formula: string;
  family: string;
  method: string;
  data: string;
  factors: string[];
  call_extra: string | string[];
  select: boolean;
  knots_argument: Record<string, number[]> | null;
  n: number;
  n_coef: number;
  rho_log_sp: number[];
  deviance: number;
  null_deviance: number;
  scale: number;
  reml_scale: number;
  loglik: number;
  aic: number;
  outer_grad_max_abs: number | null;
  edf_total: number;
  edf1_total: number;
  edf2_total: number;
  r_sq_adj: number | null;
  dev_explained: number;
  terms: { label: string; edf: number; edf1: number; ref_df: number; stat: number; p_value: number }[];
  parametric: { name: string; estimate: number; se: number; stat: number; p_value: number }[];
  newdata: Record<string, (number | string)[]>;
  predict: {
    link_fit: (number | number[])[];
    link_se: (number | number[])[];
    link_se_unconditional: (number | number[])[];
    response_fit: (number | number[])[];
    response_se: (number | number[])[];
    terms_names: string[];
    terms_fit: number[][];
    terms_se: number[][];
  };
  criterion_probes: {
    delta_rho: number[];
    rho: number[];
    score: number;
    edf_total: number;
    deviance: number;
  }[];
}

const folder = join(references, "reference");
const ids = hasReferences
  ? readdirSync(folder)
      .filter((f) => f.startsWith("ref_"))
      .map((f) => f.slice(4, -5))
  : [];

/** |a − b| over the largest of the values compared: one small entry among large ones is no relative error of its own. */
function worst(ours: ArrayLike<number>, theirs: readonly number[]): number {
  expect(ours.length).toBe(theirs.length);
  const size = Math.max(...theirs.map(Math.abs), 1e-300);
  return Math.max(...theirs.map((v, i) => Math.abs(ours[i]! - v))) / size;
}
const relative = (a: number, b: number): number => Math.abs(a - b) / Math.max(Math.abs(b), 1e-300);
const columnOf = (rows: readonly (number | number[])[], j: number): number[] =>
  rows.map((r) => (typeof r === "number" ? r : r[j]!));

async function fitReference(ref: Reference, more: FitOptions = {}): Promise<GamModel> {
  const data = await readData(join(references, "data", ref.data));
  const weights = /weights = column (\w+)/.exec(String(ref.call_extra))?.[1];
  const options: FitOptions = {
    family: parseFamily(ref.family.replace("gaulss()", "gaulss").replace(/\(\)$/, "")),
    method: (ref.method === "GCV.Cp" ? "GCV" : ref.method) as "REML",
    select: ref.select,
    factors: ref.factors,
    ...(ref.knots_argument ? { knots: ref.knots_argument } : {}),
    ...(weights ? { weights } : {}),
    ...more,
  };
  return fit(ref.formula.split(" ; "), data, options);
}

describe.runIf(hasReferences)("mgcv's reference models", () => {
  it("all 29 are there", () => {
    expect(ids.length).toBe(29);
  });
  for (const id of ids) {
    const ref = readJson<Reference>(join(folder, `ref_${id}.json`));
    const gaussian = ref.family === "gaussian()";
    const tolerance = id.startsWith("m08") ? 1e-3 : gaussian ? 1e-6 : 1e-5;
    it(`${id}: ${ref.formula}`, async () => {
      const own = await fitReference(ref);
      // Where mgcv stopped short of the optimum its figures are those of its own rho; the criterion says who is nearer.
      const short = ref.outer_grad_max_abs !== null && ref.outer_grad_max_abs > 1e-6;
      const m = short ? await fitReference(ref, { rho: ref.rho_log_sp, fixedRho: true }) : own;
      if (short) expect(own.criterion).toBeLessThan(ref.criterion_probes[0]!.score);
      const s = m.parts.summary;
      const report: string[] = [];
      const check = (what: string, found: number, limit: number): void => {
        if (!(found <= limit)) report.push(`${what} ${found.toExponential(2)} > ${limit}`);
      };
      // Flat coordinates: half a step changes the criterion by less than 1e-4; their edf is compared absolutely.
      const base = ref.criterion_probes[0]!;
      const flat = (index: number): boolean => {
        const probe = ref.criterion_probes.find((p) =>
          p.delta_rho.every((d, j) => (j === index ? d === 0.5 : d === 0)),
        );
        return probe !== undefined && Math.abs(probe.score - base.score) < 1e-4;
      };
      const isFlat = m.parts.shape.terms.map((t) => t.penalties.some((p) => flat(p.index)));
      const anyFlat = isFlat.some(Boolean);
      const wide = anyFlat ? Math.max(tolerance, 1e-5) : tolerance;
      expect(s.n).toBe(ref.n);
      expect(m.certificate.converged).toBe(true);
      check("deviance", relative(m.deviance, ref.deviance), tolerance);
      check("scale", relative(m.scale, ref.scale), tolerance);
      check(
        "edf total",
        Math.abs(m.edf - ref.edf_total) / (anyFlat ? 1 : ref.edf_total),
        anyFlat ? 1e-4 : tolerance,
      );
      check("log likelihood", relative(m.logLik, ref.loglik), tolerance);
      ref.terms.forEach((t, i) => {
        const ours = m.terms[i]!;
        expect(ours.label).toBe(t.label);
        check(
          `edf ${t.label}`,
          isFlat[i] ? Math.abs(ours.edf - t.edf) : relative(ours.edf, t.edf),
          isFlat[i] ? 1e-4 : tolerance,
        );
        if (isFlat[i]) return;
        check(`Ref.df ${t.label}`, relative(ours.refDf, t.ref_df), Math.max(wide, 1e-5));
        check(`statistic ${t.label}`, relative(ours.stat, t.stat), Math.max(wide, 1e-5));
        if (t.p_value >= 1e-10) check(`p ${t.label}`, relative(ours.p, t.p_value), Math.max(wide, 1e-3));
        else check(`p ${t.label}`, ours.p, 1e-9);
      });
      ref.parametric.forEach((t, i) => {
        const ours = m.parametric[i]!;
        expect(ours.name).toBe(t.name);
        check(
          `${t.name}`,
          Math.abs(ours.estimate - t.estimate) / Math.max(Math.abs(t.estimate), t.se),
          tolerance,
        );
        check(`se ${t.name}`, relative(ours.se, t.se), tolerance);
        if (t.p_value >= 1e-10) check(`p ${t.name}`, relative(ours.p, t.p_value), 1e-3);
      });
      const newdata = ref.newdata;
      for (const type of ["link", "response"] as const) {
        const p = await m.predict(newdata, { type, se: true });
        p.fit.forEach((values, j) => {
          check(`${type} ${j}`, worst(values, columnOf(ref.predict[`${type}_fit`], j)), tolerance);
          check(`${type} se ${j}`, worst(p.se![j]!, columnOf(ref.predict[`${type}_se`], j)), wide);
        });
      }
      const here = await fitReference(ref, { rho: base.rho, fixedRho: true });
      const terms = await m.predict(newdata, { type: "terms", se: true });
      // A term at infinity still shows how far out it stopped where its standard error would be zero.
      const there = await here.predict(newdata, { type: "terms", se: true });
      ref.predict.terms_names.forEach((name, j) => {
        const at = terms.names.indexOf(name);
        expect(at, `${name} of ${terms.names.join()}`).toBeGreaterThanOrEqual(0);
        const theirs = ref.predict.terms_fit.map((row) => row[j]!);
        const size = Math.max(
          ...theirs.map(Math.abs),
          Math.max(...ref.predict.terms_fit.flat().map(Math.abs)) * 1e-2,
        );
        const off = Math.max(...theirs.map((v, i) => Math.abs(terms.fit[at]![i]! - v))) / size;
        check(`term ${name}`, off, Math.max(wide, 10 * tolerance));
        const gone = isFlat[ref.terms.findIndex((t) => t.label === name)];
        check(
          `term se ${name}`,
          worst(
            (gone ? there : terms).se![at]!,
            ref.predict.terms_se.map((row) => row[j]!),
          ),
          Math.max(wide, 10 * tolerance),
        );
      });
      for (const probe of ref.criterion_probes.slice(1)) {
        const at = await fitReference(ref, { rho: probe.rho, fixedRho: true });
        const [ours, theirs] = [at.criterion - here.criterion, probe.score - base.score];
        check(
          `criterion difference ${probe.delta_rho.join()}`,
          Math.abs(ours - theirs) / Math.max(1, Math.abs(theirs)),
          id.startsWith("m08") ? 1e-3 : 1e-6,
        );
        check(`edf at ${probe.delta_rho.join()}`, relative(at.edf, probe.edf_total), tolerance);
      }
      expect(report).toEqual([]);
    });
  }
});
