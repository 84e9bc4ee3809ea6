// Small multiallelic inputs, phased at a fixed seed: the bytes of the headerless VCF are the ones they were.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import {
  checkOneAllele,
  type PhaseOptions,
  phase,
  readPedigree,
  readSampleList,
  writeVcf,
} from "../src/index.ts";
import { FIXTURES, folder, records } from "./support.ts";

const at = folder();
const file = join(FIXTURES, "phase.json");
const golden = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
const cases: [name: string, () => Promise<PhaseOptions>][] = [
  ["family", async () => ({ pedigree: await readPedigree(join(FIXTURES, "family.fam")) })],
  ["unrelated", async () => ({})],
  ["haploid", async () => ({ haploids: await readSampleList(join(FIXTURES, "haploid.txt")) })],
];

it.each(cases)("%s", async (name, options) => {
  await using phased = phase(join(FIXTURES, `${name}.vcf`), { seed: 1, threads: 2, ...(await options()) });
  await writeVcf(phased, at.path(`${name}.vcf`));
  const text = records(readFileSync(at.path(`${name}.vcf`))).join("\n");
  const sum = createHash("md5").update(text).digest("hex");
  if (process.env.X_WRITE_GOLDEN) {
    golden[name] = sum;
    writeFileSync(file, `${JSON.stringify(golden, null, 2)}\n`);
  }
  expect(sum).toBe(golden[name]);
  const check = await checkOneAllele(at.path(`${name}.vcf`));
  expect(check.atRisk).toBeGreaterThan(100);
  expect([check.haplotypeViolations, check.impossible, check.unphased]).toEqual([0, 0, 0]);
});
