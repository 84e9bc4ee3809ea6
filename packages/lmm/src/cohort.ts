import { createHash } from "node:crypto";
import type { Table } from "apache-arrow";
import type { Category } from "./categories.ts";

/** Why a person of the .fam file is not analysed. */
export type DropReason =
  | "phenotype missing"
  | "covariate missing"
  | "not in phenotype file"
  | "not in covariate file"
  | "environment missing"
  | "not in environment file";

/** One person who is not analysed. */
export interface Dropped {
  /** Row in the .fam file, counted from 0. */
  readonly row: number;
  /** Why. */
  readonly reason: DropReason;
}

/**
 * Who is analysed, with which numbers: made by {@link joinSamples}, taken by every later step.
 */
export interface Cohort {
  /** People in the .fam file. */
  readonly samples: number;
  /** Their rows in the .fam file, ascending. */
  readonly analyzed: Uint32Array;
  /** One bit a person of the .fam file, lowest bit first: set = analysed. */
  readonly mask: Uint8Array;
  /** Phenotype of the analysed people. */
  readonly y: Float64Array;
  /** Covariate columns of the analysed people, one after the other, the intercept among them. */
  readonly w: Float64Array;
  /** Names of these columns. */
  readonly covariateNames: readonly string[];
  /** Covariates of categories and what became of them; empty without any. */
  readonly categories: readonly Category[];
  /** Environment of the analysed people; with it associations test the product of variant and environment (`-gxe`). */
  readonly environment?: Float64Array;
  /** Which phenotype, for messages and reports. */
  readonly phenotypeName: string;
  /** Hash of all people of the fileset, in order. */
  readonly sampleHash: string;
  /** Hash of who is analysed: keys eigendecompositions. */
  readonly hash: string;
  /** Who is not analysed and why, in .fam order. */
  readonly drops: readonly Dropped[];
  /** The same as a table: `row, fid, iid, reason`. */
  readonly dropped: Table;
}

/** What an eigendecomposition is keyed to: the people of the fileset and who of them is analysed. */
export function cohortHash(sampleHash: string, mask: Uint8Array): string {
  return createHash("sha256").update(sampleHash).update(mask).digest("hex");
}

/** Drops per reason, for logs and reports. */
export function dropCounts(cohort: Pick<Cohort, "drops">): Partial<Record<DropReason, number>> {
  const counts: Partial<Record<DropReason, number>> = {};
  for (const d of cohort.drops) counts[d.reason] = (counts[d.reason] ?? 0) + 1;
  return counts;
}
