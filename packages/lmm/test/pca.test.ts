// Principal components against PLINK 2 and numpy: golden/inputs/make.sh and pca.py.
import { readFileSync } from "node:fs";
import { openPlink } from "@x/plink-io";
import { expect, it } from "vitest";
import { eigen, gwas, joinSamples, kinship, pca, withComponents } from "../src/index.ts";
import { copyFileset } from "./support/files.ts";

const ref = (file: string): string => readFileSync(new URL(`golden/inputs/${file}`, import.meta.url), "utf8");
const prefix = copyFileset("mod2");

/** A reference vector with the sign of ours. */
function turned(ours: ArrayLike<number>, theirs: readonly number[]): number[] {
  const dot = theirs.reduce((sum, v, i) => sum + v * ours[i]!, 0);
  return theirs.map((v) => (dot < 0 ? -v : v));
}

it("PLINK 2: variants without a missing call", async () => {
  const vectors = ref("mod2.plink2.eigenvec")
    .trim()
    .split("\n")
    .slice(1)
    .map((l) => l.split("\t").slice(2).map(Number));
  const values = ref("mod2.plink2.eigenval").trim().split("\n").map(Number);
  await using study = await openPlink(prefix);
  const found = await pca(study, { components: 5, miss: 0 });
  expect(vectors.length).toBe(study.n);
  // PLINK prints six digits.
  values.forEach((value, j) => {
    expect(Math.abs(found.values[j]! / value - 1)).toBeLessThan(1e-5);
    const theirs = turned(
      found.vectors[j]!,
      vectors.map((row) => row[j]!),
    );
    for (const [i, v] of theirs.entries()) expect(Math.abs(found.vectors[j]![i]! - v)).toBeLessThan(2e-5);
  });
});

it.each(["centered", "hardy"] as const)("numpy, missing calls at the mean: %s", async (mode) => {
  const expected = JSON.parse(ref("mod2.numpy.json"));
  await using study = await openPlink(prefix);
  const found = await pca(study, { components: 6, mode });
  expect(found.filters.kept).toBe(expected.variants);
  for (let j = 0; j < 6; j++) {
    expect(Math.abs(found.values[j]! / expected[mode].values[j] - 1)).toBeLessThan(1e-12);
    expect(found.share[j]).toBeCloseTo(expected[mode].values[j] / expected[mode].trace, 12);
    const theirs = turned(found.vectors[j]!, expected[mode].vectors[j]);
    for (const [i, v] of theirs.entries()) expect(Math.abs(found.vectors[j]![i]! - v)).toBeLessThan(1e-10);
  }
});

it("the largest entry is positive, in any block and with any threads; the table joins as covariates", async () => {
  await using study = await openPlink(prefix);
  const one = await pca(study, { components: 4, chunk: 7, threads: 1 });
  const two = await pca(study, { components: 4, chunk: 64, threads: 2 });
  expect(two.vectors).toEqual(one.vectors);
  for (const vector of one.vectors) {
    const top = vector.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
    expect(top).toBeGreaterThan(0);
  }
  expect(one.table.schema.fields.map((f) => f.name)).toEqual(["fid", "iid", "PC1", "PC2", "PC3", "PC4"]);
  const cohort = await joinSamples(study, { covariates: one.table, on: "fid+iid" });
  expect(cohort.covariateNames).toEqual(["PC1", "PC2", "PC3", "PC4", "intercept"]);
});

it("--pcs: components of the analysed people's own kinship, as covariates given by hand", async () => {
  const result = await gwas(prefix, { components: 3 });
  expect(result.cohort.covariateNames).toEqual(["intercept", "PC1", "PC2", "PC3"]);
  await using study = await openPlink(prefix);
  const cohort = await joinSamples(study);
  await using k = await kinship(study, cohort);
  await using e = await eigen(k, cohort);
  const more = withComponents(cohort, e, 3);
  expect(more.hash).toBe(cohort.hash);
  expect(more.w).toEqual(result.cohort.w);
  expect(more.dropped.numRows).toBe(cohort.drops.length);
  const found = await pca(study, { components: 3, cohort, mode: "centered" });
  const n = cohort.analyzed.length;
  // Cut and centred again, the kinship of everyone is nearly that of the analysed: one person is missing here.
  found.vectors.forEach((vector, j) => {
    const column = more.w.subarray((j + 1) * n, (j + 2) * n);
    expect(Math.abs(vector.reduce((sum, v, i) => sum + v * column[i]!, 0))).toBeGreaterThan(0.99);
  });
});

it("more components than the genotypes have, and nonsense, are refused", async () => {
  await using study = await openPlink(prefix);
  for (const components of [0, 1.5, study.n, 1e9])
    await expect(pca(study, { components })).rejects.toMatchObject({ code: "OPTION_RANGE" });
  await expect(pca(study, { compnents: 3 } as never)).rejects.toMatchObject({ code: "UNKNOWN_OPTION" });
});
