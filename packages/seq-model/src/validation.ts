/** How good a network is on samples it was not trained on. */
import type { Clades } from "./clades.ts";
import { ClassMetrics } from "./class-metrics.ts";
import { distanceBetween } from "./embedding-distances.ts";
import type { Inference } from "./inference.ts";
import type { MaskOptions } from "./letter-masks.ts";
import { embeddingWidth } from "./model-config.ts";
import type { ModelConfig } from "./model-interfaces.ts";
import type { SequenceCache } from "./sequence-batches.ts";
import { RegressionMetrics } from "./streaming-metrics.ts";
import { invertTargetTransform, type TargetTransform } from "./target-transform.ts";
import { batchOf, inBatches, type KinTargets, type TrainingData } from "./training-data.ts";
import type { TrainingConfig } from "./training-options.ts";

/** Numbers of one validation. */
export interface Validation {
  /** Sum of the losses by their weights. */
  readonly loss: number;
  /** Each loss, unweighted; `letters` is the share of hidden letters that were found. */
  readonly parts: Readonly<Record<string, number>>;
  /** Scores on the scale of the target: r2, mae, rmse of the first output's middle; or accuracy and f1. */
  readonly scores: Readonly<Record<string, number>>;
}

/** What validation needs to know besides the data. */
export interface ValidationContext {
  readonly config: ModelConfig;
  readonly training: TrainingConfig;
  readonly transform: TargetTransform | undefined;
  readonly mask: MaskOptions;
  /** Names of categories a sample, for transforms by category. */
  readonly groups?: readonly string[];
}

/** Samples whose pairs of distances are compared at most. */
const PAIRED = 512;

/**
 * Losses and scores over some samples, the last batch included whatever its size. Letters are hidden by the same rule as in
 * training, always the same ones; the sample level sees all letters.
 */
export async function validate(
  inference: Inference,
  data: TrainingData,
  places: Uint32Array,
  { config, training, transform, mask, groups }: ValidationContext,
): Promise<Validation> {
  const { losses } = training;
  const sums: Record<string, number> = {};
  const numbers = new RegressionMetrics();
  const classes = config.classifier ? new ClassMetrics(config.outputs) : undefined;
  const rows = new Set<number>();
  for (const batchPlaces of inBatches(places, training.batchSize)) {
    const options = { sampling: training.sampling, seed: training.seed, step: 0 };
    const { kin: _, clades: __, ...rest } = data;
    const batch = await batchOf(rest, batchPlaces, config, options);
    for (const row of batch.unique) rows.add(row);
    const { parts, outputs } = await inference.evaluate(batch);
    for (const [name, value] of Object.entries(parts))
      sums[name] = (sums[name] ?? 0) + value * batchPlaces.length;
    if (!outputs.prediction || !batch.targets) continue;
    const said = outputs.prediction.data as Float32Array;
    if (classes) {
      classes.add(batch.targets, classOf(said, config.outputs));
      continue;
    }
    const middle = middleOf(said, config);
    const names = groups && Array.from(batchPlaces, (p) => groups[p]!);
    const back = (values: ArrayLike<number>): Float64Array =>
      transform
        ? invertTargetTransform(transform, values, names ? { categories: names } : {})
        : Float64Array.from(values);
    numbers.add(firstOf(back(batch.targets), config.outputs), firstOf(back(middle), config.outputs));
  }
  const parts: Record<string, number> = {};
  for (const [name, total] of Object.entries(sums)) parts[name] = total / Math.max(1, places.length);
  if (config.nucleotides && losses.nucleotide > 0 && mask.ratio > 0) {
    const found = await inference.letters(
      data.cache,
      [...rows].sort((a, b) => a - b),
      mask,
      training.seed,
    );
    parts.nucleotide = found.loss;
    parts.letters = found.found;
  }
  if (data.kin && (losses.phylogeny ?? 0) > 0 && training.freeze === "none")
    parts.phylogeny = await kinLossOf(
      inference,
      data.kin,
      data.cache,
      [...rows].sort((a, b) => a - b),
      config,
    );
  if (data.clades && (losses.clades ?? 0) > 0 && training.freeze === "none")
    parts.clades = await cladeLossOf(
      inference,
      data.clades,
      data.cache,
      [...rows].sort((a, b) => a - b),
      config,
    );
  const scores: Record<string, number> = {};
  if (numbers.n > 0) Object.assign(scores, pickScores(numbers.scores()));
  if (classes) {
    const { accuracy, macroF1 } = classes.scores();
    Object.assign(scores, { accuracy, f1: macroF1 });
  }
  if (data.distances && losses.encoder > 0)
    scores.distanceR2 = await distanceR2(inference, data, places.subarray(0, PAIRED), { config, training });
  const factors: Record<string, number> = { ...losses };
  const counted = Object.entries(parts).filter(([name]) => factors[name]);
  const loss =
    counted.length > 0 ? counted.reduce((sum, [name, value]) => sum + factors[name]! * value, 0) : Number.NaN;
  return { loss, parts, scores };
}

