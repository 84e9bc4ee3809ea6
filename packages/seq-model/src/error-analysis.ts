import { checkOptions, checkRange } from "@x/core/base";
import { seqError } from "./errors.ts";
import type { FeatureTable } from "./feature-table.ts";
import type { Metadata } from "./read-metadata.ts";

/** Options of {@link errorAnalysis}. */
export interface ErrorAnalysisOptions {
  /** Samples listed as worst, 10 by default. */
  worst?: number;
  /** Bars of the histogram, 20 by default. */
  bins?: number;
  /** Counts of the same samples: errors are compared with depth, observed features and each feature's share. */
  table?: FeatureTable;
  /** Metadata of the same samples: errors are compared with its numeric columns. */
  metadata?: Metadata;
  /** Correlations listed, 10 by default. */
  correlations?: number;
}

/** One sample's prediction. */
export interface SampleError {
  /** Its name. */
  readonly sample: string;
  /** True value. */
  readonly truth: number;
  /** What the model says. */
  readonly predicted: number;
  /** Predicted − true. */
  readonly error: number;
}

/** How errors go with something else. */
export interface ErrorCorrelation {
  /** `depth`, `observed features`, a feature's id or a column's name. */
  readonly name: string;
  /** Where it comes from. */
  readonly source: "table" | "feature" | "metadata";
  /** Pearson correlation with the absolute error: where the model is unsure. */
  readonly absolute: number;
  /** Pearson correlation with the signed error: what the model leaves unused. */
  readonly signed: number;
}

/** Where a model errs. */
export interface ErrorAnalysis {
  /** Every sample, in the order given. */
  readonly samples: readonly SampleError[];
  /** Mean error. */
  readonly mean: number;
  /** Standard deviation of errors (divided by n). */
  readonly sd: number;
  /** Least error, quartiles, largest. */
  readonly quartiles: readonly number[];
  /** Edges of the bars, one more than `counts`. */
  readonly edges: readonly number[];
  /** Samples in each bar. */
  readonly counts: readonly number[];
  /** Largest absolute errors first. */
  readonly worst: readonly SampleError[];
  /** Strongest first, by the larger of both correlations. With hundreds of features some are large by chance. */
  readonly correlations: readonly ErrorCorrelation[];
}

/**
 * Where predictions of numbers err: distribution, worst samples, and what errors go with. `SPLIT_SAMPLES` where arrays
 * differ in length or table and metadata lack a sample.
 */
export function errorAnalysis(
  ids: readonly string[],
  truth: ArrayLike<number>,
  predicted: ArrayLike<number>,
  options: ErrorAnalysisOptions = {},
): ErrorAnalysis {
  checkOptions(options, ["worst", "bins", "table", "metadata", "correlations"], "errorAnalysis");
  const worst = checkRange("worst", options.worst ?? 10, { min: 0, integer: true });
  const bins = checkRange("bins", options.bins ?? 20, { min: 1, integer: true });
  const listed = checkRange("correlations", options.correlations ?? 10, { min: 0, integer: true });
  const n = ids.length;
  if (n === 0 || truth.length !== n || predicted.length !== n) {
    throw seqError(
      "SPLIT_SAMPLES",
      `${n} samples, ${truth.length} true and ${predicted.length} predicted values`,
    );
  }
  const samples = ids.map((sample, s) => {
    return { sample, truth: truth[s]!, predicted: predicted[s]!, error: predicted[s]! - truth[s]! };
  });
  const errors = Float64Array.from(samples, ({ error }) => error);
  const sorted = errors.toSorted();
  const mean = errors.reduce((a, b) => a + b, 0) / n;
  const sd = Math.sqrt(errors.reduce((a, e) => a + (e - mean) ** 2, 0) / n);
  const quartiles = [0, 0.25, 0.5, 0.75, 1].map((q) => quantileOf(sorted, q));
  const [least, most] = [sorted[0]!, sorted[n - 1]!];
  const width = (most - least || 1) / bins;
  const counts = new Array<number>(bins).fill(0);
  for (const error of errors) counts[Math.min(bins - 1, Math.floor((error - least) / width))]! += 1;
  const correlations = allCorrelations(ids, errors, options)
    .sort((a, b) => strength(b) - strength(a) || (a.name < b.name ? -1 : 1))
    .slice(0, listed);
  return Object.freeze({
    samples,
    mean,
    sd,
    quartiles,
    edges: Array.from({ length: bins + 1 }, (_, k) => least + k * width),
    counts,
    worst: samples.toSorted((a, b) => Math.abs(b.error) - Math.abs(a.error)).slice(0, worst),
    correlations,
  });
}

