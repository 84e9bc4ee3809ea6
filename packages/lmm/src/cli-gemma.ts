import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  type CliCommand,
  type CliContext,
  checkOutputDir,
  collectWarnings,
  lockOutput,
  type RunOptions,
  resolveThreads,
  StageMeter,
  type Warning,
  writeFileAtomic,
} from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import { ASSOCIATE_NAMES, type AssociateOptions, associate } from "./associate.ts";
import { checkInputs, eigenSource, PEOPLE_OPTIONS, peopleOptions } from "./cli-people.ts";
import { isGiven, quoteWord } from "./cli-words.ts";
import type { Cohort } from "./cohort.ts";
import { conditionLines, diagnose, diagnosticsLines, kinshipCondition, warnAbout } from "./diagnostics.ts";
import { EIGEN_SAVE_NAMES, type EigenSaveOptions } from "./eigen-matrix.ts";
import { lmmError } from "./errors.ts";
import { formatLog, type LogFacts } from "./gemma/log.ts";
import { filterAndLambda, GEMMA_OPTIONS } from "./gemma/options.ts";
import { joinSamples } from "./join-samples.ts";
import { KINSHIP_NAMES, type KinshipOptions, kinship } from "./kinship.ts";
import { type KinshipSaveOptions, SAVE_NAMES } from "./kinship-matrix.ts";
import { simdLevel } from "./native.ts";
import { type LambdaOptions, NULL_MODEL_NAMES, nullModel } from "./null-model.ts";
import { obtainEigen } from "./obtain-eigen.ts";
import { openStudy } from "./open-study.ts";
import { only, refuseBoth, requireOther } from "./option-names.ts";
import { withComponents } from "./pca.ts";
import { fitGwas, type StagePlan } from "./plan.ts";
import { type RunFacts, runJson } from "./run-json.ts";
import { checkSnpList, readSnpList } from "./snp-list.ts";
import { countVariants } from "./study.ts";
import { VariantWatch, watched } from "./variant-problems.ts";
import { VERSION } from "./version.ts";
import { writeGemmaAssoc } from "./write-gemma-assoc.ts";

/** The command without a verb: GEMMA's own flags, file names and log. */
export function gemmaCommand(argv: readonly string[]): CliCommand {
  return {
    name: "",
    summary: "GEMMA's own command lines: -bfile study -gk 1, -bfile study -k output/result.cXX.txt -lmm 1",
    options: [
      ...GEMMA_OPTIONS,
      ...PEOPLE_OPTIONS,
      {
        name: "format",
        type: "string",
        choices: ["text", "arrow"],
        default: "text",
        value: "text|arrow",
        help: "what -gk and -eigen write: GEMMA's text, or an exact and faster Arrow file",
      },
      { name: "chunk", type: "int", range: { min: 1, max: 1e6 }, value: "N", help: "variants read at once" },
    ],
    examples: ["lmm -bfile study -gk 1 -o k", "lmm -bfile study -k output/k.cXX.txt -lmm 1 -o study"],
    run: (context) => runGemma(context, argv),
  };
}

