// Several traits together: who is analysed, what is refused, and that threads, blocks and tests change no byte.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPlink } from "@x/plink-io";
import { describe, expect, it } from "vitest";
import {
  type AssociateMultivariateOptions,
  associateMultivariate,
  eigen,
  joinMultivariate,
  kinship,
  type MultivariateColumns,
  nullModel,
} from "../src/index.ts";
import { lmm, randoms, simulate, tempFolder, writeFileset } from "./support/files.ts";
import { copyFamilies } from "./support/multivariate.ts";

async function blocks(
  prefix: string,
  traits: number[],
  options: AssociateMultivariateOptions,
): Promise<MultivariateColumns[]> {
  await using study = await openPlink(prefix);
  const cohort = await joinMultivariate(study, { traits });
  await using k = await kinship(study, cohort);
  await using e = await eigen(k, cohort);
  const out: MultivariateColumns[] = [];
  for await (const block of associateMultivariate(study, cohort, e, options).columns()) out.push(block);
  return out;
}

const joined = (all: MultivariateColumns[], name: "beta" | "vBeta" | "pWald" | "pLrt" | "pScore"): number[] =>
  all.flatMap((block) => [...block[name]]);

/** `d` traits beside each other in the .fam. */
function writeTraits(folder: string, d: number, people: number, variants: number): string {
  const { genotypes, phenotypes } = simulate(people, variants, 5);
  const random = randoms(11);
  const rows = phenotypes.map((y) =>
    Array.from({ length: d }, (_, t) =>
      (Number(y) * (1 + (t % 3)) + 2 * random() - 1 + random()).toFixed(5),
    ).join(" "),
  );
  return writeFileset(folder, genotypes, rows);
}

describe("results", () => {
  it("have the same bytes for any threads, blocks and set of tests", async () => {
    const prefix = copyFamilies(tempFolder());
    const all = ["wald", "lrt", "score"] as const;
    const one = await blocks(prefix, [1, 2], { tests: all, threads: 1 });
    for (const options of [
      { threads: 2, chunk: 1 + 6 },
      { threads: 1, chunk: 1 },
      { threads: 2, chunk: 4096 },
    ]) {
      const other = await blocks(prefix, [1, 2], { tests: all, ...options });
      for (const name of ["beta", "vBeta", "pWald", "pLrt", "pScore"] as const)
        expect(joined(other, name), JSON.stringify(options)).toEqual(joined(one, name));
    }
    const wald = await blocks(prefix, [1, 2], { tests: ["wald"] });
    expect(joined(wald, "pWald")).toEqual(joined(one, "pWald"));
    expect(joined(wald, "pLrt")).toEqual([]);
  });

  it("do not depend on the order and the scale of the traits", async () => {
    const prefix = copyFamilies(tempFolder());
    const p = joined(await blocks(prefix, [1, 2, 3], {}), "pWald");
    const turned = joined(await blocks(prefix, [3, 1, 2], {}), "pWald");
    p.forEach((value, i) => {
      expect(Math.abs(Math.log(turned[i]! / value))).toBeLessThan(1e-5);
    });
  });

  it("come as Arrow batches, −log₁₀ p beside every p", async () => {
    await using study = await openPlink(copyFamilies(tempFolder()));
    const cohort = await joinMultivariate(study, { traits: [1, 3] });
    await using k = await kinship(study, cohort);
    await using e = await eigen(k, cohort);
    let rows = 0;
    for await (const batch of associateMultivariate(study, cohort, e, { tests: ["score", "wald"] })) {
      rows += batch.numRows;
      expect(batch.schema.names).toEqual(
        "chrom id pos n_miss allele1 allele0 af beta_1 beta_2 Vbeta_1_1 Vbeta_1_2 Vbeta_2_2 p_wald neg_log10_p_wald p_score neg_log10_p_score".split(
          " ",
        ),
      );
      const [p, neg] = [batch.getChild("p_wald")!, batch.getChild("neg_log10_p_wald")!];
      for (let i = 0; i < batch.numRows; i++) expect(-Math.log10(p.get(i))).toBeCloseTo(neg.get(i), 9);
    }
    expect(rows).toBeGreaterThan(300);
  });

  it("ten traits", async () => {
    const prefix = writeTraits(tempFolder(), 10, 120, 40);
    const found = await blocks(prefix, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], { tests: ["wald", "score"] });
    const p = joined(found, "pWald");
    expect(p.length).toBeGreaterThan(20);
    for (const value of p) expect(value).toBeGreaterThan(0);
    expect(joined(found, "beta")).toHaveLength(10 * p.length);
    expect(joined(found, "vBeta")).toHaveLength(55 * p.length);
  });
});

