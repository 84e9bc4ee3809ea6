// Peak memory against its prediction where matrices dominate: [1.0, 1.25].
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { fixtures, lmm, node, tempFolder } from "./support/files.ts";

it.each([
  [5600, 2000, ["--route", "primal"]],
  [6500, 1000, ["--route", "primal", "--threads", "1"]],
  [6500, 5600, ["--route", "dual"]],
] as const)("%i people, %i variants", async (people, snps, args) => {
  const folder = tempFolder();
  execFileSync(node, [
    join(fixtures, "generate.mjs"),
    "--out",
    join(folder, "s"),
    "--people",
    String(people),
    "--snps",
    String(snps),
    "--families",
    "400",
    "--chromosomes",
    "3",
    "--seed",
    "5",
  ]);
  const ran = await lmm([
    "gwas",
    "--bfile",
    join(folder, "s"),
    "--out",
    join(folder, "x"),
    "--json",
    ...args,
  ]);
  expect(ran, ran.err).toMatchObject({ code: 0 });
  const { memory } = JSON.parse(ran.out);
  expect(memory.measuredBytes).toBeGreaterThan(500e6);
  const ratio = memory.predicted.total / memory.measuredBytes;
  console.info(
    `${people} people: predicted ${(memory.predicted.total / 1e6).toFixed(0)} MB, measured ${(memory.measuredBytes / 1e6).toFixed(0)} MB`,
  );
  expect(ratio).toBeGreaterThanOrEqual(1);
  expect(ratio).toBeLessThanOrEqual(1.25);
  expect(readFileSync(join(folder, "x.log.txt"), "utf8")).toMatch(/predicted peak memory/);
});
