// Inputs beyond a fileset and its centred kinship, against GEMMA 0.98.5: golden/inputs/make.sh holds the command lines.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { compareAssoc, compareKinship, openBimbam } from "../src/index.ts";
import { copyFileset, gunzipText, lmm, mouse, squareText, tempFolder } from "./support/files.ts";

const here = fileURLToPath(new URL("golden/inputs/", import.meta.url));
const ref = (file: string): string => join(here, file);
const folder = tempFolder();
const prefix = copyFileset("mod2", folder);
const out = (file: string): string => join(folder, "o", file);

async function run(...args: string[]): Promise<string> {
  const ran = await lmm([...args, "-outdir", join(folder, "o")], { cwd: folder });
  expect(ran, ran.err).toMatchObject({ code: 0 });
  return ran.err;
}

async function sameAssoc(ours: string, theirs: string): Promise<number> {
  const result = await compareAssoc(ours, theirs);
  expect(result, JSON.stringify(result.columns.filter((c) => c.failures > 0))).toMatchObject({
    ok: true,
    headerEqual: true,
    problems: [],
  });
  return result.rows;
}

async function sameKinship(ours: string, theirs: string): Promise<void> {
  const result = await compareKinship(ours, theirs);
  expect(result.problems).toEqual([]);
  expect(result.columns[0]!.failures, JSON.stringify(result.columns[0]!.worst)).toBe(0);
}

function square(name: string, lower: string): string {
  const path = join(folder, name);
  writeFileSync(path, squareText(lower));
  return path;
}

describe("a fileset", () => {
  it("-gk 2 and the association from it", async () => {
    await run("-bfile", prefix, "-gk", "2", "-o", "k2");
    await sameKinship(out("k2.sXX.txt"), ref("mod2_gk2.sXX.txt.lower.gz"));
    const k = square("gemma.sXX.txt", ref("mod2_gk2.sXX.txt.lower.gz"));
    await run("-bfile", prefix, "-k", k, "-lmm", "1", "-o", "sXX");
    expect(await sameAssoc(out("sXX.assoc.txt"), ref("mod2_sXX.assoc.txt.gz"))).toBe(53);
  });

  it("-gk 2 through lmm gwas is the same matrix", async () => {
    const k = join(folder, "k.txt");
    const ran = await lmm([
      "gwas",
      "--bfile",
      prefix,
      "-gk",
      "2",
      "--save-kinship",
      k,
      "--out",
      join(folder, "g2"),
    ]);
    expect(ran, ran.err).toMatchObject({ code: 0 });
    expect(readFileSync(k)).toEqual(readFileSync(out("k2.sXX.txt")));
  });

  it("-ksnps makes the kinship of the variants listed", async () => {
    await run("-bfile", prefix, "-gk", "1", "-ksnps", ref("ksnps.txt"), "-o", "ks");
    await sameKinship(out("ks.cXX.txt"), ref("mod2_ksnps.cXX.txt.lower.gz"));
    const k = join(folder, "ks.txt");
    await lmm([
      "gwas",
      "--bfile",
      prefix,
      "-ksnps",
      ref("ksnps.txt"),
      "--save-kinship",
      k,
      "--out",
      join(folder, "gk"),
    ]);
    expect(readFileSync(k)).toEqual(readFileSync(out("ks.cXX.txt")));
    // The tests are of all variants.
    expect(readFileSync(join(folder, "gk.assoc.txt"), "utf8").trimEnd().split("\n").length).toBe(54);
  });

  it("-eigen: GEMMA's eigenvalues, and vectors that give its association", async () => {
    const k = join(folder, "gemma.cXX.txt");
    await run("-bfile", prefix, "-gk", "1", "-o", "k1");
    writeFileSync(k, readFileSync(out("k1.cXX.txt")));
    await run("-bfile", prefix, "-k", k, "-eigen", "-o", "e");
    const numbers = (text: string): number[] => text.trim().split("\n").map(Number);
    const theirs = numbers(gunzipText(ref("mod2_eigen.eigenD.txt.gz")));
    const ours = numbers(readFileSync(out("e.eigenD.txt"), "utf8"));
    expect(ours.length).toBe(theirs.length);
    for (const [i, d] of theirs.entries())
      expect(Math.abs(ours[i]! - d)).toBeLessThanOrEqual(2e-9 * theirs.at(-1)!);
    // One row a person, tabs, no trailing one, as GEMMA's.
    const shape = (text: string): number[] =>
      text
        .trimEnd()
        .split("\n")
        .map((line) => line.split("\t").length);
    expect(shape(readFileSync(out("e.eigenU.txt"), "utf8"))).toEqual(
      shape(gunzipText(ref("mod2_eigen.eigenU.txt.gz"))),
    );
    await run(
      "-bfile",
      prefix,
      "-d",
      out("e.eigenD.txt"),
      "-u",
      out("e.eigenU.txt"),
      "-lmm",
      "1",
      "-o",
      "du",
    );
    expect(await sameAssoc(out("du.assoc.txt"), ref("mod2_du.assoc.txt.gz"))).toBe(53);
  });

  it("-d -u: from GEMMA's own files, the same rows; beside -k they are checked", async () => {
    for (const name of ["eigenD", "eigenU"])
      writeFileSync(join(folder, `${name}.txt`), gunzipText(ref(`mod2_eigen.${name}.txt.gz`)));
    const du = ["-d", join(folder, "eigenD.txt"), "-u", join(folder, "eigenU.txt")];
    await run("-bfile", prefix, ...du, "-lmm", "1", "-o", "theirs");
    expect(await sameAssoc(out("theirs.assoc.txt"), ref("mod2_du.assoc.txt.gz"))).toBe(53);
    await run("-bfile", prefix, ...du, "-k", join(folder, "gemma.cXX.txt"), "-lmm", "1", "-o", "checked");
    expect(readFileSync(out("checked.assoc.txt"))).toEqual(readFileSync(out("theirs.assoc.txt")));
  });
});

