// Options that would be ignored or contradict each other are refused by every verb.
import { join } from "node:path";
import { openPlink } from "@x/plink-io";
import { describe, expect, it } from "vitest";
import {
  associate,
  eigen,
  estimateMemory,
  type GwasOptions,
  gwas,
  joinSamples,
  Kinship,
  kinship,
  nullModel,
  planGwas,
  type StudySize,
  writeGemmaAssoc,
} from "../src/index.ts";
import { copyFileset, lmm, names, tempFolder } from "./support/files.ts";

const prefix = copyFileset("mod2");
const covar = `${prefix}.covar.txt`;
const unknown = (option: string, nearest: string) =>
  expect.objectContaining({
    code: "UNKNOWN_OPTION",
    exitCode: 2,
    details: expect.objectContaining({ option, nearest }),
  });

it("every verb refuses an option it does not know and names the nearest", async () => {
  await using study = await openPlink(prefix);
  const cohort = await joinSamples(study);
  await using k = await kinship(study, cohort);
  await using e = await eigen(k, cohort);
  const path = join(tempFolder(), "x.txt");
  const bad = <T>(o: T): never => o as never;
  const calls: ReadonlyArray<readonly [() => unknown, string, string]> = [
    [() => gwas(prefix, bad({ threds: 3 })), "threds", "threads"],
    [() => joinSamples(study, bad({ covariats: covar })), "covariats", "covariates"],
    [() => kinship(study, cohort, bad({ chunck: 3 })), "chunck", "chunk"],
    [() => eigen(k, cohort, bad({ consum: true })), "consum", "consume"],
    [() => nullModel(cohort, e, bad({ lmn: 1 })), "lmn", "lmin"],
    [() => associate(study, cohort, e, bad({ test: ["wald"] })), "test", "tests"],
    [() => writeGemmaAssoc([] as never, path, bad({ studdy: study })), "studdy", "study"],
    [() => k.save(path, bad({ fromat: "text" })), "fromat", "format"],
    [() => Kinship.load(path, study, bad({ idz: path })), "idz", "ids"],
    [() => planGwas(bad({ samples: 9, variants: 9, analysed: 9 })), "analysed", "analyzed"],
  ];
  for (const [call, option, nearest] of calls)
    await expect((async () => call())(), option).rejects.toEqual(unknown(option, nearest));
  await expect(kinship(study, cohort, bad({ mode: "standardised" }))).rejects.toMatchObject({
    code: "OPTION_RANGE",
    exitCode: 2,
  });
  for (const lambda of [{ lmin: Number.NaN }, { lmax: -1 }, { regions: 0.5 }, { lmin: 2, lmax: 1 }])
    await expect(nullModel(cohort, e, lambda)).rejects.toMatchObject({ code: "OPTION_RANGE", exitCode: 2 });
});

