// One chromosome left out at a time, in one call, against GEMMA run chromosome by chromosome with kinships of the ids of
// the others (golden/families/make_families.py).
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPlink } from "@x/plink-io";
import { describe, expect, it } from "vitest";
import { type GwasOptions, type GwasResult, gwas } from "../src/index.ts";
import { golden, lmm, tempFolder } from "./support/files.ts";
import { copyFamilies, families, readAssoc } from "./support/multivariate.ts";

const CHROMOSOMES = ["1", "2", "10", "X"];

/** `-lmm 1` columns within 2e-5, as the univariate references are held to. */
function close(path: string, chromosome: string, rows?: readonly string[]): void {
  const theirs = readAssoc(join(families, `loco${chromosome}.assoc.txt.gz`));
  const ours = readAssoc(path);
  const chosen = [...ours.texts.keys()].filter((i) => ours.texts[i]!.startsWith(`${chromosome} `));
  expect(ours.header).toEqual(theirs.header);
  expect(chosen.map((i) => ours.texts[i])).toEqual(theirs.texts);
  if (rows) expect(ours.texts.length).toBe(rows.length);
  const column = (name: string): number[] => chosen.map((i) => ours.column(name)[i]!);
  const se = theirs.column("se");
  for (const name of ["beta", "se", "logl_H1", "l_remle", "p_wald"]) {
    const expected = theirs.column(name);
    column(name).forEach((value, i) => {
      const b = expected[i]!;
      const difference =
        name === "beta"
          ? Math.abs(value - b) / se[i]!
          : name === "p_wald"
            ? Math.abs(Math.log10(value) - Math.log10(b)) / Math.max(1, -Math.log10(b))
            : Math.abs(value - b) / Math.abs(b);
      expect(difference, `${chromosome} ${name} ${i}: ${value} for ${b}`).toBeLessThanOrEqual(2e-5);
    });
  }
}

describe("families", () => {
  it("lmm gwas --loco: every chromosome as GEMMA has it, one file in file order", async () => {
    const folder = tempFolder();
    copyFamilies(folder);
    const run = await lmm(["gwas", "--bfile", "families", "--loco", "--out", "all"], { cwd: folder });
    expect(run, run.err).toMatchObject({ code: 0 });
    const path = join(folder, "all.assoc.txt");
    for (const chromosome of CHROMOSOMES) close(path, chromosome);
    const positions = readAssoc(path).texts.map((text) => Number(text.split(" ")[2]));
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    const log = readFileSync(join(folder, "all.log.txt"), "utf8");
    for (const chromosome of CHROMOSOMES) {
      const gemma = readFileSync(join(families, `loco${chromosome}.log.txt`), "utf8");
      const pve = Number(/pve estimate in the null model = (\S+)/.exec(gemma)![1]);
      const ours = new RegExp(`^## {6}${chromosome} = (\\d+) (\\S+) (\\S+)$`, "m").exec(log)!;
      expect(Math.abs(Number(ours[2]) - pve)).toBeLessThanOrEqual(2e-5 * pve);
    }
  });

  it("by the dual route: parts of one matrix of products, GEMMA's numbers", async () => {
    const folder = tempFolder();
    copyFamilies(folder);
    const args = ["gwas", "--bfile", "families", "--loco", "--route", "dual", "--out", "dual"];
    const run = await lmm(args, { cwd: folder });
    expect(run, run.err).toMatchObject({ code: 0 });
    for (const chromosome of CHROMOSOMES) close(join(folder, "dual.assoc.txt"), chromosome);
  });

  it("of a chosen kinship the routes agree, all tests, and the bytes do not know blocks and threads", async () => {
    const folder = tempFolder();
    const prefix = copyFamilies(folder);
    const ids = readFileSync(`${prefix}.bim`, "utf8").trimEnd().split("\n");
    const kinshipSnps = new Set(ids.filter((_, i) => i % 3 === 0).map((line) => line.split(/\s+/)[1]!));
    const options = { loco: true, lmm: 4, kinshipSnps, report: false } as const;
    const primal = await gwas(prefix, { ...options, route: "primal" });
    const dual = await gwas(prefix, { ...options, route: "dual", threads: 1 });
    const chunked = await gwas(prefix, { ...options, route: "dual", threads: 2, chunk: 7 });
    expect(chunked.columns).toEqual(dual.columns);
    expect(dual.chromosomes!.map((c) => c.kinshipVariants)).toEqual(
      primal.chromosomes!.map((c) => c.kinshipVariants),
    );
    expect(dual.columns.index).toEqual(primal.columns.index);
    for (const name of [
      "beta",
      "se",
      "lRemle",
      "lMle",
      "negLog10PWald",
      "negLog10PLrt",
      "negLog10PScore",
    ] as const) {
      const [a, b] = [primal.columns[name]!, dual.columns[name]!];
      a.forEach((value, i) => {
        const scale = name === "beta" ? primal.columns.se[i]! : Math.max(1, Math.abs(value));
        expect(Math.abs(b[i]! - value) / scale, `${name} ${i}`).toBeLessThanOrEqual(2e-5);
      });
    }
  });

  it("GEMMA's form: -gk and -lmm with -loco", async () => {
    const folder = tempFolder();
    copyFamilies(folder);
    for (const [task, out] of [
      [["-gk", "1"], "not10"],
      [["-k", "output/not10.cXX.txt", "-lmm", "1"], "only10"],
    ] as const) {
      const run = await lmm(["-bfile", "families", ...task, "-loco", "10", "-o", out], { cwd: folder });
      expect(run, run.err).toMatchObject({ code: 0 });
    }
    const path = join(folder, "output/only10.assoc.txt");
    close(path, "10", readAssoc(path).texts);
  });
});

