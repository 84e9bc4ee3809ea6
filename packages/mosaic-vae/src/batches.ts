/** Batches of cells for training and inference: in the order of the registry, with masks, libraries and batch codes. */
import {
  checkOptions,
  checkRange,
  memoryLimit,
  type OnProgress,
  throwIfAborted,
  type Warn,
} from "@x/core/base";
import { alignTo, batchCodes, codesOf } from "./align.ts";
import { BLOCK_ROWS, checkCounts, median, warnEmpty } from "./counts.ts";
import { type CsrBlock, dropRows, gatherRows, rowSums, stackRows } from "./csr.ts";
import {
  columnLevels,
  columnNumbers,
  columnTexts,
  type Modality,
  type MosaicDataset,
  type Registry,
} from "./dataset.ts";
import { mosaicError } from "./errors.ts";
import { epochOrder, windowSize } from "./row-order.ts";

/** One modality of a batch. */
export interface BatchModality {
  /** The cells' rows; a cell that was not measured has an empty one, whatever its file holds. */
  readonly block: CsrBlock;
  /** 1 where the cell was measured. */
  readonly mask: Uint8Array;
  /** Sum of each cell, never 0: a cell that was not measured has the median of its batch, else of all cells. */
  readonly library: Float32Array;
}

/** Some cells. */
export interface MosaicBatch {
  /** Their rows in the data set. */
  readonly rows: Int32Array;
  /** Modalities by name, all of the registry. */
  readonly modalities: Readonly<Record<string, BatchModality>>;
  /** Place of each cell's batch in the registry; −1 where the registry does not know it. */
  readonly batch: Int32Array;
  /** Place of each cell's data set in `BatchSource.datasets`; 0 where there is no such column. */
  readonly dataset: Int32Array;
  /** Number in the time column; NaN where there is none. */
  readonly time: Float32Array;
}

/** Options of `batches`. */
export interface BatchesOptions {
  /** Rows of the cells to visit, increasing, e.g. `splitCells(cells).train`; all by default. */
  split?: ArrayLike<number>;
  /** A new order each epoch; false by default. */
  shuffle?: boolean;
  /** `memory` keeps the matrices once decoded, `stream` reads them each epoch, `auto` (default) keeps what fits half of `memoryLimit`. */
  cache?: "auto" | "memory" | "stream";
  /** Cells of a batch, 128 by default. */
  batchSize?: number;
  /** Leave out the last batch of an epoch where it is not full; false by default. */
  dropLast?: boolean;
  /** Features and batches of the model; those of the data by default. See `alignTo`. */
  registry?: Registry;
  /** Modalities that must hold whole numbers of at least 0; in the others NaN and infinities are refused. */
  counts?: readonly string[];
  /** Column of `obs` that names each cell's data set, `dataset` by default where it is there. */
  datasetKey?: string;
  /** Column of `obs` that holds a time, `time` by default where it is there. */
  timeKey?: string;
  /** Keep cells without any modality; `NO_MODALITY` by default. */
  allowEmpty?: boolean;
  /** Seed of the order; 0 by default. */
  seed?: number;
  /** Bytes to plan with. */
  memoryLimit?: number;
  /** Stops the reading. */
  signal?: AbortSignal;
  /** Told how far the first pass is, in cells × modalities. */
  onProgress?: OnProgress;
  /** Receives `EMPTY_CELLS` and `REGISTRY_FILLED`. */
  warn?: Warn;
}

/** Batches, epoch by epoch. */
export interface BatchSource {
  /** Cells that are visited. */
  readonly cells: number;
  /** Batches of one epoch. */
  readonly batchesPerEpoch: number;
  /** The registry the batches follow. */
  readonly registry: Registry;
  /** Names behind `MosaicBatch.dataset`. */
  readonly datasets: readonly string[];
  /** Are the matrices in memory? */
  readonly cached: boolean;
  /** Median library of a modality in each batch of the registry, over the measured cells that are visited. */
  medianLibrary(modality: string): Float32Array;
  /** The batches of epoch `number`, from batch `from` on: an epoch's order does not depend on those before it. */
  epoch(number: number, from?: number): AsyncGenerator<MosaicBatch>;
}

const KNOWN = [
  "split",
  "shuffle",
  "cache",
  "batchSize",
  "dropLast",
  "registry",
  "counts",
  "datasetKey",
  "timeKey",
  "allowEmpty",
  "seed",
  "memoryLimit",
  "signal",
  "onProgress",
  "warn",
];

/**
 * Reads the visited cells once, refuses what no model can take, and gives batches. Matrices stay in memory between
 * epochs where they fit, else each epoch streams them in windows of about 8,192 cells; the batches are the same either
 * way. Errors: `COUNTS` (with cell and feature), `NO_MODALITY`, `REGISTRY_OVERLAP`, `REGISTRY_MISSING`, `OBS_COLUMN`,
 * `ROW_RANGE`, `MODALITY_UNKNOWN`, and those of reading.
 */
