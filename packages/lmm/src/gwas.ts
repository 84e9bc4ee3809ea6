import {
  checkOutputDir,
  collectWarnings,
  lockOutput,
  OutputFiles,
  type RunOptions,
  resolveThreads,
  StageMeter,
  type StageUsage,
  type Warning,
} from "@x/core/base";
import { openPlink, type PlinkStudy } from "@x/plink-io";
import type { Table } from "apache-arrow";
import { ASSOCIATE_NAMES, type AssociateOptions, associate, checkTests } from "./associate.ts";
import type { AssociationTypes } from "./association-arrow.ts";
import { type AssociationColumns, type AssociationTest, concatColumns } from "./association-columns.ts";
import type { Cohort } from "./cohort.ts";
import { commandText } from "./command-text.ts";
import { EIGEN_NAMES, type EigenOptions, eigen } from "./eigen.ts";
import { lmmError } from "./errors.ts";
import { FILTER_NAMES, type FilterCounts, type FilterOptions, requireKept } from "./filter.ts";
import { type GemmaMode, testsOf } from "./gemma/modes.ts";
import { checkGwasPaths, textWriter, writeGwasFiles } from "./gwas-files.ts";
import { checkJoin, JOIN_NAMES, type JoinOptions, joinSamples } from "./join-samples.ts";
import { runIdentity } from "./journal/identity.ts";
import { Journal, journalPath } from "./journal/journal.ts";
import { resumable } from "./journal/resumable.ts";
import { checkShard, type Shard, shardPath, shardRange } from "./journal/shard.ts";
import { KINSHIP_NAMES, type KinshipOptions, kinship } from "./kinship.ts";
import {
  Kinship,
  type KinshipLoadOptions,
  type KinshipSaveOptions,
  LOAD_NAMES,
  SAVE_NAMES,
} from "./kinship-matrix.ts";
import {
  LAMBDA_NAMES,
  type LambdaOptions,
  NULL_MODEL_NAMES,
  type NullModel,
  nullModel,
} from "./null-model.ts";
import {
  checkNames,
  defined,
  type NamesOf,
  only,
  RUN_NAMES,
  refuseBoth,
  requireOther,
} from "./option-names.ts";
import { fitGwas, type GwasPlan } from "./plan.ts";
import { checkSnpList, readSnpList } from "./snp-list.ts";

/** Options of {@link gwas}. */
export interface GwasOptions extends JoinOptions, FilterOptions, LambdaOptions, RunOptions {
  /** Which tests, in one pass. Default: the Wald test. */
  readonly tests?: readonly AssociationTest[];
  /** GEMMA's `-lmm` number instead of `tests`: its tests, and its columns in the text file. */
  readonly lmm?: GemmaMode;
  /** Adds −log₁₀ of every p to the text file. */
  readonly negLog10P?: boolean;
  /** Prefix of the output: `.assoc.txt`, `.assoc.arrow`, `.log.txt` and, unless `report` says otherwise, `.report.html`. */
  readonly out?: string;
  /** Path of the HTML report, or false for none. */
  readonly report?: string | false;
  /** A kinship to read (text or Arrow) instead of computing one. */
  readonly kinship?: string;
  /** Where to keep the kinship: `.txt` as GEMMA writes it, anything else as Arrow. */
  readonly saveKinship?: string;
  /** Variants read at once; results do not depend on it. */
  readonly chunk?: number;
  /** The command line, for log and report. Default: this call with every option given. */
  readonly command?: string;
  /** A title for the report. */
  readonly title?: string;
  /** A file of variant ids to restrict the study to, instead of `snps`. */
  readonly snpFile?: string;
  /**
   * Goes on where a killed run of the same call stopped, and keeps what this one needs to be gone on with: a journal
   * beside the output, taken away at the end. The files are the same bytes either way.
   */
  readonly resume?: boolean;
  /** Only this part of the variants; writes `<out>.shard-i-of-N` for {@link mergeShards} instead of results. */
  readonly shard?: Shard;
  /** Leave-one-chromosome-out is not in this version: refused with NOT_IMPLEMENTED. */
  readonly loco?: false;
}

const GWAS_NAMES: NamesOf<GwasOptions> = {
  ...JOIN_NAMES,
  ...FILTER_NAMES,
  ...LAMBDA_NAMES,
  ...RUN_NAMES,
  tests: true,
  lmm: true,
  negLog10P: true,
  out: true,
  report: true,
  kinship: true,
  saveKinship: true,
  chunk: true,
  command: true,
  title: true,
  snpFile: true,
  resume: true,
  shard: true,
  loco: true,
};

/** What {@link gwas} returns. */
export interface GwasResult {
  /** Who was analysed. */
  readonly cohort: Cohort;
  /** The model without a variant. */
  readonly nullModel: NullModel;
  /** What the filter dropped before the association. */
  readonly filters: FilterCounts;
  /** All results as an Arrow table of the association schema, as {@link associate} types it, built when first asked for. */
  readonly results: Table<AssociationTypes>;
  /** The same as plain columns; `index` is the row in the .bim. */
  readonly columns: AssociationColumns;
  /** Variants without an estimate (nan, null in Arrow). */
  readonly degenerate: number;
  /** Wall and CPU time and memory of each stage. */
  readonly stages: readonly StageUsage[];
  /** What was predicted. */
  readonly plan: GwasPlan;
  /** Everything odd but acceptable. */
  readonly warnings: readonly Warning[];
  /** Files written. */
  readonly files: readonly string[];
}