describe("by other kinships", () => {
  // Some variants of chromosomes 1 and 2 only: of 10 and X nothing is left out.
  const kinshipSnps = new Set(Array.from({ length: 90 }, (_, i) => `v${1 + 2 * i}`));

  it.each(["primal", "dual"] as const)("%s, of listed variants: as from their kinships", async (route) => {
    const folder = tempFolder();
    const prefix = copyFamilies(folder);
    const result = await gwas(prefix, { loco: true, route, kinshipSnps, lmm: 4, report: false });
    const counts = result.chromosomes!.map((c) => c.kinshipVariants);
    expect(counts[3]).toBe(counts[2]);
    expect(counts[0]! + counts[1]!).toBe(counts[2]);
    await sameAsAlone(prefix, result, { kinshipSnps });
  });

  it("standardised: as from the kinships of the other chromosomes", async () => {
    const folder = tempFolder();
    const prefix = copyFamilies(folder);
    const result = await gwas(prefix, { loco: true, kinshipMode: "standardized", lmm: 4, report: false });
    await sameAsAlone(prefix, result, { kinshipMode: "standardized" });
  });
});

/** Each chromosome as a run of its own, with a kinship made of the ids of the others. */
async function sameAsAlone(
  prefix: string,
  result: GwasResult,
  options: Pick<GwasOptions, "kinshipSnps" | "kinshipMode">,
): Promise<void> {
  const { chrom, id } = (await openPlink(prefix)).bim;
  for (const name of CHROMOSOMES) {
    const others = id.filter((each, i) => chrom[i] !== name && (options.kinshipSnps?.has(each) ?? true));
    const alone = await gwas(prefix, {
      ...options,
      kinshipSnps: new Set(others),
      snps: new Set(id.filter((_, i) => chrom[i] === name)),
      lmm: 4,
      report: false,
      route: "primal",
    });
    const [found, expected] = [result.columns, alone.columns];
    const rows = [...found.index.keys()].filter((i) => chrom[found.index[i]!] === name);
    expect(rows.map((i) => found.index[i])).toEqual([...expected.index]);
    for (const column of ["beta", "se", "negLog10PWald"] as const)
      rows.forEach((row, i) => {
        const [a, b] = [found[column]![row]!, expected[column]![i]!];
        expect(Math.abs(a - b), `${name} ${column} ${i}`).toBeLessThanOrEqual(
          1e-6 * Math.max(1, Math.abs(b)),
        );
      });
  }
}

