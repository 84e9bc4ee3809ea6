import { isXError, type RunOptions, resolveThreads } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import type { RecordBatch } from "apache-arrow";
import {
  ASSOCIATE_NAMES,
  type AssociateOptions,
  type AssociationRun,
  associate,
  checkTests,
  rebatch,
} from "./associate.ts";
import type { AssociationTypes } from "./association-arrow.ts";
import type { AssociationColumns } from "./association-columns.ts";
import { addWork, noWork } from "./association-pass.ts";
import { type Chromosome, chromosomesOf } from "./chromosomes.ts";
import type { Cohort } from "./cohort.ts";
import { dualEigenWithout } from "./dual-eigen.ts";
import { DualKinship } from "./dual-kinship.ts";
import { type Decomposition, eigen } from "./eigen.ts";
import {
  addFilterCounts,
  FILTER_NAMES,
  type FilterOptions,
  filterOptions,
  noFilterCounts,
  VariantFilter,
} from "./filter.ts";
import type { KinshipMode, KinshipOptions } from "./kinship.ts";
import type { Kinship } from "./kinship-matrix.ts";
import { asWhole, kinshipWithout } from "./loco.ts";
import { LAMBDA_NAMES, type LambdaOptions, type NullModel, nullModel } from "./null-model.ts";
import { checkNames, defined, type NamesOf, only, RUN_NAMES } from "./option-names.ts";
import { filteredBlocks, requireCohort } from "./study.ts";

/** Options of {@link associateLoco}: those of the kinship of all, and of {@link associate}. */
export interface LocoOptions extends AssociateOptions {
  /** Variants that make the kinship, as `whole` was made of; needed only where that was read from a file. */
  readonly kinshipSnps?: ReadonlySet<string>;
  /** How genotypes entered `whole`, where that was read from a file that does not say. Default `centered`. */
  readonly kinshipMode?: KinshipMode;
}

export const LOCO_NAMES: NamesOf<LocoOptions> = { ...ASSOCIATE_NAMES, kinshipSnps: true, kinshipMode: true };

/** What is known of a chromosome once its variants' kinship was left out. */
export interface LocoChromosome {
  /** Its name in the .bim. */
  readonly chromosome: string;
  /** Variants in the kinship that its own were tested with. */
  readonly kinshipVariants: number;
  /** The model without a variant, with that kinship. */
  readonly nullModel: NullModel;
}

/** A running association with a kinship for each chromosome. */
export interface LocoRun extends AssociationRun {
  /** Chromosomes tested so far, in file order; those of which the filter keeps no variant are not among them. */
  readonly chromosomes: readonly LocoChromosome[];
}

/**
 * {@link associate} with the tested variant's chromosome left out of the kinship, so that a variant does not compete with
 * itself: every chromosome has its own kinship (see {@link kinshipWithout}), eigendecomposition and null model, one
 * at a time. `whole` is the kinship of all variants, made with the same cohort; what is left out of it is chosen by the
 * filter that it was made with, what is tested by the options. Results come in file order.
 *
 * @throws OPTION_CONFLICT for a kinship option that `whole` was not made with, LOCO_CHROMOSOME when the fileset is not sorted by chromosome or has only one, and what {@link kinshipWithout},
 * `eigen` and {@link associate} throw.
 */
