import {
  checkOutputDir,
  collectWarnings,
  lockOutput,
  OutputFiles,
  type RunOptions,
  resolveThreads,
  StageMeter,
} from "@x/core/base";
import { openPlink, type PlinkStudy } from "@x/plink-io";
import type { Table } from "apache-arrow";
import {
  ASSOCIATE_NAMES,
  type AssociateOptions,
  type AssociationRun,
  associate,
  checkTests,
} from "./associate.ts";
import { associateLoco, LOCO_NAMES, type LocoChromosome, type LocoOptions } from "./associate-loco.ts";
import type { AssociationTypes } from "./association-arrow.ts";
import {
  type AssociationColumns,
  type AssociationTest,
  concatColumns,
  leadingTest,
  noColumns,
} from "./association-columns.ts";
import { isDosageStudy } from "./bimbam.ts";
import { commandText } from "./command-text.ts";
import { decompose } from "./decompose.ts";
import { diagnose, kinshipCondition, warnAbout } from "./diagnostics.ts";
import { Eigen } from "./eigen-matrix.ts";
import { lmmError } from "./errors.ts";
import { requireKept } from "./filter.ts";
import { statisticsOf, testsOf } from "./gemma/modes.ts";
import { checkGwasPaths, textWriter, writeGwasFiles } from "./gwas-files.ts";
import { GWAS_NAMES, type GwasOptions, type GwasResult } from "./gwas-options.ts";
import { checkJoin, JOIN_NAMES, type JoinOptions, joinSamples } from "./join-samples.ts";
import { genotypeHash, runIdentity } from "./journal/identity.ts";
import { Journal, journalPath } from "./journal/journal.ts";
import { resumable } from "./journal/resumable.ts";
import { checkShard, shardPath, shardRange } from "./journal/shard.ts";
import { type LambdaOptions, NULL_MODEL_NAMES, nullModel } from "./null-model.ts";
import { checkEigenRoute } from "./obtain-eigen.ts";
import { checkNames, defined, only, refuseBoth, requireOther } from "./option-names.ts";
import { withComponents } from "./pca.ts";
import { fitGwas } from "./plan.ts";
import { checkDualRoute, studySize } from "./route.ts";
import { checkSnpList, readSnpList } from "./snp-list.ts";
import { VariantWatch } from "./variant-problems.ts";

/**
 * The whole study in one call: read, join, kinship, eigendecomposition, null model, Wald tests, and with `out` the
 * result files and a report. The fileset is a prefix or an opened study.
 *
 * @throws Everything the steps throw; UNKNOWN_OPTION, OPTION_CONFLICT, OPTION_MISSING, OUT_TWICE, OUT_DIR and LOCKED before any computing, MEM_PREFLIGHT before any allocation.
 */
export async function gwas(fileset: string | PlinkStudy, options: GwasOptions = {}): Promise<GwasResult> {
  checkNames(options, GWAS_NAMES, "gwas");
  checkJoin(options);
  const { snps, snpFile, title, report } = options;
  refuseBoth("snps", snps !== undefined, "snpFile", snpFile !== undefined, "both list the variants to keep");
  const kinshipSnps = options.kinshipSnps ?? options.kinshipSnpFile;
  refuseBoth(
    "kinshipSnps",
    options.kinshipSnps !== undefined,
    "kinshipSnpFile",
    options.kinshipSnpFile !== undefined,
    "both list the variants that make the kinship",
  );
  checkEigenRoute({ ...options, kinshipSnps } as Parameters<typeof checkEigenRoute>[0]);
  refuseBoth("title", title !== undefined, "report: false", report === false, "the title is the report's");
  refuseBoth(
    "loco",
    options.loco === true,
    "kinship",
    options.kinship !== undefined,
    "a kinship read from a file does not say what each chromosome added",
  );
  const { out, resume, shard, lmm } = options;
  requireOther("resume", resume === true, "out", out !== undefined, "there is no output to go on with");
  requireOther("shard", shard !== undefined, "out", out !== undefined, "a shard is a file");
  if (shard) checkShard(shard);
  refuseBoth("lmm", lmm !== undefined, "tests", options.tests !== undefined, "both choose the tests");
  const tests = lmm === undefined ? checkTests(options.tests ?? ["wald"]) : testsOf(lmm);
  checkDualRoute(options);
  for (const path of checkGwasPaths(options)) checkOutputDir(path);
  // Shards of one run may be made side by side.
  await using _lock = out === undefined ? undefined : lockOutput(shard ? shardPath(out, shard) : out);
  const meter = new StageMeter();
  if (typeof fileset !== "string") return await run(fileset, { ...options, tests }, options, meter);
  await using study = await meter.measure("reading", () =>
    openPlink(fileset, {
      phenotypes: options.phenotypes === undefined ? "read" : "ignore",
      ...(options.signal ? { signal: options.signal } : {}),
    }),
  );
  return await run(study, { ...options, tests }, options, meter);
}

