import { type RunOptions, resolveThreads } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import type { RecordBatch } from "apache-arrow";
import { Eigen } from "./eigen-matrix.ts";
import { lmmError } from "./errors.ts";
import { FILTER_NAMES, type FilterCounts, type FilterOptions, VariantFilter } from "./filter.ts";
import type { MultivariateCohort } from "./multivariate-cohort.ts";
import {
  type MultivariateColumns,
  type MultivariateTest,
  multivariateColumns,
} from "./multivariate-columns.ts";
import {
  frozenNull,
  type MultivariateNullModel,
  type MultivariateSearchOptions,
  SEARCH_NAMES,
  searchOptions,
} from "./multivariate-null.ts";
import { type MultiModel, newMultiAssociation } from "./native-multivariate.ts";
import { checkNames, type NamesOf, RUN_NAMES } from "./option-names.ts";
import { associationParts, fitChunk } from "./plan.ts";
import { filteredBlocks, requireCohort } from "./study.ts";

/** Options of {@link associateMultivariate}. */
export interface AssociateMultivariateOptions extends FilterOptions, MultivariateSearchOptions, RunOptions {
  /** Default: the Wald test. Effects are those of the first of Wald, LRT, score that runs. */
  readonly tests?: readonly MultivariateTest[];
  /** Variants read at once; results do not depend on it. Default: as memory allows, at most 4096. */
  readonly chunk?: number;
}

export const MULTIVARIATE_NAMES: NamesOf<AssociateMultivariateOptions> = {
  ...FILTER_NAMES,
  ...SEARCH_NAMES,
  ...RUN_NAMES,
  tests: true,
  chunk: true,
};

const ORDER: readonly MultivariateTest[] = ["wald", "lrt", "score"];

/** A running multivariate association: iterate it once. */
export interface MultivariateRun extends AsyncIterable<RecordBatch> {
  /** Traits. */
  readonly traits: number;
  /** Tests, in the order of their columns. */
  readonly tests: readonly MultivariateTest[];
  /** The model without a variant: fitted when first asked for, or when the iteration begins. */
  nullModel(): Promise<MultivariateNullModel>;
  /** Variants dropped and kept so far. */
  readonly filters: FilterCounts;
  /** Variants so far for which no effect could be estimated (nan in text, null in Arrow). */
  readonly degenerate: number;
  /** Variants so far whose search ended at its last step; their numbers are the best that was found. */
  readonly unconverged: number;
  /** The same results as plain typed arrays, block by block. */
  columns(): AsyncIterable<MultivariateColumns>;
}

/**
 * Tests every variant against all traits together, as GEMMA's `-n 1 2 … -lmm 1|2|3|4`: Y = BW′ + βx′ + G + E with
 * vec G ~ N(0, K ⊗ Vg) and vec E ~ N(0, I ⊗ Ve) (Zhou & Stephens 2014, Nature Methods 11:407). Wald at the variant's own
 * REML estimates of Vg and Ve, LRT at its MLE, score at the null model's MLE; every p is from χ² with one degree of
 * freedom a trait. A cohort with an environment has the interaction with it tested, given both (`-gxe`); the LRT is against
 * each variant's own model without it. Missing calls count as the mean of the analysed people. Results come in file order.
 *
 * @throws COHORT_MISMATCH, MEM_PREFLIGHT, TRAIT_COLLINEAR (a trait is a combination of others and the covariates), DF,
 * NULL_FIT, NO_VARIANTS_AFTER_FILTER (at the end), INPUT_CHANGED, OPTION_RANGE, UNKNOWN_OPTION.
 */
export function associateMultivariate(
  study: PlinkStudy,
  cohort: MultivariateCohort,
  eigen: Eigen,
  options: AssociateMultivariateOptions = {},
): MultivariateRun {
  checkNames(options, MULTIVARIATE_NAMES, "associateMultivariate");
  const search = searchOptions(options);
  const tests = chosenTests(options.tests ?? ["wald"]);
  requireCohort(study, cohort);
  const vectors = Eigen.vectorsFor(eigen, cohort);
  const filter = new VariantFilter(options);
  const threads = resolveThreads(options.threads);
  const traits = cohort.traitNames.length;
  const size = {
    samples: study.n,
    analyzed: cohort.analyzed.length,
    covariates: cohort.covariateNames.length,
    threads,
    jointTraits: traits,
    environment: cohort.environment !== undefined,
  };
  const chunk = fitChunk(options, (c) => associationParts({ ...size, chunk: c }));
  const native = { signal: options.signal, threads };
  const which = {
    wald: tests.includes("wald"),
    lrt: tests.includes("lrt"),
    score: tests.includes("score"),
  };
  let degenerate = 0;
  let unconverged = 0;
  let fitting: Promise<MultiModel> | undefined;

  const model = (): Promise<MultiModel> => {
    fitting ??= newMultiAssociation(vectors, eigen.values, cohort, search, native).catch((e: unknown) => {
      throw named(e, cohort);
    });
    return fitting;
  };

  async function* columns(): AsyncGenerator<MultivariateColumns> {
    const fitted = await model();
    const pass = { ...native, onProgress: options.onProgress, stage: "association", chunk };
    for await (const { start, packed, dosages, kept } of filteredBlocks(study, cohort, filter, pass)) {
      if (kept.rows.length === 0) continue;
      const found = dosages
        ? await fitted.testDosages(dosages, kept.rows, kept.means, which, native)
        : await fitted.test(packed, kept.rows, kept.means, which, native);
      degenerate += found.degenerate;
      unconverged += found.unconverged;
      const { nMiss, af } = kept;
      yield multivariateColumns({ index: kept.rows.map((row) => start + row), nMiss, af }, found);
    }
    await study.check();
    filter.requireSome();
  }

  return {
    traits,
    tests,
    nullModel: async () => frozenNull((await model()).nullFit),
    get filters() {
      return filter.counts;
    },
    get degenerate() {
      return degenerate;
    },
    get unconverged() {
      return unconverged;
    },
    columns,
    async *[Symbol.asyncIterator]() {
      const { multivariateBatch, multivariateSchema } = await import("./multivariate-arrow.ts");
      const schema = multivariateSchema(traits, tests);
      for await (const block of columns()) yield multivariateBatch(study, schema, traits, tests, block);
    },
  };
}

function chosenTests(asked: readonly MultivariateTest[]): readonly MultivariateTest[] {
  const unknown = asked.find((test) => !ORDER.includes(test));
  if (unknown !== undefined || asked.length === 0)
    throw lmmError(
      "OPTION_RANGE",
      `tests must be one or more of ${ORDER.join(", ")}${unknown === undefined ? "" : `, "${unknown}" given`}.`,
      { usage: true, details: { option: "tests", value: asked } },
    );
  return ORDER.filter((test) => asked.includes(test));
}

/** The kernel counts traits from 0; people know them by name. */
function named(e: unknown, cohort: MultivariateCohort): unknown {
  const { code, details } = e as { code?: string; details?: { trait?: number } };
  if (code !== "TRAIT_COLLINEAR" || details?.trait === undefined) return e;
  const name = cohort.traitNames[details.trait]!;
  return lmmError(
    "TRAIT_COLLINEAR",
    `trait ${details.trait + 1} (${name}) is a combination of the traits before it and the covariates among the ${cohort.analyzed.length} people with all traits; leave one of them out.`,
    { cause: e, details: { trait: details.trait + 1, name } },
  );
}
