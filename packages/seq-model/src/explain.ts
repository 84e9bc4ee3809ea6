import { tableFromColumns } from "@x/core";
import { checkOptions, checkRange, Random, type RunOptions, throwIfAborted } from "@x/core/base";
import type { Table } from "apache-arrow";
import { seqError } from "./errors.ts";
import { FeatureTable } from "./feature-table.ts";
import type { Predictor, SampleBatch } from "./model-interfaces.ts";
import { type SequenceCache, sequenceBatch } from "./sequence-batches.ts";

/** How importances are found. */
export const EXPLAIN_METHODS = ["integrated-gradients", "attention", "permutation"] as const;

/** One of {@link EXPLAIN_METHODS}. */
export type ExplainMethod = (typeof EXPLAIN_METHODS)[number];

/** Options of {@link explain}. */
export interface ExplainOptions extends Pick<RunOptions, "signal" | "onProgress" | "seed"> {
  /** `integrated-gradients` by default. */
  method?: ExplainMethod;
  /** Which number of the prediction (a quantile, a class) is explained, 0 by default. Not of `attention`. */
  output?: number;
  /** Of integrated gradients: points along the way, 32 by default. */
  steps?: number;
  /** Of `permutation`: what was to be predicted, one a sample of the table; numbers of classes for a classifier. */
  truth?: ArrayLike<number>;
  /** Of `permutation`: features that are permuted, the 50 with the largest mean share by default; others get 0. */
  features?: readonly string[];
  /** Of `permutation`: shuffles a feature, 3 by default. */
  repeats?: number;
  /** Samples a batch, 8 by default. */
  batchSize?: number;
  /** ASVs a sample, those with most counts: 1,024 by default. */
  tokenLimit?: number;
  /** Codes of categorical metadata, one sample's columns after another's, for models that take them. */
  categories?: Int32Array;
}

/** How much each feature matters to a model. */
export interface FeatureImportance {
  /** How it was found. */
  readonly method: ExplainMethod;
  /** All features of the table. */
  readonly featureIds: readonly string[];
  /**
   * Strength, at least 0 apart from chance: mean over samples of the absolute part (integrated gradients), of the weight
   * in the pooling (attention), or how much the error grows (permutation: mean absolute error, or share of wrong classes).
   */
  readonly values: Float64Array;
  /** Direction: mean over samples of the signed part, 0 in samples without the feature; else as `values`. */
  readonly signed: Float64Array;
  /** Samples looked at. */
  readonly samples: number;
  /** `feature: Utf8; importance, signed: Float64`, strongest first. */
  toArrow(): Table;
}

/**
 * What a model's predictions rest on, feature by feature.
 *
 * - `integrated-gradients` (Sundararajan, Taly and Yan 2017): each ASV's part of the difference between the prediction and
 *   that for a sample whose ASVs all carry nothing; the parts of a sample add up to it.
 * - `attention`: the weight of each ASV in the pooling the prediction rests on. Cheap, but weight is not influence.
 * - `permutation` (Breiman 2001): how much worse predictions become when a feature's counts are dealt anew among samples.
 *
 * Features of the same sequence share its importance. Progress: stage `explain`, in batches or features. Errors:
 * `EXPLAIN_TRUTH` without what permutation needs, `OPTION_RANGE`, those of `sequenceBatch`.
 */
export async function explain(
  predictor: Predictor,
  table: FeatureTable,
  cache: SequenceCache,
  options: ExplainOptions = {},
): Promise<FeatureImportance> {
  const known = ["method", "output", "steps", "truth", "features", "repeats", "batchSize", "tokenLimit"];
  checkOptions(options, [...known, "categories", "signal", "onProgress", "seed"], "explain");
  checkRange("output", options.output ?? 0, { min: 0, max: predictor.width - 1, integer: true });
  checkRange("batchSize", options.batchSize ?? 8, { min: 1, integer: true });
  const { method = "integrated-gradients" } = options;
  const run: Run = { predictor, table, cache, options };
  if (method === "permutation") return importance(run, method, await permutations(run));
  const parts = method === "attention" ? attentionParts : gradientParts;
  return importance(run, method, await meanParts(run, parts));
}

