// Which route is taken, what it predicts, and what the dual refuses.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPlink } from "@x/plink-io";
import { describe, expect, it } from "vitest";
import {
  type AssociationColumns,
  associate,
  associateMultivariate,
  associateTraits,
  dualKinship,
  eigen,
  gwas,
  joinMultivariate,
  joinSamples,
  kinship,
  kinshipTwins,
  nullModel,
  planGwas,
  planStudy,
  withComponents,
} from "../src/index.ts";
import { copyFileset, lmm, names, simulate, tempFolder, writeFileset } from "./support/files.ts";
import { copyFamilies } from "./support/multivariate.ts";

describe("the route", () => {
  it("200,000 × 95,000 is dual, below 512 GB, and both routes are shown", async () => {
    const plan = planGwas({ samples: 200_000, variants: 95_000 });
    expect(plan.route).toBe("dual");
    expect(plan.memory.total).toBeLessThan(512e9);
    expect(plan.other).toMatchObject({ route: "primal" });
    expect(plan.other.memory.total).toBeGreaterThan(640e9);
    expect(plan.other.hours).toBeGreaterThan(plan.hours);
    const ran = await lmm(["plan", "--samples", "200000", "--variants", "95000"]);
    expect(ran.out).toMatch(/dual route, peak \(taken\) +1\d\d GB {2}about [\d.]+ h/);
    expect(ran.out).toMatch(/primal route, peak \(other\) +6\d\d GB {2}about [\d.]+ h/);
  });

  it("is the quicker one, whatever the threads; small studies stay primal; a limit decides between two", () => {
    for (const threads of [1, 2, 64]) {
      expect(planGwas({ samples: 50_000, variants: 22_000, kinshipVariants: 2000, threads }).route).toBe(
        "dual",
      );
      expect(planGwas({ samples: 5000, variants: 500_000, threads }).route).toBe("primal");
      expect(planGwas({ samples: 60, variants: 60, kinshipVariants: 20, threads }).route).toBe("primal");
    }
    const size = { samples: 3000, variants: 20_000, kinshipVariants: 4000 };
    expect(planGwas(size).route).toBe("primal");
    const tight = planGwas({ samples: 8000, variants: 9000, kinshipVariants: 4000 }, undefined, 1e9);
    expect(tight.route).toBe("dual");
    expect(planGwas({ ...size, route: "dual" }).route).toBe("dual");
    expect(() => planGwas({ ...size, route: "fast" as never })).toThrow(
      /route must be one of auto, primal, dual/,
    );
  });

  it("planStudy and --plan say what gwas will take, and do nothing", async () => {
    const folder = tempFolder();
    const prefix = copyFileset("few-snps", folder);
    const before = names(folder);
    expect(await planStudy(prefix)).toMatchObject({ route: "primal", other: { route: "dual" } });
    const list = join(tempFolder(), "list");
    writeFileSync(list, "rs0001\nrs0002\n");
    const args = ["gwas", "--bfile", prefix, "--out", join(folder, "x"), "--plan", "--route", "dual"];
    const ran = await lmm([...args, "-ksnps", list]);
    expect(ran, ran.err).toMatchObject({ code: 0 });
    expect(ran.out).toMatch(/dual route, peak \(taken\)/);
    expect(names(folder)).toEqual(before);
  });

  it("a study whose n × n matrices do not fit runs all the same", async () => {
    const n = 30_000;
    const { genotypes, phenotypes } = simulate(n, 12, 3);
    const prefix = writeFileset(tempFolder(), genotypes, phenotypes);
    const result = await gwas(prefix, { memoryLimit: 1e9 });
    expect(result.plan).toMatchObject({ route: "dual" });
    expect(result.columns.beta.length).toBe(12);
    expect(result.columns.beta.some(Number.isNaN)).toBe(false);
  });
});

it("several phenotypes at once have the bytes of each alone", async () => {
  await using study = await openPlink(copyFileset("mod1"));
  const first = await joinSamples(study);
  const second = { ...first, y: first.y.map((v, i) => Math.sin(i) + v / 3) };
  await using k = await dualKinship(study, first);
  await using e = await eigen(k, first);
  const tests = ["wald", "lrt", "score"] as const;
  const together: AssociationColumns[][] = [];
  for await (const block of associateTraits(study, [first, second], e, { tests }))
    together.push(block as AssociationColumns[]);
  for (const [t, cohort] of [first, second].entries()) {
    const alone: AssociationColumns[] = [];
    for await (const block of associate(study, cohort, e, { tests }).columns()) alone.push(block);
    expect(together[0]![t]).toEqual(alone[0]);
  }
});

