// The dual route against GEMMA 0.98.5 (golden/dual/make.sh has the command lines) and against the primal route.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openPlink } from "@x/plink-io";
import { describe, expect, it } from "vitest";
import {
  associate,
  type Cohort,
  compareAssoc,
  dualKinship,
  eigen,
  gwas,
  joinSamples,
  kinship,
  nullModel,
  type Route,
} from "../src/index.ts";
import { copyFileset, fixtures, mouse, shared, simulate, tempFolder, writeFileset } from "./support/files.ts";

const goldenDual = join(import.meta.dirname, "golden/dual");
const demo = join(fixtures, "demo/demo");
const twins = join(fixtures, "tiny/twins/twins");
const ids = (file: string): ReadonlySet<string> =>
  new Set(readFileSync(join(goldenDual, file), "utf8").trim().split("\n"));

describe.each([
  ["demo-300", demo, {}],
  ["demo-covariates", demo, { covariates: `${demo}.covar.txt` }],
  ["demo-near-n", demo, {}],
  ["twins", twins, {}],
] as const)("%s", (name, prefix, options) => {
  const folder = tempFolder();
  const lists = { snps: ids(`${name}.snps.txt`), kinshipSnps: ids(`${name}.ksnps.txt`) };
  const run = (out: string, route: Route, more: { threads?: number; chunk?: number } = {}) =>
    gwas(prefix, { ...options, ...lists, ...more, route, lmm: 4, out: join(folder, out), report: false });

  it("both routes give GEMMA's file and null model", async () => {
    for (const route of ["primal", "dual"] as const) {
      const result = await run(route, route);
      expect(result.plan.route).toBe(route);
      const compared = await compareAssoc(
        join(folder, `${route}.assoc.txt`),
        join(goldenDual, `${name}.assoc.txt.gz`),
      );
      expect(compared, JSON.stringify(compared.columns.filter((c) => c.failures > 0))).toMatchObject({
        ok: true,
        headerEqual: true,
      });
      const log = readFileSync(join(goldenDual, `${name}.log.txt`), "utf8");
      const of = (label: string): number =>
        Number(
          log
            .split("\n")
            .find((line) => line.startsWith(`## ${label}`))!
            .split("=")[1],
        );
      const h0 = result.nullModel;
      for (const [found, expected] of [
        [h0.pve, of("pve estimate")],
        [h0.pveSe, of("se(pve)")],
        [h0.vg, of("vg estimate")],
        [h0.ve, of("ve estimate")],
        [h0.logLik.reml, of("REMLE log-likelihood")],
        [h0.logLik.mle, of("MLE log-likelihood")],
      ] as const)
        expect(Math.abs(found - expected)).toBeLessThanOrEqual(1e-5 * Math.abs(expected));
    }
  });

  it("same bytes for any threads and chunk", async () => {
    const expected = readFileSync(join(folder, "dual.assoc.arrow"));
    for (const more of [
      { threads: 1, chunk: 1 },
      { threads: 2, chunk: 7 },
      { threads: 1, chunk: 4096 },
    ]) {
      await run("again", "dual", more);
      expect(readFileSync(join(folder, "again.assoc.arrow")).equals(expected), JSON.stringify(more)).toBe(
        true,
      );
    }
  });
});

/** The worst differences between the routes: effects in standard errors, −log₁₀ p absolute over its size, λ relative. */
async function routesDiffer(prefix: string, make: (cohort: Cohort) => Cohort = (c) => c): Promise<number[]> {
  await using study = await openPlink(prefix);
  const cohort = make(await joinSamples(study));
  const all = { tests: ["wald", "lrt", "score"] as const };
  const collect = async (e: Parameters<typeof associate>[2]) => {
    const parts = [];
    for await (const block of associate(study, cohort, e, { ...all, chunk: 4096 }).columns())
      parts.push(block);
    expect(parts.length).toBe(1);
    return { h0: await nullModel(cohort, e), ...parts[0]! };
  };
  await using k = await kinship(study, cohort);
  await using ke = await eigen(k, cohort);
  const primal = await collect(ke);
  await using d = await dualKinship(study, cohort);
  await using de = await eigen(d, cohort);
  expect(Math.abs(de.traceG / ke.traceG - 1)).toBeLessThan(1e-12);
  expect(de.rank).toBe(ke.values.filter((v) => v > 0).length);
  const dual = await collect(de);
  expect(Math.abs(dual.h0.pve - primal.h0.pve)).toBeLessThan(1e-7);
  const worst = (
    a: Float64Array | undefined,
    b: Float64Array | undefined,
    scale: (i: number) => number,
  ): number =>
    a!.reduce((w, x, i) => (Number.isNaN(x) ? w : Math.max(w, Math.abs(x - b![i]!) / scale(i))), 0);
  expect([...dual.se].map(Number.isNaN)).toEqual([...primal.se].map(Number.isNaN));
  const log = (c: Float64Array | undefined) => (i: number) => Math.max(1, c![i]!);
  return [
    worst(primal.beta, dual.beta, (i) => primal.se[i]!),
    worst(primal.se, dual.se, (i) => primal.se[i]!),
    worst(primal.negLog10PWald, dual.negLog10PWald, log(primal.negLog10PWald)),
    worst(primal.negLog10PLrt, dual.negLog10PLrt, log(primal.negLog10PLrt)),
    worst(primal.negLog10PScore, dual.negLog10PScore, log(primal.negLog10PScore)),
  ];
}

describe("the routes agree to ten digits", () => {
  it.each(["mod1", "mod2", "mod3", "nasty", "few-snps", "twins"])("%s", async (name) => {
    for (const off of await routesDiffer(copyFileset(name))) expect(off).toBeLessThan(1e-9);
  });

  it.each([
    ["p < n", 150, 60],
    ["p = n - 1", 61, 60],
    ["p > n", 50, 80],
  ])("%s, everyone analysed and some not", async (_, n, p) => {
    const { genotypes, phenotypes } = simulate(n, p, n);
    for (const off of await routesDiffer(writeFileset(tempFolder(), genotypes, phenotypes)))
      expect(off).toBeLessThan(1e-9);
    const some = phenotypes.map((y, i) => (i % 6 === 2 ? "NA" : y));
    for (const off of await routesDiffer(writeFileset(tempFolder(), genotypes, some)))
      expect(off).toBeLessThan(1e-9);
  });

  it.runIf(shared && mouse)("mouse HS1940, 300 of its variants in the kinship", async (context) => {
    const study = await openPlink(join(mouse, "mouse_hs1940")).catch(() => undefined);
    if (!study) return context.skip("../shared is not here");
    await using _study = study;
    const list = new Set(study.bim.id.filter((_, i) => i % 40 === 0));
    const tested = new Set(study.bim.id.filter((_, i) => i % 20 === 0));
    const run = (route: Route) => gwas(study, { kinshipSnps: list, snps: tested, route, lmm: 4 });
    const [a, b] = [await run("primal"), await run("dual")];
    for (let i = 0; i < a.columns.beta.length; i++) {
      const scale = a.columns.se[i]!;
      expect(Math.abs(a.columns.beta[i]! - b.columns.beta[i]!) / scale).toBeLessThan(1e-9);
      expect(Math.abs(a.columns.negLog10PLrt![i]! - b.columns.negLog10PLrt![i]!)).toBeLessThan(1e-8);
    }
  });
});
