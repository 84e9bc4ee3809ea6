import { checkOptions, type RunOptions, requireMemory } from "@x/core/base";
import type { DistanceMatrix } from "./distance-matrix.ts";
import { faithPd } from "./diversity.ts";
import { listIds, seqError } from "./errors.ts";
import type { FeatureTable } from "./feature-table.ts";
import {
  type MetricNumbers,
  nativeMetric,
  TABLE_METRICS,
  type TableMetric,
  TREE_METRICS,
  type TreeMetric,
} from "./metrics.ts";
import { type NativeSource, newSource, pairDistances } from "./native.ts";
import type { Tree } from "./read-newick.ts";
import { nativeOptions, phylogeny, type TreeOptions } from "./unifrac.ts";

/** What an encoder can be taught about samples: a distance of pairs, or `faith-pd` of each. */
export const ENCODER_TARGETS: readonly EncoderTarget[] = [...TREE_METRICS, ...TABLE_METRICS, "faith-pd"];

/** One of {@link ENCODER_TARGETS}. */
export type EncoderTarget = TreeMetric | TableMetric | "faith-pd";

/** Options of {@link batchTargets}. */
export interface BatchTargetOptions
  extends MetricNumbers,
    TreeOptions,
    Pick<RunOptions, "signal" | "threads"> {
  /** What to teach. */
  metric: EncoderTarget;
  /** Of the table's features; every metric of a tree needs one (`TREE_NEEDED`). */
  tree?: Tree;
}

/** Targets of any batch of samples. */
export interface BatchTargets {
  /** `pairs`: a square a batch; `samples`: a number a sample. */
  readonly kind: "pairs" | "samples";
  /** Metric, for reports and checkpoints. */
  readonly metric: string;
  /** Do values lie between 0 and 1? */
  readonly bounded: boolean;
  /**
   * Targets of samples (places in the table): B × B distances row by row, symmetric with a zero diagonal, or B numbers.
   * Whatever else is in the batch, two samples have the same bits.
   */
  of(samples: ArrayLike<number>): Promise<Float64Array>;
  /** The same of another table of the same features; not of targets from a file. */
  again?(table: FeatureTable): BatchTargets;
}

/**
 * Targets computed from the table (and tree) for the samples of a batch when they are asked for: no matrix of all pairs is
 * needed, and a table of any length can be learned from. Errors as `unifrac`.
 */
export function batchTargets(table: FeatureTable, options: BatchTargetOptions): BatchTargets {
  const known = [
    "metric",
    "tree",
    "alpha",
    "pseudocount",
    "missingTips",
    "missingLength",
    "signal",
    "threads",
  ];
  checkOptions(options, known, "batchTargets");
  const { metric, tree, missingTips, missingLength } = options;
  const treeOptions: TreeOptions = {
    ...(missingTips ? { missingTips } : {}),
    ...(missingLength === undefined ? {} : { missingLength }),
  };
  const onTree = metric === "faith-pd" || (TREE_METRICS as readonly string[]).includes(metric);
  if (onTree && !tree)
    throw seqError("TREE_NEEDED", `${metric} needs a tree of the table's features`, { metric });
  if (metric === "faith-pd") {
    const { values } = faithPd(table, tree!, treeOptions);
    const of = async (samples: ArrayLike<number>): Promise<Float64Array> =>
      Float64Array.from(samples, (s) => values[s]!);
    return { kind: "samples", metric, bounded: false, of };
  }
  const native = nativeMetric(metric, options, onTree ? TREE_METRICS : TABLE_METRICS);
  const source: NativeSource = onTree ? phylogeny(table, tree!, treeOptions).source : newSource(table);
  const bounded = metric !== "weighted" && metric !== "aitchison";
  const call = nativeOptions(options);
  const distances = (pairs: Uint32Array): Promise<Float64Array> => pairDistances(source, native, pairs, call);
  const again = (other: FeatureTable): BatchTargets => batchTargets(other, options);
  return { kind: "pairs", metric, bounded, of: (samples) => squareOf(samples, distances), again };
}

/**
 * The same from a matrix that was computed elsewhere (`readDistances`). `TARGET_SAMPLES` lists samples of the table that
 * it does not have.
 */
export function fileTargets(
  table: FeatureTable,
  matrix: DistanceMatrix,
  options: Pick<RunOptions, "memoryLimit"> = {},
): BatchTargets {
  const place = new Map(matrix.ids.map((id, at) => [id, at]));
  const missing = table.sampleIds.filter((id) => !place.has(id));
  if (missing.length > 0) {
    const message = `the distance matrix has no row for ${missing.length} of ${table.sampleIds.length} samples: ${listIds(missing)}`;
    throw seqError("TARGET_SAMPLES", message, { samples: missing });
  }
  const bytes = 8 * matrix.n ** 2;
  requireMemory(
    { parts: [{ name: "distances", bytes }], total: bytes },
    { memoryLimit: options.memoryLimit },
  );
  const all = matrix.toArray();
  const rowOf = Uint32Array.from(table.sampleIds, (id) => place.get(id)!);
  const distances = async (pairs: Uint32Array): Promise<Float64Array> =>
    Float64Array.from({ length: pairs.length / 2 }, (_, k) => {
      return all[rowOf[pairs[2 * k]!]! * matrix.n + rowOf[pairs[2 * k + 1]!]!]!;
    });
  const bounded = all.every((d) => d <= 1);
  return { kind: "pairs", metric: matrix.metric, bounded, of: (samples) => squareOf(samples, distances) };
}

/** Each pair once, then mirrored. */
async function squareOf(
  samples: ArrayLike<number>,
  distances: (pairs: Uint32Array) => Promise<Float64Array>,
): Promise<Float64Array> {
  const n = samples.length;
  const pairs = new Uint32Array(n * (n - 1));
  let at = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++, at += 2) pairs.set([samples[i]!, samples[j]!], at);
  }
  const values = await distances(pairs);
  const square = new Float64Array(n * n);
  at = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++, at++) square[i * n + j] = square[j * n + i] = values[at]!;
  }
  return square;
}