const strength = (c: ErrorCorrelation): number => Math.max(Math.abs(c.absolute), Math.abs(c.signed));

function quantileOf(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  return sorted[below]! + (at - below) * ((sorted[below + 1] ?? sorted[below]!) - sorted[below]!);
}

function allCorrelations(
  ids: readonly string[],
  errors: Float64Array,
  { table, metadata }: ErrorAnalysisOptions,
): ErrorCorrelation[] {
  const signed = new Deviations(errors);
  const absolute = new Deviations(errors.map(Math.abs));
  const found: ErrorCorrelation[] = [];
  const add = (
    name: string,
    source: ErrorCorrelation["source"],
    values: ReadonlyMap<number, number>,
  ): void => {
    const correlation = { name, source, absolute: absolute.with(values), signed: signed.with(values) };
    if (!Number.isNaN(correlation.signed)) found.push(correlation);
  };
  const dense = (values: ArrayLike<number>): Map<number, number> =>
    new Map(Array.from(values, (v, s) => [s, v]));
  if (table) {
    const places = table.sampleIndices(ids);
    const totals = table.totals();
    add("depth", "table", dense(Array.from(places, (s) => totals[s]!)));
    add(
      "observed features",
      "table",
      dense(Array.from(places, (s) => table.indptr[s + 1]! - table.indptr[s]!)),
    );
    const shares = new Map<number, Map<number, number>>();
    places.forEach((s, at) => {
      for (let e = table.indptr[s]!; e < table.indptr[s + 1]!; e++) {
        const feature = table.indices[e]!;
        const of = shares.get(feature) ?? new Map();
        shares.set(feature, of.set(at, table.values[e]! / totals[s]!));
      }
    });
    // A feature of one or two samples correlates with whatever these are.
    for (const [f, of] of shares) if (of.size >= 3) add(table.featureIds[f]!, "feature", of);
  }
  if (metadata) {
    const rows = metadata.select(ids);
    for (const [name, column] of rows.columns) {
      if (column.kind === "numeric" && column.values.every((v) => v !== null))
        add(name, "metadata", dense(column.values as number[]));
    }
  }
  return found;
}

/** Correlates one vector with many that are mostly 0. */
class Deviations {
  readonly #values: Float64Array;
  readonly #square: number;

  constructor(values: Float64Array) {
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    this.#values = values.map((v) => v - mean);
    this.#square = this.#values.reduce((a, v) => a + v * v, 0);
  }

  /** Pearson correlation with values by place, 0 elsewhere; NaN where a side is constant. */
  with(values: ReadonlyMap<number, number>): number {
    const n = this.#values.length;
    let sum = 0;
    for (const v of values.values()) sum += v;
    const mean = sum / n;
    // Places without a value deviate by −mean each.
    let [product, square] = [0, (n - values.size) * mean * mean];
    for (const [at, v] of values) {
      product += (v - mean) * this.#values[at]!;
      square += (v - mean) ** 2;
    }
    let rest = 0;
    if (values.size < n) {
      for (const at of values.keys()) rest += this.#values[at]!;
      // Deviations sum to 0, so those of the other places are −rest.
      product += mean * rest;
    }
    // Rounding of the mean must not pass for variation.
    const varies = square > 1e-24 * n * mean * mean && this.#square > 0;
    return varies ? product / Math.sqrt(square * this.#square) : Number.NaN;
  }
}
