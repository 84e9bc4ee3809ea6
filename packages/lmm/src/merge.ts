import {
  checkOutputDir,
  collectWarnings,
  lockOutput,
  OutputFiles,
  type RunOptions,
  resolveThreads,
  StageMeter,
} from "@x/core/base";
import { openPlink } from "@x/plink-io";
import type { LocoChromosome } from "./associate-loco.ts";
import { concatColumns, leadingTest } from "./association-columns.ts";
import { noWork } from "./association-pass.ts";
import { diagnose } from "./diagnostics.ts";
import { lmmError } from "./errors.ts";
import { addFilterCounts, noFilterCounts, requireKept } from "./filter.ts";
import { checkGwasPaths, textWriter, writeGwasFiles } from "./gwas-files.ts";
import type { GwasResult } from "./gwas-options.ts";
import { withDroppedTable } from "./join-samples.ts";
import { variantsHash } from "./journal/identity.ts";
import { checkSet, readShard } from "./journal/shard-set.ts";
import { checkNames, type NamesOf, RUN_NAMES } from "./option-names.ts";
import { VariantWatch } from "./variant-problems.ts";

/** Options of {@link mergeShards}. */
export interface MergeOptions extends RunOptions {
  /** Prefix of the output, as of `gwas`. */
  readonly out: string;
  /** Prefix of the fileset. Default: where the shards found it. */
  readonly fileset?: string;
  /** Path of the HTML report, or false for none. */
  readonly report?: string | false;
  /** A title for the report. */
  readonly title?: string;
  /** The command line, for log and report. */
  readonly command?: string;
}

const NAMES: NamesOf<MergeOptions> = {
  ...RUN_NAMES,
  out: true,
  fileset: true,
  report: true,
  title: true,
  command: true,
};

/**
 * Puts the shards of one run together (`gwas` with `shard`): `.assoc.txt` and `.assoc.arrow` are byte for byte those of the run
 * in one piece, and log and report are written as there. The files may be given in any order.
 *
 * @throws SHARD_SET when one is missing, there twice or of another run (with the field that differs), SHARD_HASH when one
 * is cut or damaged, COHORT_MISMATCH when the fileset is another one; OUT_DIR, LOCKED.
 */
export async function mergeShards(paths: readonly string[], options: MergeOptions): Promise<GwasResult> {
  checkNames(options, NAMES, "mergeShards");
  for (const path of checkGwasPaths(options)) checkOutputDir(path);
  await using _lock = lockOutput(options.out);
  const meter = new StageMeter();
  const shards = await meter.measure("reading", () => Promise.all(paths.map(readShard)));
  const ordered = checkSet(shards);
  const { facts, identity } = ordered[0]!;
  await using study = await openPlink(options.fileset ?? facts.fileset, {
    phenotypes: "ignore",
    ...(options.signal ? { signal: options.signal } : {}),
  });
  if (variantsHash(study) !== identity.variants || study.sampleHash !== facts.cohort.sampleHash)
    throw lmmError(
      "COHORT_MISMATCH",
      `${study.paths.bed} is not the fileset of these shards: its ${study.sampleHash === facts.cohort.sampleHash ? "variants" : "people"} are others.`,
      { details: { fileset: study.paths.bed } },
    );
  const { warnings, warn } = collectWarnings();
  for (const warning of facts.warnings) warn(warning);
  const blocks = ordered.flatMap((shard) => shard.blocks);
  const filters = blocks.reduce((sum, block) => addFilterCounts(sum, block.filters), noFilterCounts());
  requireKept(filters);
  const columns = concatColumns(blocks.map((b) => b.columns).filter((c) => c.index.length > 0));
  const cohort = withDroppedTable(facts.cohort, study.fam);
  const watch = new VariantWatch(facts.lambda);
  watch.add(columns, leadingTest(columns).negLog10P);
  const diagnostics = diagnose({ study, cohort, kinship: facts.kinship, seen: watch.finish() });
  await using outputs = new OutputFiles({ signal: options.signal });
  await meter.measure("writing", () =>
    textWriter(outputs, study, { ...facts.shown, out: options.out }).write(columns),
  );
  const { resultsTable } = await import("./association-arrow.ts");
  const files: string[] = [];
  const result: GwasResult = Object.freeze({
    cohort,
    nullModel: facts.nullModel,
    filters,
    get results() {
      return resultsTable(study, columns);
    },
    columns,
    degenerate: blocks.reduce((sum, block) => sum + block.degenerate, 0),
    // The shards did it.
    work: noWork(),
    diagnostics,
    ...(facts.chromosomes
      ? { chromosomes: inOrder(ordered.map((shard) => shard.facts.chromosomes ?? [])) }
      : {}),
    get stages() {
      return meter.stages;
    },
    plan: facts.plan,
    warnings,
    files,
  });
  const command = options.command ?? `${facts.command} (merged from ${ordered.length} shards)`;
  files.push(
    ...(await writeGwasFiles(
      study,
      result,
      { ...facts.shown, ...options, threads: resolveThreads(options.threads), command },
      { files: outputs, meter },
    )),
  );
  return result;
}

/** A chromosome that two shards share was tested with the same kinship in both. */
function inOrder(parts: ReadonlyArray<readonly LocoChromosome[]>): LocoChromosome[] {
  return [...new Map(parts.flat().map((c) => [c.chromosome, c])).values()];
}
