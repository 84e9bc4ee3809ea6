/** What a training step needs, by formula, and the batch that fits a limit. */
import { flatten, type ParamSpec, type Tree } from "@x/onnx-train";
import { asvWidth } from "./asv-encoder.ts";
import { seqError } from "./errors.ts";
import type { ModelConfig } from "./model-interfaces.ts";
import { networkParams } from "./network-params.ts";

/** Sizes of a step. */
export interface StepSize {
  /** Samples. */
  readonly samples: number;
  /** Different ASVs. */
  readonly asvs: number;
  /** ASVs of a sample. */
  readonly slots: number;
  /** ASVs worked on at a time; 0 for all. */
  readonly chunk: number;
  /** Are the products of a chunk's layers kept for the backward pass? */
  readonly keep: boolean;
}

/** Bytes of onnxruntime, Node and the graph themselves. */
const BASE = 1.8e8;
/** Copies of a weight: its gradient and moments, before and after a step, in three sessions and in JavaScript. */
const COPIES = 40;
/** Arrays of the width of a layer's input that its forward and backward pass hold at once. */
const HELD = 14;
/** The same of memberships of ASVs in clades. */
const HELD_CLADES = 14;

/**
 * Bytes at the peak of a training: weights with gradient and moments, the activations of one chunk of ASVs (of all of
 * them where they are not cut), what is kept of every chunk, embeddings of all ASVs, their memberships in clades, and the
 * sample level. Fitted to the peaks of processes on the CPU, at most a fifth below and half above them
 * (`training-memory.test.ts`); what chunks leave behind is not given back to the system, so that a part goes with all ASVs
 * however few are worked on at a time.
 */
export function stepBytes(config: ModelConfig, { samples, asvs, slots, chunk, keep }: StepSize): number {
  const { asvReadout, clades, dim, heads, ffnRatio, layers, patch, vocabulary } = config;
  const weights = flatten<ParamSpec>(networkParams(config) as Tree<ParamSpec>).reduce(
    (n, [, { shape }]) => n + shape.reduce((a, b) => a * b, 1),
    0,
  );
  const stack = (rows: number, places: number, depth: number): number =>
    rows * places * (depth * (dim * (HELD + 3 * ffnRatio) + 3 * heads * places) + 4 * dim);
  const places = asvWidth(config) / patch;
  const kept = 4 + 4 * layers.asv + (asvReadout === "places" ? 8 : 0);
  const together = chunk > 0 ? Math.min(chunk, asvs) : asvs;
  const letters = together * asvWidth(config) * vocabulary * 4;
  // Queries, keys and values, what attention gives, both sums of a layer, the wide product; and a quarter that is lost
  // between them.
  const products = keep && together < asvs ? 1.25 * layers.asv * (6 + ffnRatio) : 0;
  const nucleotides =
    stack(together, places, layers.asv) +
    letters +
    asvs * (dim * 3 + asvWidth(config) * 6 + places * dim * (kept + products));
  const depth = layers.sample + layers.encoder + layers.count + layers.target;
  const sample = stack(samples, slots, depth) + samples * slots * dim * 6 + samples * samples * dim * 3;
  const memberships =
    clades > 0 ? asvs * clades * HELD_CLADES + samples * slots * asvs * 2 + samples * 2 * clades * 12 : 0;
  return BASE + 4 * (COPIES * weights + nucleotides + sample + memberships);
}

/** A batch that fits. */
export interface BatchPlan {
  /** Samples a step. */
  readonly batchSize: number;
  /** Steps whose gradients make one update. */
  readonly accumulate: number;
  /** ASVs worked on at a time. */
  readonly chunk: number;
  /** Are the products of a chunk's layers kept for the backward pass? */
  readonly keep: boolean;
  /** Bytes at the peak, by formula. */
  readonly bytes: number;
}

/**
 * The largest batch under a limit, up to `wanted` samples; what is missing is made up for by accumulation. Before the batch
 * is cut, ASVs are cut into smaller chunks, and then products are computed twice instead of kept. `MEMORY_BATCH` where not
 * even two samples fit.
 */
export function planBatch(
  config: ModelConfig,
  given: {
    wanted: number;
    asvsPerSample: number;
    asvs: number;
    slots: number;
    chunk: number;
    keep?: boolean;
    limit: number;
  },
): BatchPlan {
  const { wanted, asvsPerSample, slots, limit } = given;
  const least = Math.min(2, wanted);
  const chunks = [given.chunk, 64, 32, 16, 8, 4].filter(
    (c, i) => i === 0 || given.chunk === 0 || c < given.chunk,
  );
  for (
    let batchSize = wanted;
    batchSize >= least;
    batchSize = batchSize > 2 ? Math.max(2, 2 * Math.floor((batchSize - 1) / 2)) : 0
  )
    for (const keep of given.keep === false ? [false] : [true, false])
      for (const chunk of chunks) {
        const asvs = Math.min(given.asvs, batchSize * asvsPerSample);
        const bytes = stepBytes(config, { samples: batchSize, asvs, slots, chunk, keep });
        if (bytes > limit) continue;
        return { batchSize, accumulate: Math.ceil(wanted / batchSize), chunk, keep, bytes };
      }
  const message = `a batch of ${least} samples needs more than ${(limit / 1e9).toFixed(2)} GB; a smaller --embedding-dim, --ffn-ratio or --token-limit needs less`;
  throw seqError("MEMORY_BATCH", message, { limit });
}