it("all tests, threads, blocks and shards give the same bytes with loco", async () => {
  const folder = tempFolder();
  const prefix = copyFamilies(folder);
  const all = { loco: true, lmm: 4, report: false } as const;
  await gwas(prefix, { ...all, out: join(folder, "a"), threads: 1 });
  await gwas(prefix, { ...all, out: join(folder, "b"), threads: 2, chunk: 7, resume: true });
  for (const end of ["assoc.txt", "assoc.arrow"])
    expect(readFileSync(join(folder, `b.${end}`)).equals(readFileSync(join(folder, `a.${end}`))), end).toBe(
      true,
    );
  for (const index of [1, 2, 3])
    await gwas(prefix, { ...all, out: join(folder, "c"), shard: { index, count: 3 } });
  const merged = await lmm(["merge", ...[1, 2, 3].map((i) => `c.shard-${i}-of-3`), "--out", "c"], {
    cwd: folder,
  });
  expect(merged, merged.err).toMatchObject({ code: 0 });
  expect(readFileSync(join(folder, "c.assoc.txt")).equals(readFileSync(join(folder, "a.assoc.txt")))).toBe(
    true,
  );
});

it("a run killed between chromosomes goes on and ends byte-equal", async () => {
  const folder = tempFolder();
  const prefix = copyFamilies(folder);
  await gwas(prefix, { loco: true, report: false, out: join(folder, "whole") });
  const options = { loco: true, report: false, out: join(folder, "cut"), chunk: 20, resume: true } as const;
  const stop = new AbortController();
  let blocks = 0;
  const cut = gwas(prefix, {
    ...options,
    signal: stop.signal,
    onProgress: ({ stage }) => {
      if (stage === "association" && ++blocks === 8) stop.abort();
    },
  });
  await expect(cut).rejects.toThrow();
  const result = await gwas(prefix, options);
  // The first chromosome was finished before.
  expect(result.chromosomes!.map((c) => c.chromosome)).not.toContain("1");
  expect(
    readFileSync(join(folder, "cut.assoc.txt")).equals(readFileSync(join(folder, "whole.assoc.txt"))),
  ).toBe(true);
});

describe("refusals", () => {
  it.each(["7", "chr1", ""])("a chromosome that no variant is on: %j", async (name) => {
    const folder = tempFolder();
    copyFamilies(folder);
    const run = await lmm(["-bfile", "families", "-gk", "1", `-loco=${name}`], { cwd: folder });
    expect(run.code, run.err).toBe(2);
    expect(run.err).toMatch(/LOCO_CHROMOSOME.*it has 1, 2, 10, X/);
  });

  it("a file that is not sorted by chromosome, or has only one", async () => {
    const folder = tempFolder();
    const prefix = copyFamilies(folder);
    const lines = readFileSync(`${prefix}.bim`, "utf8").trimEnd().split("\n");
    const write = (chrom: (row: number) => string): void =>
      writeFileSync(`${prefix}.bim`, lines.map((l, i) => `${l.replace(/^\S+/, chrom(i))}\n`).join(""));
    write((i) => String(1 + (Math.floor(i / 50) % 2)));
    await expect(gwas(prefix, { loco: true })).rejects.toMatchObject({
      code: "LOCO_CHROMOSOME",
      details: { chromosome: "1", line: 101 },
    });
    write(() => "5");
    await expect(gwas(prefix, { loco: true })).rejects.toMatchObject({ code: "LOCO_CHROMOSOME" });
  });

  it("a kinship from a file", async () => {
    const folder = tempFolder();
    const prefix = copyFamilies(folder);
    copyFileSync(golden("demo", "k1.cXX.lower.txt.gz"), join(folder, "k.gz"));
    await expect(gwas(prefix, { loco: true, kinship: join(folder, "k.gz") })).rejects.toMatchObject({
      code: "OPTION_CONFLICT",
    });
  });
});
