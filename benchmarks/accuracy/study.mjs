import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { associate, eigen, joinSamples, Kinship, kinship, nullModel } from "@x/lmm";
import { openPlink } from "@x/plink-io";
import { measure } from "../lib/measure.mjs";
import { ours } from "../lib/paths.mjs";
import {
  compareAssociations,
  compareEigenvalues,
  compareKinship,
  compareNull,
  compareText,
} from "./compare.mjs";
import { readAssociations, readKinshipRows, readLog, readText, squareText } from "./reference.mjs";

/**
 * One fileset against GEMMA's outputs, through the public API: the kinship, then everything after it from GEMMA's kinship
 * file, and the association once more from our own kinship.
 *
 * @param reference `{ kinship, eigenD, runs: [{ label, assoc, log, covariates? }] }`, paths; `kinship` is a lower triangle or a square
 * @returns `{ results, met }`: lines of `compare.mjs`, and how many rows meet the stricter goals by run
 */
export async function checkStudy({ bfile, reference, threads }) {
  const folder = mkdtempSync(join(tmpdir(), "accuracy-"));
  const study = await openPlink(bfile);
  try {
    const results = [];
    const met = {};
    const rows = readKinshipRows(reference.kinship);
    const square = join(folder, "reference.cXX.txt");
    writeFileSync(square, rows[0].length === 1 ? squareText(reference.kinship) : readText(reference.kinship));

    const cohort = await joinSamples(study);
    const own = await kinship(study, cohort, { threads });
    results.push(...compareKinship(own, rows));
    const given = await Kinship.load(square, study);
    const values = readText(reference.eigenD).trimEnd().split("\n").map(Number);

    for (const { label, assoc, log, covariates } of reference.runs) {
      const people = covariates ? await joinSamples(study, { covariates }) : cohort;
      const theirs = readAssociations(assoc);
      const decomposed = await eigen(given, people, { threads });
      if (!covariates) results.push(...compareEigenvalues(decomposed.values, values));
      results.push(...compareNull(await nullModel(people, decomposed), readLog(log), label));
      const compared = compareAssociations(await collect(study, people, decomposed, threads), theirs, label);
      results.push(...compared.results);
      met[label] = { rows: theirs.rows.length, ...compared.met };
      await decomposed[Symbol.asyncDispose]();

      const fromOwn = await eigen(own, people, { threads });
      const whole = compareAssociations(
        await collect(study, people, fromOwn, threads),
        theirs,
        `${label}, own kinship`,
      );
      results.push(...whole.results);
      await fromOwn[Symbol.asyncDispose]();

      const flags = ["-bfile", bfile, "-k", square, "-lmm", "1", ...(covariates ? ["-c", covariates] : [])];
      await measure(ours("lmm", [...flags, "-o", "ours", "-outdir", folder]));
      results.push(...compareText(readAssociations(join(folder, "ours.assoc.txt")), theirs, label));
    }
    await own[Symbol.asyncDispose]();
    await given[Symbol.asyncDispose]();
    return { results, met };
  } finally {
    await study.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function collect(study, cohort, decomposed, threads) {
  const rows = [];
  for await (const block of associate(study, cohort, decomposed, { threads }).columns()) {
    for (let i = 0; i < block.index.length; i++) {
      rows.push({
        id: study.bim.id[block.index[i]],
        beta: block.beta[i],
        se: block.se[i],
        logl_H1: block.loglH1[i],
        l_remle: block.lRemle[i],
        p_wald: block.pWald[i],
        log10p: block.negLog10PWald[i],
      });
    }
  }
  return rows;
}
