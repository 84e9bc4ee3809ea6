import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { FIXTURES, folder, phaser } from "./support.ts";

const at = folder();
const root = join(import.meta.dirname, "../../..");
const golden = JSON.parse(readFileSync(join(FIXTURES, "switch.json"), "utf8"));
const files = ["--estimate", join(FIXTURES, "estimate.vcf"), "--truth", join(FIXTURES, "truth.vcf")];

it("switch: prints what the script prints, and writes tables", () => {
  const { code, out } = phaser("switch", ...files, "--by", "position", "--output", at.path("sw"));
  expect(code).toBe(0);
  const lines = Object.fromEntries(out.split("\n").map((line) => line.split("\t")));
  expect(Number(lines.switches)).toBe(golden.position.switches);
  expect(Number(lines.SER_percent)).toBe(golden.position.SER_percent);
  const table = readFileSync(at.path("sw.sample.tsv"), "utf8").trim().split("\n");
  expect(table[0]).toBe("sample\tpercent\tswitches\tpairs\tflips");
  expect(table).toHaveLength(9);
});

it("check-oneallele and plan, as JSON", () => {
  const check = JSON.parse(phaser("check-oneallele", join(FIXTURES, "estimate.vcf"), "--json").out);
  expect(check.haplotypeViolations).toBe(golden.oneAllele.haplotype_violations);
  const plan = JSON.parse(phaser("plan", "--input", join(FIXTURES, "truth.vcf"), "--json").out);
  expect([plan.chrom, plan.chunks.length]).toEqual(["20", 1]);
  const [head, line] = phaser("plan", "--input", join(FIXTURES, "truth.vcf")).out.split("\n");
  expect(head!.split("\t").slice(-2)).toEqual(["MB", "MB_with_Node"]);
  const [alone, all] = line!.split("\t").slice(-2).map(Number) as [number, number];
  expect(all - alone).toBeGreaterThan(30);
});

it("a damaged file is exit 1 with its code and no stack, a wrong option exit 2", () => {
  const bad = phaser("check-oneallele", at.file("bad.vcf", "nonsense\n"));
  expect([bad.code, bad.err]).toEqual([
    1,
    expect.stringMatching(/^VCF_HEADER .*bad\.vcf: line 1 is neither/),
  ]);
  expect(bad.err).not.toMatch(/\n\s+at /);
  expect(phaser("switch", "--truth", "x").code).toBe(2);
});

it("the quickstart runs and stands in the README", () => {
  const example = join(root, "packages/phaser/examples/quickstart.ts");
  const input = join(root, "fixtures/demo/split.vcf");
  const out = execFileSync(process.execPath, [example, input, at.path("phased.bcf")], { encoding: "utf8" });
  expect(out).toMatch(/^8 people, \d+ rows at \d+ positions, \d+ with several ALTs\n/);
  expect(out).toMatch(/\n0 haplotypes with two ALTs\nan Arrow batch of \d+ positions\n/);
  expect(readFileSync(join(root, "packages/phaser/README.md"), "utf8")).toContain(
    readFileSync(example, "utf8").trim(),
  );
});