interface Run {
  readonly predictor: Predictor;
  readonly table: FeatureTable;
  readonly cache: SequenceCache;
  readonly options: ExplainOptions;
}

interface Sums {
  readonly values: Float64Array;
  readonly signed: Float64Array;
}

function importance({ table }: Run, method: ExplainMethod, { values, signed }: Sums): FeatureImportance {
  const { featureIds } = table;
  const toArrow = (): Table => {
    const order = Array.from(values, (_, f) => f).sort((a, b) => values[b]! - values[a]! || a - b);
    const of = (numbers: Float64Array): Float64Array => Float64Array.from(order, (f) => numbers[f]!);
    return tableFromColumns({
      feature: order.map((f) => featureIds[f]!),
      importance: of(values),
      signed: of(signed),
    });
  };
  const samples = table.sampleIds.length;
  return Object.freeze({ method, featureIds, values, signed, samples, toArrow });
}

/** Samples of a table, batch after batch. */
function* batchesOf({ cache, options }: Run, table: FeatureTable): Generator<SampleBatch> {
  const size = options.batchSize ?? 8;
  const columns = (options.categories?.length ?? 0) / table.sampleIds.length;
  for (let from = 0; from < table.sampleIds.length; from += size) {
    throwIfAborted(options.signal);
    const ids = table.sampleIds.slice(from, from + size);
    const samples = ids.map((_, k) => from + k);
    const { tokenLimit = 1024 } = options;
    const categories = options.categories?.subarray(from * columns, (from + ids.length) * columns);
    yield {
      ...sequenceBatch(table, cache, samples, { tokenLimit }),
      ids,
      ...(categories ? { categories } : {}),
    };
  }
}

/** Means over samples of numbers that belong to slots, brought to features. */
async function meanParts(
  run: Run,
  parts: (run: Run, batch: SampleBatch) => Promise<ArrayLike<number>>,
): Promise<Sums> {
  const { table, cache, options } = run;
  const rows = cache.table.lengths.length;
  const [absolute, plain] = [new Float64Array(rows), new Float64Array(rows)];
  const samples = table.sampleIds.length;
  let done = 0;
  for (const batch of batchesOf(run, table)) {
    const found = await parts(run, batch);
    batch.mask.forEach((there, slot) => {
      if (there === 0) return;
      const row = batch.unique[batch.sequence[slot]!]!;
      absolute[row]! += Math.abs(found[slot]!) / samples;
      plain[row]! += found[slot]! / samples;
    });
    done += batch.ids.length;
    options.onProgress?.({ stage: "explain", done, total: samples });
  }
  const sharing = new Uint32Array(rows);
  for (const row of cache.rowOf) sharing[row]! += 1;
  const spread = (of: Float64Array): Float64Array =>
    Float64Array.from(cache.rowOf, (row) => of[row]! / sharing[row]!);
  return { values: spread(absolute), signed: spread(plain) };
}

async function attentionParts({ predictor }: Run, batch: SampleBatch): Promise<ArrayLike<number>> {
  return (await predictor.predict(batch)).attention;
}

/** Mean slope along the straight way from nothing to all, at the middles of its steps. */
async function gradientParts({ predictor, options }: Run, batch: SampleBatch): Promise<ArrayLike<number>> {
  const steps = checkRange("steps", options.steps ?? 32, { min: 1, max: 1e4, integer: true });
  const sum = new Float64Array(batch.mask.length);
  for (let k = 0; k < steps; k++) {
    throwIfAborted(options.signal);
    const weights = Float32Array.from(batch.mask, (m) => (m * (k + 0.5)) / steps);
    const slopes = await predictor.slotGradients(batch, weights, options.output ?? 0);
    sum.forEach((_, slot) => {
      sum[slot]! += slopes[slot]! / steps;
    });
  }
  return sum;
}