/** `asked`: the options as they were given, for the command line in the log. */
async function run(
  study: PlinkStudy,
  given: GwasOptions & { tests: readonly AssociationTest[] },
  asked: GwasOptions,
  meter: StageMeter,
): Promise<GwasResult> {
  const { warnings, warn } = collectWarnings(given.onWarning);
  for (const warning of study.warnings) warn(warning);
  for (const option of ["shard", "loco"] as const)
    if (given[option] && isDosageStudy(study))
      throw lmmError("NOT_IMPLEMENTED", `${option} is for PLINK filesets; dosages are tested in one piece.`, {
        usage: true,
        details: { option },
      });
  const threads = resolveThreads(given.threads);
  const joined = await meter.measure("joining", () =>
    joinSamples(study, { ...only<JoinOptions>(given, JOIN_NAMES), onWarning: warn }),
  );
  const list = async (ids: ReadonlySet<string> | undefined, file: string | undefined) => {
    const snps = file === undefined ? ids : await readSnpList(file);
    if (snps) checkSnpList(study, snps, warn);
    return snps;
  };
  const snps = await list(given.snps, given.snpFile);
  const kinshipSnps = await list(given.kinshipSnps, given.kinshipSnpFile);
  const lists = { ...(snps ? { snps } : {}), ...(kinshipSnps ? { kinshipSnps } : {}) };
  const plan = fitGwas(studySize(study, joined, { ...given, ...lists, threads }), given);
  // The plan of the whole run has been accepted: the steps must not weigh themselves again on the way.
  const memoryLimit = Number.POSITIVE_INFINITY;
  const options = { ...given, onWarning: warn, chunk: plan.chunk, memoryLimit, ...lists };

  // apache-arrow starts slowly; it loads while the kernels work.
  const arrow = import("./association-arrow.ts");
  arrow.catch(() => undefined);
  await using made = await decompose(study, joined, { ...options, route: plan.plan.route }, meter);
  const { eig, whole } = made;
  const cohort =
    given.components === undefined || !(eig instanceof Eigen)
      ? joined
      : withComponents(joined, eig, given.components);
  const h0 = await meter.measure("null model", () =>
    nullModel(cohort, eig, only<LambdaOptions & RunOptions>(options, NULL_MODEL_NAMES)),
  );
  const { shard } = given;
  const range = shard ? shardRange(study.p, shard) : ([0, study.p] as const);
  const step = only<AssociateOptions>(options, ASSOCIATE_NAMES);
  const left = whole ? "its chromosome" : "nothing";
  const part = { range, shard: shard ? `${shard.index}/${shard.count}` : "1/1", left };
  const to = shard ? shardPath(given.out!, shard) : given.out;
  await using journal =
    given.resume || shard
      ? await Journal.open(
          journalPath(to!),
          runIdentity(study, cohort, eig, options, {
            ...part,
            genotypes: await genotypeHash(study.paths.bed),
          }),
          warn,
        )
      : undefined;
  const condition = kinshipCondition(eig, made.twins);
  // Each chromosome brings its own eigenvectors: those of the whole need not wait.
  if (whole) await eig[Symbol.asyncDispose]();
  let chromosomes: readonly LocoChromosome[] = [];
  const start = (part: AssociateOptions["range"]): AssociationRun => {
    const some = { ...step, ...(part ? { range: part } : {}) };
    if (!whole) return associate(study, cohort, eig, some);
    const run = associateLoco(study, cohort, whole, { ...only<LocoOptions>(options, LOCO_NAMES), ...some });
    chromosomes = run.chromosomes;
    return run;
  };
  const association = journal ? resumable(start, range, journal) : start(undefined);
  await using outputs = new OutputFiles({ signal: options.signal });
  const { files } = made;
  const columns = await meter.measure("association", async () => {
    const blocks: AssociationColumns[] = [];
    const text = textWriter(outputs, study, shard ? { tests: given.tests } : options);
    for await (const block of association.columns()) {
      await text.write(block);
      blocks.push(block);
    }
    if (journal && !shard) requireKept(association.filters);
    return blocks.length > 0 ? concatColumns(blocks) : noColumns(statisticsOf(given.tests));
  });
  const watch = new VariantWatch(options);
  watch.add(columns, leadingTest(columns).negLog10P);
  const diagnostics = diagnose({ study, cohort, kinship: condition, seen: watch.finish() });
  warnAbout(diagnostics, warn);
  const { resultsTable } = await arrow;
  let table: Table<AssociationTypes> | undefined;
  const result: GwasResult = Object.freeze({
    cohort,
    nullModel: h0,
    filters: association.filters,
    get results(): Table<AssociationTypes> {
      table ??= resultsTable(study, columns);
      return table;
    },
    columns,
    degenerate: association.degenerate,
    work: association.work,
    diagnostics,
    ...(whole ? { chromosomes } : {}),
    get stages() {
      return meter.stages;
    },
    plan: plan.plan,
    warnings,
    files,
  });
  const command = commandText(study, asked);
  if (shard) {
    const { tests, lmm, negLog10P, miss, maf, hwe, r2, lmin, lmax } = options;
    const shown = { tests, ...defined({ lmm, negLog10P, miss, maf, hwe, r2 }) };
    const fileset = study.paths.bed.replace(/\.bed$/, "");
    const facts = { fileset, command, shown, plan: plan.plan, warnings };
    await journal!.finish(to!, {
      ...facts,
      cohort,
      nullModel: h0,
      kinship: condition,
      ...(whole ? { chromosomes } : {}),
      lambda: defined({ lmin, lmax }),
    });
    files.push(to!);
    return result;
  }
  files.push(
    ...(await writeGwasFiles(study, result, { ...options, threads, command }, { files: outputs, meter })),
  );
  await journal?.remove();
  return result;
}
