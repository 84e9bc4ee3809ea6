import { type RunOptions, resolveThreads } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import type { RecordBatch } from "apache-arrow";
import type { AssociationTypes } from "./association-arrow.ts";
import { type AssociationColumns, concatColumns } from "./association-columns.ts";
import type { Cohort } from "./cohort.ts";
import { Eigen } from "./eigen-matrix.ts";
import { lmmError } from "./errors.ts";
import { FILTER_NAMES, type FilterCounts, type FilterOptions, VariantFilter } from "./filter.ts";
import { newAssociation } from "./native.ts";
import { LAMBDA_NAMES, type LambdaOptions, lambdaOptions } from "./null-model.ts";
import { checkNames, type NamesOf, RUN_NAMES } from "./option-names.ts";
import { associationParts, fitChunk } from "./plan.ts";
import { filteredBlocks, requireCohort } from "./study.ts";

/** Options of {@link associate}. */
export interface AssociateOptions extends FilterOptions, LambdaOptions, RunOptions {
  /** Only the Wald test in this version. */
  readonly tests?: readonly "wald"[];
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
  /** Variants dropped and kept so far; complete when the iteration has ended. */
  readonly filters: FilterCounts;
  /** Variants so far for which no effect could be estimated (written as nan, null in Arrow). */
  readonly degenerate: number;
  /** The same results as plain typed arrays, for callers that do not need Arrow. */
  columns(): AsyncIterable<AssociationColumns>;
}

/**
 * Wald test of every variant that the filter keeps, each at its own REML λ, as GEMMA's `-lmm 1`. Missing calls count as
 * the mean of the analysed people. Results come in file order, as Arrow record batches of the association schema with
 * the 13 columns of {@link AssociationTypes}; those of other tests are absent.
 *
 * @throws COHORT_MISMATCH, MEM_PREFLIGHT, NOT_IMPLEMENTED, NO_VARIANTS_AFTER_FILTER (at the end), INPUT_CHANGED,
 * OPTION_RANGE, UNKNOWN_OPTION.
 */
export function associate(
  study: PlinkStudy,
  cohort: Cohort,
  eigen: Eigen,
  options: AssociateOptions = {},
): AssociationRun {
  checkNames(options, ASSOCIATE_NAMES, "associate");
  const lambda = lambdaOptions(options);
  for (const test of options.tests ?? [])
    if (test !== "wald")
      throw lmmError("NOT_IMPLEMENTED", `the ${test} test is not in this version; only "wald" is.`, {
        usage: true,
        details: { option: "tests" },
      });
  requireCohort(study, cohort);
  const vectors = Eigen.vectorsFor(eigen, cohort);
  const filter = new VariantFilter(options);
  const threads = resolveThreads(options.threads);
  const size = {
    samples: study.n,
    analyzed: cohort.analyzed.length,
    covariates: cohort.covariateNames.length,
    threads,
  };
  const chunk = fitChunk(options, (c) => associationParts({ ...size, chunk: c }));
  const { range } = options;
  let degenerate = 0;

  async function* columns(): AsyncGenerator<AssociationColumns> {
    const native = { signal: options.signal, threads };
    const model = newAssociation(vectors, eigen.values, cohort, lambda);
    const pass = {
      ...native,
      onProgress: options.onProgress,
      stage: "association",
      chunk,
      ...(range ? { range } : {}),
    };
    for await (const { start, packed, dosages, kept } of filteredBlocks(study, cohort, filter, pass)) {
      if (kept.rows.length === 0) continue;
      const wald = await (dosages
        ? model.testDosages(dosages, kept.rows, kept.means, native)
        : model.test(packed, kept.rows, kept.means, native));
      for (const se of wald.se) if (Number.isNaN(se)) degenerate++;
      yield {
        index: kept.rows.map((row) => start + row),
        nMiss: kept.nMiss,
        af: kept.af,
        beta: wald.beta,
        se: wald.se,
        loglH1: wald.loglH1,
        lRemle: wald.lRemle,
        pWald: wald.pWald,
        negLog10PWald: wald.negLog10PWald,
      };
    }
    await study.check();
    if (!range) filter.requireSome();
  }

  return {
    get filters() {
      return filter.counts;
    },
    get degenerate() {
      return degenerate;
    },
    columns,
    async *[Symbol.asyncIterator]() {
      const { toRecordBatch } = await import("./association-arrow.ts");
      for await (const block of rebatch(columns())) yield toRecordBatch(study, block);
    },
  };
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
