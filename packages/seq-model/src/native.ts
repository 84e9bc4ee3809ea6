/**
 * The only importer of `@x/native-linalg`: every native call of this package goes through here, with cancel, progress
 * and error codes wired by `@x/core`.
 */
import { fromNative, type OnProgress, runNative } from "@x/core/base";
import binding, {
  type DistanceMatrix as NativeDistances,
  type DistanceSource as NativeSource,
  type DenseTable as NativeTable,
  type NewickTree as NativeTree,
} from "@x/native-linalg";
import type { FeatureTable } from "./feature-table.ts";

export type { NativeDistances, NativeSource, NativeTable, NativeTree };

/** Options every native call takes. `threads` is always a resolved count. */
export interface NativeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly threads: number;
  readonly stage?: string;
}

/** A metric by its name, and its number where it has one. */
export interface NativeMetric {
  readonly name: string;
  readonly parameter: number;
}

type Job = InstanceType<typeof binding.Job>;

function run<T>(start: (job: Job) => Promise<T>, o: NativeOptions): Promise<T> {
  return runNative(binding.Job, start, { signal: o.signal, onProgress: o.onProgress, stage: o.stage });
}

function now<T>(call: () => T): T {
  try {
    return call();
  } catch (e) {
    throw fromNative(e);
  }
}

/** A tree from its text. */
export function parseNewick(text: Uint8Array, spaces: boolean): NativeTree {
  return now(() => binding.parseNewick(text, spaces));
}

/** What a node of a tree is called. */
export function nodeName(tree: NativeTree, node: number): string {
  return now(() => tree.name(node));
}

/** A table, perhaps with the tips of its features in a tree. */
export function newSource(
  table: FeatureTable,
  tree?: { native: NativeTree; tips: Uint32Array; missingLength: number | undefined },
): NativeSource {
  const { featureIds, indptr, indices, values } = table;
  return now(
    () =>
      new binding.DistanceSource(
        featureIds.length,
        indptr,
        indices,
        values,
        tree?.native,
        tree?.tips,
        tree?.missingLength,
      ),
  );
}

/** Distances between all of the samples. */
export function allDistances(
  source: NativeSource,
  metric: NativeMetric,
  samples: Uint32Array,
  single: boolean,
  o: NativeOptions,
): Promise<NativeDistances> {
  return run((job) => source.distances(job, metric.name, metric.parameter, samples, single, o.threads), o);
}

/** Distances of pairs of samples. */
export function pairDistances(
  source: NativeSource,
  metric: NativeMetric,
  pairs: Uint32Array,
  o: NativeOptions,
): Promise<Float64Array> {
  return run((job) => source.pairs(job, metric.name, metric.parameter, pairs, o.threads), o);
}

/** A range of stripes, one after another. */
export function stripeDistances(
  source: NativeSource,
  metric: NativeMetric,
  samples: Uint32Array,
  range: readonly [number, number],
  o: NativeOptions,
): Promise<Float64Array> {
  const [from, to] = range;
  return run((job) => source.stripes(job, metric.name, metric.parameter, samples, from, to, o.threads), o);
}

/** Distances from stripes that cover all. */
export function fromStripes(
  n: number,
  froms: Uint32Array,
  tos: Uint32Array,
  values: Float64Array,
): NativeDistances {
  return now(() => binding.DistanceMatrix.fromStripes(n, froms, tos, values));
}

/** Distances from a square. */
export function fromSquare(n: number, square: Float64Array): NativeDistances {
  return now(() => binding.DistanceMatrix.fromSquare(n, square));
}

/** Copies a tile, row by row. */
export function tileInto(
  d: NativeDistances,
  row: number,
  rows: number,
  col: number,
  cols: number,
  out: Float64Array,
): void {
  now(() => d.tileInto(row, rows, col, cols, out));
}

/** A diversity of every sample. */
export function diversityOf(source: NativeSource, metric: string): Float64Array {
  return now(() => source.diversity(metric));
}

/** Samples cut down to a depth. */
export function rarefyCounts(
  source: NativeSource,
  depth: number,
  seed: number,
  streams: Float64Array,
  o: NativeOptions,
): ReturnType<NativeSource["rarefy"]> {
  return run((job) => source.rarefy(job, depth, seed, streams, o.threads), o);
}

/** Principal coordinates. */
export function principalCoordinates(
  d: NativeDistances,
  axes: number,
  o: NativeOptions,
): ReturnType<NativeDistances["pcoa"]> {
  return run((job) => d.pcoa(job, axes, o.threads), o);
}

/** The permutation test. */
export function permutationTest(
  d: NativeDistances,
  groups: Uint32Array,
  count: number,
  permutations: number,
  seed: number,
  o: NativeOptions,
): ReturnType<NativeDistances["permanova"]> {
  return run((job) => d.permanova(job, groups, count, permutations, seed, o.threads), o);
}

/** Bytes the distances of so many samples take at their peak. */
export function distancesBytes(samples: number, metric: NativeMetric, single: boolean): number {
  return now(() => binding.distancesBytes(samples, metric.name, metric.parameter, single));
}

/** Counts as numbers that models are fitted to. */
export function denseTable(table: FeatureTable, transform: string, pseudocount: number): NativeTable {
  const { featureIds, indptr, indices, values } = table;
  return now(
    () => new binding.DenseTable(featureIds.length, indptr, indices, values, transform, pseudocount),
  );
}

/** Which samples a model learns from and what, and which it predicts. */
export interface NativeTask {
  readonly train: Uint32Array;
  readonly test: Uint32Array;
  readonly y: Float64Array;
}

/** Trees. */
export function fitForest(
  table: NativeTable,
  task: NativeTask,
  classes: number,
  options: Parameters<typeof binding.fitForest>[6],
  o: NativeOptions,
): ReturnType<typeof binding.fitForest> {
  const { train, y, test } = task;
  return run((job) => binding.fitForest(job, table, train, y, classes, test, options, o.threads), o);
}

/** Ridge regression on columns. */
export function fitRidge(
  table: NativeTable,
  task: NativeTask,
  scales: Float64Array,
  o: NativeOptions,
): ReturnType<typeof binding.fitRidge> {
  return run((job) => binding.fitRidge(job, table, task.train, task.y, task.test, scales, o.threads), o);
}

/** Ridge regression on distances. */
export function fitDistanceRidge(
  d: NativeDistances,
  task: NativeTask,
  scales: Float64Array,
  o: NativeOptions,
): ReturnType<typeof binding.fitDistanceRidge> {
  return run((job) => binding.fitDistanceRidge(job, d, task.train, task.y, task.test, scales, o.threads), o);
}

/** Products of all pairs of rows [n, columns]: [n, n]. */
export function rowProducts(
  n: number,
  columns: number,
  rows: Float64Array,
  threads: number,
): Promise<Float64Array> {
  return run((job) => binding.syrk(job, n, columns, rows, threads), { threads });
}

/** Eigenvalues, ascending, and eigenvectors [n, n], one a column, of a symmetric matrix. */
export async function symmetricEigen(
  n: number,
  square: Float64Array,
  threads: number,
): Promise<{ values: Float64Array; vectors: Float64Array }> {
  const matrix = now(() => binding.Matrix.zeros(n));
  now(() => matrix.setTile(0, n, 0, n, square));
  const { values, vectors } = await run((job) => binding.eigh(job, matrix, threads), { threads });
  const flat = now(() => vectors.tile(0, n, 0, n));
  vectors.release();
  return { values, vectors: flat };
}
