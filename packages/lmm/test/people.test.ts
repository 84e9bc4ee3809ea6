// Tables by name and by id: categories, components, and the report of who was dropped and why.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPlink } from "@x/plink-io";
import { tableFromArrays } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { gwas, joinMultivariate, joinSamples } from "../src/index.ts";
import { copyFileset, lmm, randoms, simulate, tempFolder, writeFileset } from "./support/files.ts";

const folder = tempFolder();
const N = 40;
const sim = simulate(N, 60);
const prefix = writeFileset(folder, sim.genotypes, sim.phenotypes);
const random = randoms(9);
const age = Array.from({ length: N }, () => (20 + 40 * random()).toFixed(1));
const batch = Array.from({ length: N }, (_, i) => ["b10", "b2", "b1"][i % 3]!);
const file = (name: string, header: string, row: (i: number) => string | undefined): string => {
  const lines = Array.from({ length: N }, (_, i) => row(i)).filter((line) => line !== undefined);
  writeFileSync(join(folder, name), `${[...(header === "" ? [] : [header]), ...lines].join("\n")}\n`);
  return join(folder, name);
};
const named = file("c.tsv", "FID\tIID\tage\tbatch\tnoise", (i) =>
  [`f${i + 1}`, `i${i + 1}`, age[i], batch[i], random().toFixed(3)].join("\t"),
);
const column = (w: Float64Array, n: number, j: number): number[] =>
  Array.from(w.subarray(j * n, (j + 1) * n));

describe("categorical covariates", () => {
  it("one column of 0 and 1 for each level but the first; levels in order, the intercept at the end", async () => {
    await using study = await openPlink(prefix);
    const cohort = await joinSamples(study, {
      covariates: named,
      on: "fid+iid",
      covariateNames: ["batch", "age"],
      categorical: ["batch"],
    });
    const n = cohort.analyzed.length;
    expect(cohort.covariateNames).toEqual(["batch=b10", "batch=b2", "age", "intercept"]);
    expect(cohort.categories).toEqual([
      {
        name: "batch",
        reference: "b1",
        levels: ["b1", "b10", "b2"].map((level) => ({
          level,
          people: batch.filter((b) => b === level).length,
        })),
      },
    ]);
    expect(column(cohort.w, n, 0)).toEqual(batch.map((b) => Number(b === "b10")));
    expect(column(cohort.w, n, 1)).toEqual(batch.map((b) => Number(b === "b2")));
    expect(column(cohort.w, n, 2)).toEqual(age.map(Number));
  });

  it("numbers are ordered as numbers; by position the column has a number; NA drops the person", async () => {
    const path = file("pos.txt", "", (i) => `${[10, 9, 2][i % 3]} ${i === 4 ? "NA" : "xy"[i % 2]}`);
    await using study = await openPlink(prefix);
    const cohort = await joinSamples(study, { covariates: path, categorical: [1, "2"] });
    expect(cohort.categories.map((c) => [c.reference, c.levels.map((l) => l.level)])).toEqual([
      ["2", ["2", "9", "10"]],
      ["x", ["x", "y"]],
    ]);
    expect(cohort.covariateNames[0]).toBe(`column 1=9 of ${path}`);
    expect(cohort.drops).toEqual([{ row: 4, reason: "covariate missing" }]);
  });

  it("a level that nobody analysed has gets no column", async () => {
    const path = file("rare.txt", "", (i) => (i === 0 ? "rare" : "ab"[i % 2]!));
    const pheno = file("p.txt", "", (i) => (i === 0 ? "NA" : sim.phenotypes[i]));
    await using study = await openPlink(prefix);
    const cohort = await joinSamples(study, { phenotypes: pheno, covariates: path, categorical: [1] });
    expect(cohort.categories[0]!.levels.map((l) => l.level)).toEqual(["a", "b"]);
  });

  it("refusals: one level, an unknown name, collinear with another column, text without --categorical", async () => {
    await using study = await openPlink(prefix);
    const join_ = (o: Parameters<typeof joinSamples>[1]) => joinSamples(study, o);
    const same = file("same.txt", "", () => "a");
    await expect(join_({ covariates: same, categorical: [1] })).rejects.toMatchObject({
      code: "CATEGORY_LEVELS",
    });
    await expect(join_({ covariates: named, on: "iid", categorical: ["batsh"] })).rejects.toMatchObject({
      code: "COVAR_COLUMN",
      exitCode: 2,
    });
    await expect(join_({ covariates: same, categorical: [2] })).rejects.toMatchObject({
      code: "COVAR_COLUMN",
    });
    await expect(
      join_({ covariates: named, on: "iid", covariateNames: ["age"], categorical: ["batch"] }),
    ).rejects.toMatchObject({ code: "COVAR_COLUMN" });
    await expect(join_({ covariates: named, on: "iid" })).rejects.toMatchObject({ code: "COVAR_PARSE" });
    const twice = file("twice.txt", "", (i) => `${"abc"[i % 3]} ${age[i]} ${Number(i % 3 === 1)}`);
    await expect(join_({ covariates: twice, categorical: [1] })).rejects.toThrow(
      /^covariate column 4 \(column 3 of .*\).*of column 1=b of/,
    );
  });
});

