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

  // With an environment GEMMA's Newton steps end up to 7e-5 away for single variants, others with -nrp 1e-10: all but a
  // few are at 2e-5. The likelihood ratio does not feel it.
  it.each([
    ["mv2_gxe", ["-n", "1", "2", "-lmm", "4", "-gxe", "families.env.txt"]],
    ["mv2_gxe_cov", ["-n", "1", "2", "-lmm", "4", "-gxe", "families.env.txt", "-c", "families.covar.txt"]],
    ["mv3_gxe", ["-n", "1", "2", "3", "-lmm", "4", "-gxe", "families.env.txt"]],
    ["mv2_gxe_mode1", ["-n", "1", "2", "-lmm", "1", "-gxe", "families.env.txt"]],
    ["mv2_gxe_mode2", ["-n", "1", "2", "-lmm", "2", "-gxe", "families.env.txt"]],
    ["mv2_gxe_mode3", ["-n", "1", "2", "-lmm", "3", "-gxe", "families.env.txt"]],
  ])("%s: the interaction, GEMMA's rows, columns and numbers", async (name, options) => {
    const args = ["-bfile", "families", "-k", "output/k.cXX.txt", ...options, "-o", name, "--json"];
    const run = await lmm(args, { cwd: folder });
    expect(run, run.err).toMatchObject({ code: 0 });
    const ours = readAssoc(join(folder, `output/${name}.assoc.txt`));
    const theirs = readAssoc(join(families, `${name}.assoc.txt.gz`));
    expect(ours.header).toEqual(theirs.header);
    expect(ours.texts).toEqual(theirs.texts);
    const ratio = theirs.header.includes("p_lrt") ? theirs.column("p_lrt") : new Float64Array();
    // Where GEMMA's likelihood with the product ends below the one without it, it prints 1: one variant of all.
    const failed = ratio.reduce((count, p) => count + (p === 1 ? 1 : 0), 0);
    expect(failed).toBeLessThanOrEqual(name === "mv3_gxe" ? 1 : 0);
    const found = (row: (i: number) => boolean) => worst(ours, theirs, (i) => ratio[i] !== 1 && row(i));
    const { p_lrt = 0, ...all } = found(() => true);
    expect(p_lrt).toBeLessThanOrEqual(1e-6);
    for (const [column, difference] of Object.entries(all))
      expect(difference, column).toBeLessThanOrEqual(1e-4);
    const far = ours.texts.filter((_, i) => Math.max(...Object.values(found((row) => row === i))) > 2e-5);
    expect(far.length).toBeLessThanOrEqual(8);
    const log = nullModel(join(folder, `output/${name}.log.txt`));
    const expected = nullModel(join(families, `${name}.log.txt`));
    expect(log.labels).toEqual(expected.labels);
    const effects: number[] = [];
    const errors: number[] = [];
    log.numbers.forEach(({ value, label }, i) => {
      const gemma = expected.numbers[i]!.value;
      if (label.startsWith("estimate for B")) effects.push(gemma);
      else if (label === "se(B):") errors.push(gemma);
      else {
        // Three hundred-thousandths of a standard error of Vg are left to GEMMA, with -nrp 1e-10 as well.
        const limit = label.startsWith("se(V") ? 1e-4 : 5e-5;
        expect(Math.abs(value - gemma), `${label} ${value} for ${gemma}`).toBeLessThanOrEqual(
          limit * Math.abs(gemma) + 1e-6,
        );
      }
    });
    // GEMMA prints the first numbers of trait × (covariates and environment) as if it were trait × covariates.
    const { beta, betaSe } = JSON.parse(run.out).nullModel.reml;
    expect(effects.length).toBeGreaterThan(1);
    for (const [printed, values] of [
      [effects, beta],
      [errors, betaSe],
    ])
      for (const [i, value] of printed.entries())
        expect(Math.abs(values[i] - value)).toBeLessThanOrEqual(2e-5 * Math.abs(value) + 1e-6);
  });

  it("-eigen with several -n: GEMMA's eigenvalues of the people with both traits, its files", async () => {
    // GEMMA refuses several -n here; its file is of one phenotype that these people have.
    const at = ["-bfile", "families", "-k", "output/k.cXX.txt", "-eigen"];
    const two = await lmm([...at, "-n", "1", "2", "-o", "two"], { cwd: folder });
    expect(two, two.err).toMatchObject({ code: 0 });
    const text = readFileSync(join(folder, "output/two.eigenD.txt"), "utf8");
    const [ours, theirs] = [text, readFileSync(join(families, "eigen12.eigenD.txt"), "utf8")].map((file) =>
      file.trimEnd().split("\n").map(Number),
    );
    expect(ours!.length).toBe(theirs!.length);
    for (const [i, value] of ours!.entries())
      expect(Math.abs(value - theirs![i]!)).toBeLessThanOrEqual(1e-8 * theirs![i]!);
    // The same bytes as for that one phenotype.
    const rows = readFileSync(join(folder, "families.fam"), "utf8").trimEnd().split("\n");
    const both = rows.map((row) => row.split(" ")).map(([, , , , , a, b]) => (b === "NA" ? "NA" : a));
    writeFileSync(join(folder, "both.txt"), `${both.join("\n")}\n`);
    const one = await lmm([...at, "-p", "both.txt", "-o", "one"], { cwd: folder });
    expect(one, one.err).toMatchObject({ code: 0 });
    for (const end of ["eigenD.txt", "eigenU.txt"]) {
      const [a, b] = ["two", "one"].map((name) => readFileSync(join(folder, `output/${name}.${end}`)));
      expect(a!.equals(b!), end).toBe(true);
    }
    const files = ["-d", "output/two.eigenD.txt", "-u", "output/two.eigenU.txt"];
    const read = await lmm(["-bfile", "families", ...files, "-n", "1", "2", "-lmm", "3", "-o", "du"], {
      cwd: folder,
    });
    expect(read, read.err).toMatchObject({ code: 0 });
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
