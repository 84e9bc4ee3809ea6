// What a user should look at before trusting a result: in the object, the log, the JSON and the report.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPlink } from "@x/plink-io";
import { expect, it } from "vitest";
import {
  genomicInflation,
  gwas,
  joinSamples,
  kinship,
  kinshipTwins,
  qqTable,
  VARIANT_PROBLEMS,
} from "../src/index.ts";
import { shownQq } from "../src/qq-table.ts";
import { countProblems, describeFailed, failedVariants, variantProblems } from "../src/variant-problems.ts";
import { copyFileset, lmm, simulate, tempFolder, writeFileset } from "./support/files.ts";

it("twins: every planted pair is found, named, and shows as zero eigenvalues", async () => {
  const prefix = copyFileset("twins", tempFolder());
  const out = `${prefix}.out`;
  const { diagnostics, warnings, cohort } = await gwas(prefix, { out });
  const { twins, zeros, largest, smallestPositive, condition, residual } = diagnostics.kinship;
  const analysed = new Set(cohort.analyzed);
  expect(twins!.count).toBeGreaterThan(5);
  expect(
    twins!.pairs.every((p) => analysed.has(p.first) && analysed.has(p.second) && p.distance < 0.05),
  ).toBe(true);
  expect(zeros).toBeGreaterThan(0);
  expect(condition).toBe(largest / smallestPositive);
  expect(residual).toBeLessThan(1e-12);
  const warning = warnings.find((w) => w.code === "TWINS")!;
  expect(warning.message).toContain(twins!.pairs[0]!.firstId);
  const log = readFileSync(`${out}.log.txt`, "utf8");
  expect(log).toContain(`pairs with equal genotypes = ${twins!.count}`);
  expect(log).toMatch(/kinship eigenvalues = \S+ to \S+, \d+ zero, 0 negative/);
  expect(readFileSync(`${out}.report.html`, "utf8")).toContain("pairs with equal genotypes");
});

it("no twins among families: siblings and parents are none", async () => {
  await using study = await openPlink(copyFileset("demo"));
  const cohort = await joinSamples(study);
  await using k = await kinship(study, cohort);
  expect(await kinshipTwins(k, cohort)).toEqual({ count: 0, pairs: [] });
});

it("λGC and QQ data: ranks, order and the band", () => {
  const p = Float64Array.from({ length: 999 }, (_, i) => -Math.log10((i + 1) / 1000));
  expect(genomicInflation(p)).toBeCloseTo(1, 2);
  const table = qqTable([...p, Number.NaN]);
  expect(table.numRows).toBe(999);
  const [expected, observed, low, high] = ["expected", "observed", "low", "high"].map((name) =>
    Float64Array.from(table.getChild(name)!.toArray() as Float64Array),
  );
  expect(observed![0]).toBe(3);
  expect(expected![0]).toBeCloseTo(-Math.log10(0.5 / 999), 12);
  for (let i = 0; i < 999; i++) {
    expect(low![i]!).toBeLessThan(expected![i]! + 1e-2);
    expect(high![i]!).toBeGreaterThan(expected![i]! - 1e-2);
    if (i > 0) expect(observed![i]!).toBeLessThanOrEqual(observed![i - 1]!);
  }
  // The smallest of m uniform values is below q with probability 1 - (1 - q)^m.
  expect(10 ** -high![0]!).toBeCloseTo(1 - 0.975 ** (1 / 999), 12);
});

it("each problem of a variant has its code", () => {
  const nan = Number.NaN;
  const column = (...values: number[]): Float64Array => Float64Array.from(values);
  const codes = variantProblems(
    {
      index: Uint32Array.of(0, 1, 2, 3, 4, 5, 6),
      beta: column(1, nan, 1, 1, Infinity, 1, 1),
      se: column(1, nan, nan, 0, 1, 1, 1),
      loglH1: column(-5, nan, nan, -5, -5, -5, -5),
      lRemle: column(1, nan, nan, 1, 1, 1e-5, 1e5),
    },
    { lmin: 1e-5, lmax: 1e5 },
  );
  const names = Object.keys(VARIANT_PROBLEMS);
  expect(Array.from(codes, (code) => names[code - 1])).toEqual([
    undefined,
    "COLLINEAR",
    "NO_CONVERGENCE",
    "PERFECT_FIT",
    "NOT_FINITE",
    "LAMBDA_LOW",
    "LAMBDA_HIGH",
  ]);
});

