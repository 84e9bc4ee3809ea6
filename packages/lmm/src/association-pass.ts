import type { PlinkStudy } from "@x/plink-io";
import type { AssociationColumns, AssociationTest } from "./association-columns.ts";
import { newTester } from "./association-tester.ts";
import type { Cohort } from "./cohort.ts";
import type { Decomposition } from "./eigen.ts";
import { type FilterCounts, noFilterCounts, type VariantFilter } from "./filter.ts";
import type { LambdaRange, NativeOptions, Tested } from "./native.ts";
import { countedNullModel } from "./null-model.ts";
import { type FilteredBlock, filteredBlocks } from "./study.ts";

/** What a run has done so far; a test can see from it that nothing is computed twice. */
export interface AssociationWork {
  /** Null models fitted; 0 when they were known from an earlier call. */
  readonly nullFits: number;
  /**
   * Columns multiplied by the eigenvectors: one a variant tested, two with an environment, whatever the phenotypes; by the
   * dual route one a variant and phenotype, where it needs a product at all.
   */
  readonly rotations: number;
  /** Searches for a λ: one a variant for each of the Wald and likelihood ratio tests, none for the score test. */
  readonly searches: number;
  /** λ at which these evaluated a likelihood, beside the grid that all variants share. */
  readonly evaluations: number;
  /** Seconds of wall time in which blocks were rotated and searched, what GEMMA's log counts; reading and writing apart. */
  readonly seconds: number;
}

/** Nothing done yet. */
export const noWork = (): AssociationWork => ({
  nullFits: 0,
  rotations: 0,
  searches: 0,
  evaluations: 0,
  seconds: 0,
});

/** Both together. */
export function addWork(a: AssociationWork, b: AssociationWork): AssociationWork {
  return {
    nullFits: a.nullFits + b.nullFits,
    rotations: a.rotations + b.rotations,
    searches: a.searches + b.searches,
    evaluations: a.evaluations + b.evaluations,
    seconds: a.seconds + b.seconds,
  };
}

/** A block under test. */
interface Running {
  readonly block: FilteredBlock;
  readonly tested: Promise<{ results: Tested; seconds: number }>;
  /** What the filter had counted when it began. */
  readonly filters: FilterCounts;
}

/** Counters of a running pass. */
export class PassState {
  /** What the filter had counted up to the block given out last; undefined at the end, when its own counts hold. */
  filters: FilterCounts | undefined = noFilterCounts();
  work: AssociationWork = noWork();
  /** Variants without an estimate, by phenotype. */
  readonly degenerate: number[] = [];
}

/**
 * One pass over the variants for phenotypes of the same people: each block is read and rotated once. Yields the results
 * of every phenotype, in the order of `cohorts`.
 */
export async function* associationPass(
  study: PlinkStudy,
  cohorts: readonly Cohort[],
  eigen: Decomposition,
  options: {
    tests: readonly AssociationTest[];
    lambda: LambdaRange;
    filter: VariantFilter;
    chunk: number;
    range?: readonly [from: number, to: number] | undefined;
    native: NativeOptions;
    state: PassState;
  },
): AsyncGenerator<AssociationColumns[]> {
  const { tests, lambda, filter, chunk, range, native, state } = options;
  const { degenerate } = state;
  const cohort = cohorts[0]!;
  const quiet = { signal: native.signal, threads: native.threads };
  const traits = [];
  for (const { y, ...rest } of cohorts) {
    degenerate.push(0);
    // Every test but Wald's needs it; a fit costs less than a block of variants.
    const { model, fitted } = await countedNullModel({ y, ...rest }, eigen, lambda, quiet);
    if (fitted) state.work = addWork(state.work, { ...noWork(), nullFits: 1 });
    traits.push({ y, lambda: model.lambda.mle, loglik: model.logLik.mle });
  }
  const wanted = { wald: tests.includes("wald"), lrt: tests.includes("lrt"), score: tests.includes("score") };
  const tester = await newTester(eigen, { cohort, traits, tests: wanted, lambda }, quiet);
  const reading = { ...native, chunk, ...(range ? { range } : {}) };
  // While a block is tested the one before it is written and the next one is read: native code and JavaScript take turns
  // on different blocks. One test runs at a time.
  let running: Running | undefined;
  const take = async ({
    block: { start, kept },
    tested,
    filters,
  }: Running): Promise<AssociationColumns[]> => {
    const { results, seconds } = await tested;
    const { rotations, searches, evaluations } = results;
    state.work = addWork(state.work, { nullFits: 0, rotations, searches, evaluations, seconds });
    state.filters = filters;
    const index = kept.rows.map((row) => start + row);
    return results.traits.map(({ degenerate: bad, ...statistics }, t) => {
      degenerate[t]! += bad;
      return { index, nMiss: kept.nMiss, af: kept.af, ...statistics };
    });
  };
  try {
    for await (const block of filteredBlocks(study, cohort, filter, reading)) {
      if (block.kept.rows.length === 0) continue;
      const before = running && (await take(running));
      running = { block, tested: timed(tester(block)), filters: filter.counts };
      running.tested.catch(() => {}); // seen when it is awaited
      if (before) yield before;
    }
    if (running) yield await take(running);
  } finally {
    // A caller that stops early releases the eigenvectors next.
    await running?.tested.catch(() => {});
  }
  state.filters = undefined;
  await study.check();
  // A part of the variants may well have none that the filter keeps.
  if (!range) filter.requireSome();
}

async function timed(test: Promise<Tested>): Promise<{ results: Tested; seconds: number }> {
  const start = performance.now();
  const results = await test;
  return { results, seconds: (performance.now() - start) / 1000 };
}
