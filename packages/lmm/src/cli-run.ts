import {
  type CliContext,
  type MemoryPlan,
  type RunOptions,
  resolveThreads,
  type StageMeter,
  type Warn,
  type Warning,
  writeFileAtomic,
} from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import { isDosageStudy } from "./bimbam.ts";
import type { Cohort } from "./cohort.ts";
import type { FilterOptions } from "./filter.ts";
import { formatLog, type LogFacts } from "./gemma/log.ts";
import { filterAndLambda } from "./gemma/options.ts";
import { simdLevel } from "./native.ts";
import type { LambdaOptions } from "./null-model.ts";
import { fitGwas, type StagePlan } from "./plan.ts";
import { type RunFacts, runJson } from "./run-json.ts";
import { checkSnpList, readSnpList } from "./snp-list.ts";
import { VERSION } from "./version.ts";

/** What every task of a command line shares. */
export interface GemmaRun {
  readonly context: CliContext;
  readonly study: PlinkStudy;
  readonly cohort: Cohort;
  readonly meter: StageMeter;
  readonly prefix: string;
  readonly warnings: readonly Warning[];
  readonly options: StepOptions;
}

/** Options of the steps, as the command line gives them. */
export interface StepOptions
  extends Required<Omit<FilterOptions, "snps">>,
    Required<LambdaOptions>,
    Required<Pick<RunOptions, "signal" | "onProgress" | "threads">>,
    Pick<RunOptions, "memoryLimit"> {
  readonly onWarning: Warn;
  readonly snps?: ReadonlySet<string>;
  readonly chunk?: number;
}

export async function stepOptions(context: CliContext, study: PlinkStudy): Promise<StepOptions> {
  const o = context.options;
  const file = o.ksnps ?? o.snps;
  const snps = file === undefined ? undefined : await readSnpList(String(file));
  if (snps) checkSnpList(study, snps, context.warn);
  return {
    ...filterAndLambda(o),
    signal: context.signal,
    onProgress: o.silence ? () => {} : context.onProgress,
    onWarning: context.warn,
    threads: resolveThreads(context.threads),
    ...(snps ? { snps } : {}),
    ...(context.memoryLimit === undefined ? {} : { memoryLimit: context.memoryLimit }),
    ...(o.chunk === undefined ? {} : { chunk: Number(o.chunk) }),
  };
}

/** The block size that fits, and the peak predicted for the stages this command runs. */
export function fit(
  run: GemmaRun,
  stages: ReadonlyArray<StagePlan["stage"]>,
  traits = 1,
  jointTraits = 1,
): { accepted: { chunk: number; memoryLimit: number }; memory: MemoryPlan } {
  const { study, cohort, options } = run;
  const size = {
    samples: study.n,
    variants: study.p,
    analyzed: cohort.analyzed.length,
    covariates: cohort.covariateNames.length,
    traits,
    jointTraits,
    real: run.context.options.gk === 2 || isDosageStudy(study),
    environment: cohort.environment !== undefined,
    threads: options.threads,
  };
  const { chunk, plan } = fitGwas(size, { ...options, stages });
  // Once the plan of the whole run is accepted, the steps must not weigh themselves again on the way.
  return { accepted: { chunk, memoryLimit: Number.POSITIVE_INFINITY }, memory: plan.memory };
}

/** What a task adds to log and JSON. */
type TaskFacts = Pick<
  RunFacts,
  | "filters"
  | "predicted"
  | "nullModel"
  | "multivariate"
  | "jointTraits"
  | "degenerate"
  | "unconverged"
  | "work"
  | "diagnostics"
> &
  Pick<LogFacts, "notes">;

export function logText({ cohort, meter, options }: GemmaRun, command: string, facts: TaskFacts): string {
  return formatLog({
    version: VERSION,
    command,
    date: new Date(),
    cohort,
    stages: meter.stages,
    threads: options.threads,
    simd: simdLevel(),
    predictedBytes: facts.predicted.total,
    ...facts,
  });
}

export async function finish(
  run: GemmaRun,
  command: string,
  facts: TaskFacts,
  files: string[],
): Promise<unknown> {
  const { context, cohort, meter, prefix, warnings, options } = run;
  const path = `${prefix}.log.txt`;
  await writeFileAtomic(path, logText(run, command, facts), { signal: context.signal });
  files.push(path);
  if (!context.json && !context.quiet && !context.options.silence) {
    context.print(`## number of total individuals = ${cohort.samples}`);
    context.print(`## number of analyzed individuals = ${cohort.analyzed.length}`);
    context.print(`## number of covariates = ${cohort.covariateNames.length}`);
    context.print(`## number of total SNPs/var        = ${String(facts.filters.total).padStart(8)}`);
    context.print(`## number of analyzed SNPs         = ${String(facts.filters.kept).padStart(8)}`);
    for (const file of files) context.print(file);
  }
  if (!context.json) return undefined;
  return runJson({
    command,
    files,
    cohort,
    stages: meter.stages,
    threads: options.threads,
    ...facts,
    warnings,
  });
}
