// Runs the test matrix and compares with GEMMA's committed numbers. Any way to associate can be put through it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { openPlink, type PlinkStudy } from "@x/plink-io";
import { assocHeader, assocRows } from "../../src/gemma/assoc-text.ts";
import { testsOf, textStatistics } from "../../src/gemma/modes.ts";
import {
  type AssociateOptions,
  type AssociationRun,
  associate,
  type Cohort,
  type Eigen,
  eigen,
  joinSamples,
  kinship,
} from "../../src/index.ts";
import { readSnpList } from "../../src/snp-list.ts";
import { tempFolder } from "./files.ts";
import {
  type CaseFiles,
  type DesignName,
  type FilesetName,
  RUNS,
  type RunName,
  searchOf,
  writeCase,
} from "./matrix-cases.ts";

const folder: string = join(import.meta.dirname, "../golden/matrix");

/** GEMMA's `.assoc.txt` of every run of a fileset and design. */
export function oracles(fileset: FilesetName, design: DesignName): Map<RunName, string> {
  const text = gunzipSync(readFileSync(join(folder, `${fileset}.${design}.txt.gz`))).toString("latin1");
  const sections = text.split(/^# /m).slice(1);
  return new Map(
    sections.map((section) => {
      const end = section.indexOf("\n");
      return [section.slice(0, end) as RunName, section.slice(end + 1)];
    }),
  );
}

/** A fileset made for the matrix. */
export interface MatrixFileset extends AsyncDisposable {
  readonly study: PlinkStudy;
  readonly files: CaseFiles;
  readonly snps: ReadonlySet<string> | undefined;
}

export async function matrixFileset(name: FilesetName): Promise<MatrixFileset> {
  const files = writeCase(tempFolder(), name);
  const study = await openPlink(files.prefix);
  const snps = files.snps === undefined ? undefined : await readSnpList(files.snps);
  return { study, files, snps, [Symbol.asyncDispose]: () => study[Symbol.asyncDispose]() };
}

/** People and decompositions of one design: without the environment, and with it. */
export interface MatrixDesign extends AsyncDisposable {
  readonly plain: { readonly cohort: Cohort; readonly eigen: Eigen };
  readonly gxe: { readonly cohort: Cohort; readonly eigen: Eigen };
}

/** The kinship is that of GEMMA's `-gk 1` without covariates. */
export async function matrixDesign(fileset: MatrixFileset, design: DesignName): Promise<MatrixDesign> {
  const { study, files } = fileset;
  const path = files.covariates(design);
  const sources = path === undefined ? {} : { covariates: path };
  await using k = await kinship(study, await joinSamples(study));
  const cohort = await joinSamples(study, sources);
  const plain = { cohort, eigen: await eigen(k, cohort) };
  const withIt = await joinSamples(study, { ...sources, environment: files.environment(design) });
  const same = withIt.hash === cohort.hash;
  const gxe = { cohort: withIt, eigen: same ? plain.eigen : await eigen(k, withIt) };
  return {
    plain,
    gxe,
    async [Symbol.asyncDispose]() {
      await plain.eigen[Symbol.asyncDispose]();
      if (!same) await gxe.eigen[Symbol.asyncDispose]();
    },
  };
}

/** How a run is associated: the primal route unless told otherwise. */
export type Associate = (
  study: PlinkStudy,
  cohort: Cohort,
  eigen: Eigen,
  options: AssociateOptions,
) => AssociationRun;

/** The `.assoc.txt` of a run. */
export async function matrixText(
  fileset: MatrixFileset,
  design: MatrixDesign,
  run: RunName,
  options: AssociateOptions = {},
  how: Associate = associate,
): Promise<string> {
  const { mode, gxe } = RUNS[run];
  const { cohort, eigen: vectors } = gxe ? design.gxe : design.plain;
  const tests = testsOf(mode);
  const snps = fileset.snps === undefined ? {} : { snps: fileset.snps };
  const statistics = textStatistics(tests, { mode });
  let text = assocHeader(statistics);
  for await (const block of how(fileset.study, cohort, vectors, {
    ...searchOf(run),
    ...options,
    ...snps,
    tests,
  }).columns())
    text += assocRows(fileset.study.bim, block, statistics);
  return text;
}
