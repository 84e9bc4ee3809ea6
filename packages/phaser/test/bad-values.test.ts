// Values that cannot be: named errors with their place, from files and from callers.
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { lociFromBatches, openVcf, type PhaseOptions, phase, writeBcf, writeVcf } from "../src/index.ts";
import { failure, folder, phaser, vcf } from "./support.ts";

const at = folder();

describe("PL and GL under --use-gl", () => {
  const study = (format: string, first: string, second = "."): string =>
    vcf(["a", "b"], [`100 . A C 0/1:${first} 0/1:${second}`, "200 . A C 0/1 0/0"]).replace(
      "\tGT\t0/1:",
      `\tGT:${format}\t0/1:`,
    );
  const read = async (format: string, first: string, second?: string): Promise<unknown> => {
    const file = await openVcf(at.file("pl.vcf", study(format, first, second)));
    return file.loci({ likelihoods: true });
  };

  it.each([
    ["PL", "0,10"],
    ["PL", "0,10,20,30"],
    ["PL", "0,x,20"],
    ["PL", "0,-10,20"],
    ["PL", "0,nan,20"],
    ["GL", "-inf,0,-3"],
    ["GL", "0,,-3"],
    ["GL", "0"],
  ])("%s %s", async (format, text) => {
    const e = await failure(read(format, text));
    expect([e.code, e.message]).toEqual([
      "VCF_PL",
      expect.stringMatching(new RegExp(`pl\\.vcf record 1 \\(20:100\\): sample 1: FORMAT/${format} is`)),
    ]);
    expect((await failure(read(format, ".", text))).message).toContain("sample 2");
  });

  it("what is missing, whole or in part, is unknown", async () => {
    for (const text of [".", ".,.,.", "0,.,20", "0,10,20"]) await read("PL", text, ".");
    await read("GL", "-0.1,-2e-3,-5", "0,0,0");
    await (await openVcf(at.file("unread.vcf", study("PL", "0,x")))).loci();
  });
});

it("a file cut inside its last genotype is cut, not haploid", async () => {
  const text = vcf(["a", "b"], ["100 . A C 0/1 0/1", "200 . A C 0/1 0/1"]);
  for (const cut of [text.slice(0, -3), text.slice(0, -2)]) {
    const e = await failure(openVcf(at.file("cut.vcf", cut)).then((f) => f.loci()));
    expect([e.code, e.message]).toEqual([
      "VCF_COLUMNS",
      expect.stringMatching(/record 2 \(20:200\): the file ends inside/),
    ]);
  }
  const haploid = await failure(
    openVcf(at.file("whole.vcf", `${text.slice(0, -3)}\n`)).then((f) => f.loci()),
  );
  expect(haploid.code).toBe("PLOIDY");
  await (await openVcf(at.file("noend.vcf", text.trimEnd()))).loci();
});

it("an ALT that is the REF", async () => {
  const e = await failure(openVcf(at.file("same.vcf", vcf(["a"], ["100 . A a 0/1"]))).then((f) => f.loci()));
  expect([e.code, e.message]).toEqual([
    "VCF_COLUMNS",
    expect.stringContaining("record 1 (20:100): an ALT allele is the REF"),
  ]);
});

it.each([
  ["QUAL", "\tmany\t.\t.", "QUAL is many"],
  ["INFO", "\t.\t.\tAC=1;DP=1.5", "INFO/DP is declared Integer but holds 1.5"],
])("what BCF cannot store names its place: %s", async (_, columns, why) => {
  const text = vcf(["a", "b"], ["100 x A C 0/1 0/1"]).replace("\t.\t.\t.", columns);
  const declared = text.replace("##FORMAT", '##INFO=<ID=DP,Number=1,Type=Integer,Description="d">\n##FORMAT');
  const loci = await (await openVcf(at.file("odd.vcf", declared))).loci();
  const e = await failure(writeBcf(loci, at.path("odd.bcf")));
  expect([e.code, e.message]).toEqual(["VCF_INFO", expect.stringContaining(`20:100 (x A>C): ${why}`)]);
  expect(existsSync(at.path("odd.bcf"))).toBe(false);
  await writeVcf(loci, at.path("odd-out.vcf"));
});

it("options of the wrong kind", async () => {
  const input = at.file("fine.vcf", vcf(["a", "b"], ["100 . A C 0/1 0/1", "200 . A C 0/1 0/0"]));
  const odd = { map: 5 } as unknown as PhaseOptions;
  expect((await failure(phase(input, odd).summary)).code).toBe("OPTION_VALUE");
  const bare = lociFromBatches as unknown as (...args: unknown[]) => Promise<unknown>;
  for (const args of [[[]], [[], {}], [5, { names: ["a"] }]]) {
    expect((await failure(bare(...args))).code).toBe("OPTION_VALUE");
  }
});

it("--quiet prints nothing", () => {
  const input = at.file("quiet.vcf", vcf(["a", "b"], ["100 . A C 0/1 0/1", "200 . A C 0/1 0/0"]));
  const run = phaser(
    "phase",
    "--input",
    input,
    "--output",
    at.path("quiet.bcf"),
    "--quiet",
    "--mcmc-iterations",
    "1m",
  );
  expect([run.code, run.out, run.err]).toEqual([0, "", ""]);
});
