import { type RunOptions, resolveThreads } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import type { Cohort } from "./cohort.ts";
import { lmmError } from "./errors.ts";
import { FILTER_NAMES, type FilterCounts, type FilterOptions, VariantFilter } from "./filter.ts";
import { kinshipMeans } from "./kinship-means.ts";
import type { Matrix, NativeOptions } from "./native.ts";
import { type SnpSet, snpSet } from "./native-dual.ts";
import { checkNames, type NamesOf, RUN_NAMES } from "./option-names.ts";
import { dualKinshipParts, fitChunk } from "./plan.ts";
import { filteredBlocks, requireCohort } from "./study.ts";

/** Options of {@link dualKinship}. */
export interface DualKinshipOptions extends FilterOptions, RunOptions {
  /** Only these variant ids make the kinship (GEMMA's `-ksnps`), whatever `snps` lists for the tests. */
  readonly kinshipSnps?: ReadonlySet<string>;
  /** Whose calls choose the variants, as {@link kinship} may be made for another cohort than {@link eigen}. Default: the cohort. */
  readonly chosenBy?: Cohort;
  /** Variants read at once; the result does not depend on it. Default: as memory allows, at most 4096. */
  readonly chunk?: number;
}

export const DUAL_KINSHIP_NAMES: NamesOf<DualKinshipOptions> = {
  ...FILTER_NAMES,
  ...RUN_NAMES,
  kinshipSnps: true,
  chosenBy: true,
  chunk: true,
};

/** What is known about a {@link DualKinship}. */
export interface DualKinshipFacts {
  /** Hash of who is analysed: a dual kinship holds these people's genotypes only. */
  readonly cohortHash: string;
  /** Variants that make the kinship. */
  readonly snps: number;
  /** What the filter dropped. */
  readonly filters: FilterCounts;
  /** Where it comes from, for messages. */
  readonly source: string;
}

/**
 * A centred kinship kept as its variants, two bits a genotype of each analysed person in native memory, instead of as a
 * people × people matrix: {@link eigen} then solves variants × variants. Dispose it to free the memory.
 */
export class DualKinship implements AsyncDisposable {
  /** Origin and counts. */
  readonly facts: DualKinshipFacts;
  readonly #set: SnpSet;
  readonly #places: Int32Array;
  readonly #ids: PlinkStudy["fam"];
  readonly #samples: number;
  #gram: Matrix | undefined;

  /** @internal Use {@link dualKinship}. */
  constructor(
    parts: { set: SnpSet; places: Int32Array; ids: PlinkStudy["fam"] },
    samples: number,
    facts: DualKinshipFacts,
  ) {
    this.#set = parts.set;
    this.#places = parts.places;
    this.#ids = parts.ids;
    this.#samples = samples;
    this.facts = Object.freeze(facts);
  }

  /** Analysed people. */
  get samples(): number {
    return this.#samples;
  }

  /** Variants it was made from. */
  get snps(): number {
    return this.facts.snps;
  }

  /** What the filter dropped. */
  get filters(): FilterCounts {
    return this.facts.filters;
  }

  /** Frees the native memory once no decomposition of it is in use. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#gram?.release();
    this.#set.release();
  }

  /** @internal The native set, the place of each .bim row in it (−1: not there), and the ids of everyone in the .fam. */
  static partsFor(
    kinship: DualKinship,
    cohort: Cohort,
  ): { set: SnpSet; places: Int32Array; ids: PlinkStudy["fam"] } {
    if (kinship.facts.cohortHash !== cohort.hash)
      throw lmmError(
        "COHORT_MISMATCH",
        `the kinship (${kinship.facts.source}) is of ${kinship.samples} analysed people; the cohort analyses ${cohort.analyzed.length === kinship.samples ? "others" : cohort.analyzed.length}. Call dualKinship() for it.`,
        { details: { kinship: kinship.facts.cohortHash, cohort: cohort.hash } },
      );
    return { set: kinship.#set, places: kinship.#places, ids: kinship.#ids };
  }

  /** @internal X′X of all its variants, made once and kept: every chromosome left out is a part of it. */
  static async gramOf(kinship: DualKinship, o: NativeOptions): Promise<Matrix> {
    kinship.#gram ??= await kinship.#set.gram(o);
    return kinship.#gram;
  }
}

/**
 * The kinship of {@link kinship}, centred, for the p × p route: exact, and cheaper where fewer variants make it than
 * people are analysed. Nothing of size people × people is made; the analysed people's calls of the kinship's variants
 * stay in memory, two bits each. Variants are chosen by the analysed people's calls, each variant's mean is over everyone
 * with a call, missing calls count as that mean, as GEMMA does.
 *
 * @throws NO_VARIANTS_AFTER_FILTER, COHORT_MISMATCH, MEM_PREFLIGHT, INPUT_CHANGED, OPTION_RANGE, UNKNOWN_OPTION.
 */
export async function dualKinship(
  study: PlinkStudy,
  cohort: Cohort,
  options: DualKinshipOptions = {},
): Promise<DualKinship> {
  checkNames(options, DUAL_KINSHIP_NAMES, "dualKinship");
  const chooser = options.chosenBy ?? cohort;
  for (const each of [cohort, chooser]) requireCohort(study, each);
  const snps = options.kinshipSnps ?? options.snps;
  const filter = new VariantFilter(snps ? { ...options, snps } : options);
  const threads = resolveThreads(options.threads);
  const n = cohort.analyzed.length;
  const size = { samples: study.n, analyzed: n, threads, covariates: cohort.covariateNames.length };
  const kinshipVariants = Math.min(study.p, snps?.size ?? study.p);
  const chunk = fitChunk(options, (c) => dualKinshipParts({ ...size, chunk: c, kinshipVariants }));
  const native: NativeOptions = { signal: options.signal, threads };
  const set = snpSet(n);
  const places = new Int32Array(study.p).fill(-1);
  let count = 0;
  const pass = { ...native, onProgress: options.onProgress, stage: "kinship", chunk };
  for await (const block of filteredBlocks(study, chooser, filter, pass)) {
    const { start, packed, kept } = block;
    if (kept.rows.length === 0) continue;
    const means = n === study.n ? undefined : await kinshipMeans(study, chooser, block, native);
    await set.add(packed, study.n, cohort.analyzed, { rows: kept.rows, means }, native);
    for (const row of kept.rows) places[start + row] = count++;
  }
  await study.check();
  filter.requireSome();
  return new DualKinship({ set, places, ids: study.fam }, n, {
    cohortHash: cohort.hash,
    snps: count,
    filters: filter.counts,
    source: `centred kinship of ${study.paths.bed}`,
  });
}
