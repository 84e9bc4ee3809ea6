import { checkOptions, type RunOptions, requireMemory, resolveThreads } from "@x/core/base";
import { DistanceMatrix } from "./distance-matrix.ts";
import { seqError } from "./errors.ts";
import type { FeatureTable } from "./feature-table.ts";
import { emptySamples } from "./join-metadata.ts";
import {
  type MetricNumbers,
  metricLabel,
  nativeMetric,
  TABLE_METRICS,
  type TableMetric,
  TREE_METRICS,
  type TreeMetric,
} from "./metrics.ts";
import {
  allDistances,
  distancesBytes,
  type NativeMetric,
  type NativeOptions,
  type NativeSource,
  newSource,
  pairDistances,
} from "./native.ts";
import type { Tree } from "./read-newick.ts";

/** What distances with and without a tree have in common. */
export interface DistanceOptions
  extends MetricNumbers,
    Pick<RunOptions, "signal" | "onProgress" | "threads" | "memoryLimit"> {
  /** Only these samples, in this order; all of the table by default. */
  samples?: readonly string[];
  /** Samples without counts: refuse (`EMPTY_SAMPLE`, the default) or take them as they are: at distance 1 (of `weighted` and `aitchison` what the formula gives), 0 of each other. */
  emptySamples?: "error" | "keep";
  /** Keep distances as float32: half the memory. Sums still run in float64. */
  float32?: boolean;
}

/** How a tree is taken. */
export interface TreeOptions {
  /** Features without a tip: refuse (`TREE_TIP`, the default) or leave them out. */
  missingTips?: "error" | "drop";
  /** What a branch without a length counts as; refused (`TREE_LENGTH`) by default. */
  missingLength?: number;
}

/** Options of {@link unifrac}. */
export interface UnifracOptions extends DistanceOptions, TreeOptions {
  /** Which UniFrac. */
  metric: TreeMetric;
}

/** Options of {@link distances}. */
export interface TableDistanceOptions extends DistanceOptions {
  /** Which distance. */
  metric: TableMetric;
}

/** Pairs of sample names. */
export type SamplePairs = readonly (readonly [a: string, b: string])[];

const SHARED = [
  "metric",
  "alpha",
  "pseudocount",
  "signal",
  "onProgress",
  "threads",
  "memoryLimit",
  "samples",
  "emptySamples",
  "float32",
] as const;

/**
 * UniFrac between all samples of a table: `unweighted` (Lozupone & Knight 2005), `weighted` and `weighted-normalized`
 * (Lozupone et al. 2007), `generalized` with `alpha` (Chen et al. 2012), both variance-adjusted ones (Chang et al. 2011).
 * Exact in float64; the branch up to the root counts, a length written at the root does not, any number of children is
 * fine. The same bits for any `threads`. Progress: stage `distances`, in tiles.
 *
 * Errors: `TREE_TIP`, `TREE_DUP_TIP`, `TREE_LENGTH`, `EMPTY_SAMPLE`, `SAMPLE_UNKNOWN`, `EMPTY_TABLE`, `MEM_PREFLIGHT`.
 */
export function unifrac(table: FeatureTable, tree: Tree, options: UnifracOptions): Promise<DistanceMatrix> {
  checkOptions(options, [...SHARED, "missingTips", "missingLength"], "unifrac");
  return phylogeny(table, tree, options).distances(options);
}

/**
 * Distances on the table alone: `bray-curtis` and `jaccard` (on presence) of the counts as they are, `aitchison` of the
 * centred logarithms of counts + `pseudocount`. Errors and progress as {@link unifrac}.
 */
export async function distances(table: FeatureTable, options: TableDistanceOptions): Promise<DistanceMatrix> {
  checkOptions(options, SHARED, "distances");
  const metric = nativeMetric(options.metric, options, TABLE_METRICS);
  return matrix({ table, source: newSource(table) }, metric, options);
}