describe("options without what they need, and pairs that exclude each other", () => {
  it.each<[string, GwasOptions, string]>([
    ["covariateNames without covariates", { covariateNames: ["sex"] }, "OPTION_MISSING"],
    ["on without a file", { on: "iid" }, "OPTION_MISSING"],
    ["snps with snpFile", { snps: new Set(["a"]), snpFile: "list" }, "OPTION_CONFLICT"],
    ["categorical without covariates", { categorical: ["sex"] }, "OPTION_MISSING"],
    [
      "kinshipSnps with kinshipSnpFile",
      { kinshipSnps: new Set(["a"]), kinshipSnpFile: "l" },
      "OPTION_CONFLICT",
    ],
    [
      "kinshipSnps with a kinship that is read",
      { kinshipSnps: new Set(["a"]), kinship: "k" },
      "OPTION_CONFLICT",
    ],
    ["kinshipMode with a decomposition", { kinshipMode: "standardized", eigen: "e" }, "OPTION_CONFLICT"],
    ["saveKinship with a decomposition", { saveKinship: "k", eigen: "e" }, "OPTION_CONFLICT"],
    ["a title without a report", { title: "x", report: false }, "OPTION_CONFLICT"],
  ])("%s", async (_name, options, code) => {
    await expect(gwas(prefix, options)).rejects.toMatchObject({ code, exitCode: 2 });
  });

  const both = ["gwas", "--bfile", prefix, "--out", "x"];
  it.each([
    [[...both, "--covar", "sex"], "OPTION_MISSING", /--covar.*-c/],
    [[...both, "--on", "iid"], "OPTION_MISSING", /--on/],
    [[...both, "--report", "F", "--without-report"], "OPTION_CONFLICT", /--report and --without-report/],
    [[...both, "--pheno", "a", "-n", "1"], "OPTION_CONFLICT", /--pheno and -n/],
    [[...both, "-notsnp", "-maf", "0.1"], "OPTION_CONFLICT", /-notsnp and -maf/],
    [["-bfile", prefix, "-gk", "1", "-k", "x"], "OPTION_CONFLICT", /-gk and -k/],
    [["-bfile", prefix, "-gk", "-lmm", "-k", "x"], "OPTION_CONFLICT", /-gk and -lmm/],
    [["-g", "g", "-bfile", prefix, "-gk"], "OPTION_CONFLICT", /-bfile and -g/],
    [["-g", "g", "-gk"], "OPTION_MISSING", /-g needs -p/],
    [["-bfile", prefix, "-a", "a", "-gk"], "OPTION_MISSING", /-a needs -g/],
    [["-bfile", prefix, "-ids", "a", "-gk"], "UNKNOWN_OPTION", /-ids/],
    [["-bfile", prefix, "--ids", "a", "-gk"], "OPTION_MISSING", /--ids needs -g/],
    [["-gk", "1"], "OPTION_MISSING", /-bfile PREFIX, or -g FILE/],
    [["-bfile", prefix, "-d", "d", "-lmm"], "OPTION_MISSING", /-d needs -u/],
    [["-bfile", prefix, "-u", "u", "-lmm"], "OPTION_MISSING", /-u needs -d/],
    [["-bfile", prefix, "-d", "d", "-u", "u", "--eig", "e", "-lmm"], "OPTION_CONFLICT", /--eig and -d/],
    [["-bfile", prefix, "-gk", "-d", "d", "-u", "u"], "OPTION_CONFLICT", /-gk and -d/],
    [["-bfile", prefix, "-gk", "-eigen"], "OPTION_CONFLICT", /-gk and -eigen/],
    [["-bfile", prefix, "-lmm", "-eigen", "-k", "k"], "OPTION_CONFLICT", /-lmm and -eigen/],
    [["-bfile", prefix, "-eigen"], "OPTION_MISSING", /-eigen needs -k/],
    [["-bfile", prefix, "-gk", "-snps", "s", "-ksnps", "k"], "OPTION_CONFLICT", /-snps and -ksnps/],
    [["-bfile", prefix, "-lmm", "-k", "k", "-ksnps", "s"], "OPTION_MISSING", /-ksnps needs -gk/],
    [["-bfile", prefix, "-gk", "--pcs", "2"], "OPTION_MISSING", /--pcs needs -lmm/],
    [[...both, "-k", "k", "-ksnps", "s"], "OPTION_CONFLICT", /kinshipSnps.*kinship/],
    [[...both, "--categorical", "sex"], "OPTION_MISSING", /--categorical.*-c/],
    [["-bfile", prefix, "-lmm", "-k", "x", "--format", "arrow"], "OPTION_CONFLICT", /-lmm and --format/],
  ] as const)("%j", async (args, code, says) => {
    const folder = tempFolder();
    const ran = await lmm(args, { cwd: folder });
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(new RegExp(`^${code} `));
    expect(ran.err).toMatch(says);
    expect(names(folder)).toEqual([]);
  });
});

describe("planGwas", () => {
  it.each<[string, Partial<Record<keyof StudySize, unknown>>]>([
    ["NaN", { samples: Number.NaN }],
    ["negative", { variants: -1 }],
    ["a fraction", { samples: 10.5 }],
    ["text", { samples: "10" }],
    ["absent", { samples: undefined }],
    ["more analyzed than there are", { analyzed: 101 }],
    ["more kinship variants than there are", { kinshipVariants: 1001 }],
    ["no covariate", { covariates: 0 }],
    ["no thread", { threads: 0 }],
    ["a block of NaN", { chunk: Number.NaN }],
    ["infinite", { variants: Number.POSITIVE_INFINITY }],
  ])("%s is OPTION_RANGE", (_name, size) => {
    for (const call of [planGwas, estimateMemory])
      expect(() => call({ samples: 100, variants: 1000, ...size } as StudySize)).toThrow(
        expect.objectContaining({ code: "OPTION_RANGE", exitCode: 2 }),
      );
  });

  it("undefined is the same as absent, and the largest sizes have a plan", () => {
    const size = { samples: 100, variants: 1000 };
    const undefineds = { analyzed: undefined, kinshipVariants: undefined, threads: undefined };
    expect(planGwas({ ...size, ...undefineds } as never)).toEqual(planGwas(size));
    expect(planGwas({ samples: 1e8, variants: 1e10 }).memory.total).toBeGreaterThan(8e16);
  });
});