export async function batches(given: MosaicDataset, options: BatchesOptions = {}): Promise<BatchSource> {
  checkOptions(options, KNOWN, "batches");
  const { shuffle = false, seed = 0, dropLast = false, signal, warn } = options;
  const batchSize = checkRange("batchSize", options.batchSize ?? 128, { min: 1, integer: true });
  const dataset = options.registry ? alignTo(given, options.registry, warn ? { warn } : {}).dataset : given;
  const rows = Int32Array.from(options.split ?? Array.from({ length: dataset.cells }, (_, i) => i));
  checkVisited(dataset, rows, options.allowEmpty ?? false);
  for (const name of options.counts ?? []) {
    if (dataset.modalities.has(name)) continue;
    const message = `counts names ${name}; there are ${[...dataset.modalities.keys()].join(", ")}`;
    throw mosaicError("MODALITY_UNKNOWN", message, { usage: true });
  }
  const labels = cellLabels(dataset, rows, options);
  const modalities = [...dataset.modalities.values()];
  const limit = memoryLimit({ memoryLimit: options.memoryLimit }).bytes / 2;
  let budget =
    options.cache === "memory" ? Number.POSITIVE_INFINITY : options.cache === "stream" ? -1 : limit;
  const first: FirstPass[] = [];
  for (const [i, modality] of modalities.entries()) {
    const pass = await readFirst(dataset, modality, rows, budget, {
      ...options,
      onProgress: (p) =>
        options.onProgress?.({
          ...p,
          done: p.done + i * rows.length,
          total: modalities.length * rows.length,
        }),
    });
    budget = pass.kept ? budget - pass.bytes : -1;
    if (pass.empty > 0) warnEmpty(modality, pass.empty, warn);
    first.push(pass);
  }
  const cached = first.every((pass) => pass.kept);
  if (!cached) for (const pass of first) pass.kept = undefined;
  const medians = first.map((pass) =>
    medianLibraries(pass.sums, labels.batch, dataset.registry.batches.length),
  );
  const libraries = first.map((pass, m) => fillLibraries(pass.sums, labels.batch, medians[m]!));

  const perEpoch = dropLast ? Math.floor(rows.length / batchSize) : Math.ceil(rows.length / batchSize);
  const size = windowSize(batchSize);
  return {
    cells: rows.length,
    batchesPerEpoch: perEpoch,
    registry: dataset.registry,
    datasets: labels.datasets,
    cached,
    medianLibrary(name) {
      const m = modalities.findIndex((modality) => modality.name === name);
      if (m < 0) throw mosaicError("MODALITY_UNKNOWN", `there is no modality ${name}`);
      return medians[m]!.byBatch.slice();
    },
    async *epoch(epoch, from = 0) {
      const order = epochOrder(rows.length, { batchSize, seed, epoch, shuffle });
      let window: { start: number; parts: CsrBlock[]; place: Map<number, number> } | undefined;
      for (let b = from; b < perEpoch; b++) {
        throwIfAborted(signal);
        const positions = order.subarray(b * batchSize, Math.min(order.length, (b + 1) * batchSize));
        let parts: (CsrBlock | readonly CsrBlock[] | undefined)[] = first.map((pass) => pass.kept);
        let within: ArrayLike<number> = positions;
        if (!cached) {
          const start = Math.floor((b * batchSize) / size) * size;
          if (window?.start !== start) {
            const sorted = order.slice(start, Math.min(order.length, start + size)).sort();
            const wanted = sorted.map((p) => rows[p]!);
            window = { start, parts: [], place: new Map(Array.from(sorted, (p, i) => [p, i])) };
            for (const modality of modalities)
              window.parts.push(await readMeasured(modality, wanted, signal));
          }
          const { place } = window;
          parts = window.parts;
          within = positions.map((p) => place.get(p)!);
        }
        yield makeBatch(positions, (m) => gatherRows(parts[m]!, within, cached ? BLOCK_ROWS : undefined));
      }
    },
  };

  function makeBatch(positions: Int32Array, block: (modality: number) => CsrBlock): MosaicBatch {
    const cells = positions.map((p) => rows[p]!);
    const parts = modalities.map((modality, m): [string, BatchModality] => [
      modality.name,
      {
        block: block(m),
        mask: Uint8Array.from(cells, (row) => modality.available[row]!),
        library: Float32Array.from(positions, (p) => libraries[m]![p]!),
      },
    ]);
    return {
      rows: cells,
      modalities: Object.fromEntries(parts),
      batch: positions.map((p) => labels.batch[p]!),
      dataset: positions.map((p) => labels.dataset[p]!),
      time: Float32Array.from(positions, (p) => labels.time[p]!),
    };
  }
}

