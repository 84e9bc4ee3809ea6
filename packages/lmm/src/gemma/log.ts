import { formatG, type StageUsage } from "@x/core/base";
import type { LocoChromosome } from "../associate-loco.ts";
import type { AssociationWork } from "../association-pass.ts";
import { type Cohort, dropCounts } from "../cohort.ts";
import type { FilterCounts } from "../filter.ts";
import type { MultivariateNullModel } from "../multivariate-null.ts";
import type { NullModel } from "../null-model.ts";
import { multiNullLines } from "./multi-text.ts";

/** What a log says; GEMMA's fields first, then ours. */
export interface LogFacts {
  readonly version: string;
  readonly command: string;
  readonly date: Date;
  readonly cohort: Cohort;
  readonly filters: FilterCounts;
  readonly nullModel?: NullModel;
  /** The null model of several traits. */
  readonly multivariate?: MultivariateNullModel;
  /** Traits of a multivariate model. */
  readonly jointTraits?: number;
  /** With one kinship a chromosome. */
  readonly chromosomes?: readonly LocoChromosome[];
  readonly stages: readonly StageUsage[];
  /** Bytes that were predicted for the peak. */
  readonly predictedBytes: number;
  /** Which route was taken, where there was a choice. */
  readonly route?: string;
  readonly threads: number;
  readonly simd: string;
  /** Further lines, e.g. diagnostics. */
  readonly notes?: readonly string[];
  /** Variants whose effect could not be estimated. */
  readonly degenerate?: number;
  /** What the association computed. */
  readonly work?: AssociationWork;
  /** Variants whose search ended at its last step. */
  readonly unconverged?: number;
}

/** GEMMA's labels of the times it prints, by our stage. */
const TIME_LABELS: Readonly<Record<string, string>> = {
  kinship: "time on calculating relatedness matrix",
  eigen: "time on eigen-decomposition",
  association: "time on optimization",
};

/** GEMMA's time on the variants leaves out what reads them and writes their results. */
const stageSeconds = ({ stage, wallSeconds }: StageUsage, work?: AssociationWork): number =>
  stage === "association" && work ? work.seconds : wallSeconds;

const g = (x: number): string => formatG(x, 6);

/** The text of a `.log.txt`: GEMMA's labels and number formats, then filter counts, drops, stages and memory. */
export function formatLog(f: LogFacts): string {
  const { cohort, filters, nullModel } = f;
  const total = f.stages.reduce((sum, s) => sum + s.wallSeconds, 0);
  const head = [
    "",
    `lmm Version      = ${f.version}`,
    `Node Version     = ${process.versions.node}`,
    `Kernels          = ${f.simd}`,
    `  threads        = ${f.threads}`,
    "",
    `Command Line Input = ${f.command} `,
    "",
    `Date = ${f.date.toUTCString()}`,
    "",
    "Summary Statistics:",
    `number of total individuals = ${cohort.samples}`,
    `number of analyzed individuals = ${cohort.analyzed.length}`,
    `number of covariates = ${cohort.covariateNames.length}`,
    `number of phenotypes = ${f.jointTraits ?? 1}`,
    `number of total SNPs/var = ${filters.total}`,
    `number of analyzed SNPs/var = ${filters.kept}`,
    ...(nullModel ? nullLines(nullModel) : []),
  ];
  const tail = [
    "",
    "Computation Time:",
    `total computation time = ${g(total / 60)} min `,
    "computation time break down: ",
    ...f.stages
      .filter((s) => s.stage in TIME_LABELS)
      .map((s) => `     ${TIME_LABELS[s.stage]} = ${g(stageSeconds(s, f.work) / 60)} min `),
    "",
    ...(f.chromosomes ? locoLines(f.chromosomes) : []),
    "Filters, in order:",
    `not listed = ${filters.notListed}`,
    `missing calls = ${filters.missing}`,
    `allele frequency = ${filters.maf}`,
    `monomorphic = ${filters.monomorphic}`,
    `heterozygous only = ${filters.heterozygous}`,
    `Hardy-Weinberg = ${filters.hwe}`,
    `explained by covariates = ${filters.covariates}`,
    ...(f.degenerate === undefined ? [] : [`without estimate (nan) = ${f.degenerate}`]),
    ...(f.work ? [workLine(f.work)] : []),
    ...(f.unconverged === undefined ? [] : [`search ended before its precision = ${f.unconverged}`]),
    ...Object.entries(dropCounts(cohort)).map(([reason, count]) => `people dropped, ${reason} = ${count}`),
    ...(f.notes && f.notes.length > 0 ? ["", ...f.notes] : []),
    "",
    "Stages (wall s, CPU s, memory at the end MB, peak MB):",
    ...f.stages.map(
      (s) =>
        `     ${s.stage} = ${s.wallSeconds.toFixed(3)} ${s.cpuSeconds.toFixed(3)} ${mb(s.rssBytes)} ${mb(s.peakRssBytes)}`,
    ),
    ...(f.route === undefined ? [] : [`route = ${f.route}`]),
    `predicted peak memory = ${mb(f.predictedBytes)} MB`,
    `measured peak memory = ${mb(Math.max(0, ...f.stages.map((s) => s.peakRssBytes)))} MB`,
    "",
  ];
  // GEMMA prints the rows of a matrix bare.
  const matrices = f.multivariate
    ? multiNullLines(f.multivariate, f.jointTraits!, cohort.covariateNames.length)
    : [];
  return `${[...head.map(comment), ...matrices, ...tail.map(comment)].join("\n")}\n`;
}

/** Null models that were known before the association are not its work. */
const workLine = (w: AssociationWork): string =>
  `${w.nullFits > 0 ? `null models = ${w.nullFits}, ` : ""}rotated columns = ${w.rotations}, searches = ${w.searches}, likelihoods = ${w.evaluations}`;

function locoLines(chromosomes: readonly LocoChromosome[]): string[] {
  return [
    "Left out in turn (variants in the kinship, pve, se(pve)):",
    ...chromosomes.map(
      ({ chromosome, kinshipVariants, nullModel: h0 }) =>
        `     ${chromosome} = ${kinshipVariants} ${g(h0.pve)} ${g(h0.pveSe)}`,
    ),
    "",
  ];
}

const comment = (line: string): string => (line === "" ? "##" : `## ${line}`);

function nullLines(h0: NullModel): string[] {
  const list = (values: Float64Array): string => Array.from(values, (v) => `  ${g(v)}`).join("");
  return [
    `REMLE log-likelihood in the null model = ${g(h0.logLik.reml)}`,
    `MLE log-likelihood in the null model = ${g(h0.logLik.mle)}`,
    `pve estimate in the null model = ${g(h0.pve)}`,
    `se(pve) in the null model = ${g(h0.pveSe)}`,
    `vg estimate in the null model = ${g(h0.vg)}`,
    `ve estimate in the null model = ${g(h0.ve)}`,
    `beta estimate in the null model = ${list(h0.beta)}`,
    `se(beta) = ${list(h0.betaSe)}`,
  ];
}

const mb = (bytes: number): string => (bytes / 1e6).toFixed(1);