/** Embeddings of some rows of a cache, evenly taken. */
async function embedSome(
  inference: Inference,
  table: SequenceCache["table"],
  rows: readonly number[],
): Promise<{ unique: Uint32Array; found: Float32Array }> {
  const n = Math.min(rows.length, PAIRED);
  const unique = Uint32Array.from({ length: n }, (_, i) => rows[Math.floor((i * rows.length) / n)]!);
  const tokens = new Uint8Array(n * table.width);
  unique.forEach((row, i) => {
    tokens.set(table.tokens.subarray(row * table.width, (row + 1) * table.width), i * table.width);
  });
  return { unique, found: await inference.embed({ unique, tokens, width: table.width }) };
}

/** Cross-entropy of the memberships of some ASVs in clades, for each true one. */
async function cladeLossOf(
  inference: Inference,
  clades: Clades,
  { table }: SequenceCache,
  rows: readonly number[],
  { dim }: ModelConfig,
): Promise<number> {
  const { unique, found } = await embedSome(inference, table, rows);
  const [w, b] = ["w", "b"].map((name) => inference.weights.get(`clades/out/${name}`)!.data);
  const truth = clades.of(unique);
  let [sum, ones] = [0, 0];
  for (let i = 0; i < unique.length; i++) {
    const logits = Float64Array.from(b!);
    for (let d = 0; d < dim; d++)
      for (let k = 0; k < clades.size; k++) logits[k]! += found[i * dim + d]! * w![d * clades.size + k]!;
    logits.forEach((u, k) => {
      const y = truth[i * clades.size + k]!;
      sum += Math.max(u, 0) + Math.log1p(Math.exp(-Math.abs(u))) - y * u;
      ones += y;
    });
  }
  return sum / Math.max(1, ones);
}

/** Loss of the distances on the tree between some ASVs, evenly taken. */
async function kinLossOf(
  inference: Inference,
  kin: KinTargets,
  { table }: SequenceCache,
  rows: readonly number[],
  { dim }: ModelConfig,
): Promise<number> {
  const { unique, found } = await embedSome(inference, table, rows);
  const n = unique.length;
  const wanted = await kin.of(unique);
  const factor = Math.exp(inference.weights.get("asv/scale")?.data[0] ?? 0) / dim;
  let sum = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let square = 0;
      for (let d = 0; d < dim; d++) square += (found[i * dim + d]! - found[j * dim + d]!) ** 2;
      sum += (factor * square - wanted[i * n + j]!) ** 2;
    }
  return sum / (n * n);
}

/** R² of the distances between embeddings over all pairs of some samples. */
export async function distanceR2(
  inference: Inference,
  data: TrainingData,
  places: Uint32Array,
  { config, training }: Pick<ValidationContext, "config" | "training">,
): Promise<number> {
  if (!data.distances) return Number.NaN;
  const options = { sampling: training.sampling, seed: training.seed, step: 0 };
  const rows: Float32Array[] = [];
  for (const part of inBatches(places, training.batchSize)) {
    const { distances: _, kin: __, clades: ___, ...rest } = data;
    const batch = await batchOf(rest, part, config, options);
    const { embedding } = await inference.compute(batch, ["embedding"]);
    rows.push(embedding!.data as Float32Array);
  }
  const n = places.length;
  const all = new Float32Array(n * embeddingWidth(config));
  let at = 0;
  for (const part of rows) {
    all.set(part, at);
    at += part.length;
  }
  const truth = await data.distances.of(places);
  const between = distanceBetween(all, config, inference.weights);
  const metrics = new RegressionMetrics();
  for (let i = 0; i < n; i++) {
    const [wanted, found] = [new Float64Array(n - i - 1), new Float64Array(n - i - 1)];
    for (let j = i + 1; j < n; j++) {
      wanted[j - i - 1] = truth[i * n + j]!;
      found[j - i - 1] = between(i, j);
    }
    metrics.add(wanted, found);
  }
  return metrics.scores().r2;
}

function pickScores({ r2, mae, rmse }: { r2: number; mae: number; rmse: number }): Record<string, number> {
  return { r2, mae, rmse };
}

/** The middle quantile of each output, or the output. */
export function middleOf(
  said: ArrayLike<number>,
  { quantiles }: Pick<ModelConfig, "quantiles">,
): ArrayLike<number> {
  const q = quantiles.length;
  if (q === 0) return said;
  const middle = quantiles.reduce(
    (best, t, k) => (Math.abs(t - 0.5) < Math.abs(quantiles[best]! - 0.5) ? k : best),
    0,
  );
  return Float64Array.from({ length: said.length / q }, (_, i) => said[i * q + middle]!);
}

/** The most probable class of each sample. */
export function classOf(probabilities: ArrayLike<number>, classes: number): Int32Array {
  return Int32Array.from({ length: probabilities.length / classes }, (_, s) => {
    let best = 0;
    for (let c = 1; c < classes; c++)
      if (probabilities[s * classes + c]! > probabilities[s * classes + best]!) best = c;
    return best;
  });
}

function firstOf(values: ArrayLike<number>, outputs: number): ArrayLike<number> {
  if (outputs === 1) return values;
  return Float64Array.from({ length: values.length / outputs }, (_, i) => values[i * outputs]!);
}