/**
 * The whole study in one call: read, join, kinship, eigendecomposition, null model, Wald tests, and with `out` the
 * result files and a report. The fileset is a prefix or an opened study.
 *
 * @throws Everything the steps throw; UNKNOWN_OPTION, OPTION_CONFLICT, OPTION_MISSING, OUT_DIR and LOCKED before any computing, MEM_PREFLIGHT before any allocation.
 */
export async function gwas(fileset: string | PlinkStudy, options: GwasOptions = {}): Promise<GwasResult> {
  checkNames(options, GWAS_NAMES, "gwas");
  checkJoin(options);
  const { snps, snpFile, title, report } = options;
  refuseBoth("snps", snps !== undefined, "snpFile", snpFile !== undefined, "both list the variants to keep");
  refuseBoth("title", title !== undefined, "report: false", report === false, "the title is the report's");
  if (options.loco)
    throw lmmError("NOT_IMPLEMENTED", "loco is not in this version.", {
      usage: true,
      details: { option: "loco" },
    });
  const { out, resume, shard, lmm } = options;
  requireOther("resume", resume === true, "out", out !== undefined, "there is no output to go on with");
  requireOther("shard", shard !== undefined, "out", out !== undefined, "a shard is a file");
  if (shard) checkShard(shard);
  refuseBoth("lmm", lmm !== undefined, "tests", options.tests !== undefined, "both choose the tests");
  const tests = lmm === undefined ? checkTests(options.tests ?? ["wald"]) : testsOf(lmm);
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
  const threads = resolveThreads(given.threads);
  const joined = await meter.measure("joining", () =>
    joinSamples(study, { ...only<JoinOptions>(given, JOIN_NAMES), onWarning: warn }),
  );
  const size = {
    samples: study.n,
    variants: study.p,
    analyzed: joined.analyzed.length,
    covariates: joined.covariateNames.length,
    environment: joined.environment !== undefined,
    threads,
  };
  const plan = fitGwas(size, given);
  const snps = given.snpFile === undefined ? given.snps : await readSnpList(given.snpFile);
  if (snps) checkSnpList(study, snps, warn);
  // The plan of the whole run has been accepted: the steps must not weigh themselves again on the way.
  const memoryLimit = Number.POSITIVE_INFINITY;
  const options = { ...given, onWarning: warn, chunk: plan.chunk, memoryLimit, ...(snps ? { snps } : {}) };

  // apache-arrow starts slowly; it loads while the kernels work.
  const arrow = import("./association-arrow.ts");
  arrow.catch(() => undefined);
  const K = await meter.measure("kinship", () =>
    options.kinship === undefined
      ? kinship(study, joined, only<KinshipOptions>(options, KINSHIP_NAMES))
      : Kinship.load(options.kinship, study, only<KinshipLoadOptions>(options, LOAD_NAMES)),
  );
  await using eig = await (async () => {
    await using _k = K;
    const { saveKinship } = options;
    if (saveKinship !== undefined)
      await meter.measure("writing kinship", () =>
        K.save(saveKinship, only<KinshipSaveOptions>(options, SAVE_NAMES)),
      );
    return await meter.measure("eigen", () =>
      eigen(K, joined, { ...only<EigenOptions>(options, EIGEN_NAMES), consume: true }),
    );
  })();
  const h0 = await meter.measure("null model", () =>
    nullModel(joined, eig, only<LambdaOptions & RunOptions>(options, NULL_MODEL_NAMES)),
  );
  const { shard } = given;
  const range = shard ? shardRange(study.p, shard) : ([0, study.p] as const);
  const step = only<AssociateOptions>(options, ASSOCIATE_NAMES);
  const identity = { range, shard: shard ? `${shard.index}/${shard.count}` : "1/1" };
  const to = shard ? shardPath(given.out!, shard) : given.out;
  await using journal =
    given.resume || shard
      ? await Journal.open(journalPath(to!), runIdentity(study, joined, eig, step, identity))
      : undefined;
  const association = journal
    ? resumable((part) => associate(study, joined, eig, { ...step, range: part }), range, journal)
    : associate(study, joined, eig, step);
  await using outputs = new OutputFiles({ signal: options.signal });
  const files = options.saveKinship === undefined ? [] : [options.saveKinship];
  const columns = await meter.measure("association", async () => {
    const blocks: AssociationColumns[] = [];
    const text = textWriter(outputs, study, shard ? { tests: given.tests } : options);
    for await (const block of association.columns()) {
      await text.write(block);
      blocks.push(block);
    }
    if (journal && !shard) requireKept(association.filters);
    return concatColumns(blocks);
  });
  const { resultsTable } = await arrow;
  let table: Table<AssociationTypes> | undefined;
  const result: GwasResult = Object.freeze({
    cohort: joined,
    nullModel: h0,
    filters: association.filters,
    get results(): Table<AssociationTypes> {
      table ??= resultsTable(study, columns);
      return table;
    },
    columns,
    degenerate: association.degenerate,
    get stages() {
      return meter.stages;
    },
    plan: plan.plan,
    warnings,
    files,
  });
  const command = commandText(study, asked);
  if (shard) {
    const { tests, lmm, negLog10P, miss, maf, hwe, r2 } = options;
    const shown = { tests, ...defined({ lmm, negLog10P, miss, maf, hwe, r2 }) };
    const fileset = study.paths.bed.replace(/\.bed$/, "");
    const facts = { fileset, command, shown, plan: plan.plan, warnings };
    await journal!.finish(to!, { ...facts, cohort: joined, nullModel: h0 });
    files.push(to!);
    return result;
  }
  files.push(
    ...(await writeGwasFiles(study, result, { ...options, threads, command }, { files: outputs, meter })),
  );
  await journal?.remove();
  return result;
}
