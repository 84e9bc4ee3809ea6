import { type RunOptions, resolveThreads } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import { lmmError } from "./errors.ts";
import type { FilterCounts, FilterOptions } from "./filter.ts";
import { saveKinshipText } from "./gemma/kinship-text.ts";
import type { KinshipMode } from "./kinship.ts";
import { type Matrix, tile } from "./native.ts";
import { checkNames, type NamesOf, RUN_NAMES } from "./option-names.ts";
import { requireTile } from "./tile.ts";

/** Thresholds and lists by which the variants of a kinship were chosen. */
export interface KinshipChoice extends Required<Omit<FilterOptions, "snps">> {
  /** Only these, where there was a list. */
  readonly snps?: ReadonlySet<string> | undefined;
}

/** What is known about a kinship matrix besides its numbers. */
export interface KinshipFacts {
  /** Family ids of the rows. */
  readonly fid: readonly string[];
  /** Individual ids of the rows. */
  readonly iid: readonly string[];
  /** Hash of both, in order. */
  readonly sampleHash: string;
  /** How genotypes entered it; undefined when read from GEMMA's text, which does not say. */
  readonly mode?: KinshipMode | undefined;
  /** Which variants made it, when computed here: what a part of it must be made with too. */
  readonly choice?: KinshipChoice | undefined;
  /** Variants it was made from; undefined when read from GEMMA's text, which does not say. */
  readonly snps?: number | undefined;
  /** What the filter dropped, when computed here. */
  readonly filters?: FilterCounts | undefined;
  /** Where it comes from, for messages. */
  readonly source: string;
  /** SHA-256 of the entries, when read from or written to an Arrow file. */
  readonly contentHash?: string | undefined;
}

/** Options of {@link Kinship.save}. */
export interface KinshipSaveOptions extends RunOptions {
  /** `text` = GEMMA's 10-digit matrix, `arrow` = exact doubles with ids and checksum. Default by name: `.txt` is text. */
  readonly format?: "text" | "arrow";
}

export const SAVE_NAMES: NamesOf<KinshipSaveOptions> = { ...RUN_NAMES, format: true };

/** Options of {@link Kinship.load}. */
export interface KinshipLoadOptions extends RunOptions {
  /** File with FID and IID of each row of a text matrix, to check its order. */
  readonly ids?: string;
}

export const LOAD_NAMES: NamesOf<KinshipLoadOptions> = { ...RUN_NAMES, ids: true };

/**
 * A relatedness matrix in native memory, one row a person of the .fam. JavaScript sees tiles. Dispose it (`await using`)
 * to free the memory at once.
 */
export class Kinship implements AsyncDisposable {
  /** Ids, origin and counts. */
  readonly facts: KinshipFacts;
  readonly #matrix: Matrix;
  readonly #samples: number;

  /** @internal Use {@link kinship} or {@link Kinship.load}. */
  constructor(matrix: Matrix, facts: KinshipFacts) {
    this.#matrix = matrix;
    this.#samples = matrix.n;
    this.facts = Object.freeze(facts);
  }

  /** Rows, that is people of the fileset. */
  get samples(): number {
    return this.#samples;
  }

  /** Hash of the people it belongs to, in order. */
  get sampleHash(): string {
    return this.facts.sampleHash;
  }

  /** Variants it was made from, undefined when unknown. */
  get snps(): number | undefined {
    return this.facts.snps;
  }

  /** What the filter dropped, when it was computed here. */
  get filters(): FilterCounts | undefined {
    return this.facts.filters;
  }

  /**
   * A row-major copy of a tile.
   * @throws TYPED_ARRAY_LIMIT above 4 GiB: take the matrix in tiles.
   */
  tile(row: number, rows: number, column: number, columns: number): Float64Array {
    requireTile(rows, columns);
    return tile(this.#matrix, row, rows, column, columns);
  }

  /**
   * Writes the matrix, atomically and streamed: GEMMA's `.cXX.txt` bytes, or an Arrow IPC file with the columns `fid`,
   * `iid` and `k` (one person a row) whose metadata carries the sample hash and a SHA-256 of the entries.
   * @throws MATRIX_RELEASED, OUT_DIR, ENOSPC and the other codes of files.
   */
  async save(path: string, options: KinshipSaveOptions = {}): Promise<void> {
    checkNames(options, SAVE_NAMES, "Kinship.save");
    if (this.#matrix.n !== this.#samples)
      throw lmmError(
        "MATRIX_RELEASED",
        "this kinship was disposed or handed to eigen; there is nothing to save.",
      );
    const format = options.format ?? (path.endsWith(".txt") ? "text" : "arrow");
    const native = { signal: options.signal, threads: resolveThreads(options.threads) };
    if (format === "text")
      return saveKinshipText(path, this.#matrix, { ...native, onProgress: options.onProgress });
    const { saveKinshipArrow } = await import("./kinship-arrow.ts");
    return saveKinshipArrow(path, this.#matrix, this.facts, { ...native, onProgress: options.onProgress });
  }

  /**
   * Reads a matrix for the people of a fileset: GEMMA's square text (plain or gzip) or our Arrow file, told apart by
   * the first bytes.
   * @throws KIN_N, KIN_SHAPE, KIN_NAN, KIN_PARSE, KIN_TRUNCATED, KIN_ZERO, KIN_ASYMMETRIC, KIN_ID_ORDER, KIN_FORMAT, KIN_HASH.
   */
  static async load(path: string, study: PlinkStudy, options: KinshipLoadOptions = {}): Promise<Kinship> {
    checkNames(options, LOAD_NAMES, "Kinship.load");
    const { loadKinship } = await import("./kinship-load.ts");
    return loadKinship(path, study, options);
  }

  /** Frees the native memory; later calls fail with MATRIX_RELEASED. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#matrix.release();
  }

  /** @internal The native handle. */
  static matrixOf(kinship: Kinship): Matrix {
    return kinship.#matrix;
  }
}