describe("people", () => {
  it("are those with every trait, whatever the patterns of missing values", async () => {
    await using study = await openPlink(copyFamilies(tempFolder()));
    const cohort = await joinMultivariate(study, { traits: [2, 3] });
    const [two, three] = [study.fam.phenotypes[1]!, study.fam.phenotypes[2]!];
    const expected = [...two.keys()].filter((i) => !Number.isNaN(two[i]) && !Number.isNaN(three[i]));
    expect([...cohort.analyzed]).toEqual(expected);
    expect(cohort.drops.length).toBe(study.n - expected.length);
    expect([...cohort.traits.subarray(0, expected.length)]).toEqual(expected.map((i) => two[i]));
    expect([...cohort.traits.subarray(expected.length)]).toEqual(expected.map((i) => three[i]));
  });

  it("nobody with both traits is a named error", async () => {
    const folder = tempFolder();
    const { genotypes } = simulate(20, 10);
    const prefix = writeFileset(
      folder,
      genotypes,
      Array.from({ length: 20 }, (_, i) => (i % 2 ? `NA ${i}` : `${i} NA`)),
    );
    await using study = await openPlink(prefix);
    await expect(joinMultivariate(study, { traits: [1, 2] })).rejects.toMatchObject({
      code: "NO_ANALYZED_SAMPLES",
    });
  });
});

describe("refusals", () => {
  it("a trait that is a combination of others is named", async () => {
    const folder = tempFolder();
    const { genotypes, phenotypes } = simulate(60, 30);
    const random = randoms(3);
    const rows = phenotypes.map((y) => {
      const other = random();
      return `${y} ${other} ${2 * Number(y) - other + 3}`;
    });
    await expect(blocks(writeFileset(folder, genotypes, rows), [1, 2, 3], {})).rejects.toMatchObject({
      code: "TRAIT_COLLINEAR",
      details: { trait: 3 },
    });
  });

  it.each([
    [[1], "TRAIT_COUNT"],
    [[1, 1], "TRAIT_COUNT"],
    [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], "TRAIT_COUNT"],
    [[1, 9], "PHENO_COLUMN"],
  ])("traits %j: %s", async (traits, code) => {
    await using study = await openPlink(copyFamilies(tempFolder()));
    await expect(joinMultivariate(study, { traits })).rejects.toMatchObject({ code });
  });

  it.each([
    [["-n", "1", "1"], "TRAIT_COUNT"],
    [["-n", "1", "0"], "OPTION_RANGE"],
    [["-n", "1", "-nri", "5"], "OPTION_MISSING"],
    [["-n", "1", "--report", "r.html"], "OPTION_MISSING"],
    [["-n", "1", "2", "-lmm", "9"], "NOT_IMPLEMENTED"],
    [["-n", "1", "2", "-lmm", "9", "-gxe", "families.env.txt"], "NOT_IMPLEMENTED"],
  ])("command line %j: %s", async (options, code) => {
    const folder = tempFolder();
    copyFamilies(folder);
    const lmmOption = options.includes("-lmm") ? [] : ["-lmm", "1"];
    const run = await lmm(["-bfile", "families", "-k", "k.txt", ...lmmOption, ...options], { cwd: folder });
    expect(run.code, run.err).toBe(2);
    expect(run.err).toContain(code);
  });

  it("too few people for the traits", async () => {
    const folder = tempFolder();
    const { genotypes } = simulate(7, 30, 4);
    const random = randoms(8);
    const rows = Array.from({ length: 7 }, () =>
      Array.from({ length: 6 }, () => random().toFixed(4)).join(" "),
    );
    await expect(blocks(writeFileset(folder, genotypes, rows), [1, 2, 3, 4, 5, 6], {})).rejects.toMatchObject(
      {
        code: "DF",
      },
    );
  });
});

