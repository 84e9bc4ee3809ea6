import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  type CliCommand,
  type CliContext,
  checkOutputDir,
  checkOutputs,
  collectWarnings,
  lockOutput,
  option,
  type RunOptions,
  StageMeter,
} from "@x/core/base";
import { type PlinkStudy, selectStudy } from "@x/plink-io";
import { ASSOCIATE_NAMES, type AssociateOptions, associate } from "./associate.ts";
import { chromosomeNamed } from "./chromosomes.ts";
import { multivariateTask, searchOfCommand } from "./cli-multivariate.ts";
import { checkInputs, chosenPhenotypes, eigenSource, PEOPLE_OPTIONS, peopleOptions } from "./cli-people.ts";
import { finish, fit, type GemmaRun, stepOptions } from "./cli-run.ts";
import { traitList, traitsTask } from "./cli-traits.ts";
import { isGiven, quoteWord } from "./cli-words.ts";
import { conditionLines, diagnose, diagnosticsLines, kinshipCondition, warnAbout } from "./diagnostics.ts";
import { EIGEN_SAVE_NAMES, type EigenSaveOptions } from "./eigen-matrix.ts";
import { lmmError } from "./errors.ts";
import { type GemmaMode, testsOf } from "./gemma/modes.ts";
import { GEMMA_OPTIONS, notImplemented } from "./gemma/options.ts";
import { joinSamples } from "./join-samples.ts";
import { joinTraits } from "./join-traits.ts";
import { KINSHIP_NAMES, type KinshipOptions, kinship } from "./kinship.ts";
import { type KinshipSaveOptions, SAVE_NAMES } from "./kinship-matrix.ts";
import { joinMultivariate } from "./multivariate-cohort.ts";
import { type LambdaOptions, NULL_MODEL_NAMES, nullModel } from "./null-model.ts";
import { obtainEigen } from "./obtain-eigen.ts";
import { openStudy } from "./open-study.ts";
import { only, refuseBoth, requireOther } from "./option-names.ts";
import { withComponents } from "./pca.ts";
import { countVariants } from "./study.ts";
import { VariantWatch, watched } from "./variant-problems.ts";
import { writeGemmaAssoc } from "./write-gemma-assoc.ts";