describe("collinear covariates are named", () => {
  it("with those that they are a sum of", async () => {
    const path = file(
      "sum.txt",
      "",
      (i) => `${age[i]} ${i % 5} ${(i * 7) % 11} ${2 * Number(age[i]) - (i % 5)}`,
    );
    await using study = await openPlink(prefix);
    const error = await joinSamples(study, { covariates: path }).catch((e: unknown) => e);
    expect(error).toMatchObject({
      code: "COVAR_RANK",
      details: { column: 4, of: [`column 1 of ${path}`, `column 2 of ${path}`] },
    });
  });

  it("nearly: a warning, the log and the report", async () => {
    const path = file("near.txt", "", (i) => `${age[i]} ${Number(age[i]) + 0.01 * (i % 3)} ${i % 4}`);
    const out = join(folder, "near");
    const result = await gwas(prefix, { covariates: path, out });
    const [a, b, c] = result.diagnostics.covariates;
    expect(a!.inflation).toBeGreaterThan(1000);
    expect(a!.nearest).toBe(b!.name);
    expect(c!.inflation).toBeLessThan(2);
    expect(result.warnings.filter((w) => w.code === "COVAR_COLLINEAR").length).toBe(2);
    expect(readFileSync(`${out}.log.txt`, "utf8")).toMatch(/covariate column 1 of .*: variance inflation/);
    expect(readFileSync(`${out}.report.html`, "utf8")).toContain("nearly a sum of others");
  });
});

it("who was dropped and why: a typed table, counts in log and JSON", async () => {
  const pheno = file("some.tsv", "IID\ty", (i) =>
    i < 2 ? undefined : `i${i + 1}\t${i === 5 ? "NA" : sim.phenotypes[i]}`,
  );
  const covar = file("few.tsv", "IID\tage", (i) =>
    i === 9 ? undefined : `i${i + 1}\t${i === 8 ? "NA" : age[i]}`,
  );
  await using study = await openPlink(prefix);
  const cohort = await joinSamples(study, { phenotypes: pheno, covariates: covar, on: "iid" });
  const { dropped } = cohort;
  expect(dropped.schema.fields.map((f) => [f.name, String(f.type)])).toEqual([
    ["row", "Int32"],
    ["fid", "Utf8"],
    ["iid", "Utf8"],
    ["reason", "Utf8"],
  ]);
  expect([...dropped].map((r) => `${r.row} ${r.fid} ${r.iid} ${r.reason}`)).toEqual([
    "0 f1 i1 not in phenotype file",
    "1 f2 i2 not in phenotype file",
    "5 f6 i6 phenotype missing",
    "8 f9 i9 covariate missing",
    "9 f10 i10 not in covariate file",
  ]);
  const out = join(folder, "dropped");
  const ran = await lmm([
    "gwas",
    "--bfile",
    prefix,
    "-p",
    pheno,
    "-c",
    covar,
    "--on",
    "iid",
    "--out",
    out,
    "--json",
  ]);
  expect(ran, ran.err).toMatchObject({ code: 0 });
  expect(JSON.parse(ran.out).people).toEqual({
    total: N,
    analyzed: N - 5,
    dropped: {
      "not in phenotype file": 2,
      "phenotype missing": 1,
      "covariate missing": 1,
      "not in covariate file": 1,
    },
  });
  expect(readFileSync(`${out}.log.txt`, "utf8")).toContain("people dropped, not in phenotype file = 2");
});

