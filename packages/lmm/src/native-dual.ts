/** Native calls of the p × p route. */
import { type AssociationModel, type LambdaRange, type Tested, traitArrays } from "./association-model.ts";
import type { Cohort } from "./cohort.ts";
import { binding, type Matrix, type NativeOptions, now, type Pairs, run } from "./native.ts";

type NativeSnpSet = InstanceType<typeof binding.SnpSet>;

/** The members of a set as a kinship. */
export type DualModel = InstanceType<typeof binding.DualKinship>;

/** Variants of some people in native memory, two bits a genotype. */
export interface SnpSet {
  readonly native: NativeSnpSet;
  /** Adds rows of a block of all people, of whom `keep` are the set's; without `means` missing calls get their mean. */
  add(
    packed: Uint8Array,
    samples: number,
    keep: Uint32Array,
    block: { rows: Uint32Array; means: Float64Array | undefined },
    o: NativeOptions,
  ): Promise<void>;
  /** X′X of the centred columns. */
  gram(o: NativeOptions): Promise<Matrix>;
  /** Pairs of the set's people, by their places in it, with nearly the same calls; null where that says nothing. */
  twins(limit: number, most: number, o: NativeOptions): Promise<Pairs | null>;
  release(): void;
}

/** An empty set of variants of so many people. */
export function snpSet(people: number): SnpSet {
  const native = now(() => new binding.SnpSet(people));
  return {
    native,
    add: (packed, samples, keep, { rows, means }, o) =>
      run((job) => native.add(job, packed, samples, keep, rows, means, o.threads), o),
    gram: (o) => run((job) => native.gram(job, o.threads), o),
    twins: (limit, most, o) => run((job) => native.twins(job, limit, most, o.threads), o),
    release: () => now(() => native.release()),
  };
}

/**
 * The members of a set as a kinship, with the eigenvalues of X′X / p and its eigenvectors; `gram` is X′X of the whole
 * set, needed where not all are members.
 */
export function dualModel(
  set: SnpSet,
  members: Uint32Array,
  eigen: { readonly values: Float64Array; readonly vectors: Matrix },
  gram?: Matrix,
): DualModel {
  return now(() => new binding.DualKinship(set.native, members, eigen.values, eigen.vectors, gram));
}

/** {@link fitNull} by the p × p route. */
export function fitDualNull(
  model: DualModel,
  cohort: Pick<Cohort, "analyzed" | "y" | "w">,
  lambda: LambdaRange,
  o: NativeOptions,
): ReturnType<DualModel["nullModel"]> {
  const c = cohort.w.length / cohort.analyzed.length;
  return run((job) => model.nullModel(job, cohort.y, cohort.w, c, lambda, o.threads), o);
}

/** {@link newAssociation} by the p × p route; `places` is where each row lies in the kinship's set, −1 outside. */
export async function newDualAssociation(
  dual: DualModel,
  model: AssociationModel,
  o: NativeOptions,
): Promise<{
  test(packed: Uint8Array, rows: Uint32Array, places: Int32Array, o: NativeOptions): Promise<Tested>;
}> {
  const { cohort, tests, lambda } = model;
  const { y, nulls, c } = traitArrays(model);
  const { analyzed, samples, w } = cohort;
  const native = await run(
    (job) => dual.association(job, analyzed, samples, y, nulls, w, c, { ...tests }, lambda, o.threads),
    o,
  );
  return {
    test: (packed, rows, places, q) => run((job) => native.test(job, packed, rows, places, q.threads), q),
  };
}

/** Bytes of {@link snpSet} with so many variants. */
export function snpSetBytes(people: number, variants: number): number {
  return binding.snpSetBytes(people, variants);
}

/** Bytes of {@link newDualAssociation} and its tests of blocks of `rows` variants, kinship and genotypes apart. */
export function dualAssociationBytes(
  size: { n: number; c: number; traits: number; environment: boolean },
  kinshipVariants: number,
  rows: number,
  threads: number,
): number {
  const tests = { wald: true, lrt: true, score: true };
  const lambda = { lmin: 1e-5, lmax: 1e5, regions: 10 };
  return binding.dualAssociationBytes({ ...size, tests }, kinshipVariants, rows, threads, lambda);
}
