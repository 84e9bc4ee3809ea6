/** Looks at the numbers of a modality: are they counts, and how large is each cell? */
import type { Warn } from "@x/core/base";
import { type CsrBlock, rowSums } from "./csr.ts";
import type { Modality } from "./dataset.ts";
import { mosaicError } from "./errors.ts";

/** Rows read at a time where nothing else decides it. */
export const BLOCK_ROWS = 1024;

/** What a modality holds, seen in one pass. */
export interface ModalitySummary {
  /** Cells that were measured. */
  readonly measured: number;
  /** Values that are not 0, of measured cells. */
  readonly nonzero: number;
  /** Share of values that are not 0, of measured cells. */
  readonly density: number;
  /** Whole numbers of at least 0 only: fit for NB, ZINB and Poisson. */
  readonly counts: boolean;
  /** Only 0 and 1. */
  readonly binary: boolean;
  /** Smallest value; NaN is left out. */
  readonly least: number;
  /** Largest value; NaN is left out. */
  readonly most: number;
  /** Values that are NaN or infinite. */
  readonly notFinite: number;
  /** Measured cells whose values are all 0. */
  readonly emptyCells: number;
  /** Sum of each cell; NaN where it was not measured. */
  readonly library: Float32Array;
  /** Median of the sums of measured cells; NaN where there is none. */
  readonly medianLibrary: number;
}

/** Options of passes over a modality. */
export interface PassOptions {
  /** Stops the pass. */
  signal?: AbortSignal | undefined;
}

/** Reads a modality once, in blocks of rows, and says what is in it. Unmeasured rows are not looked at. */
export async function summarize(modality: Modality, options: PassOptions = {}): Promise<ModalitySummary> {
  const { available } = modality;
  const cells = available.length;
  const library = new Float32Array(cells).fill(Number.NaN);
  let [measured, nonzero, notFinite, emptyCells] = [0, 0, 0, 0];
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let [counts, binary] = [true, true];
  for await (const [start, block] of blocks(modality, options)) {
    const sums = rowSums(block);
    for (let i = 0; i < block.rows; i++) {
      if (!available[start + i]) continue;
      measured++;
      library[start + i] = sums[i]!;
      let filled = 0;
      for (let j = block.indptr[i]!; j < block.indptr[i + 1]!; j++) {
        const value = block.values[j]!;
        if (value !== 0) filled++;
        if (!Number.isFinite(value)) notFinite++;
        if (value < least) least = value;
        if (value > most) most = value;
        if (!(value >= 0 && Number.isInteger(value))) counts = false;
        if (value !== 0 && value !== 1) binary = false;
      }
      if (filled < modality.features.length) {
        least = Math.min(least, 0);
        most = Math.max(most, 0);
      }
      nonzero += filled;
      if (filled === 0) emptyCells++;
    }
  }
  return {
    measured,
    nonzero,
    density: measured === 0 ? 0 : nonzero / (measured * modality.features.length),
    counts,
    binary,
    least: measured === 0 ? Number.NaN : least,
    most: measured === 0 ? Number.NaN : most,
    notFinite,
    emptyCells,
    library,
    medianLibrary: median(library.filter((sum) => !Number.isNaN(sum))),
  };
}

/** Blocks of rows of a modality with the number of their first row. */
export async function* blocks(
  modality: Modality,
  { signal }: PassOptions = {},
): AsyncGenerator<[start: number, block: CsrBlock]> {
  const cells = modality.available.length;
  for (let start = 0; start < cells; start += BLOCK_ROWS) {
    yield [start, await modality.rows(start, Math.min(cells, start + BLOCK_ROWS), { signal })];
  }
}

/** The middle of some numbers; the mean of the two middle ones where their count is even, NaN where there are none. */
export function median(values: Float32Array): number {
  const sorted = values.slice().sort();
  const half = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Where a block of rows comes from, for messages. */
export interface BlockPlace {
  /** The modality. */
  modality: Modality;
  /** Cell of each row of the block. */
  cells: ArrayLike<number>;
  /** Names of all cells. */
  cellIds: readonly string[];
}

/**
 * `COUNTS` for the first value of a measured cell that a count likelihood cannot take (negative, fractional, NaN or
 * infinite), or with `finite` only for NaN and infinities; the message names the cell, the feature and the value.
 */
export function checkCounts(block: CsrBlock, place: BlockPlace, rule: "counts" | "finite" = "counts"): void {
  const { indptr, indices, values } = block;
  for (let i = 0; i < block.rows; i++) {
    if (!place.modality.available[place.cells[i]!]) continue;
    for (let j = indptr[i]!; j < indptr[i + 1]!; j++) {
      const value = values[j]!;
      if (rule === "counts" ? value >= 0 && Number.isInteger(value) : Number.isFinite(value)) continue;
      const row = place.cells[i]!;
      const column = indices[j]!;
      const feature = place.modality.features[column]!;
      const what = !Number.isFinite(value)
        ? "is no number"
        : value < 0
          ? "is negative"
          : "is no whole number";
      const hint = Number.isFinite(value)
        ? "; a count likelihood needs raw counts (often in layers/counts or raw/X), a Gaussian one takes any number"
        : "";
      const message = `${place.modality.name}: cell ${place.cellIds[row]} (row ${row + 1}), feature ${feature} (column ${column + 1}): ${value} ${what}${hint}`;
      throw mosaicError("COUNTS", message, {
        details: { row, column, value, modality: place.modality.name },
      });
    }
  }
}

/** Reads a modality once and throws what `checkCounts` throws; warns of measured cells without any count. */
export async function requireCounts(
  dataset: { readonly cellIds: readonly string[] },
  modality: Modality,
  options: PassOptions & { warn?: Warn } = {},
): Promise<void> {
  let empty = 0;
  for await (const [start, block] of blocks(modality, options)) {
    const cells = Int32Array.from({ length: block.rows }, (_, i) => start + i);
    checkCounts(block, { modality, cells, cellIds: dataset.cellIds });
    rowSums(block).forEach((sum, i) => {
      if (sum === 0 && modality.available[start + i]) empty++;
    });
  }
  if (empty > 0) warnEmpty(modality, empty, options.warn);
}

/** `EMPTY_CELLS`: measured, but nothing was found in them. */
export function warnEmpty(modality: Modality, empty: number, warn: Warn | undefined): void {
  const message = `${modality.name}: ${empty} measured cells have no count at all; filter them, or mark them as not measured`;
  warn?.({ code: "EMPTY_CELLS", message, details: { modality: modality.name, cells: empty } });
}