describe("BIMBAM mean genotypes", () => {
  const files = ["-g", ref("dosage.geno.txt"), "-p", ref("dosage.pheno.txt")];
  const annotated = [...files, "-a", ref("dosage.anno.txt")];
  const k = square("dosage.cXX.txt", ref("dosage_gk1.cXX.txt.lower.gz"));

  it.each([
    ["1", "cXX"],
    ["2", "sXX"],
  ])("-gk %s", async (mode, ending) => {
    const err = await run(...annotated, "-gk", mode, "-o", `d${mode}`);
    expect(err).toContain("ANNOT_MISSING");
    await sameKinship(out(`d${mode}.${ending}.txt`), ref(`dosage_gk${mode}.${ending}.txt.lower.gz`));
  });

  it.each<[string, string[], string[]]>([
    ["lmm1", annotated, []],
    ["cov", annotated, ["-c", ref("dosage.covar.txt")]],
    ["dummies", files, ["-c", ref("dosage.dummies.txt")]],
    ["hwe", files, ["-hwe", "0.001"]],
    ["notsnp", files, ["-notsnp", "-hwe", "0.001", "-miss", "0.02"]],
  ])("-lmm 1: %s", async (name, input, more) => {
    await run(...input, "-k", k, "-lmm", "1", "-o", name, ...more);
    expect(await sameAssoc(out(`${name}.assoc.txt`), ref(`dosage_${name}.assoc.txt.gz`))).toBeGreaterThan(40);
  });

  it("gzip, and any chunk or thread count, give the same bytes", async () => {
    const packed = join(folder, "dosage.geno.txt.gz");
    writeFileSync(packed, gzipSync(readFileSync(ref("dosage.geno.txt"))));
    const [, , ...rest] = annotated;
    for (const [i, more] of [
      ["--chunk", "1"],
      ["--chunk", "7", "--threads", "2"],
    ].entries())
      await run("-g", packed, ...rest, "-k", k, "-lmm", "1", "-o", `gz${i}`, ...more);
    const expected = readFileSync(out("lmm1.assoc.txt"));
    expect(readFileSync(out("gz0.assoc.txt"))).toEqual(expected);
    expect(readFileSync(out("gz1.assoc.txt"))).toEqual(expected);
    await run("-g", packed, ...rest, "-gk", "2", "--chunk", "11", "-o", "gz2");
    expect(readFileSync(out("gz2.sXX.txt"))).toEqual(readFileSync(out("d2.sXX.txt")));
  });

  it("by id with a category: the dummies that GEMMA was given, named in the log", async () => {
    const named = ["-c", ref("dosage.covar.tsv"), "--on", "iid", "--categorical", "batch"];
    const people = join(folder, "pheno.tsv");
    const values = readFileSync(ref("dosage.pheno.txt"), "utf8").trim().split("\n");
    writeFileSync(
      people,
      `IID\ty\n${values
        .map((v, i) => `${i + 1}\t${v}\n`)
        .reverse()
        .join("")}`,
    );
    await run("-g", ref("dosage.geno.txt"), "-p", people, ...named, "-k", k, "-lmm", "1", "-o", "cat");
    expect(await sameAssoc(out("cat.assoc.txt"), ref("dosage_dummies.assoc.txt.gz"))).toBeGreaterThan(40);
    const log = readFileSync(out("cat.log.txt"), "utf8");
    expect(log).toMatch(
      /categorical covariate batch: .* but east; people: east \(\d+\), north \(\d+\), south \(\d+\)/,
    );
  });
});

