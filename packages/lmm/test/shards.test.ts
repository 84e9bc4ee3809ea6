// Shards without a variant, with numbers that JSON cannot hold, and of other genotypes.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Cohort } from "../src/cohort.ts";
import { gwas } from "../src/index.ts";
import { decodeFacts, encodeFacts, type ShardFacts } from "../src/journal/facts.ts";
import { lmm, simulate, tempFolder, writeFileset } from "./support/files.ts";

const { genotypes, phenotypes } = simulate(60, 2500, 4);

it("a shard that tests no variant is a shard, and merges", async () => {
  const folder = tempFolder();
  const prefix = writeFileset(folder, genotypes, phenotypes);
  const list = join(folder, "list.txt");
  writeFileSync(list, Array.from({ length: 50 }, (_, j) => `v${j + 1}\n`).join(""));
  const out = join(folder, "x");
  const run = ["gwas", "--bfile", prefix, "-snps", list, "-ksnps", list, "--out", out];
  for (const shard of ["1/2", "2/2"]) {
    const ran = await lmm([...run, "--shard", shard]);
    expect(ran, ran.err).toMatchObject({ code: 0, err: expect.not.stringMatching("INTERNAL") });
    if (shard === "2/2") expect(ran.out).toContain("no variant tested");
    const json = await lmm([...run, "--shard", shard, "--json"]);
    const { kept } = JSON.parse(json.out).filters;
    if (shard === "1/2") expect(kept).toBeGreaterThan(40);
    else expect(kept).toBe(0);
  }
  const merged = await lmm([
    "merge",
    `${out}.shard-1-of-2`,
    `${out}.shard-2-of-2`,
    "--out",
    join(folder, "m"),
  ]);
  expect(merged, merged.err).toMatchObject({ code: 0 });
  await gwas(prefix, { snpFile: list, kinshipSnpFile: list, out: join(folder, "whole") });
  expect(readFileSync(join(folder, "m.assoc.txt"))).toEqual(readFileSync(join(folder, "whole.assoc.txt")));
});

it("an empty result is an empty table", async () => {
  const folder = tempFolder();
  const prefix = writeFileset(folder, genotypes.slice(0, 90), phenotypes);
  const snps = new Set(["v1", "v2"]);
  const { results } = await gwas(prefix, {
    snps,
    kinshipSnps: new Set(Array.from({ length: 90 }, (_, j) => `v${j + 1}`)),
    out: join(folder, "x"),
    // Blocks are not cut: all of so few variants are in the last shard.
    shard: { index: 1, count: 2 },
  });
  expect(results.numRows).toBe(0);
  expect(results.schema.fields.map((f) => f.name)).toContain("p_wald");
});

it("numbers of the null model and the kinship survive a shard, whatever they are", () => {
  const spectrum = { largest: 2, smallestPositive: 0, condition: Number.POSITIVE_INFINITY, zeros: 1 };
  const more = { negative: 0, smallest: 0, largestShare: 0.5, residual: Number.NaN, orthogonality: 1e-15 };
  const none = new Float64Array(0);
  const people = { samples: 1, analyzed: new Uint32Array(1), mask: new Uint8Array(1), y: none, w: none };
  const texts = {
    covariateNames: [],
    categories: [],
    phenotypeName: "y",
    sampleHash: "",
    hash: "",
    drops: [],
  };
  const facts = {
    kinship: { ...spectrum, ...more, twins: { count: 0, pairs: [] } },
    nullModel: {
      pve: 0,
      pveSe: Number.NaN,
      vg: 0,
      ve: 1,
      lambda: { reml: 1e-5, mle: 1e-5 },
      logLik: { reml: -1, mle: Number.NEGATIVE_INFINITY },
      beta: none,
      betaSe: none,
    },
    cohort: { ...people, ...texts } as Omit<Cohort, "dropped">,
  } as unknown as ShardFacts;
  const frame = encodeFacts(facts);
  const read = decodeFacts({ ...frame, head: JSON.parse(JSON.stringify(frame.head)) });
  expect(read.kinship).toEqual(facts.kinship);
  expect(read.nullModel).toEqual(facts.nullModel);
});

