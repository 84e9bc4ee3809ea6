// Where GEMMA's flags do something one would not guess; each line was seen in GEMMA 0.98.5's own output.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { copyFileset, lmm, tempFolder } from "./support/files.ts";

const folder = tempFolder();
const prefix = copyFileset("demo", folder);
const count = (log: string, label: string): number =>
  Number(new RegExp(`${label}\\s*=\\s*(\\d+)`).exec(log)![1]);

async function kinshipLog(name: string, ...args: string[]): Promise<{ log: string; err: string }> {
  const ran = await lmm(["-bfile", prefix, "-gk", "1", "-o", name, "-outdir", folder, ...args]);
  expect(ran, ran.err).toMatchObject({ code: 0 });
  return { log: readFileSync(join(folder, `${name}.log.txt`), "utf8"), err: ran.err };
}

it("-9 in a phenotype file is a number, and a warning says so", async () => {
  const people = readFileSync(`${prefix}.fam`, "utf8").trim().split("\n").length;
  const values = Array.from({ length: people }, (_, i) => (i % 10 === 0 ? "-9" : String(i % 7)));
  writeFileSync(join(folder, "nines.txt"), `${values.join("\n")}\n`);
  const { log, err } = await kinshipLog("nines", "-p", join(folder, "nines.txt"));
  expect(count(log, "analyzed individuals")).toBe(people);
  expect(err).toContain("PHENO_MINUS_NINE");
});

it("-notsnp turns -hwe off as well", async () => {
  const [both, alone] = [
    await kinshipLog("both", "-notsnp", "-hwe", "0.05"),
    await kinshipLog("alone", "-notsnp"),
  ];
  expect(both.log.match(/analyzed SNPs.*/)![0]).toBe(alone.log.match(/analyzed SNPs.*/)![0]);
});

it.each("blocks catc hyp mcat mcatc mref mstudy no-check noconstrain pve ref study".split(" "))(
  "-%s is GEMMA's, not a spelling mistake",
  async (name) => {
    const ran = await lmm(["-bfile", prefix, "-gk", "1", "-o", "x", "-outdir", folder, `-${name}`, "1"]);
    expect(ran.err).toContain("NOT_IMPLEMENTED");
    expect(ran.code).toBe(2);
  },
);
