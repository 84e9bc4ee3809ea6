import { type RunOptions, resolveThreads } from "@x/core/base";
import type { Cohort } from "./cohort.ts";
import { DualKinship } from "./dual-kinship.ts";
import { Kinship } from "./kinship-matrix.ts";
import { type NativeOptions, type Pairs, twins } from "./native.ts";
import { checkNames, RUN_NAMES } from "./option-names.ts";

/** A pair nearer than this share of a person's own relatedness is one person twice, or twins; children are at 1. */
const LIMIT = 0.05;
/** Pairs that are named. */
const MOST = 20;

/** Two people with the same genotypes. */
export interface TwinPair {
  /** Row in the .fam, counted from 0. */
  readonly first: number;
  /** The other's row. */
  readonly second: number;
  /** Family and individual id of the first. */
  readonly firstId: string;
  /** Family and individual id of the second. */
  readonly secondId: string;
  /** (k₁₁ + k₂₂ − 2 k₁₂) / mean(k₁₁, k₂₂): 0 for equal genotypes, about 1 for a child and a parent. */
  readonly distance: number;
}

/** Pairs of people with the same genotypes among the analysed. */
export interface TwinFacts {
  /** How many pairs there are. */
  readonly count: number;
  /** The first twenty of them, by row. */
  readonly pairs: readonly TwinPair[];
}

/**
 * Pairs of analysed people whose genotypes are the same: twins, or one person twice. They make the kinship singular,
 * which the model bears; but a person counted twice makes p values too small.
 * @throws MATRIX_RELEASED, UNKNOWN_OPTION.
 */
export function kinshipTwins(
  kinship: Kinship,
  cohort: Pick<Cohort, "analyzed">,
  options?: RunOptions,
): Promise<TwinFacts>;
/**
 * The same by the variants of a kinship that is no matrix: every pair is compared on up to 512 of them, and those that
 * stay on all. Undefined where the variants are too few to tell strangers apart.
 * @throws COHORT_MISMATCH too.
 */
export function kinshipTwins(
  kinship: DualKinship,
  cohort: Cohort,
  options?: RunOptions,
): Promise<TwinFacts | undefined>;
export async function kinshipTwins(
  kinship: Kinship | DualKinship,
  cohort: Pick<Cohort, "analyzed">,
  options: RunOptions = {},
): Promise<TwinFacts | undefined> {
  checkNames(options, RUN_NAMES, "kinshipTwins");
  const native = { signal: options.signal, threads: resolveThreads(options.threads) };
  if (kinship instanceof DualKinship) return await byVariants(kinship, cohort as Cohort, native);
  const found = await twins(Kinship.matrixOf(kinship), cohort.analyzed, LIMIT, MOST, native);
  return named(found, kinship.facts);
}

async function byVariants(
  kinship: DualKinship,
  cohort: Cohort,
  native: NativeOptions,
): Promise<TwinFacts | undefined> {
  const { set, ids } = DualKinship.partsFor(kinship, cohort);
  const found = await set.twins(LIMIT, MOST, native);
  if (found === null) return undefined;
  const row = (place: number): number => cohort.analyzed[place]!;
  return named({ ...found, first: found.first.map(row), second: found.second.map(row) }, ids);
}

function named(
  found: Pairs,
  { fid, iid }: { readonly fid: readonly string[]; readonly iid: readonly string[] },
): TwinFacts {
  const name = (row: number): string => `${fid[row]} ${iid[row]}`;
  const pairs = Array.from(found.first, (first, i) => {
    const second = found.second[i]!;
    return { first, second, firstId: name(first), secondId: name(second), distance: found.distance[i]! };
  });
  return { count: found.count, pairs };
}