async function permutations(run: Run): Promise<Sums> {
  const { table, options } = run;
  const { truth, seed = 0, signal } = options;
  const samples = table.sampleIds.length;
  if (truth?.length !== samples) {
    const message = `permutation needs the true value of each of ${samples} samples, got ${truth?.length ?? 0}`;
    throw seqError("EXPLAIN_TRUTH", message);
  }
  const repeats = checkRange("repeats", options.repeats ?? 3, { min: 1, integer: true });
  const features = options.features ? featurePlaces(table, options.features) : largest(table, 50);
  const base = await meanError(run, table, truth);
  const values = new Float64Array(table.featureIds.length);
  let done = 0;
  for (const feature of features) {
    for (let r = 0; r < repeats; r++) {
      throwIfAborted(signal);
      const order = new Random(seed, PERMUTE + feature, 2 ** 20 * r).shuffle(
        table.sampleIds.map((_, s) => s),
      );
      values[feature]! += ((await meanError(run, dealt(table, feature, order), truth)) - base) / repeats;
    }
    options.onProgress?.({ stage: "explain", done: ++done, total: features.length });
  }
  return { values, signed: values };
}

/** Keeps permutations apart from other draws of the seed. */
const PERMUTE = 2 ** 40;

/** Mean absolute error, or share of wrong classes, on a table of the same samples. */
async function meanError(run: Run, table: FeatureTable, truth: ArrayLike<number>): Promise<number> {
  const { predictor, options } = run;
  let [sum, s] = [0, 0];
  for (const batch of batchesOf(run, table)) {
    const { values, width } = await predictor.predict(batch);
    for (let k = 0; k < batch.ids.length; k++, s++) {
      const row = values.subarray(k * width, (k + 1) * width);
      const wrong = predictor.classes.length > 0 && row.indexOf(Math.max(...row)) !== truth[s];
      sum += predictor.classes.length > 0 ? Number(wrong) : Math.abs(row[options.output ?? 0]! - truth[s]!);
    }
  }
  return sum / truth.length;
}

/** The table with one feature's counts dealt to samples in another order. A sample never loses its last feature. */
function dealt(table: FeatureTable, feature: number, order: readonly number[]): FeatureTable {
  const of = new Float64Array(table.sampleIds.length);
  const own = (s: number): number[] => {
    const entries: number[] = [];
    for (let e = table.indptr[s]!; e < table.indptr[s + 1]!; e++) entries.push(e);
    return entries;
  };
  table.sampleIds.forEach((_, s) => {
    for (const e of own(s)) if (table.indices[e] === feature) of[s] = table.values[e]!;
  });
  const [indices, values, indptr]: [number[], number[], number[]] = [[], [], [0]];
  table.sampleIds.forEach((_, s) => {
    const others = own(s).filter((e) => table.indices[e] !== feature && table.values[e]! > 0);
    for (const e of others) {
      indices.push(table.indices[e]!);
      values.push(table.values[e]!);
    }
    const count = others.length > 0 ? of[order[s]!]! : of[s]!;
    if (count > 0) {
      indices.push(feature);
      values.push(count);
    }
    indptr.push(values.length);
  });
  const { sampleIds, featureIds } = table;
  return new FeatureTable({
    sampleIds,
    featureIds,
    indptr: Float64Array.from(indptr),
    indices: Uint32Array.from(indices),
    values: Float64Array.from(values),
  });
}

function featurePlaces(table: FeatureTable, names: readonly string[]): number[] {
  // Refuses names the table does not have.
  table.select({ features: names });
  const place = new Map(table.featureIds.map((id, f) => [id, f]));
  return names.map((id) => place.get(id)!);
}

/** The features with the largest mean share of a sample. */
function largest(table: FeatureTable, count: number): number[] {
  const shares = new Float64Array(table.featureIds.length);
  const totals = table.totals();
  table.sampleIds.forEach((_, s) => {
    for (let e = table.indptr[s]!; e < table.indptr[s + 1]!; e++)
      shares[table.indices[e]!]! += table.values[e]! / totals[s]!;
  });
  return Array.from(shares, (_, f) => f)
    .filter((f) => shares[f]! > 0)
    .sort((a, b) => shares[b]! - shares[a]! || a - b)
    .slice(0, count);
}