export function associateLoco(
  study: PlinkStudy,
  cohort: Cohort,
  whole: Kinship | DualKinship,
  options: LocoOptions = {},
): LocoRun {
  checkNames(options, LOCO_NAMES, "associateLoco");
  const tests = checkTests(options.tests ?? ["wald"]);
  requireCohort(study, cohort);
  const { range: [from, to] = [0, study.p], kinshipSnps, kinshipMode, ...step } = options;
  const all = chromosomesOf(study);
  const chromosomes: LocoChromosome[] = [];
  const choice = whole instanceof DualKinship ? undefined : whole.facts.choice;
  const running: KinshipOptions = {
    ...only<RunOptions & Pick<KinshipOptions, "chunk">>(step, { ...RUN_NAMES, chunk: true }),
    ...(choice ? {} : only<FilterOptions>(step, FILTER_NAMES)),
    ...defined({ kinshipSnps, mode: kinshipMode }),
  };
  // Refused now, not at the first chromosome.
  if (!(whole instanceof DualKinship)) asWhole(whole, running);
  /** Variants are tested by the filter that chose those of the kinship. */
  const asTested =
    choice === undefined
      ? kinshipSnps === undefined
      : choice.snps === step.snps &&
        Object.entries(filterOptions(step)).every(([name, x]) => choice[name as "miss"] === x);
  let filters = noFilterCounts();
  let degenerate = 0;
  let work = noWork();

  /** The chromosome's variants when the filter keeps none of all of it: counted, not tested. */
  async function countOnly(range: readonly [number, number]): Promise<void> {
    const filter = new VariantFilter(step);
    const reading = {
      signal: step.signal,
      threads: resolveThreads(step.threads),
      chunk: step.chunk ?? 4096,
      range,
    };
    for await (const _ of filteredBlocks(study, cohort, filter, reading));
    filters = addFilterCounts(filters, filter.counts);
  }

  /** The decomposition without a chromosome; none where the filter keeps none of its variants. */
  async function without(
    chromosome: Chromosome,
  ): Promise<{ eigen: Decomposition; kinshipVariants: number } | undefined> {
    const native = only<RunOptions>(step, RUN_NAMES);
    if (whole instanceof DualKinship) {
      const e = await dualEigenWithout(whole, cohort, chromosome, native);
      return { eigen: e, kinshipVariants: e.facts.snps };
    }
    const K = await kinshipWithout(study, cohort, whole, chromosome.name, running).catch((e: unknown) => {
      if (isXError(e, "NO_VARIANTS_AFTER_FILTER")) return undefined;
      throw e;
    });
    if (K)
      return {
        eigen: await eigen(K, cohort, { ...native, consume: true }),
        kinshipVariants: K.facts.snps!,
      };
    // None of it is in the kinship: with another choice that says nothing of the variants tested.
    if (asTested) return undefined;
    return { eigen: await eigen(whole, cohort, native), kinshipVariants: whole.facts.snps! };
  }

  async function* columns(): AsyncGenerator<AssociationColumns> {
    for (const chromosome of all) {
      const { name, from: first, to: end } = chromosome;
      const range = [Math.max(first, from), Math.min(end, to)] as const;
      if (range[0] >= range[1]) continue;
      const made = await without(chromosome);
      if (!made) {
        await countOnly(range);
        continue;
      }
      await using e = made.eigen;
      const { kinshipVariants } = made;
      const lambda = only<LambdaOptions & RunOptions>(step, { ...LAMBDA_NAMES, ...RUN_NAMES });
      chromosomes.push({ chromosome: name, kinshipVariants, nullModel: await nullModel(cohort, e, lambda) });
      const run = associate(study, cohort, e, { ...step, range });
      const before = { filters, degenerate, work };
      const count = (): void => {
        filters = addFilterCounts(before.filters, run.filters);
        degenerate = before.degenerate + run.degenerate;
        work = addWork(before.work, run.work);
      };
      for await (const block of run.columns()) {
        count();
        yield block;
      }
      count();
    }
  }

  return {
    tests,
    chromosomes,
    get filters() {
      return filters;
    },
    get degenerate() {
      return degenerate;
    },
    get work() {
      return work;
    },
    columns,
    async *[Symbol.asyncIterator](): AsyncGenerator<RecordBatch<AssociationTypes>> {
      const { toRecordBatch } = await import("./association-arrow.ts");
      for await (const block of rebatch(columns())) yield toRecordBatch(study, block);
    },
  };
}