it("a phenotype without heritability (se(pve) is NaN) is merged and reported", async () => {
  const folder = tempFolder();
  const found = await (async () => {
    for (let seed = 0; seed < 200; seed++) {
      const noise = phenotypes.map((_, i) => String((((i + 1) * 7919 * (seed + 3)) % 1013) / 100));
      const prefix = writeFileset(tempFolder(), genotypes.slice(0, 200), noise);
      if (Number.isNaN((await gwas(prefix)).nullModel.pveSe)) return prefix;
    }
    return undefined;
  })();
  expect(found).toBeDefined();
  const out = join(folder, "x");
  await gwas(found!, { out, shard: { index: 1, count: 1 } });
  const ran = await lmm(["merge", `${out}.shard-1-of-1`, "--out", join(folder, "m")]);
  expect(ran, ran.err).toMatchObject({ code: 0 });
  expect(readFileSync(join(folder, "m.log.txt"), "utf8")).toContain("se(pve) in the null model = nan");
});

it("other genotypes are noticed though the kinship was read: merge refuses, a journal is not gone on with", async () => {
  const folder = tempFolder();
  const prefix = writeFileset(folder, genotypes, phenotypes);
  const out = join(folder, "x");
  await gwas(prefix, { saveKinship: join(folder, "k.arrow") });
  const run = ["gwas", "--bfile", prefix, "-k", join(folder, "k.arrow"), "--out", out];
  expect(await lmm([...run, "--shard", "1/2"])).toMatchObject({ code: 0 });
  const other = genotypes.map((row, j) => (j === 2000 ? [...row].reverse() : row));
  writeFileset(folder, other, phenotypes);
  expect(await lmm([...run, "--shard", "2/2"])).toMatchObject({ code: 0 });
  const merged = await lmm(["merge", `${out}.shard-1-of-2`, `${out}.shard-2-of-2`, "--out", out]);
  expect(merged.err).toMatch(/^SHARD_SET.*genotypes is/);
  // A run that was stopped before the file changed.
  const stop = new AbortController();
  const first = gwas(prefix, {
    kinship: join(folder, "k.arrow"),
    out,
    resume: true,
    chunk: 64,
    signal: stop.signal,
    onProgress: ({ stage, done }) => {
      if (stage === "association" && done > 600) stop.abort();
    },
  });
  await expect(first).rejects.toThrow();
  writeFileset(folder, genotypes, phenotypes);
  const resumed = await lmm([...run, "--resume"]);
  expect(resumed, resumed.err).toMatchObject({ code: 0, err: expect.stringContaining("JOURNAL_OTHER") });
  await gwas(prefix, { kinship: join(folder, "k.arrow"), out: join(folder, "whole") });
  expect(readFileSync(`${out}.assoc.txt`)).toEqual(readFileSync(join(folder, "whole.assoc.txt")));
});

it("a merged run without chromosomes in turn says so: log and report", async () => {
  const folder = tempFolder();
  const prefix = writeFileset(folder, genotypes, phenotypes);
  writeFileSync(
    `${prefix}.bim`,
    genotypes.map((_, j) => `${1 + Math.floor(j / 900)}\tv${j + 1}\t0\t${(j + 1) * 10}\tA\tC\n`).join(""),
  );
  const out = join(folder, "x");
  for (const index of [1, 2]) await gwas(prefix, { out, loco: true, shard: { index, count: 2 } });
  const shards = [`${out}.shard-1-of-2`, `${out}.shard-2-of-2`];
  expect(await lmm(["merge", ...shards, "--out", join(folder, "m")])).toMatchObject({ code: 0 });
  await gwas(prefix, { out, loco: true });
  const left = (path: string): string[] =>
    readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => /^## {6}\d = /.test(line));
  expect(left(join(folder, "m.log.txt")).length).toBe(3);
  expect(left(join(folder, "m.log.txt"))).toEqual(left(`${out}.log.txt`));
  for (const name of ["m", "x"])
    expect(readFileSync(join(folder, `${name}.report.html`), "utf8")).toContain("left out of its kinship");
});
