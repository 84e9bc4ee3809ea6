// Studies at the edge, with every test at once: the right number or a named error, never a NaN that nobody counts.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPlink } from "@x/plink-io";
import { describe, expect, it } from "vitest";
import { type AssociationColumns, concatColumns } from "../src/association-columns.ts";
import { associate, eigen, gwas, joinSamples, kinship } from "../src/index.ts";
import { copyFileset, lmm, randoms, simulate, tempFolder, writeFileset } from "./support/files.ts";

const ALL = ["wald", "lrt", "score"] as const;
const NUMBERS = [
  ...(["beta", "se", "loglH1", "lRemle", "lMle", "pWald", "pLrt", "pScore"] as const),
  ...(["negLog10PWald", "negLog10PLrt", "negLog10PScore"] as const),
] as const;

/** Rows without a number in some column. */
function rowsWithNaN(columns: AssociationColumns): number[] {
  return Array.from(columns.index.keys()).filter((i) =>
    NUMBERS.some((name) => Number.isNaN(columns[name]![i]!)),
  );
}

async function all(prefix: string, join: object = {}, options: object = {}) {
  await using study = await openPlink(prefix);
  const cohort = await joinSamples(study, join);
  await using k = await kinship(study, cohort, options);
  await using e = await eigen(k, cohort);
  const run = associate(study, cohort, e, { tests: ALL, ...options });
  const blocks: AssociationColumns[] = [];
  for await (const block of run.columns()) blocks.push(block);
  return { columns: concatColumns(blocks), run };
}

describe("variants", () => {
  it("nasty rows are dropped by name, none is NaN", async () => {
    const { columns, run } = await all(copyFileset("nasty"));
    expect(run.filters).toMatchObject({ missing: expect.any(Number), monomorphic: expect.any(Number) });
    expect(run.filters.missing).toBeGreaterThan(1);
    expect(run.filters.maf + run.filters.monomorphic).toBeGreaterThan(1);
    expect(run.filters.heterozygous).toBe(1);
    expect(rowsWithNaN(columns)).toEqual([]);
    expect(run.degenerate).toBe(0);
  });

  it("monomorphic once people are dropped", async () => {
    const { genotypes, phenotypes } = simulate(40, 30);
    genotypes[3] = genotypes[3]!.map((_, i) => (i < 2 ? 1 : 0));
    const y = phenotypes.map((text, i) => (i < 2 ? "NA" : text));
    const prefix = writeFileset(tempFolder(), genotypes, y);
    const { columns, run } = await all(prefix, {}, { maf: 0, miss: 1 });
    expect(run.filters.monomorphic).toBeGreaterThanOrEqual(1);
    expect(columns.index).not.toContain(3);
    expect(rowsWithNaN(columns)).toEqual([]);
  });

  it("one that is a combination of the covariates is counted", async () => {
    const { genotypes, phenotypes } = simulate(60, 30);
    const folder = tempFolder();
    const full = genotypes.map((row) => row.map((g) => Math.max(g, 0)));
    const prefix = writeFileset(folder, full, phenotypes);
    const covariates = join(folder, "c.txt");
    writeFileSync(covariates, full[5]!.map((g) => `1 ${g}\n`).join(""));
    const { columns, run } = await all(prefix, { covariates }, { r2: 1 });
    const bad = rowsWithNaN(columns).map((i) => columns.index[i]);
    expect(bad).toContain(5);
    expect(run.degenerate).toBe(bad.length);
  });

  it("duplicate ids stay separate rows", async () => {
    const { genotypes, phenotypes } = simulate(50, 20);
    genotypes[4] = genotypes[3]!;
    const prefix = writeFileset(tempFolder(), genotypes, phenotypes, (j) => `v${j === 4 ? 3 : j}`);
    const { columns } = await all(prefix, {}, { miss: 1, maf: 0 });
    const [a, b] = [3, 4].map((row) => columns.index.indexOf(row));
    for (const name of NUMBERS) expect(columns[name]![b!]).toBe(columns[name]![a!]);
  });

  it("a single variant, one person beyond a multiple of four", async () => {
    const { genotypes, phenotypes } = simulate(41, 1);
    const { columns } = await all(writeFileset(tempFolder(), genotypes, phenotypes), {}, { miss: 1, maf: 0 });
    expect(columns.index.length).toBe(1);
    expect(rowsWithNaN(columns)).toEqual([]);
  });
});

describe("p values below 1e-308", () => {
  it("every −log₁₀ p stays finite, and agrees with the statistic it comes from", async () => {
    const n = 1200;
    const random = randoms(3);
    const { genotypes } = simulate(n, 25);
    // Nearly nothing but variant 2 makes the phenotype.
    const y = genotypes[2]!.map((g) => (Math.max(g, 0) + 1e-4 * (random() - 0.5)).toFixed(9));
    genotypes[2] = genotypes[2]!.map((g) => Math.max(g, 0));
    const { columns } = await all(writeFileset(tempFolder(), genotypes, y));
    const at = columns.index.indexOf(2);
    expect([columns.pWald![at], columns.pLrt![at]]).toEqual([0, 0]);
    expect(columns.beta[at]).toBeCloseTo(1, 3);
    const [wald, lrt] = [columns.negLog10PWald![at]!, columns.negLog10PLrt![at]!];
    // The tail of t on df at t = beta / se, leading term: (1 + t² / df)^(-df / 2) up to a power of t.
    const df = n - 2;
    const leading = (df / 2) * Math.log10(1 + (columns.beta[at]! / columns.se[at]!) ** 2 / df);
    expect(Math.abs(wald - leading)).toBeLessThan(4);
    expect(lrt).toBeGreaterThan(308);
    expect(Number.isFinite(lrt)).toBe(true);
    expect(Number.isFinite(columns.negLog10PScore![at]!)).toBe(true);
    expect(rowsWithNaN(columns)).toEqual([]);
  });
});

