// Many phenotypes in one pass: the numbers each has alone, one decomposition for each set of people.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPlink } from "@x/plink-io";
import { expect, it } from "vitest";
import { concatColumns } from "../src/association-columns.ts";
import {
  type AssociationColumns,
  associate,
  associateTraits,
  eigen,
  joinSamples,
  joinTraits,
  kinship,
} from "../src/index.ts";
import { copyFileset, lmm, names, tempFolder } from "./support/files.ts";

const folder = tempFolder();
const prefix = copyFileset("demo", folder);
const phenotypes = join(folder, "traits.txt");
const people = readFileSync(`${prefix}.fam`, "utf8")
  .trim()
  .split("\n")
  .map((line) => line.split(/\s+/)[5]!);
// Columns 1, 2 and 4 have the same people; column 3 has others.
const value = (i: number): string => (people[i] === "-9" ? "NA" : people[i]!);
const shifted = (i: number): string =>
  value(i) === "NA" ? "NA" : (Number(value(i)) + ((i * 7919) % 97) / 30).toFixed(4);
const third = (i: number): string => (i % 7 === 0 ? "NA" : String(((i * 104729) % 101) / 10));
writeFileSync(
  phenotypes,
  people
    .map((_, i) => `${value(i)} ${shifted(i)} ${third(i)} ${value(i) === "NA" ? "NA" : (i * 31) % 17}\n`)
    .join(""),
);

it("groups by who is analysed; one pass gives each phenotype the bits it has alone", async () => {
  await using study = await openPlink(prefix);
  const groups = await joinTraits(study, { phenotypes, traits: "all" });
  expect(groups.map((group) => group.map(({ trait }) => trait))).toEqual([[1, 2, 4], [3]]);
  const [first] = groups;
  const cohorts = first!.map(({ cohort }) => cohort);
  await using k = await kinship(study, cohorts[0]!);
  await using e = await eigen(k, cohorts[0]!);
  const run = associateTraits(study, cohorts, e, { tests: ["wald", "lrt", "score"] });
  const blocks: AssociationColumns[][] = [];
  for await (const block of run) blocks.push([...block]);
  const { kept } = run.filters;
  expect(run.work).toMatchObject({ nullFits: 3, rotations: kept, searches: 6 * kept });
  for (const [t, { trait, cohort }] of first!.entries()) {
    const alone = associate(study, await joinSamples(study, { phenotypes, phenotype: trait }), e, {
      tests: ["wald", "lrt", "score"],
    });
    const parts: AssociationColumns[] = [];
    for await (const block of alone.columns()) parts.push(block);
    expect(concatColumns(blocks.map((block) => block[t]!))).toEqual(concatColumns(parts));
    expect(cohort.y.length).toBe(cohorts[0]!.y.length);
  }
});

it("--traits writes a file for each, with the bytes of -n", async () => {
  const at = ["-bfile", prefix, "-p", phenotypes, "-outdir", folder];
  expect(await lmm([...at, "-gk", "1", "-o", "k"])).toMatchObject({ code: 0 });
  const k = join(folder, "k.cXX.txt");
  const ran = await lmm([...at, "-k", k, "-lmm", "4", "--traits", "1,3,4", "-o", "many"]);
  expect(ran, ran.err).toMatchObject({ code: 0 });
  expect(names(folder).filter((name) => name.startsWith("many."))).toEqual(
    [1, 3, 4].flatMap((trait) => [`many.${trait}.assoc.txt`, `many.${trait}.log.txt`]),
  );
  for (const trait of [1, 3, 4]) {
    const one = await lmm([...at, "-k", k, "-lmm", "4", "-n", String(trait), "-o", "one"]);
    expect(one, one.err).toMatchObject({ code: 0 });
    const [a, b] = [`many.${trait}`, "one"].map((name) => readFileSync(join(folder, `${name}.assoc.txt`)));
    expect(a!.equals(b!)).toBe(true);
    expect(readFileSync(join(folder, `many.${trait}.log.txt`), "utf8")).toContain("pve estimate");
  }
});

it.each([
  [["--traits", "1,x"], /^OPTION_RANGE/],
  [["--traits", "1,1"], /^OPTION_RANGE/],
  [["--traits", "1,9"], /^PHENO_COLUMN/],
  [["--traits", "1", "-n", "2"], /^OPTION_CONFLICT/],
])("%j is refused", async (args, message) => {
  const ran = await lmm(["-bfile", prefix, "-p", phenotypes, "-k", "k", "-lmm", ...args], { cwd: folder });
  expect(ran.err).toMatch(message);
  expect(ran.code).toBe(2);
});

it("cohorts of other people are refused", async () => {
  await using study = await openPlink(prefix);
  const [a, b] = await joinTraits(study, { phenotypes, traits: [1, 3] });
  await using k = await kinship(study, a![0].cohort);
  await using e = await eigen(k, a![0].cohort);
  const cohorts = [a![0].cohort, b![0].cohort];
  expect(() => associateTraits(study, cohorts, e)).toThrow(
    expect.objectContaining({ code: "COHORT_MISMATCH" }),
  );
  expect(() => associateTraits(study, [], e)).toThrow(expect.objectContaining({ code: "OPTION_MISSING" }));
});
