// A phenotype far from 0 has the statistics it has near 0, and a variant that explains it all is named.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPlink } from "@x/plink-io";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AssociationColumns, associateTraits, eigen, gwas, joinTraits, kinship } from "../src/index.ts";
import { randoms, simulate, tempFolder, writeFileset } from "./support/files.ts";

const N = 120;
const folder = tempFolder();
const { genotypes, phenotypes } = simulate(N, 90, 3);
const prefix = writeFileset(folder, genotypes, phenotypes);
// Three chromosomes, so that one can be left out.
writeFileSync(
  `${prefix}.bim`,
  genotypes.map((_, j) => `${1 + Math.floor(j / 30)}\tv${j + 1}\t0\t${(j + 1) * 1000}\tA\tC\n`).join(""),
);
const random = randoms(5);
const covariates = join(folder, "c.txt");
writeFileSync(covariates, Array.from({ length: N }, () => `1 ${random().toFixed(4)}\n`).join(""));
const y = phenotypes.map(Number);
const column = (name: string, offset: number): string => {
  const path = join(folder, name);
  writeFileSync(path, y.map((v) => `${v + offset}\n`).join(""));
  return path;
};

const STATISTICS = [
  "beta",
  "se",
  "loglH1",
  "lRemle",
  "lMle",
  "negLog10PWald",
  "negLog10PLrt",
  "negLog10PScore",
] as const;

function expectSame(far: AssociationColumns, near: AssociationColumns, offset: number): void {
  // What the offset has eaten of a double, 1e-9 of the spread at 1e7, moves λ where the likelihood is flat.
  const tolerance = 1e-7 + 1e-12 * Math.abs(offset);
  expect(far.index).toEqual(near.index);
  for (const name of STATISTICS)
    for (const [i, value] of near[name]!.entries())
      if (Math.abs(far[name]![i]! - value) > tolerance * (1 + Math.abs(value)))
        expect.fail(`${name} of row ${i} at offset ${offset}: ${far[name]![i]} instead of ${value}`);
}

describe("a phenotype far from 0", () => {
  const tests = ["wald", "lrt", "score"] as const;
  it.each([
    { route: "primal" },
    { route: "dual" },
    { route: "primal", loco: true },
    { route: "dual", loco: true },
    { route: "primal", covariates },
    { route: "dual", covariates },
  ] as const)("%j", async (options) => {
    const run = (path: string) => gwas(prefix, { phenotypes: path, tests, ...options });
    const near = await run(column("near.txt", 0));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 3, max: 7 }), fc.boolean(), async (digits, below) => {
        const offset = (below ? -1 : 1) * 10 ** digits;
        const far = await run(column("far.txt", offset));
        expectSame(far.columns, near.columns, offset);
        expect(Math.abs(far.nullModel.pve - near.nullModel.pve)).toBeLessThan(1e-6);
        expect(far.nullModel.logLik.mle).toBeCloseTo(near.nullModel.logLik.mle, 5);
        const intercept = near.cohort.covariateNames.length === 1 ? 0 : near.nullModel.beta.length - 2;
        expect(
          Math.abs(far.nullModel.beta[intercept]! - offset - near.nullModel.beta[intercept]!),
        ).toBeLessThan(1e-5 * near.nullModel.betaSe[intercept]! + 1e-14 * Math.abs(offset));
      }),
      { numRuns: 4 },
    );
  });

  it("beside others in one pass", async () => {
    const path = join(folder, "both.txt");
    writeFileSync(path, y.map((v) => `${v} ${v + 1e6}\n`).join(""));
    await using study = await openPlink(prefix);
    const [group] = await joinTraits(study, { phenotypes: path, traits: "all" });
    const cohorts = group!.map(({ cohort }) => cohort);
    await using k = await kinship(study, cohorts[0]!);
    await using e = await eigen(k, cohorts[0]!);
    for await (const [near, far] of associateTraits(study, cohorts, e, { tests }))
      expectSame(far!, near!, 1e6);
  });

  it("is refused when the offset has eaten its digits", async () => {
    const path = column("lost.txt", 1e14);
    for (const route of ["primal", "dual"] as const)
      await expect(gwas(prefix, { phenotypes: path, route })).rejects.toMatchObject({ code: "NULL_FIT" });
  });
});

it("a variant that explains the phenotype completely is PERFECT_FIT: no p of 1, none of infinite size", async () => {
  for (const [scale, offset] of [
    [1, 0],
    [0.3, 2.7],
    [1e-3, 100],
    [-50, 1e4],
  ] as const) {
    const whole = genotypes.map((row) => row.map((g) => Math.max(g, 0)));
    const exact = whole[40]!.map((g) => String(offset + scale * g));
    const perfect = writeFileset(tempFolder(), whole, exact);
    for (const route of ["primal", "dual"] as const)
      for (const tests of [["wald"], ["lrt"], ["score"], ["wald", "lrt", "score"]] as const) {
        const { columns, diagnostics } = await gwas(perfect, { route, tests, maf: 0 });
        const at = columns.index.indexOf(40);
        expect(columns.beta[at]! / scale).toBeCloseTo(1, 5);
        expect(columns.se[at]).toBeGreaterThan(0);
        for (const name of ["negLog10PWald", "negLog10PLrt", "negLog10PScore"] as const) {
          const p = columns[name]?.[at];
          expect(p === undefined || (p > 15 && p < 1e4), `${route} ${tests} ${name} ${p}`).toBe(true);
        }
        for (const name of STATISTICS)
          expect(columns[name]?.every(Number.isFinite) ?? true, `${route} ${tests} ${name}`).toBe(true);
        expect(diagnostics.problems.PERFECT_FIT).toBe(1);
        expect(diagnostics.failed).toMatchObject([{ id: "v41", code: "PERFECT_FIT" }]);
      }
  }
});