/** A table on its tree, ready for any number of questions: batches of samples, pairs, one against many. */
export interface Phylogeny {
  /** The table, without features that were left out. */
  readonly table: FeatureTable;
  /** Branches above its features. */
  readonly branches: number;
  /** @internal */
  readonly source: NativeSource;
  /** As {@link unifrac}. */
  distances(options: UnifracOptions): Promise<DistanceMatrix>;
  /** The distance of every pair, with the same bits as in the matrix. Only the samples named are looked at. */
  pairs(pairs: SamplePairs, options: UnifracOptions): Promise<Float64Array>;
  /** The distances of one sample to others (all by default), in their order. */
  from(sample: string, options: UnifracOptions): Promise<Float64Array>;
}

/** Finds the features of a table in a tree once. Errors as {@link unifrac}. */
export function phylogeny(table: FeatureTable, tree: Tree, options: TreeOptions = {}): Phylogeny {
  const kept = options.missingTips === "drop" ? withTips(table, tree) : table;
  const tips = tree.tipsOf(kept.featureIds);
  const source = newSource(kept, { native: tree.native, tips, missingLength: options.missingLength });
  const of = { table: kept, source };
  const metricOf = (o: UnifracOptions): NativeMetric => nativeMetric(o.metric, o, TREE_METRICS);
  const pairs = (list: SamplePairs, o: UnifracOptions): Promise<Float64Array> => {
    const at = kept.sampleIndices(list.flat());
    refuseEmpty(of, at, o);
    return pairDistances(source, metricOf(o), at, nativeOptions(o));
  };
  return {
    ...of,
    branches: source.branches,
    distances: async (o) => matrix(of, metricOf(o), o),
    pairs: async (list, o) => pairs(list, o),
    from: async (sample, o) =>
      pairs(
        (o.samples ?? kept.sampleIds).map((id) => [sample, id] as const),
        o,
      ),
  };
}

/** What a matrix is made from. */
export interface DistanceInput {
  readonly table: FeatureTable;
  readonly source: NativeSource;
}

async function matrix(
  of: DistanceInput,
  metric: NativeMetric,
  options: DistanceOptions,
): Promise<DistanceMatrix> {
  const { ids, places } = chosenSamples(of, options);
  const single = options.float32 === true;
  const bytes = distancesBytes(ids.length, metric, single);
  const parts = [{ name: "distances", bytes }];
  const hint = "float32 halves it; stripes make the matrix in parts.";
  requireMemory({ parts, total: bytes }, { memoryLimit: options.memoryLimit, hint });
  const native = await allDistances(of.source, metric, places, single, nativeOptions(options));
  return new DistanceMatrix(native, ids, metricLabel(metric));
}

/** The samples asked for and their places. `EMPTY_TABLE`, `EMPTY_SAMPLE`. */
export function chosenSamples(
  of: DistanceInput,
  options: DistanceOptions,
): { ids: readonly string[]; places: Uint32Array } {
  const ids = options.samples ?? of.table.sampleIds;
  const places = of.table.sampleIndices(ids);
  if (ids.length === 0 || of.table.featureIds.length === 0) {
    const message = `${of.table.path} has ${ids.length} samples and ${of.table.featureIds.length} features; there is nothing to compare`;
    throw seqError("EMPTY_TABLE", message);
  }
  refuseEmpty(of, places, options);
  return { ids, places };
}

function refuseEmpty({ table, source }: DistanceInput, places: Uint32Array, options: DistanceOptions): void {
  if (options.emptySamples === "keep") return;
  const totals = source.totals();
  const empty = Array.from(places).filter((s) => totals[s] === 0);
  if (empty.length > 0) throw emptySamples([...new Set(empty)].map((s) => table.sampleIds[s]!));
}

/** What a native call gets. */
export function nativeOptions(options: Pick<RunOptions, "signal" | "onProgress" | "threads">): NativeOptions {
  const { signal, onProgress } = options;
  return { signal, onProgress, threads: resolveThreads(options.threads), stage: "distances" };
}

function withTips(table: FeatureTable, tree: Tree): FeatureTable {
  const has = tree.has(table.featureIds);
  return table.select({ features: table.featureIds.filter((_, f) => has[f]) });
}