describe("people, phenotypes and covariates", () => {
  const { genotypes, phenotypes } = simulate(40, 25);
  const folder = tempFolder();
  const prefix = writeFileset(folder, genotypes, phenotypes);
  const file = (name: string, line: (i: number) => string): string => {
    const path = join(folder, name);
    writeFileSync(path, phenotypes.map((_, i) => `${line(i)}\n`).join(""));
    return path;
  };
  const column = file("y.txt", (i) => String(i % 5));

  it.each([
    ["all phenotypes missing", { phenotypes: file("na.txt", () => "NA") }, "NO_ANALYZED_SAMPLES"],
    ["a constant phenotype", { phenotypes: file("one.txt", () => "1") }, "PHENO_CONSTANT"],
    ["one person", { phenotypes: file("single.txt", (i) => (i === 4 ? "1.5" : "NA")) }, "DF"],
    ["two people", { phenotypes: file("two.txt", (i) => (i < 2 ? String(i) : "NA")) }, "DF"],
    ["two constant covariates", { covariates: file("c1.txt", () => "1 2") }, "COVAR_RANK"],
    ["collinear covariates", { covariates: file("c2.txt", (i) => `1 ${i} ${2 * i + 3}`) }, "COVAR_RANK"],
    ["a constant environment", { environment: file("e1.txt", () => "3") }, "COVAR_RANK"],
    [
      "an environment that is a covariate",
      { covariates: file("c3.txt", (i) => `1 ${i % 7}`), environment: file("e2.txt", (i) => String(i % 7)) },
      "COVAR_RANK",
    ],
    ["an environment of two columns", { environment: file("e3.txt", (i) => `${i} 1`) }, "COVAR_COLUMN"],
    ["an environment that is no number", { environment: file("e4.txt", (i) => `x${i}`) }, "COVAR_PARSE"],
    [
      "an environment and too few people",
      {
        phenotypes: file("three.txt", (i) => (i < 3 ? String(i * i) : "NA")),
        environment: file("e5.txt", (i) => String(i)),
      },
      "DF",
    ],
  ] as const)("%s", async (_what, options, code) => {
    await expect(gwas(prefix, { lmm: 4, ...options })).rejects.toMatchObject({ code });
  });

  it("a constant covariate counts as the column of ones", async () => {
    const { cohort } = await gwas(prefix, {
      covariates: file("c4.txt", (i) => `${i % 3} 7`),
      lmm: 4,
      miss: 1,
    });
    expect(cohort.covariateNames.length).toBe(2);
  });

  it("an interaction that the variant already is, is counted", async () => {
    // Everyone who carries an allele lives in environment 1, so the product is the variant itself.
    const rows = genotypes.map((row) => row.map((g) => Math.max(g, 0)));
    rows[7] = rows[7]!.map((g, i) => (i % 2 ? g : 0));
    const study = writeFileset(tempFolder(), rows, phenotypes);
    const environment = file("e6.txt", (i) => String(i % 2));
    const { columns, run } = await all(study, { environment }, { maf: 0, miss: 1 });
    const bad = rowsWithNaN(columns).map((i) => columns.index[i]);
    expect(bad).toEqual([7]);
    expect(run.degenerate).toBe(1);
  });

  it("a phenotype that a variant explains to the last bit has p = 0 or a number, never NaN", async () => {
    const rows = genotypes.map((row) => row.map((g) => Math.max(g, 0)));
    const y = rows[2]!.map((g) => String(g));
    const { columns } = await all(writeFileset(tempFolder(), rows, y), {}, { maf: 0, miss: 1 });
    const at = columns.index.indexOf(2);
    expect(rowsWithNaN(columns)).toEqual([]);
    expect(columns.beta[at]).toBeCloseTo(1, 6);
    expect(columns.negLog10PWald![at]).toBeGreaterThan(100);
  });

  it("--neglog10p adds a column for every p at the end", async () => {
    const at = ["-bfile", prefix, "-p", column, "-outdir", folder, "-miss", "1"];
    expect(await lmm([...at, "-gk", "1", "-o", "k"])).toMatchObject({ code: 0 });
    const ran = await lmm([...at, "-k", join(folder, "k.cXX.txt"), "-lmm", "4", "--neglog10p", "-o", "x"]);
    expect(ran, ran.err).toMatchObject({ code: 0 });
    const { readFileSync } = await import("node:fs");
    const [head, ...lines] = readFileSync(join(folder, "x.assoc.txt"), "utf8").trim().split("\n");
    const names = head!.split("\t");
    expect(names.slice(-6)).toEqual(
      ["p_wald", "p_lrt", "p_score"].concat(["wald", "lrt", "score"].map((test) => `neg_log10_p_${test}`)),
    );
    for (const line of lines) {
      const cells = line.split("\t").slice(-6).map(Number);
      for (const t of [0, 1, 2]) expect(Math.abs(cells[t + 3]! + Math.log10(cells[t]!))).toBeLessThan(2e-6);
    }
  });
});
