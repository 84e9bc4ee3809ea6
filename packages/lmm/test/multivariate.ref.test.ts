// Several traits against GEMMA 0.98.5: a made-up fileset (golden/families, GEMMA made to converge) and its own example.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPlink } from "@x/plink-io";
import { beforeAll, describe, expect, it } from "vitest";
import {
  associateMultivariate,
  eigen,
  joinMultivariate,
  Kinship,
  writeGemmaMultivariate,
} from "../src/index.ts";
import { lmm, mouse, squareText, tempFolder } from "./support/files.ts";
import { copyFamilies, families, readAssoc, worst } from "./support/multivariate.ts";

const folder = tempFolder();

describe("families: GEMMA's command lines, its Newton steps made for every variant", () => {
  beforeAll(async () => {
    copyFamilies(folder);
    const gk = await lmm(["-bfile", "families", "-gk", "1", "-n", "1", "-o", "k"], { cwd: folder });
    expect(gk, gk.err).toMatchObject({ code: 0 });
  });

  it.each([
    ["mv2", ["-n", "1", "2", "-lmm", "4"]],
    ["mv2_cov", ["-n", "1", "2", "-lmm", "4", "-c", "families.covar.txt"]],
    ["mv3", ["-n", "1", "2", "3", "-lmm", "4"]],
    ["mv2_mode1", ["-n", "1", "2", "-lmm", "1"]],
    ["mv2_mode2", ["-n", "1", "2", "-lmm", "2"]],
    ["mv2_mode3", ["-n", "1", "2", "-lmm", "3"]],
  ])("%s: same rows and columns, every number within 2e-5", async (name, options) => {
    const run = await lmm(["-bfile", "families", "-k", "output/k.cXX.txt", ...options, "-o", name], {
      cwd: folder,
    });
    expect(run, run.err).toMatchObject({ code: 0 });
    const ours = readAssoc(join(folder, `output/${name}.assoc.txt`));
    const theirs = readAssoc(join(families, `${name}.assoc.txt.gz`));
    expect(ours.header).toEqual(theirs.header);
    expect(ours.texts).toEqual(theirs.texts);
    for (const [column, difference] of Object.entries(worst(ours, theirs)))
      expect(difference, column).toBeLessThanOrEqual(2e-5);
    const log = nullModel(join(folder, `output/${name}.log.txt`));
    const expected = nullModel(join(families, `${name}.log.txt`));
    expect(log.labels).toEqual(expected.labels);
    log.numbers.forEach(({ value, label }, i) => {
      const gemma = expected.numbers[i]!.value;
      // GEMMA's standard errors of Vg and Ve are those of its last step but one: with other precisions (-emp, -nrp) and
      // the same estimates they move by 6e-5.
      const limit = label.startsWith("se(V") ? 1e-4 : 2e-5;
      expect(Math.abs(value - gemma), `${label} ${value} for ${gemma}`).toBeLessThanOrEqual(
        limit * Math.abs(gemma) + 1e-6,
      );
    });
  });

  it("GEMMA's defaults stop short of our likelihoods, never above", () => {
    const ours = readAssoc(join(folder, "output/mv2.assoc.txt"));
    const theirs = readAssoc(join(families, "mv2_default.assoc.txt.gz"));
    expect(ours.texts).toEqual(theirs.texts);
    neverBelow(ours.column("p_lrt"), theirs.column("p_lrt"));
    expect(worst(ours, theirs).p_score).toBeLessThanOrEqual(2e-5);
  });
});

describe.skipIf(!existsSync(mouse))("mouse_hs1940, traits 1 and 6 (../shared)", () => {
  it("the reference's rows; GEMMA's numbers where it made Newton steps, a higher likelihood elsewhere", async () => {
    const k = join(folder, "mouse.cXX.txt");
    writeFileSync(k, squareText(join(mouse, "ref/k1.cXX.lower.txt.gz")));
    await using study = await openPlink(join(mouse, "mouse_hs1940"));
    const cohort = await joinMultivariate(study, { traits: [1, 6] });
    expect(cohort.analyzed.length).toBe(1197);
    await using kinship = await Kinship.load(k, study);
    await using e = await eigen(kinship, cohort);
    const run = associateMultivariate(study, cohort, e, { tests: ["wald", "lrt", "score"] });
    const path = join(folder, "mouse.assoc.txt");
    expect(await writeGemmaMultivariate(run, path, { study })).toBe(10_758);
    expect(run).toMatchObject({ degenerate: 0, unconverged: 0 });
    const h0 = await run.nullModel();
    // GEMMA prints six digits.
    expect(h0.reml.logLik).toBeGreaterThan(-2855.075);
    expect(h0.mle.logLik).toBeGreaterThan(-2855.935);
    const ours = readAssoc(path);
    const theirs = readAssoc(join(mouse, "ref/mvlmm4_n1_6.assoc.txt.gz"));
    expect(ours.header).toEqual(theirs.header);
    expect(ours.texts).toEqual(theirs.texts);
    const { p_score, ...all } = worst(ours, theirs);
    expect(p_score).toBeLessThanOrEqual(2e-5);
    neverBelow(ours.column("p_lrt"), theirs.column("p_lrt"));
    // Below 1e-3 GEMMA adds Newton steps to its EM (-pnr): there both are at the maximum.
    const p = theirs.column("p_wald");
    const { p_lrt: _, ...newton } = worst(ours, theirs, (row) => p[row]! < 1e-3);
    for (const [column, difference] of Object.entries(newton))
      expect(difference, column).toBeLessThanOrEqual(2e-5);
    // Elsewhere GEMMA's own distance from the maximum (docs/design/multivariate.md).
    for (const [column, difference] of Object.entries(all)) expect(difference, column).toBeLessThan(0.05);
  });
});

/** The likelihood ratio's p says which likelihood is higher: the null models agree to GEMMA's printed digits. */
function neverBelow(ours: Float64Array, theirs: Float64Array): void {
  ours.forEach((p, i) => {
    expect(p, `row ${i}`).toBeLessThanOrEqual(theirs[i]! * (1 + 1e-5));
  });
}

/** Numbers of the null model in a log, row by row. */
function nullModel(path: string): { labels: string[]; numbers: { label: string; value: number }[] } {
  const labels: string[] = [];
  const numbers: { label: string; value: number }[] = [];
  const text = readFileSync(path, "utf8").split("## Computation Time")[0]!;
  for (const line of text.split("\n")) {
    const label = /^## (.*(?:null model|se\(|number of (?:total|analyzed|cov|phen)).*?)(?:=(.*))?$/.exec(
      line,
    );
    if (label) labels.push(label[1]!.trim());
    const values = label ? label[2] : /^-?\d/.test(line) ? line : undefined;
    for (const text of values?.trim().split(/\s+/) ?? [])
      numbers.push({ label: labels.at(-1)!, value: Number(text) });
  }
  return { labels, numbers };
}