async function runGemma(given: CliContext, argv: readonly string[]): Promise<unknown> {
  const { warnings, warn } = collectWarnings(given.warn);
  const context = { ...given, warn };
  const command = `lmm ${argv.map(quoteWord).join(" ")}`;
  const o = context.options;
  const [gk, lmm, decompose] = [o.gk !== undefined, o.lmm !== undefined, o.eigen === true];
  checkInputs(o);
  refuseBoth("-gk", gk, "-lmm", lmm, "one command does one of both; lmm gwas does both in one go");
  refuseBoth("-gk", gk, "-k", o.k !== undefined, "the kinship is either made or read");
  refuseBoth("-gk", gk, "-eigen", decompose, "one command does one of both");
  refuseBoth("-lmm", lmm, "-eigen", decompose, "one command does one of both");
  refuseBoth("-lmm", lmm, "--format", isGiven(argv, "format"), "it says how -gk and -eigen write");
  const read = o.d !== undefined || o.eig !== undefined;
  refuseBoth("-gk", gk, "-d, -u or --eig", read, "only -lmm reads a decomposition");
  refuseBoth("-eigen", decompose, "-d, -u or --eig", read, "it is either made or read");
  refuseBoth(
    "-snps",
    o.snps !== undefined,
    "-ksnps",
    gk && o.ksnps !== undefined,
    "both list the kinship's variants",
  );
  requireOther("-ksnps", o.ksnps !== undefined, "-gk", gk, "a kinship that is read is made already");
  requireOther("--pcs", o.pcs !== undefined, "-lmm", lmm, "components are covariates of the association");
  refuseBoth("-notsnp", o.notsnp === true, "-maf", isGiven(argv, "maf"), "the frequency is tested or not");
  if (!gk && !lmm && !decompose)
    throw usage("give -gk 1 (kinship), -eigen (its decomposition) or -lmm 1 (association)", "lmm");
  if (lmm && o.k === undefined && !read)
    throw usage("-lmm needs -k, the kinship that -gk 1 wrote, or -d and -u, which -eigen wrote", "k");
  if (decompose && o.k === undefined) throw usage("-eigen needs -k, the kinship that -gk 1 wrote", "k");
  const outdir = String(o.outdir);
  // GEMMA makes its output folder; only the last part, so that a mistyped path does not grow a tree.
  try {
    mkdirSync(outdir);
  } catch {
    // there already, or checkOutputDir says why not
  }
  const prefix = join(outdir, String(o.o));
  checkOutputDir(`${prefix}.log.txt`);
  await using _lock = lockOutput(prefix);
  const meter = new StageMeter();
  const { signal } = context;
  await using study = await meter.measure("reading", () =>
    openStudy(o, { signal, onProgress: context.onProgress }),
  );
  for (const warning of study.warnings) context.warn(warning);
  const cohort = await meter.measure("joining", () =>
    joinSamples(study, { ...peopleOptions(o, argv), onWarning: context.warn }),
  );
  const run = { context, study, cohort, meter, prefix, warnings, options: await stepOptions(context, study) };
  if (gk) return await kinshipTask(run, command);
  return decompose ? await eigenTask(run, command) : await associateTask(run, command);
}

interface GemmaRun {
  readonly context: CliContext;
  readonly study: PlinkStudy;
  readonly cohort: Cohort;
  readonly meter: StageMeter;
  readonly prefix: string;
  readonly warnings: readonly Warning[];
  readonly options: Awaited<ReturnType<typeof stepOptions>>;
}