it("an environment by name: the numbers of the files by row, in text and as batches", async () => {
  const folder = tempFolder();
  const prefix = copyFamilies(folder);
  const people = readFileSync(`${prefix}.fam`, "utf8").trimEnd().split("\n");
  const exposure = readFileSync(`${prefix}.env.txt`, "utf8").trimEnd().split("\n");
  const lines = people.map((line, i) => ({ cells: line.split(" "), env: exposure[i]! })).reverse();
  writeFileSync(
    join(folder, "traits.tsv"),
    `IID\theight\tweight\n${lines.map(({ cells }) => `${cells[1]}\t${cells[5]}\t${cells[6]}\n`).join("")}`,
  );
  writeFileSync(
    join(folder, "env.csv"),
    `IID,years of smoking\n${lines.map(({ cells, env }) => `${cells[1]},${env}\n`).join("")}`,
  );
  const ok = async (args: string[]): Promise<void> => {
    const ran = await lmm(["-bfile", "families", ...args], { cwd: folder });
    expect(ran, ran.err).toMatchObject({ code: 0 });
  };
  await ok(["-gk", "1", "-o", "k"]);
  const lmm4 = ["-k", "output/k.cXX.txt", "-lmm", "4"];
  await ok([...lmm4, "-n", "1", "2", "-gxe", "families.env.txt", "-o", "row"]);
  const named = ["-p", "traits.tsv", "--on", "iid", "--pheno", "height,weight", "-gxe", "env.csv"];
  await ok([...lmm4, ...named, "-o", "name"]);
  const [row, name] = ["row", "name"].map((o) => readFileSync(join(folder, `output/${o}.assoc.txt`), "utf8"));
  expect(name).toBe(row);
  await using study = await openPlink(prefix);
  const cohort = await joinMultivariate(study, {
    phenotypes: join(folder, "traits.tsv"),
    on: "iid",
    traits: ["height", "weight"],
    environment: join(folder, "env.csv"),
  });
  expect(cohort.drops.filter((d) => d.reason === "environment missing").length).toBeGreaterThan(0);
  await using k = await kinship(study, await joinMultivariate(study, { traits: [1, 2] }));
  await using e = await eigen(k, cohort);
  const run = associateMultivariate(study, cohort, e, { tests: ["wald", "lrt", "score"], threads: 1 });
  const p: number[] = [];
  for await (const batch of run) p.push(...(batch.getChild("p_score")!.toArray() as Float64Array));
  const printed = row!.trimEnd().split("\n").slice(1);
  expect(p.length).toBe(printed.length);
  for (const [i, line] of printed.entries())
    expect(Math.abs(p[i]! / Number(line.split("\t").at(-1)) - 1)).toBeLessThan(1e-5);
  // The environment is a covariate of the null model, the last one.
  const { reml } = await run.nullModel();
  expect(reml.beta.length).toBe(2 * (cohort.covariateNames.length + 1));
  for (const options of [
    { threads: 2, chunk: 7 },
    { threads: 2, chunk: 1 },
  ]) {
    const again: number[] = [];
    for await (const { pScore } of associateMultivariate(study, cohort, e, {
      tests: ["score"],
      ...options,
    }).columns())
      again.push(...pScore);
    expect(again).toEqual(p);
  }
});

it("an environment that is a covariate, or that nobody has, is refused by name", async () => {
  const folder = tempFolder();
  await using study = await openPlink(copyFamilies(folder));
  const constant = join(folder, "c.txt");
  writeFileSync(constant, "3\n".repeat(study.n));
  await expect(joinMultivariate(study, { traits: [1, 2], environment: constant })).rejects.toMatchObject({
    code: "COVAR_RANK",
  });
  writeFileSync(constant, "NA\n".repeat(study.n));
  await expect(joinMultivariate(study, { traits: [1, 2], environment: constant })).rejects.toMatchObject({
    code: "NO_ANALYZED_SAMPLES",
  });
});