it("a variant that the covariates are is listed with its reason; λ at its bound is counted", async () => {
  const n = 60;
  const { genotypes, phenotypes } = simulate(n, 40);
  const same = Array.from({ length: n }, (_, i) => [0, 1, 2, 1][i % 4]!);
  const folder = tempFolder();
  const prefix = writeFileset(folder, [...genotypes, same], phenotypes);
  const covariates = join(folder, "c.txt");
  writeFileSync(covariates, same.map((g, i) => `${g} ${(i * 31) % 17}\n`).join(""));
  const { diagnostics, degenerate } = await gwas(prefix, { covariates, r2: 1, lmin: 0.5, lmax: 0.6 });
  expect(degenerate).toBe(1);
  expect(diagnostics.problems.COLLINEAR).toBe(1);
  expect(diagnostics.problems.LAMBDA_LOW + diagnostics.problems.LAMBDA_HIGH).toBeGreaterThan(30);
  const { problemVariants } = diagnostics;
  expect(problemVariants.schema.fields.map((f) => f.name)).toEqual([
    "index",
    "chrom",
    "id",
    "pos",
    "code",
    "reason",
  ]);
  expect([...problemVariants].map((r) => [r.index, r.id, r.code])).toEqual([[40, "v41", "COLLINEAR"]]);
  expect(diagnostics.failed).toEqual([{ chrom: "1", id: "v41", pos: 41_000, code: "COLLINEAR" }]);
  const out = join(folder, "out");
  const ran = await lmm(["gwas", "--bfile", prefix, "-c", covariates, "-r2", "1", "--out", out, "--json"]);
  const json = JSON.parse(ran.out);
  expect(json.diagnostics.problems.COLLINEAR).toBe(1);
  expect(json.diagnostics.kinship.largest).toBeGreaterThan(0);
  expect(json.diagnostics.failed).toEqual(diagnostics.failed);
  const { rank, expected, observed, low, high } = json.diagnostics.qq;
  expect(rank).toEqual(Array.from({ length: json.filters.kept - 1 }, (_, i) => i + 1));
  for (const values of [expected, observed, low, high]) expect(values.length).toBe(rank.length);
  expect(readFileSync(`${out}.log.txt`, "utf8")).toMatch(
    /1 variants: a combination of the covariates.*\(COLLINEAR\)/,
  );
  expect(readFileSync(`${out}.log.txt`, "utf8")).toContain("COLLINEAR: v41");
  const html = readFileSync(`${out}.report.html`, "utf8");
  expect(html).toContain("(COLLINEAR)");
  expect(html).toContain("COLLINEAR: v41");
});

it("a header may say ' of ': log and report have the whole name", async () => {
  const folder = tempFolder();
  const prefix = copyFileset("demo", folder);
  const people = readFileSync(`${prefix}.fam`, "utf8").trimEnd().split("\n");
  const rows = people.map((line, i) => `${line.split(/\s+/)[1]},${(i * 31) % 17},${"abc"[i % 3]}\n`);
  const covariates = join(folder, "c.csv");
  writeFileSync(covariates, `IID,years of school,place of birth\n${rows.join("")}`);
  const out = join(folder, "of");
  const { cohort } = await gwas(prefix, { covariates, on: "iid", categorical: ["place of birth"], out });
  expect(cohort.covariateNames).toEqual([
    "years of school",
    "place of birth=b",
    "place of birth=c",
    "intercept",
  ]);
  const html = readFileSync(`${out}.report.html`, "utf8");
  expect(html).toContain("years of school, place of birth=b, place of birth=c, intercept");
  expect(html).toContain("categories of place of birth");
  const log = readFileSync(`${out}.log.txt`, "utf8");
  // The null model was fitted before the association, whose work it is not.
  expect(log).not.toContain("null models = 0");
  expect(log).toMatch(/## rotated columns = \d+, searches = /);
  // By position the path is left out of the report, as before.
  writeFileSync(covariates, rows.map((row) => row.split(",").slice(1).join(" ")).join(""));
  await gwas(prefix, { covariates, categorical: [2], out });
  expect(readFileSync(`${out}.report.html`, "utf8")).toContain("column 1, column 2=b, column 2=c, intercept");
});

it("failed variants are named up to twenty of a reason, QQ ranks thinned where there are many", () => {
  const index = Uint32Array.from({ length: 50 }, (_, i) => i);
  const bim = { chrom: Array(50).fill("1"), id: Array.from(index, (i) => `v${i}`), pos: index } as never;
  const codes = Uint8Array.from(index, (i) => (i < 30 ? 1 : i < 33 ? 2 : 0));
  const failed = failedVariants({ bim }, { index, codes, negLog10P: new Float64Array(50) });
  expect(failed.map((v) => v.id)).toEqual([
    ...Array.from({ length: 20 }, (_, i) => `v${i}`),
    "v30",
    "v31",
    "v32",
  ]);
  expect(describeFailed(failed, countProblems(codes))).toEqual([
    expect.stringMatching(/^COLLINEAR: v0, .* and 10 more$/),
    "PERFECT_FIT: v30, v31, v32",
  ]);
  const p = Float64Array.from({ length: 100_000 }, (_, i) => -Math.log10((i + 0.5) / 100_000));
  const { rank, observed, expected } = shownQq(p);
  expect(rank.length).toBeLessThan(700);
  expect([rank[0], rank[99], rank.at(-1)]).toEqual([1, 100, 100_000]);
  for (const [i, value] of observed.entries()) expect(value).toBeCloseTo(expected[i]!, 9);
});