it("twins are found by the variants as by the matrix, and warned of alike", async () => {
  const prefix = copyFileset("twins", tempFolder());
  const [primal, dual] = [await gwas(prefix, { route: "primal" }), await gwas(prefix, { route: "dual" })];
  const [a, b] = [primal, dual].map((run) => run.diagnostics.kinship.twins!);
  expect(b!.count).toBe(a!.count);
  expect(b!.pairs.map(({ distance: _, ...pair }) => pair)).toEqual(
    a!.pairs.map(({ distance: _, ...pair }) => pair),
  );
  for (const [i, pair] of b!.pairs.entries()) expect(pair.distance).toBeCloseTo(a!.pairs[i]!.distance, 2);
  const warned = [primal, dual].map((run) => run.warnings.find((w) => w.code === "TWINS")!.message);
  expect(warned[1]).toBe(warned[0]);
  // Siblings and parents are none.
  await using study = await openPlink(copyFamilies(tempFolder()));
  const cohort = await joinSamples(study);
  await using k = await dualKinship(study, cohort);
  expect(await kinshipTwins(k, cohort)).toEqual({ count: 0, pairs: [] });
});

it("too few variants to tell people apart say nothing of twins", async () => {
  await using study = await openPlink(copyFileset("mod1"));
  const cohort = await joinSamples(study);
  await using k = await dualKinship(study, cohort, { kinshipSnps: new Set(study.bim.id.slice(0, 10)) });
  expect(await kinshipTwins(k, cohort)).toBeUndefined();
  await using all = await dualKinship(study, cohort);
  await using matrix = await kinship(study, cohort);
  expect((await kinshipTwins(all, cohort))!.count).toBe((await kinshipTwins(matrix, cohort)).count);
  await expect(kinshipTwins(all, { ...cohort, hash: "other" })).rejects.toMatchObject({
    code: "COHORT_MISMATCH",
  });
});

describe("refusals", () => {
  it("what the eigenvectors of people are needed for says so", async () => {
    await using study = await openPlink(copyFamilies(tempFolder()));
    const cohort = await joinMultivariate(study, { traits: [1, 2] });
    await using k = await dualKinship(study, cohort);
    await using e = await eigen(k, cohort);
    const refused = expect.objectContaining({ code: "NOT_IMPLEMENTED", exitCode: 2 });
    expect(() => associateMultivariate(study, cohort, e as never)).toThrow(refused);
    expect(() => withComponents(cohort, e as never, 2)).toThrow(refused);
    const gxe = { ...(await joinSamples(study)), environment: cohort.y };
    await using k1 = await dualKinship(study, gxe);
    await using e1 = await eigen(k1, gxe);
    await expect(async () => {
      for await (const _ of associateTraits(study, [gxe, gxe], e1));
    }).rejects.toEqual(refused);
  });

  it("what needs a matrix or an interaction conflicts with route dual", async () => {
    const prefix = copyFileset("mod2");
    for (const more of [{ kinship: "k" }, { saveKinship: "k.txt" }, { environment: "e" }])
      await expect(gwas(prefix, { route: "dual", ...more })).rejects.toMatchObject({
        code: "OPTION_CONFLICT",
        exitCode: 2,
      });
    await expect(gwas(prefix, { route: "both" as never })).rejects.toMatchObject({ code: "OPTION_RANGE" });
    const snps = new Set(["rs0001"]);
    for (const more of [{ kinship: "k" }, { kinshipSnpFile: "f" }])
      await expect(gwas(prefix, { kinshipSnps: snps, ...more })).rejects.toMatchObject({
        code: "OPTION_CONFLICT",
      });
    const none = { kinshipSnps: new Set(["nobody"]) };
    await expect(gwas(prefix, { route: "dual", ...none })).rejects.toMatchObject({
      code: expect.stringMatching(/^(NO_VARIANTS_AFTER_FILTER|SNP_LIST)/),
    });
  });

  it("another cohort, a kinship disposed of", async () => {
    const prefix = copyFileset("mod1");
    await using study = await openPlink(prefix);
    const cohort = await joinSamples(study);
    const other = { ...cohort, hash: "other" };
    await using k = await dualKinship(study, cohort);
    await using e = await eigen(k, cohort);
    await expect(eigen(k, other)).rejects.toMatchObject({ code: "COHORT_MISMATCH" });
    await expect(nullModel(other, e)).rejects.toMatchObject({ code: "COHORT_MISMATCH" });
    expect(() => associate(study, other, e)).toThrow(expect.objectContaining({ code: "COHORT_MISMATCH" }));
    await k[Symbol.asyncDispose]();
    await expect(nullModel(cohort, e)).rejects.toMatchObject({ code: "MATRIX_RELEASED" });
  });

  it("one SNP in the kinship gives numbers for the others", async () => {
    const { genotypes, phenotypes } = simulate(80, 6, 5);
    const prefix = writeFileset(tempFolder(), genotypes, phenotypes);
    const options = { kinshipSnps: new Set(["v1"]), snps: new Set(["v2", "v3"]) };
    const [a, b] = [
      await gwas(prefix, { ...options, route: "primal" }),
      await gwas(prefix, { ...options, route: "dual" }),
    ];
    for (const i of [0, 1])
      expect(Math.abs(a.columns.beta[i]! - b.columns.beta[i]!)).toBeLessThan(1e-9 * a.columns.se[i]!);
  });
});