it("log and JSON say each trait's share of variance, the correlations and what to look at", async () => {
  const folder = tempFolder();
  copyFamilies(folder);
  const gk = await lmm(["-bfile", "families", "-gk", "1", "-o", "k"], { cwd: folder });
  expect(gk, gk.err).toMatchObject({ code: 0 });
  const run = await lmm(
    [
      "-bfile",
      "families",
      "-k",
      "output/k.cXX.txt",
      "-n",
      "1",
      "2",
      "-lmm",
      "1",
      "-o",
      "m",
      "--json",
      "--report",
      "m.html",
    ],
    { cwd: folder },
  );
  expect(run, run.err).toMatchObject({ code: 0 });
  const json = JSON.parse(run.out);
  const { vg, ve, pve, pveSe, geneticCorrelation, geneticCorrelationSe, residualCorrelation } =
    json.nullModel.reml;
  expect(geneticCorrelation[1]).toBeCloseTo(vg[1] / Math.sqrt(vg[0] * vg[3]), 12);
  expect(residualCorrelation[2]).toBeCloseTo(ve[1] / Math.sqrt(ve[0] * ve[3]), 12);
  for (const [share, error] of [
    [pve[0], pveSe[0]],
    [pve[1], pveSe[1]],
    [geneticCorrelation[1], geneticCorrelationSe[1]],
  ]) {
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(1);
    expect(error).toBeGreaterThan(0.01);
    expect(error).toBeLessThan(0.5);
  }
  expect(json.diagnostics.lambdaGC).toBeGreaterThan(0.5);
  expect(json.diagnostics.kinship.twins.count).toBe(0);
  expect(json.diagnostics.qq.rank.length).toBeGreaterThan(100);
  expect(json.diagnostics.problems.COLLINEAR).toBe(0);
  const log = readFileSync(join(folder, "output/m.log.txt"), "utf8");
  expect(log).toMatch(/## pve of trait 1 = 0\.\d+, se = 0\.\d+\n## pve of trait 2 = /);
  expect(log).toMatch(/## genetic correlation of traits 1 and 2 = 0\.\d+, se = 0\.\d+\n/);
  expect(log).toContain("## genomic inflation lambda_GC = ");
  expect(log).toContain("## pairs with equal genotypes = 0");
  const html = readFileSync(join(folder, "m.html"), "utf8");
  expect(json.files).toContain("m.html");
  for (const part of [
    "pve of trait 2",
    "traits 1 and 2",
    "effect on trait 1 ± se",
    "pairs with equal genotypes",
  ])
    expect(html).toContain(part);
  expect(html).not.toContain("NaN");
});

it("one trait's share of variance among several is near the one it has alone", async () => {
  await using study = await openPlink(copyFamilies(tempFolder()));
  const cohort = await joinMultivariate(study, { traits: [1, 2] });
  await using k = await kinship(study, cohort);
  await using e = await eigen(k, cohort);
  const { reml } = await associateMultivariate(study, cohort, e).nullModel();
  const alone = await nullModel(cohort, e);
  expect(Math.abs(reml.pve[0]! - alone.pve)).toBeLessThan(0.05);
  expect(Math.abs(reml.pveSe[0]! / alone.pveSe - 1)).toBeLessThan(0.2);
});

it("-emi -emp -nri -nrp are taken, and a run cut short says so in the log", async () => {
  const folder = tempFolder();
  copyFamilies(folder);
  const gk = await lmm(["-bfile", "families", "-gk", "1", "-o", "k"], { cwd: folder });
  expect(gk, gk.err).toMatchObject({ code: 0 });
  const options = [
    "-n",
    "1",
    "2",
    "-lmm",
    "1",
    "-emi",
    "3",
    "-emp",
    "0.5",
    "-nri",
    "1",
    "-nrp",
    "1e-12",
    "-o",
    "short",
  ];
  const run = await lmm(["-bfile", "families", "-k", "output/k.cXX.txt", ...options], { cwd: folder });
  expect(run, run.err).toMatchObject({ code: 0 });
  const log = readFileSync(join(folder, "output/short.log.txt"), "utf8");
  expect(Number(/search ended before its precision = (\d+)/.exec(log)![1])).toBeGreaterThan(300);
});

it("several -n: --neglog10p, --eig, -d -u, --pcs and dosages give the numbers of the plain command", async () => {
  const folder = tempFolder();
  const prefix = writeTraits(folder, 2, 60, 80);
  const at = ["-bfile", prefix, "-outdir", folder, "-n", "1", "2", "-miss", "1"];
  const ok = async (args: string[]): Promise<void> => {
    const ran = await lmm(args);
    expect(ran, ran.err).toMatchObject({ code: 0 });
  };
  const rows = (name: string): string[][] =>
    readFileSync(join(folder, `${name}.assoc.txt`), "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split("\t"));
  await ok([...at, "-gk", "1", "-o", "k"]);
  const K = join(folder, "k.cXX.txt");
  await ok([...at, "-k", K, "-lmm", "4", "-o", "plain"]);
  await ok([...at, "-k", K, "-lmm", "4", "--neglog10p", "-o", "neg"]);
  const plain = rows("plain");
  expect(rows("neg")[0]!.slice(-3)).toEqual(["wald", "lrt", "score"].map((test) => `neg_log10_p_${test}`));
  expect(rows("neg").map((row) => row.slice(0, -3))).toEqual(plain);
  for (const row of rows("neg").slice(1))
    for (const t of [-3, -2, -1])
      expect(Number(row.at(t))).toBeCloseTo(-Math.log10(Number(row.at(t - 3))), 5);
  // The decomposition from files.
  await ok(["-bfile", prefix, "-outdir", folder, "-k", K, "-eigen", "-o", "e"]);
  const files = ["-d", join(folder, "e.eigenD.txt"), "-u", join(folder, "e.eigenU.txt")];
  await ok([...at, ...files, "-lmm", "4", "-o", "read"]);
  const close = (name: string, digits: number): void => {
    for (const [i, row] of rows(name).entries())
      for (const [j, cell] of row.entries())
        if (i === 0 || j < 7) expect(cell).toBe(plain[i]![j]);
        else expect(Math.abs(Number(cell) / Number(plain[i]![j]) - 1)).toBeLessThan(digits);
  };
  close("read", 1e-3);
  // Components are covariates.
  await ok([...at, "-k", K, "-lmm", "1", "--pcs", "2", "-o", "pcs", "--json"]);
  expect(readFileSync(join(folder, "pcs.log.txt"), "utf8")).toContain("number of covariates = 3");
  // The same genotypes as dosages.
  const bed = readFileSync(`${prefix}.bed`);
  const dosage = ["2", "NA", "1", "0"];
  const geno = Array.from({ length: 80 }, (_, j) =>
    [
      `v${j + 1}, A, C`,
      ...Array.from({ length: 60 }, (_v, i) => dosage[(bed[3 + j * 15 + (i >> 2)]! >> (2 * (i & 3))) & 3]),
    ].join(", "),
  );
  writeFileSync(join(folder, "g.txt"), `${geno.join("\n")}\n`);
  const fam = readFileSync(`${prefix}.fam`, "utf8").trim().split("\n");
  writeFileSync(
    join(folder, "p.txt"),
    fam.map((line) => `${line.split(/\s+/).slice(5).join(" ")}\n`).join(""),
  );
  const bimbam = ["-g", join(folder, "g.txt"), "-p", join(folder, "p.txt"), "-outdir", folder];
  await ok([...bimbam, "-n", "1", "2", "-miss", "1", "-k", K, "-lmm", "4", "-o", "dose"]);
  const doses = rows("dose");
  expect(doses.length).toBe(plain.length);
  for (const [i, row] of doses.entries())
    if (i > 0)
      for (let j = 7; j < row.length; j++)
        expect(Math.abs(Number(row[j]) / Number(plain[i]![j]) - 1)).toBeLessThan(1e-3);
});