function checkVisited(dataset: MosaicDataset, rows: Int32Array, allowEmpty: boolean): void {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (!(row >= 0 && row < dataset.cells) || (i > 0 && row <= rows[i - 1]!)) {
      const message = `split has row ${row} in place ${i + 1}: rows must increase and lie below ${dataset.cells}`;
      throw mosaicError("ROW_RANGE", message, { details: { row } });
    }
    if (allowEmpty || [...dataset.modalities.values()].some((m) => m.available[row])) continue;
    const message = `cell ${dataset.cellIds[row]} has no modality (${[...dataset.modalities.keys()].join(", ")}); drop it or allow it (allowEmpty, --allow-empty)`;
    throw mosaicError("NO_MODALITY", message, { details: { row } });
  }
}

interface Labels {
  batch: Int32Array;
  dataset: Int32Array;
  datasets: readonly string[];
  time: Float32Array;
}

/** What `obs` says of the visited cells. */
function cellLabels(dataset: MosaicDataset, rows: Int32Array, options: BatchesOptions): Labels {
  const { obs } = dataset;
  const key = options.datasetKey ?? (obs.getChild("dataset") ? "dataset" : undefined);
  const datasets = key === undefined ? ["all"] : columnLevels(obs, key);
  const codes = key === undefined ? new Int32Array(dataset.cells) : codesOf(columnTexts(obs, key), datasets);
  const timeKey = options.timeKey ?? (obs.getChild("time") ? "time" : undefined);
  const times = timeKey === undefined ? undefined : columnNumbers(obs, timeKey);
  const batch = batchCodes(dataset);
  return {
    batch: rows.map((row) => batch[row]!),
    dataset: rows.map((row) => codes[row]!),
    datasets,
    time: Float32Array.from(rows, (row) => times?.[row] ?? Number.NaN),
  };
}

interface FirstPass {
  /** Blocks of `BLOCK_ROWS` rows as they were read: those of a matrix in memory are views of it. */
  kept: readonly CsrBlock[] | undefined;
  bytes: number;
  /** Sum of each visited cell; NaN where it was not measured. */
  sums: Float32Array;
  /** Measured cells without a count. */
  empty: number;
}

/** Reads the visited cells of a modality once: checks them, sums them, keeps them if they fit. */
async function readFirst(
  dataset: MosaicDataset,
  modality: Modality,
  rows: Int32Array,
  budget: number,
  options: BatchesOptions,
): Promise<FirstPass> {
  const sums = new Float32Array(rows.length).fill(Number.NaN);
  const rule = options.counts?.includes(modality.name) ? "counts" : "finite";
  let parts: CsrBlock[] | undefined = budget >= 0 ? [] : undefined;
  let bytes = 0;
  let empty = 0;
  for (let from = 0; from < rows.length; from += BLOCK_ROWS) {
    const cells = rows.subarray(from, Math.min(rows.length, from + BLOCK_ROWS));
    const block = await readMeasured(modality, cells, options.signal);
    checkCounts(block, { modality, cells, cellIds: dataset.cellIds }, rule);
    rowSums(block).forEach((sum, i) => {
      if (!modality.available[cells[i]!]) return;
      sums[from + i] = sum;
      if (sum === 0) empty++;
    });
    bytes += csrBytes(block);
    if (bytes > budget) parts = undefined;
    parts?.push(block);
    options.onProgress?.({ stage: "read", done: from + cells.length, total: rows.length });
  }
  return { kept: parts, bytes, sums, empty };
}

/** Rows further apart than this are read apart. */
const GAP = 64;

/** Some rows, in increasing order; those that were not measured are empty. */
async function readMeasured(modality: Modality, rows: Int32Array, signal?: AbortSignal): Promise<CsrBlock> {
  const parts: CsrBlock[] = [];
  for (let i = 0; i < rows.length; ) {
    let j = i + 1;
    while (j < rows.length && rows[j]! - rows[j - 1]! <= GAP && rows[j]! - rows[i]! < BLOCK_ROWS) j++;
    const first = rows[i]!;
    const block = await modality.rows(first, rows[j - 1]! + 1, { signal });
    const some = rows.subarray(i, j).map((row) => row - first);
    parts.push(some.length === block.rows ? block : gatherRows(block, some));
    i = j;
  }
  const stacked = stackRows(parts, modality.features.length);
  return dropRows(stacked, (i) => modality.available[rows[i]!] === 0);
}

function csrBytes(block: CsrBlock): number {
  return 8 * block.indices.length + 4 * block.indptr.length;
}

interface Medians {
  byBatch: Float32Array;
  all: number;
}

function medianLibraries(sums: Float32Array, batch: Int32Array, count: number): Medians {
  const of = (keep: (i: number) => boolean): number => median(sums.filter((sum, i) => sum > 0 && keep(i)));
  const whole = of(() => true);
  const all = Number.isNaN(whole) ? 1 : whole;
  const byBatch = Float32Array.from({ length: count }, (_, b) => {
    const own = of((i) => batch[i] === b);
    return Number.isNaN(own) ? all : own;
  });
  return { byBatch, all };
}

function fillLibraries(sums: Float32Array, batch: Int32Array, medians: Medians): Float32Array {
  return sums.map((sum, i) => (sum > 0 ? sum : sum === 0 ? 1 : (medians.byBatch[batch[i]!] ?? medians.all)));
}
