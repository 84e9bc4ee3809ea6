import { type RunOptions, resolveThreads } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import type { RecordBatch } from "apache-arrow";
import type { AssociationTypes } from "./association-arrow.ts";
import { type AssociationColumns, type AssociationTest, concatColumns } from "./association-columns.ts";
import { type AssociationWork, associationPass, PassState } from "./association-pass.ts";
import type { Cohort } from "./cohort.ts";
import { DualEigen } from "./dual-eigen.ts";
import { checkDecomposition, type Decomposition } from "./eigen.ts";
import { lmmError } from "./errors.ts";
import { FILTER_NAMES, type FilterCounts, type FilterOptions, VariantFilter } from "./filter.ts";
import { LAMBDA_NAMES, type LambdaOptions, lambdaOptions } from "./null-model.ts";
import { checkNames, type NamesOf, RUN_NAMES } from "./option-names.ts";
import { associationParts, dualAssociationParts, fitChunk } from "./plan.ts";
import { requireCohort } from "./study.ts";

/** Options of {@link associate}. */
export interface AssociateOptions extends FilterOptions, LambdaOptions, RunOptions {
  /** Which tests, in one pass. Default: the Wald test. */
  readonly tests?: readonly AssociationTest[];
  /** Variants read at once; results do not depend on it. Default: as memory allows, at most 4096. */
  readonly chunk?: number;
  /** Only these .bim rows, half-open; the results of several ranges are together those of one run. */
  readonly range?: readonly [from: number, to: number];
}

export const ASSOCIATE_NAMES: NamesOf<AssociateOptions> = {
  ...FILTER_NAMES,
  ...LAMBDA_NAMES,
  ...RUN_NAMES,
  tests: true,
  chunk: true,
  range: true,
};

/** Rows of one record batch, whatever the chunk was: so a file of them has the same bytes. */
const BATCH_ROWS = 16_384;

/** A running association: iterate it once. */
export interface AssociationRun extends AsyncIterable<RecordBatch<AssociationTypes>> {
  /** The tests it does. */
  readonly tests: readonly AssociationTest[];
  /** Variants dropped and kept so far; complete when the iteration has ended. */
  readonly filters: FilterCounts;
  /** Variants so far for which no effect could be estimated (written as nan, null in Arrow). */
  readonly degenerate: number;
  /** What was computed so far. */
  readonly work: AssociationWork;
  /** The same results as plain typed arrays, for callers that do not need Arrow. */
  columns(): AsyncIterable<AssociationColumns>;
}

/**
 * Tests every variant that the filter keeps, with GEMMA's statistics (Zhou & Stephens 2012): `"wald"` at the variant's
 * own REML λ (`-lmm 1`), `"lrt"` from its full likelihood (`-lmm 2`), `"score"` at the null model's MLE λ (`-lmm 3`);
 * all three in one pass are `-lmm 4`. A cohort with an environment has the interaction with it tested, given both
 * (`-gxe`). Missing calls count as the mean of the analysed people. Results come in file order, as Arrow record batches
 * of the association schema with the columns of {@link AssociationTypes}; those of other tests are absent.
 *
 * @throws COHORT_MISMATCH, MEM_PREFLIGHT, NULL_FIT, NO_VARIANTS_AFTER_FILTER (at the end), INPUT_CHANGED, OPTION_RANGE,
 * UNKNOWN_OPTION.
 */
export function associate(
  study: PlinkStudy,
  cohort: Cohort,
  eigen: Decomposition,
  options: AssociateOptions = {},
): AssociationRun {
  checkNames(options, ASSOCIATE_NAMES, "associate");
  const pass = preparePass(study, [cohort], eigen, options);
  async function* columns(): AsyncGenerator<AssociationColumns> {
    for await (const [block] of pass.blocks()) yield block!;
  }
  return {
    tests: pass.tests,
    get filters() {
      return pass.state.filters ?? pass.filter.counts;
    },
    get degenerate() {
      return pass.state.degenerate[0] ?? 0;
    },
    get work() {
      return pass.state.work;
    },
    columns,
    async *[Symbol.asyncIterator]() {
      const { toRecordBatch } = await import("./association-arrow.ts");
      for await (const block of rebatch(columns())) yield toRecordBatch(study, block);
    },
  };
}

/** A pass that may begin. */
export interface Pass {
  readonly tests: readonly AssociationTest[];
  readonly filter: VariantFilter;
  readonly state: PassState;
  /** Runs it: results of all phenotypes, block by block. */
  blocks(): AsyncGenerator<AssociationColumns[]>;
}

/** Checks everything that can be checked before a pass for phenotypes of the same people begins. */
export function preparePass(
  study: PlinkStudy,
  cohorts: readonly [Cohort, ...Cohort[]],
  eigen: Decomposition,
  options: AssociateOptions,
): Pass {
  const lambda = lambdaOptions(options);
  const tests = checkTests(options.tests ?? ["wald"]);
  const [cohort] = cohorts;
  for (const each of cohorts) requireCohort(study, each);
  checkDecomposition(eigen, cohort);
  const filter = new VariantFilter(options);
  const threads = resolveThreads(options.threads);
  const size = {
    samples: study.n,
    analyzed: cohort.analyzed.length,
    covariates: cohort.covariateNames.length,
    traits: cohorts.length,
    environment: cohort.environment !== undefined,
    threads,
  };
  const chunk = fitChunk(options, (c) =>
    eigen instanceof DualEigen
      ? dualAssociationParts({ ...size, chunk: c, kinshipVariants: eigen.facts.snps })
      : associationParts({ ...size, chunk: c }),
  );
  const state = new PassState();
  const { signal, onProgress, range } = options;
  const native = { signal, threads, onProgress, stage: "association" };
  return {
    tests,
    filter,
    state,
    blocks: () =>
      associationPass(study, cohorts, eigen, { tests, lambda, filter, chunk, range, native, state }),
  };
}

const TESTS: readonly AssociationTest[] = ["wald", "lrt", "score"];

/** The tests in their fixed order. @throws OPTION_RANGE for none, or one that nobody knows. */
export function checkTests(tests: readonly AssociationTest[]): readonly AssociationTest[] {
  const unknown = tests.find((test) => !TESTS.includes(test));
  if (unknown === undefined && tests.length > 0) return TESTS.filter((test) => tests.includes(test));
  throw lmmError(
    "OPTION_RANGE",
    `tests must be some of ${TESTS.join(", ")}; ${unknown === undefined ? "none" : JSON.stringify(unknown)} given.`,
    { usage: true, details: { option: "tests", value: unknown } },
  );
}

/** Blocks of exactly `rows` rows, the last one shorter. */
export async function* rebatch(
  source: AsyncIterable<AssociationColumns>,
  rows: number = BATCH_ROWS,
): AsyncGenerator<AssociationColumns> {
  let waiting: AssociationColumns[] = [];
  let count = 0;
  for await (const block of source) {
    waiting.push(block);
    count += block.index.length;
    if (count < rows) continue;
    const all = concatColumns(waiting);
    let from = 0;
    for (; count - from >= rows; from += rows) yield concatColumns([all], from, from + rows);
    waiting = [concatColumns([all], from, count)];
    count -= from;
  }
  if (count > 0) yield concatColumns(waiting);
}