it("the GEMMA form takes names and ids as lmm gwas does: the same bytes", async () => {
  const people = [
    "-c",
    named,
    "--on",
    "fid+iid",
    "--covar",
    "age,batch",
    "--categorical",
    "batch",
    "--pcs",
    "2",
  ];
  const k = join(folder, "k.arrow");
  const g = await lmm([
    ...["gwas", "--bfile", prefix, "--out", join(folder, "g"), "--save-kinship", k],
    ...people,
  ]);
  expect(g, g.err).toMatchObject({ code: 0 });
  const l = await lmm(["-bfile", prefix, "-k", k, "-lmm", "1", "-o", "l", "-outdir", folder, ...people]);
  expect(l, l.err).toMatchObject({ code: 0 });
  expect(readFileSync(join(folder, "l.assoc.txt"))).toEqual(readFileSync(join(folder, "g.assoc.txt")));
  const log = readFileSync(join(folder, "l.log.txt"), "utf8");
  expect(log).toMatch(/number of covariates = 6\n/);
  expect(log).toContain("categorical covariate batch: 0/1 columns for each level but b1");
});

it("the demo's sex as a category is its 0/1 column", async () => {
  const demo = copyFileset("mod2", folder);
  const byNumber = await gwas(demo, { covariates: `${demo}.covar.tsv`, on: "fid+iid" });
  const sex = byNumber.cohort.covariateNames.find((name) => /sex/i.test(name))!;
  const byLevel = await gwas(demo, { covariates: `${demo}.covar.tsv`, on: "fid+iid", categorical: [sex] });
  expect(byLevel.filters).toEqual(byNumber.filters);
  byLevel.columns.beta.forEach((beta, i) => {
    expect(beta).toBeCloseTo(byNumber.columns.beta[i]!, 6);
  });
});

it("an Arrow table is joined by id: −9 is a missing phenotype there", async () => {
  await using study = await openPlink(prefix);
  const table = tableFromArrays({
    IID: [...study.fam.iid],
    y: Float64Array.from({ length: N }, (_, i) => (i % 5 === 0 ? -9 : Math.sin(i))),
  });
  const warnings: string[] = [];
  const cohort = await joinSamples(study, { phenotypes: table, onWarning: (w) => warnings.push(w.code) });
  expect(cohort.analyzed.length).toBe(N - N / 5);
  expect(cohort.hash).toBe((await joinSamples(study, { phenotypes: table, on: "iid" })).hash);
  expect(warnings).toEqual([]);
});

it("several traits: categories are those of the people with all of them", async () => {
  await using study = await openPlink(prefix);
  // The level z occurs only in people without the second trait.
  const lacking = (i: number): boolean => i % 8 === 3;
  const traits = file("mv.txt", "FID\tIID\ta\tb", (i) =>
    [`f${i + 1}`, `i${i + 1}`, Math.sin(i), lacking(i) ? "NA" : Math.cos(i * i)].join("\t"),
  );
  const levels = file("mv.c.tsv", "FID\tIID\tsite", (i) =>
    [`f${i + 1}`, `i${i + 1}`, lacking(i) ? "z" : ["x", "y"][i % 2]].join("\t"),
  );
  const cohort = await joinMultivariate(study, {
    phenotypes: traits,
    traits: ["a", "b"],
    covariates: levels,
    on: "fid+iid",
    categorical: ["site"],
  });
  expect(cohort.covariateNames).toEqual(["site=y", "intercept"]);
  const n = cohort.analyzed.length;
  expect(n).toBe(N - 5);
  const counts = cohort.categories[0]!.levels.map(({ level, people }) => [level, people]);
  expect(counts.map(([level]) => level)).toEqual(["x", "y"]);
  expect(counts.reduce((sum, [, people]) => sum + Number(people), 0)).toBe(n);
});