const there = existsSync(join(mouse, "mouse_hs1940.first1500.geno.txt.gz"));
if (!there) console.warn(`mouse_hs1940 is not at ${mouse}: the reference of its BIMBAM files is skipped`);

describe.skipIf(!there)("mouse_hs1940, BIMBAM, first 1,500 variants", () => {
  const of = (file: string): string => join(mouse, file);
  const files = [
    "-g",
    of("mouse_hs1940.first1500.geno.txt.gz"),
    "-a",
    of("mouse_hs1940.first1500.anno.txt"),
    "-p",
    of("mouse_hs1940.pheno.txt"),
  ];

  it("the kinship's first 200 rows", async () => {
    await run(...files, "-gk", "1", "-o", "m");
    const rows = (text: string): number[][] =>
      text
        .trimEnd()
        .split("\n")
        .map((line) => line.split(/\s+/).map(Number));
    const theirs = rows(gunzipText(of("ref/bimbam1500_gk1.cXX.block200.txt.gz")));
    const ours = rows(readFileSync(out("m.cXX.txt"), "utf8"));
    expect(ours.length).toBe(1940);
    let worst = 0;
    theirs.forEach((row, i) => {
      row.forEach((value, j) => {
        worst = Math.max(worst, Math.abs(ours[i]![j]! - value) / Math.max(Math.abs(value), 1e-3));
      });
    });
    expect(worst).toBeLessThanOrEqual(1e-9);
  });

  it("-lmm 4: the same 1,355 variants and every column within tolerance", async () => {
    const study = await openBimbam(files[1]!);
    expect([study.n, study.p]).toEqual([1940, 1500]);
    const path = square("mouse.cXX.txt", of("ref/k1.cXX.lower.txt.gz"));
    await run(...files, "-k", path, "-lmm", "4", "-n", "1", "-o", "m4");
    expect(await sameAssoc(out("m4.assoc.txt"), of("ref/bimbam1500_lmm4.assoc.txt.gz"))).toBe(1355);
  });
});

describe.skipIf(!there)("mouse_hs1940, standardised kinship", () => {
  const of = (file: string): string => join(mouse, file);
  const fileset = join(mouse, "mouse_hs1940");
  const rows = (text: string): number[][] =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/\s+/).map(Number));

  it("-gk 2: the first 400 rows, trace and norm", async () => {
    await run("-bfile", fileset, "-gk", "2", "-o", "mk2");
    const ours = rows(readFileSync(out("mk2.sXX.txt"), "utf8"));
    expect(ours.length).toBe(1940);
    for (const [i, row] of rows(gunzipText(of("ref/k2.sXX.block400.txt.gz"))).entries())
      for (const [j, value] of row.entries())
        expect(Math.abs(ours[i]![j]! - value)).toBeLessThanOrEqual(1e-9 * Math.max(Math.abs(value), 1e-3));
    let [trace, square_] = [0, 0];
    ours.forEach((row, i) => {
      trace += row[i]!;
      for (const v of row) square_ += v * v;
    });
    expect(Math.abs(trace / 1940 - 1)).toBeLessThan(1e-9);
    expect(Math.abs(Math.sqrt(square_) / 192.151587102 - 1)).toBeLessThan(1e-9);
  });

  it("-lmm 4 from it", async () => {
    await run("-bfile", fileset, "-k", out("mk2.sXX.txt"), "-lmm", "4", "-n", "1", "-o", "msXX");
    expect(await sameAssoc(out("msXX.assoc.txt"), of("ref/lmm4_sXX.assoc.txt.gz"))).toBe(10768);
  });

  it("-eigen and -d -u give the association of -k, to the ten digits of the files", async () => {
    const k = join(folder, "mouse.cXX.txt");
    await run("-bfile", fileset, "-k", k, "-eigen", "-o", "me");
    const theirs = gunzipText(of("ref/eig.eigenD.txt.gz")).trim().split("\n").map(Number);
    const ours = readFileSync(out("me.eigenD.txt"), "utf8").trim().split("\n").map(Number);
    expect(ours.length).toBe(theirs.length);
    for (const [i, d] of theirs.entries())
      expect(Math.abs(ours[i]! - d)).toBeLessThanOrEqual(1e-8 * Math.abs(d));
    await run(
      "-bfile",
      fileset,
      "-d",
      out("me.eigenD.txt"),
      "-u",
      out("me.eigenU.txt"),
      "-lmm",
      "4",
      "-o",
      "mdu",
    );
    expect(await sameAssoc(out("mdu.assoc.txt"), of("ref/lmm4.assoc.txt.gz"))).toBe(10768);
  });
});