/** The command without a verb: GEMMA's own flags, file names and log. */
export function gemmaCommand(argv: readonly string[]): CliCommand {
  return {
    name: "",
    summary: "GEMMA's own command lines: -bfile study -gk 1, -bfile study -k output/result.cXX.txt -lmm 1",
    options: [
      ...GEMMA_OPTIONS,
      ...PEOPLE_OPTIONS,
      option.text("format", "what -gk and -eigen write: GEMMA's text, or an exact and faster Arrow file", {
        choices: ["text", "arrow"],
        default: "text",
        value: "text|arrow",
      }),
      option.output("report", "several -n with -lmm: an HTML report (lmm gwas writes that of one phenotype)"),
      option.int("chunk", "variants read at once", { range: { min: 1, max: 1e6 }, value: "N" }),
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
  const mode = lmm ? (Number(o.lmm) as GemmaMode) : undefined;
  if (mode !== undefined) testsOf(mode);
  const other = gk ? "-gk" : "-eigen";
  refuseBoth(other, !lmm, "--neglog10p", o.neglog10p === true, "it adds a column to what -lmm writes");
  refuseBoth("-lmm", lmm, "--format", isGiven(argv, "format"), "it says how -gk and -eigen write");
  const traits = o.traits !== undefined;
  refuseBoth(other, !lmm, "--traits", traits, "a kinship is made for the people of one phenotype");
  refuseBoth("--traits", traits, "-n", isGiven(argv, "n"), "both choose phenotypes");
  refuseBoth("--traits", traits, "--pheno", o.pheno !== undefined, "both choose phenotypes");
  const read = o.d !== undefined || o.eig !== undefined;
  refuseBoth("-gk", gk, "-d, -u or --eig", read, "only -lmm reads a decomposition");
  refuseBoth("-eigen", decompose, "-d, -u or --eig", read, "it is either made or read");
  refuseBoth("--traits", traits, "-d, -u or --eig", read, "each group of people has its own decomposition");
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
    throw usage(
      "give -gk 1 (kinship), -eigen (its decomposition) or -lmm (association: 1, 2, 3, 4 or 9)",
      "lmm",
    );
  if (lmm && o.k === undefined && !read)
    throw usage("-lmm needs -k, the kinship that -gk 1 wrote, or -d and -u, which -eigen wrote", "k");
  if (decompose && o.k === undefined) throw usage("-eigen needs -k, the kinship that -gk 1 wrote", "k");
  const chosen = chosenPhenotypes(o);
  searchOfCommand(o, chosen);
  requireOther(
    "--report",
    o.report !== undefined,
    "several -n with -lmm",
    lmm && chosen.length > 1,
    "lmm gwas writes the report of one phenotype",
  );
  if (chosen.length > 1 && mode === 9) notImplemented("-lmm 9 with several -n");
  refuseBoth("-loco", o.loco !== undefined, "-g", o.g !== undefined, "chromosomes are those of a .bim");
  const outdir = String(o.outdir);
  // GEMMA makes its output folder; only the last part, so that a mistyped path does not grow a tree.
  try {
    mkdirSync(outdir);
  } catch {
    // there already, or checkOutputDir says why not
  }
  const prefix = join(outdir, String(o.o));
  checkOutputDir(`${prefix}.log.txt`);
  if (o.report !== undefined) {
    checkOutputs([`${prefix}.assoc.txt`, `${prefix}.log.txt`, String(o.report)]);
    checkOutputDir(String(o.report));
  }
  await using _lock = lockOutput(prefix);
  const meter = new StageMeter();
  const { signal } = context;
  await using whole = await meter.measure("reading", () =>
    openStudy(o, { signal, onProgress: context.onProgress }),
  );
  for (const warning of whole.warnings) context.warn(warning);
  const study = o.loco === undefined ? whole : await locoPart(whole, String(o.loco), gk);
  const { phenotype = 1, ...sources } = { ...peopleOptions(o, argv), onWarning: context.warn };
  const shared = { context, study, meter, prefix, warnings, options: await stepOptions(context, study) };
  if (o.traits !== undefined) {
    const groups = await meter.measure("joining", () =>
      joinTraits(study, { ...sources, traits: traitList(o.traits as string[]) }),
    );
    return await traitsTask(shared, groups, command);
  }
  if (chosen.length > 1) {
    const cohort = await meter.measure("joining", () =>
      joinMultivariate(study, { ...sources, traits: chosen }),
    );
    const run = { ...shared, cohort };
    if (gk) return await kinshipTask(run, command);
    return decompose ? await eigenTask(run, command) : await multivariateTask(run, command);
  }
  const cohort = await meter.measure("joining", () => joinSamples(study, { ...sources, phenotype }));
  const run = { ...shared, cohort };
  if (gk) return await kinshipTask(run, command);
  return decompose ? await eigenTask(run, command) : await associateTask(run, command);
}

/** `-loco`: the kinship's variants are those of the other chromosomes, the tested ones those of this. */
async function locoPart(study: PlinkStudy, name: string, gk: boolean): Promise<PlinkStudy> {
  const { from, to } = chromosomeNamed(study, name);
  if (!gk) return await selectStudy(study, { range: [from, to] });
  const others = Uint32Array.from({ length: study.p }, (_, row) => row).filter(
    (row) => row < from || row >= to,
  );
  return await selectStudy(study, { rows: others });
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
  const mode = Number(o.lmm) as GemmaMode;
  const association = associate(
    study,
    cohort,
    eig,
    only<AssociateOptions>({ ...accepted, tests: testsOf(mode) }, ASSOCIATE_NAMES),
  );
  const watch = new VariantWatch(options);
  const path = `${prefix}.assoc.txt`;
  const negLog10P = context.options.neglog10p === true;
  await meter.measure("association", () =>
    writeGemmaAssoc(watched(association, watch), path, {
      mode,
      negLog10P,
      study,
      signal: context.signal,
    }),
  );
  const { filters, degenerate, work } = association;
  const diagnostics = diagnose({
    study,
    cohort,
    kinship: kinshipCondition(eig, made.twins),
    seen: watch.finish(),
  });
  warnAbout(diagnostics, context.warn);
  const notes = diagnosticsLines(diagnostics, cohort);
  const facts = { filters, degenerate, work, nullModel: h0, diagnostics, notes, predicted: fitted.memory };
  return finish({ ...run, cohort }, command, facts, [path]);
}

function usage(message: string, option: string) {
  return lmmError("OPTION_MISSING", message, { usage: true, details: { option } });
}
