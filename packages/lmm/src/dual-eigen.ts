import { type RunOptions, resolveThreads } from "@x/core/base";
import { type Chromosome, nothingElse } from "./chromosomes.ts";
import type { Cohort } from "./cohort.ts";
import { DualKinship } from "./dual-kinship.ts";
import { ZERO_BELOW } from "./eigen-matrix.ts";
import { lmmError } from "./errors.ts";
import { eigh, type Matrix, subset } from "./native.ts";
import { type DualModel, dualModel } from "./native-dual.ts";
import { dualEigenParts, requireParts } from "./plan.ts";

/** What is known about a decomposition by the p × p route. */
export interface DualEigenFacts {
  /** Ascending; those below 1e-10 left out. Of the other people's directions every eigenvalue is 0. */
  readonly values: Float64Array;
  /** Hash of who is analysed. */
  readonly cohortHash: string;
  /** Variants of the kinship. */
  readonly snps: number;
  /** ‖CV − VΛ‖ / ‖C‖ by random probes. */
  readonly residual: number;
  /** Largest deviation of V′V from the identity, by random probes. */
  readonly orthogonality: number;
}

/**
 * The eigenvalues that are not 0 of one cohort's kinship, and what stands for their eigenvectors: C = X′X/p = VΛV′ of the
 * p kinship variants, whose eigenvalues are those of K = XX′/p. Goes wherever an {@link Eigen} goes. Dispose it to free
 * the memory.
 */
export class DualEigen implements AsyncDisposable {
  readonly #vectors: Matrix;
  readonly #model: DualModel;
  readonly #places: Int32Array;
  readonly #samples: number;
  /** Values, checks and keys. */
  readonly facts: DualEigenFacts;

  /** @internal Use {@link eigen}. */
  constructor(
    native: { vectors: Matrix; model: DualModel; places: Int32Array },
    samples: number,
    facts: DualEigenFacts,
  ) {
    this.#vectors = native.vectors;
    this.#model = native.model;
    this.#places = native.places;
    this.#samples = samples;
    this.facts = Object.freeze(facts);
  }

  /** Analysed people. */
  get samples(): number {
    return this.#samples;
  }

  /** Eigenvalues of at least 1e-10, ascending; the other `samples − rank` are 0. */
  get values(): Float64Array {
    return this.facts.values;
  }

  /** Eigenvalues that are not 0. */
  get rank(): number {
    return this.facts.values.length;
  }

  /** Mean of all `samples` eigenvalues: GEMMA's trace_G. */
  get traceG(): number {
    return this.facts.values.reduce((a, v) => a + v, 0) / this.#samples;
  }

  /** Frees the eigenvectors; the kinship frees the genotypes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#vectors.release();
  }

  /** @internal The native model, for the cohort it was made for. */
  static modelFor(eigen: DualEigen, cohort: Cohort): { model: DualModel; places: Int32Array } {
    if (eigen.facts.cohortHash !== cohort.hash)
      throw lmmError(
        "COHORT_MISMATCH",
        `this eigendecomposition is of ${eigen.samples} analysed people; the cohort analyses ${cohort.analyzed.length === eigen.samples ? "others" : cohort.analyzed.length}. Call dualKinship() and eigen() for it.`,
        { details: { eigen: eigen.facts.cohortHash, cohort: cohort.hash } },
      );
    return { model: eigen.#model, places: eigen.#places };
  }
}

/** {@link eigen} of a {@link DualKinship}. `keep` leaves the products of its variants for chromosomes to be left out. */
export async function dualEigen(
  kinship: DualKinship,
  cohort: Cohort,
  options: RunOptions & { readonly keep?: boolean },
): Promise<DualEigen> {
  const { set } = DualKinship.partsFor(kinship, cohort);
  const all = Uint32Array.from({ length: kinship.snps }, (_, i) => i);
  if (options.keep) return await partOf(kinship, cohort, all, options);
  const threads = resolveThreads(options.threads);
  requireParts(dualEigenParts({ kinshipVariants: all.length, threads }), options);
  const native = { signal: options.signal, threads, onProgress: options.onProgress };
  const gram = await set.gram({ ...native, stage: "variant products" });
  return await solve(kinship, cohort, { members: all, gram }, options);
}

/**
 * The decomposition of a dual kinship without its variants of the .bim rows `[from, to)`: a part of the same products,
 * which are made at the first call and stay until the kinship is disposed.
 * @throws LOCO_CHROMOSOME when all its variants are among the rows, and what {@link dualEigen} throws.
 */
export async function dualEigenWithout(
  kinship: DualKinship,
  cohort: Cohort,
  { name, from, to }: Chromosome,
  options: RunOptions,
): Promise<DualEigen> {
  const { places } = DualKinship.partsFor(kinship, cohort);
  const left = new Set(places.subarray(from, to));
  const members = Uint32Array.from({ length: kinship.snps }, (_, i) => i).filter((i) => !left.has(i));
  if (members.length === 0) throw nothingElse(name, kinship.snps);
  return await partOf(kinship, cohort, members, options);
}

async function partOf(
  kinship: DualKinship,
  cohort: Cohort,
  members: Uint32Array,
  options: RunOptions,
): Promise<DualEigen> {
  const threads = resolveThreads(options.threads);
  requireParts(dualEigenParts({ kinshipVariants: kinship.snps, threads, loco: true }), options);
  const native = { signal: options.signal, threads, onProgress: options.onProgress };
  const whole = await DualKinship.gramOf(kinship, { ...native, stage: "variant products" });
  const gram = await subset(whole, members, native);
  return await solve(kinship, cohort, { members, gram, whole }, options);
}

/** Solves X′X of some variants of the set, which is consumed. */
async function solve(
  kinship: DualKinship,
  cohort: Cohort,
  { members, gram, whole }: { members: Uint32Array; gram: Matrix; whole?: Matrix },
  options: RunOptions,
): Promise<DualEigen> {
  const { set, places } = DualKinship.partsFor(kinship, cohort);
  const p = members.length;
  const native = {
    signal: options.signal,
    threads: resolveThreads(options.threads),
    onProgress: options.onProgress,
  };
  const result = await eigh(gram, { ...native, stage: "eigen" });
  const all = result.values.map((v) => v / p);
  const values = all.slice(all.findIndex((v) => v >= ZERO_BELOW));
  if (!(all.at(-1)! >= ZERO_BELOW))
    throw lmmError(
      "KIN_ZERO",
      "every eigenvalue of the kinship of the analysed people is zero: its variants do not vary among them.",
      { details: { largest: all.at(-1) ?? 0 } },
    );
  const model = dualModel(set, members, { values: all, vectors: result.vectors }, whole);
  return new DualEigen({ vectors: result.vectors, model, places }, kinship.samples, {
    values,
    cohortHash: cohort.hash,
    snps: p,
    residual: result.residual,
    orthogonality: result.orthogonality,
  });
}
