// A part of a kinship is made as the whole was.
import { writeFileSync } from "node:fs";
import { openPlink } from "@x/plink-io";
import { expect, it } from "vitest";
import { associateLoco, joinSamples, type Kinship, kinship, kinshipWithout } from "../src/index.ts";
import { simulate, tempFolder, writeFileset } from "./support/files.ts";

const { genotypes, phenotypes } = simulate(45, 90, 8);
const prefix = writeFileset(tempFolder(), genotypes, phenotypes);
writeFileSync(
  `${prefix}.bim`,
  genotypes.map((_, j) => `${1 + Math.floor(j / 30)}\tv${j + 1}\t0\t${(j + 1) * 1000}\tA\tC\n`).join(""),
);
const entries = (k: Kinship): Float64Array => k.tile(0, k.samples, 0, k.samples);

it("mode, thresholds and list come from the whole; a conflict is refused", async () => {
  await using study = await openPlink(prefix);
  const cohort = await joinSamples(study);
  const listed = new Set(study.bim.id.filter((_, j) => j % 2 === 0));
  for (const options of [
    { mode: "standardized" },
    { mode: "hardy", maf: 0.2 },
    { miss: 0.02 },
    { kinshipSnps: listed },
    { snps: listed, mode: "standardized" },
  ] as const) {
    await using whole = await kinship(study, cohort, options);
    await using silent = await kinshipWithout(study, cohort, whole, "2");
    await using spoken = await kinshipWithout(study, cohort, whole, "2", options);
    expect(silent.snps).toBe(spoken.snps);
    expect(entries(silent)).toEqual(entries(spoken));
    // The kinship that the other chromosomes alone make.
    const others = study.bim.id.filter(
      (id, j) =>
        study.bim.chrom[j] !== "2" && (!("kinshipSnps" in options || "snps" in options) || listed.has(id)),
    );
    await using direct = await kinship(study, cohort, { ...options, kinshipSnps: new Set(others) });
    for (const [i, value] of entries(direct).entries()) expect(entries(silent)[i]).toBeCloseTo(value, 10);
  }
  await using whole = await kinship(study, cohort, { mode: "standardized" });
  for (const other of [{ mode: "centered" }, { maf: 0.3 }, { miss: 0 }, { kinshipSnps: listed }] as const)
    await expect(kinshipWithout(study, cohort, whole, "2", other)).rejects.toMatchObject({
      code: "OPTION_CONFLICT",
    });
  expect(() => associateLoco(study, cohort, whole, { kinshipMode: "centered" })).toThrow(
    /exclude each other/,
  );
  const beta = async (options: { kinshipMode?: "standardized"; maf?: number }): Promise<number[]> => {
    const all: number[] = [];
    for await (const block of associateLoco(study, cohort, whole, options).columns()) all.push(...block.beta);
    return all;
  };
  const plain = await beta({});
  expect(plain).toEqual(await beta({ kinshipMode: "standardized" }));
  // The filter of the tests chooses what is tested, not what is left out.
  const fewer = await beta({ maf: 0.25 });
  expect(fewer.length).toBeLessThan(plain.length);
  expect(fewer.every((b) => plain.includes(b))).toBe(true);
});
