import type { Cohort } from "./cohort.ts";
import { lmmError } from "./errors.ts";
import { type Matrix, tile } from "./native.ts";
import { requireTile } from "./tile.ts";

/** Eigenvalues below zero by more than rounding; they count as 0. */
export interface NegativeEigenvalues {
  /** How many. */
  readonly count: number;
  /** The smallest of all eigenvalues, 0 when none is negative. */
  readonly smallest: number;
}

/** What is known about an eigendecomposition besides the vectors. */
export interface EigenFacts {
  /** Ascending; below 1e-10 set to 0. */
  readonly values: Float64Array;
  /** Hash of who is analysed. */
  readonly cohortHash: string;
  /** Checksum of the kinship it was made from, when it came from an Arrow file. */
  readonly kinshipHash?: string | undefined;
  /** ‖KU − UΛ‖ / ‖K‖ by random probes. */
  readonly residual: number;
  /** Largest deviation of U′U from the identity, by random probes. */
  readonly orthogonality: number;
  /** Eigenvalues that were negative beyond rounding. */
  readonly negative: NegativeEigenvalues;
}

/** Eigenvalues and eigenvectors of one cohort's kinship, the vectors in native memory. Dispose it to free them. */
export class Eigen implements AsyncDisposable {
  readonly #vectors: Matrix;
  readonly #samples: number;
  /** Values, checks and keys. */
  readonly facts: EigenFacts;

  /** @internal Use {@link eigen}. */
  constructor(vectors: Matrix, facts: EigenFacts) {
    this.#vectors = vectors;
    this.#samples = vectors.n;
    this.facts = Object.freeze(facts);
  }

  /** Analysed people. */
  get samples(): number {
    return this.#samples;
  }

  /** Eigenvalues, ascending, those below 1e-10 set to 0. */
  get values(): Float64Array {
    return this.facts.values;
  }

  /** Mean eigenvalue: GEMMA's trace_G. */
  get traceG(): number {
    return this.facts.values.reduce((a, v) => a + v, 0) / this.#samples;
  }

  /** A row-major copy of a tile of the vectors: row = person, column = eigenvector. */
  tile(row: number, rows: number, column: number, columns: number): Float64Array {
    requireTile(rows, columns);
    return tile(this.#vectors, row, rows, column, columns);
  }

  /** Frees the native memory. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#vectors.release();
  }

  /** @internal The native handle, for the cohort it was made for. */
  static vectorsFor(eigen: Eigen, cohort: Cohort): Matrix {
    if (eigen.facts.cohortHash !== cohort.hash)
      throw lmmError(
        "COHORT_MISMATCH",
        `this eigendecomposition is of ${eigen.samples} analysed people; the cohort analyses ${cohort.analyzed.length === eigen.samples ? "others" : cohort.analyzed.length}. Call eigen() for it.`,
        { details: { eigen: eigen.facts.cohortHash, cohort: cohort.hash } },
      );
    return eigen.#vectors;
  }
}
