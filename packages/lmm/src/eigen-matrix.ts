import { type RunOptions, resolveThreads } from "@x/core/base";
import type { Cohort } from "./cohort.ts";
import { lmmError } from "./errors.ts";
import { type Matrix, tile } from "./native.ts";
import { checkNames, type NamesOf, RUN_NAMES } from "./option-names.ts";
import { requireTile } from "./tile.ts";

/** GEMMA's threshold: smaller eigenvalues, negative ones included, count as 0. */
export const ZERO_BELOW = 1e-10;

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

/** Options of {@link Eigen.save}. */
export interface EigenSaveOptions extends RunOptions {
  /**
   * `arrow` (default): one exact file that belongs to its cohort. `text`: GEMMA's two files of ten digits,
   * `<path>.eigenD.txt` and `<path>.eigenU.txt`, which belong to nobody.
   */
  readonly format?: "arrow" | "text";
}

export const EIGEN_SAVE_NAMES: NamesOf<EigenSaveOptions> = { ...RUN_NAMES, format: true };

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

  /**
   * Writes the decomposition, atomically and streamed, and returns the files: complete under their names, or absent.
   * @throws MATRIX_RELEASED, OUT_DIR, ENOSPC and the other codes of files, UNKNOWN_OPTION.
   */
  async save(path: string, options: EigenSaveOptions = {}): Promise<string[]> {
    checkNames(options, EIGEN_SAVE_NAMES, "Eigen.save");
    if (this.#vectors.n !== this.#samples)
      throw lmmError("MATRIX_RELEASED", "this eigendecomposition was disposed; there is nothing to save.");
    const native = {
      signal: options.signal,
      onProgress: options.onProgress,
      threads: resolveThreads(options.threads),
    };
    if (options.format === "text") {
      const { saveEigenText } = await import("./gemma/eigen-text.ts");
      return saveEigenText(path, this.values, this.#vectors, native);
    }
    const { saveEigenArrow } = await import("./eigen-arrow.ts");
    await saveEigenArrow(path, this.#vectors, this.facts, native);
    return [path];
  }

  /** Frees the native memory. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#vectors.release();
  }

  /** @internal The native handle, for the cohort it was made for. */
  static vectorsFor(eigen: Eigen, cohort: Cohort): Matrix {
    if (!(eigen instanceof Eigen))
      throw lmmError(
        "NOT_IMPLEMENTED",
        "this needs the eigenvectors of people, and a decomposition by variants (the dual route) has none. Make it from kinship() instead of dualKinship().",
        { usage: true, details: { option: "eigen" } },
      );
    if (eigen.facts.cohortHash !== cohort.hash)
      throw lmmError(
        "COHORT_MISMATCH",
        `this eigendecomposition is of ${eigen.samples} analysed people; the cohort analyses ${cohort.analyzed.length === eigen.samples ? "others" : cohort.analyzed.length}. Call eigen() for it.`,
        { details: { eigen: eigen.facts.cohortHash, cohort: cohort.hash } },
      );
    return eigen.#vectors;
  }
}