async function stepOptions(context: CliContext, study: PlinkStudy) {
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

async function kinshipTask(run: GemmaRun, command: string): Promise<unknown> {
  const { context, study, cohort, meter, prefix, options } = run;
  const fitted = fit(run, ["kinship"]);
  const format = context.options.format === "arrow" ? "arrow" : "text";
  // apache-arrow starts slowly; it loads while the kernels work.
  const ready = format === "arrow" ? import("./kinship-arrow.ts").catch(() => undefined) : undefined;
  await using K = await meter.measure("kinship", () =>
    kinship(study, cohort, {
      ...only<KinshipOptions>({ ...options, ...fitted.accepted }, KINSHIP_NAMES),
      mode: context.options.gk === 2 ? "standardized" : "centered",
    }),
  );
  await ready;
  const name = context.options.gk === 2 ? "sXX" : "cXX";
  const path = `${prefix}.${name}.${format === "arrow" ? "arrow" : "txt"}`;
  await meter.measure("writing", () =>
    K.save(path, { ...only<KinshipSaveOptions>(options, SAVE_NAMES), format }),
  );
  return finish(run, command, { filters: K.filters!, predicted: fitted.memory }, [path]);
}

async function eigenTask(run: GemmaRun, command: string): Promise<unknown> {
  const { context, study, cohort, meter, prefix, options } = run;
  const fitted = fit(run, ["eigen"]);
  const all = { ...options, ...fitted.accepted, kinship: String(context.options.k) };
  const made = await obtainEigen(study, cohort, all, meter);
  await using eig = made.eigen;
  const arrow = context.options.format === "arrow";
  const files = await meter.measure("writing", () =>
    eig.save(arrow ? `${prefix}.eig` : prefix, {
      ...only<EigenSaveOptions>(options, EIGEN_SAVE_NAMES),
      format: arrow ? "arrow" : "text",
    }),
  );
  // GEMMA counts the variants here too, though the decomposition does not need them.
  const filters = await countVariants(study, cohort, all);
  const notes = conditionLines(kinshipCondition(eig, made.twins));
  return finish(run, command, { filters, notes, predicted: fitted.memory }, files);
}

async function associateTask(run: GemmaRun, command: string): Promise<unknown> {
  const { context, study, meter, prefix, options } = run;
  const o = context.options;
  const source = eigenSource(o);
  const fitted = fit(
    run,
    source === undefined || o.k !== undefined ? ["eigen", "association"] : ["association"],
  );
  const accepted = { ...options, ...fitted.accepted };
  const made = await obtainEigen(
    study,
    run.cohort,
    {
      ...accepted,
      ...(source === undefined ? {} : { eigen: source }),
      ...(o.k === undefined ? {} : { kinship: String(o.k) }),
    },
    meter,
  );
  await using eig = made.eigen;
  const cohort = o.pcs === undefined ? run.cohort : withComponents(run.cohort, eig, Number(o.pcs));
  const h0 = await meter.measure("null model", () =>
    nullModel(cohort, eig, only<LambdaOptions & RunOptions>(options, NULL_MODEL_NAMES)),
  );
  const association = associate(study, cohort, eig, only<AssociateOptions>(accepted, ASSOCIATE_NAMES));
  const watch = new VariantWatch(options);
  const path = `${prefix}.assoc.txt`;
  await meter.measure("association", () =>
    writeGemmaAssoc(watched(association, watch), path, { study, signal: context.signal }),
  );
  const { filters, degenerate } = association;
  const diagnostics = diagnose({
    study,
    cohort,
    kinship: kinshipCondition(eig, made.twins),
    seen: watch.finish(),
  });
  warnAbout(diagnostics, context.warn);
  const notes = diagnosticsLines(diagnostics, cohort);
  const facts = { filters, degenerate, nullModel: h0, diagnostics, notes, predicted: fitted.memory };
  return finish({ ...run, cohort }, command, facts, [path]);
}

/** The block size that fits, and the peak predicted for the stages this command runs. */
function fit(run: GemmaRun, stages: ReadonlyArray<StagePlan["stage"]>) {
  const { study, cohort, options } = run;
  const size = {
    samples: study.n,
    variants: study.p,
    analyzed: cohort.analyzed.length,
    covariates: cohort.covariateNames.length,
    threads: options.threads,
  };
  const { chunk, plan } = fitGwas(size, { ...options, stages });
  // Once the plan of the whole run is accepted, the steps must not weigh themselves again on the way.
  return { accepted: { chunk, memoryLimit: Number.POSITIVE_INFINITY }, memory: plan.memory };
}

async function finish(
  run: GemmaRun,
  command: string,
  facts: Pick<RunFacts, "filters" | "predicted" | "nullModel" | "degenerate" | "diagnostics"> &
    Pick<LogFacts, "notes">,
  files: string[],
): Promise<unknown> {
  const { context, cohort, meter, prefix, warnings, options } = run;
  const log = formatLog({
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
  const path = `${prefix}.log.txt`;
  await writeFileAtomic(path, log, { signal: context.signal });
  files.push(path);
  if (!context.json && !context.quiet && !context.options.silence) {
    context.print(`## number of total individuals = ${cohort.samples}`);
    context.print(`## number of analyzed individuals = ${cohort.analyzed.length}`);
    context.print(`## number of covariates = ${cohort.covariateNames.length}`);
    context.print(`## number of total SNPs/var        = ${String(facts.filters.total).padStart(8)}`);
    context.print(`## number of analyzed SNPs         = ${String(facts.filters.kept).padStart(8)}`);
    for (const file of files) context.print(file);
  }
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

function usage(message: string, option: string) {
  return lmmError("OPTION_MISSING", message, { usage: true, details: { option } });
}
