import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  type CliCommand,
  type CliContext,
  checkOutputDir,
  collectWarnings,
  lockOutput,
  type RunOptions,
  StageMeter,
} from "@x/core/base";
import { openPlink } from "@x/plink-io";
import { ASSOCIATE_NAMES, type AssociateOptions, associate } from "./associate.ts";
import { finish, fit, type GemmaRun, stepOptions } from "./cli-run.ts";
import { traitList, traitsTask } from "./cli-traits.ts";
import { isGiven, quoteWord } from "./cli-words.ts";
import { EIGEN_NAMES, type EigenOptions, eigen } from "./eigen.ts";
import { lmmError } from "./errors.ts";
import { type GemmaMode, testsOf } from "./gemma/modes.ts";
import { GEMMA_OPTIONS } from "./gemma/options.ts";
import { joinSamples } from "./join-samples.ts";
import { joinTraits } from "./join-traits.ts";
import { KINSHIP_NAMES, type KinshipOptions, kinship } from "./kinship.ts";
import {
  Kinship,
  type KinshipLoadOptions,
  type KinshipSaveOptions,
  LOAD_NAMES,
  SAVE_NAMES,
} from "./kinship-matrix.ts";
import { type LambdaOptions, NULL_MODEL_NAMES, nullModel } from "./null-model.ts";
import { only, refuseBoth } from "./option-names.ts";
import { writeGemmaAssoc } from "./write-gemma-assoc.ts";

/** The command without a verb: GEMMA's own flags, file names and log. */
export function gemmaCommand(argv: readonly string[]): CliCommand {
  return {
    name: "",
    summary: "GEMMA's own command lines: -bfile study -gk 1, -bfile study -k output/result.cXX.txt -lmm 1",
    options: [
      ...GEMMA_OPTIONS,
      {
        name: "format",
        type: "string",
        choices: ["text", "arrow"],
        default: "text",
        value: "text|arrow",
        help: "the kinship as GEMMA's text, or as an exact and faster Arrow file",
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
  const [gk, lmm] = [o.gk !== undefined, o.lmm !== undefined];
  refuseBoth("-gk", gk, "-lmm", lmm, "one command does one of both; lmm gwas does both in one go");
  refuseBoth("-gk", gk, "-k", o.k !== undefined, "the kinship is either made or read");
  const mode = lmm ? (Number(o.lmm) as GemmaMode) : undefined;
  if (mode !== undefined) testsOf(mode);
  refuseBoth("-gk", gk, "--neglog10p", o.neglog10p === true, "it adds a column to what -lmm writes");
  refuseBoth("-lmm", lmm, "--format", isGiven(argv, "format"), "it says how -gk writes the kinship");
  const traits = o.traits !== undefined;
  refuseBoth("-gk", gk, "--traits", traits, "a kinship is made for the people of one phenotype");
  refuseBoth("--traits", traits, "-n", isGiven(argv, "n"), "both choose phenotypes");
  refuseBoth("-notsnp", o.notsnp === true, "-maf", isGiven(argv, "maf"), "the frequency is tested or not");
  if (!gk && !lmm) throw usage("give -gk 1 (kinship) or -lmm (association: 1, 2, 3, 4 or 9)", "lmm");
  if (o.lmm !== undefined && o.k === undefined)
    throw usage("-lmm needs -k, the kinship that -gk 1 wrote", "k");
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
    openPlink(String(o.bfile), { signal, phenotypes: o.p === undefined ? "read" : "ignore" }),
  );
  for (const warning of study.warnings) context.warn(warning);
  const sources = {
    onWarning: context.warn,
    ...(o.p === undefined ? {} : { phenotypes: String(o.p) }),
    ...(o.c === undefined ? {} : { covariates: String(o.c) }),
    ...(o.gxe === undefined ? {} : { environment: String(o.gxe) }),
  };
  const shared = { context, study, meter, prefix, warnings, options: await stepOptions(context, study) };
  if (o.traits !== undefined) {
    const groups = await meter.measure("joining", () =>
      joinTraits(study, { ...sources, traits: traitList(o.traits as string[]) }),
    );
    return await traitsTask(shared, groups, command);
  }
  const cohort = await meter.measure("joining", () =>
    joinSamples(study, { ...sources, phenotype: Number(o.n) }),
  );
  const run = { ...shared, cohort };
  return o.gk === undefined ? await associateTask(run, command) : await kinshipTask(run, command);
}

async function kinshipTask(run: GemmaRun, command: string): Promise<unknown> {
  const { context, study, cohort, meter, prefix, options } = run;
  const fitted = fit(run, ["kinship"]);
  const format = context.options.format === "arrow" ? "arrow" : "text";
  // apache-arrow starts slowly; it loads while the kernels work.
  const ready = format === "arrow" ? import("./kinship-arrow.ts").catch(() => undefined) : undefined;
  await using K = await meter.measure("kinship", () =>
    kinship(study, cohort, only<KinshipOptions>({ ...options, ...fitted.accepted }, KINSHIP_NAMES)),
  );
  await ready;
  const path = `${prefix}.cXX.${format === "arrow" ? "arrow" : "txt"}`;
  await meter.measure("writing", () =>
    K.save(path, { ...only<KinshipSaveOptions>(options, SAVE_NAMES), format }),
  );
  return finish(run, command, { filters: K.filters!, predicted: fitted.memory }, [path]);
}

async function associateTask(run: GemmaRun, command: string): Promise<unknown> {
  const { context, study, cohort, meter, prefix, options } = run;
  const fitted = fit(run, ["eigen", "association"]);
  const K = await meter.measure("reading kinship", () =>
    Kinship.load(
      String(context.options.k),
      study,
      only<KinshipLoadOptions>({ ...options, ...fitted.accepted }, LOAD_NAMES),
    ),
  );
  await using eig = await meter.measure("eigen", () =>
    eigen(K, cohort, {
      ...only<EigenOptions>({ ...options, ...fitted.accepted }, EIGEN_NAMES),
      consume: true,
    }),
  );
  const h0 = await meter.measure("null model", () =>
    nullModel(cohort, eig, only<LambdaOptions & RunOptions>(options, NULL_MODEL_NAMES)),
  );
  const mode = Number(context.options.lmm) as GemmaMode;
  const association = associate(
    study,
    cohort,
    eig,
    only<AssociateOptions>({ ...options, ...fitted.accepted, tests: testsOf(mode) }, ASSOCIATE_NAMES),
  );
  const path = `${prefix}.assoc.txt`;
  const negLog10P = context.options.neglog10p === true;
  await meter.measure("association", () =>
    writeGemmaAssoc(association, path, { mode, negLog10P, study, signal: context.signal }),
  );
  const { filters, degenerate } = association;
  return finish(run, command, { filters, degenerate, nullModel: h0, predicted: fitted.memory }, [path]);
}

function usage(message: string, option: string) {
  return lmmError("OPTION_MISSING", message, { usage: true, details: { option } });
}
