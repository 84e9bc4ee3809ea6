import type { AssociationColumns } from "./association-columns.ts";
import type { Cohort } from "./cohort.ts";

/** Statistics of the rows of one call, in their order, and how many have none. */
export type TestedColumns = Omit<AssociationColumns, "index" | "nMiss" | "af"> & {
  readonly degenerate: number;
};

/** What one call tested, a phenotype each, and what it took. */
export interface Tested {
  readonly traits: readonly TestedColumns[];
  readonly rotations: number;
  readonly searches: number;
  readonly evaluations: number;
}

/** Which tests to run. */
export interface WantedTests {
  readonly wald: boolean;
  readonly lrt: boolean;
  readonly score: boolean;
}

/** A phenotype with the maximum of its null model's full likelihood. */
export interface AssociationTrait {
  readonly y: Float64Array;
  readonly lambda: number;
  readonly loglik: number;
}

/** λ bounds and intervals. */
export interface LambdaRange {
  readonly lmin: number;
  readonly lmax: number;
  readonly regions: number;
}

/** Phenotypes of the same people, and what to test. */
export interface AssociationModel {
  readonly cohort: Pick<Cohort, "analyzed" | "samples" | "w" | "environment">;
  readonly traits: readonly AssociationTrait[];
  readonly tests: WantedTests;
  readonly lambda: LambdaRange;
}

/** Phenotypes laid one after the other, with λ and likelihood of each null model. */
export function traitArrays({ cohort, traits }: AssociationModel): {
  y: Float64Array;
  nulls: Float64Array;
  c: number;
} {
  const n = cohort.analyzed.length;
  const y = new Float64Array(n * traits.length);
  for (const [t, trait] of traits.entries()) y.set(trait.y, t * n);
  const nulls = Float64Array.from(traits.flatMap((trait) => [trait.lambda, trait.loglik]));
  return { y, nulls, c: cohort.w.length / n };
}
