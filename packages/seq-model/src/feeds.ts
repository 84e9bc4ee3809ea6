/** From batches of samples to the inputs of a graph: padded to its lengths, so that padding counts nothing. */
import type { Batch } from "@x/onnx-train";
import { asvWidth } from "./asv-encoder.ts";
import { encoderType } from "./encoder-types.ts";
import type { MaskedLetters } from "./letter-masks.ts";
import type { ModelConfig, SampleBatch } from "./model-interfaces.ts";

/** Lengths of a graph. */
export interface FeedLengths {
  /** Different ASVs. */
  readonly asvs: number;
  /** Samples. */
  readonly samples: number;
  /** ASVs of a sample. */
  readonly slots: number;
}

/** The range of counts in training, which count predictions are relative to. */
export interface CountRange {
  /** Smallest count. */
  readonly least: number;
  /** Largest count. */
  readonly most: number;
}

/** What a feed is made of besides the batch. */
export interface FeedExtras {
  readonly lengths: FeedLengths;
  readonly counts: CountRange;
  /** Tokens [ASVs, width of the batch] with letters hidden. */
  readonly masked?: MaskedLetters;
  /** Known embeddings of the batch's ASVs [ASVs, dim]. */
  readonly embeddings?: Float32Array;
  /** Of each slot's embedding; 1 by default. */
  readonly presence?: Float32Array;
  /** Weight of each sample; 1 by default. */
  readonly sampleWeights?: ArrayLike<number>;
}

/** Tokens in rows of the network's width. `unique` rows, then rows of padding. */
export function tokenRows(
  batch: SampleBatch,
  rows: ArrayLike<number>,
  config: ModelConfig,
  asvs: number,
): Float32Array {
  const width = asvWidth(config);
  return padded(rows, [batch.unique.length, batch.width], [asvs, width]);
}

/** All inputs that any part of the network may ask for; each takes its own. */
export function feedOf(batch: SampleBatch, config: ModelConfig, extras: FeedExtras): Batch {
  const { lengths, counts, masked, embeddings, presence, sampleWeights } = extras;
  const { asvs, samples, slots } = lengths;
  const given = batch.ids.length;
  const bySlot = (values: ArrayLike<number>): Float32Array =>
    padded(values, [given, batch.slots], [samples, slots]);
  const range = counts.most - counts.least || 1;
  const weight = new Float32Array(samples);
  for (let s = 0; s < given; s++) weight[s] = sampleWeights?.[s] ?? 1;
  const feed: Record<string, ArrayLike<number>> = {
    index: bySlot(batch.sequence),
    counts: bySlot(batch.counts),
    mask: bySlot(batch.mask),
    presence: presence ? bySlot(presence) : new Float32Array(samples * slots).fill(1),
    countTargets: bySlot(
      Float32Array.from(batch.counts, (c, i) => (batch.mask[i] ? (c - counts.least) / range : 0)),
    ),
    weight,
    positions: Int32Array.from({ length: slots }, (_, i) => i),
  };
  if (embeddings) feed.asv = padded(embeddings, [batch.unique.length, config.dim], [asvs, config.dim]);
  else {
    feed.letters = tokenRows(batch, batch.tokens, config, asvs);
    feed.tokens = masked ? tokenRows(batch, masked.tokens, config, asvs) : feed.letters;
    feed.scored = masked
      ? tokenRows(batch, masked.scored, config, asvs)
      : new Float32Array(asvs * asvWidth(config));
  }
  const outputs = config.classifier ? 1 : config.outputs;
  const values = encoderType(config.encoder).values ?? 0;
  const columns = config.categories.length;
  if (batch.kin) {
    feed.kinRows = batch.kin.rows;
    feed.kinDistances = batch.kin.distances;
  }
  if (batch.clades) {
    feed.cladeTargets = padded(batch.clades, [batch.unique.length, config.clades], [asvs, config.clades]);
    feed.known = Float32Array.from({ length: asvs }, (_, i) => (i < batch.unique.length ? 1 : 0));
  }
  if (batch.targets) feed.target = padded(batch.targets, [given, outputs], [samples, outputs]);
  if (batch.distances) feed.distances = padded(batch.distances, [given, given], [samples, samples]);
  if (batch.encoderValues)
    feed.encoderValues = padded(batch.encoderValues, [given, values], [samples, values]);
  if (columns > 0) feed.categories = padded(batch.categories ?? [], [given, columns], [samples, columns]);
  return feed;
}

/** A matrix in the upper left corner of a larger one of zeros. */
function padded(
  values: ArrayLike<number>,
  [rows, columns]: readonly [number, number],
  [height, width]: readonly [number, number],
): Float32Array {
  const out = new Float32Array(height * width);
  if (columns === width) {
    out.set(values);
    return out;
  }
  const across = Math.min(columns, width);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < across; c++) out[r * width + c] = values[r * columns + c] ?? 0;
  return out;
}
