/** Decoded values of cells: what a modality is expected to hold, with samples where wanted. */
import { checkOptions, checkRange, Random, type RunOptions, type Warn } from "@x/core/base";
import { batches, type MosaicBatch } from "./batches.ts";
import type { MosaicDataset } from "./dataset.ts";
import { checkList, checkNames, countNames, pick, RUN_OPTIONS } from "./embed.ts";
import { mosaicError } from "./errors.ts";
import { expertRounds, type FeedOptions, feedOf } from "./feed.ts";
import type { Likelihood } from "./likelihood.ts";
import type { ModelState } from "./mosaic-vae.ts";

/** Options of `decode`. */
export interface DecodeOptions extends RunOptions {
  /** Modalities that encoders may see; all by default. */
  modalities?: readonly string[];
  /** Decode all cells as if they were of this batch. */
  transformBatch?: string;
  /**
   * Library by which counts are scaled: a number for all cells, or `"observed"`, which is the cell's own where it was
   * measured and else the median of its batch (default).
   */
  library?: number | "observed";
  /** Draws from the posterior; 0 takes its mean (of a mixture: the mean over its experts). */
  samples?: number;
  /** With samples: `samples` holds draws of counts instead of expected values. */
  counts?: boolean;
  /** Cells a call; 256. */
  batchSize?: number;
  /** Of the samples; 0. */
  seed?: number;
  /** Bytes to plan with. */
  memoryLimit?: number;
  /** Decode cells without any modality from the prior. */
  allowEmpty?: boolean;
  /** Receives warnings. */
  warn?: Warn;
}

/** Some cells, decoded. */
export interface Decoding {
  /** Their rows. */
  readonly rows: Int32Array;
  /** Number of columns. */
  readonly features: number;
  /** Expected values, cells × features: of the mean of the posterior, or the mean over the samples; never of drawn counts. */
  readonly mean: Float32Array;
  /** Each sample, cells × features; empty without samples. */
  readonly samples: readonly Float32Array[];
}

const SAMPLE = 7n << 60n;
const EXPERT = SAMPLE + (3n << 58n);

const KNOWN = [
  "modalities",
  "transformBatch",
  "library",
  "samples",
  "counts",
  "batchSize",
  "allowEmpty",
  "warn",
  "pointMean",
  ...RUN_OPTIONS,
];

/** Refuses what no decoding takes: `UNKNOWN_OPTION`, `OPTION_RANGE`, `CONFIG`. */
function checkDecode(options: DecodeOptions): void {
  checkOptions(options, KNOWN, "decode");
  checkList("modalities", options.modalities);
  if (options.samples !== undefined)
    checkRange("samples", options.samples, { min: 0, max: 65535, integer: true });
  const { library } = options;
  if (library !== undefined && library !== "observed")
    checkRange("library", library, { min: Number.MIN_VALUE, max: Number.MAX_VALUE });
}

/** Decodes one modality of all cells in their order, a batch at a time. `pointMean`: samples leave `mean` what it is without. */
export async function* decodeCells(
  state: ModelState,
  dataset: MosaicDataset,
  modality: string,
  options: DecodeOptions & { pointMean?: boolean } = {},
): AsyncGenerator<Decoding> {
  const { plan, registry } = state;
  checkDecode(options);
  checkNames(state, [modality, ...(options.modalities ?? [])]);
  const asBatch = batchOf(state, options.transformBatch);
  const target = plan.modalities.find((m) => m.name === modality)!;
  const likelihood = state.likelihoods.get(modality)!;
  const source = await batches(dataset, {
    registry,
    counts: countNames(state),
    batchSize: options.batchSize ?? 256,
    cache: "stream",
    allowEmpty: options.allowEmpty ?? false,
    ...pick(options),
  });
  const samples = options.samples ?? 0;
  const pointMean = samples === 0 || options.pointMean === true;
  const expected = `expected.${modality}`;
  const outputs = options.counts ? likelihood.parameters.map((n) => `${n}.of.${modality}`) : [];
  if (!(options.counts && pointMean)) outputs.push(expected);
  let done = 0;
  for await (const batch of source.epoch(0)) {
    options.signal?.throwIfAborted();
    const cells = batch.rows.length;
    const library = librariesFor(state, batch.modalities[modality]!, batch.batch, {
      modality,
      asBatch,
      ...(options.library !== undefined && { library: options.library }),
    });
    const given = {
      plan,
      library: { [modality]: library },
      ...(asBatch >= 0 && { asBatch }),
      ...(options.modalities && { encode: options.modalities }),
    };
    const drawn: Float32Array[] = [];
    const mean = pointMean
      ? (await pointOutputs(state, batch, given, [expected]))[0]!
      : new Float32Array(cells * target.features);
    for (let s = 0; s < samples; s++) {
      const noise = noiseOf(options.seed ?? 0, batch.rows, s, plan.latent);
      const expert = expertOf(options.seed ?? 0, batch.rows, s);
      const found = await state.trainer.compute(feedOf(batch, { ...given, noise, expert }), outputs);
      const values = found[expected]?.data as Float32Array;
      if (!pointMean) for (let i = 0; i < values.length; i++) mean[i]! += values[i]! / samples;
      drawn.push(
        options.counts
          ? drawCounts(found, { likelihood, modality, rows: batch.rows, seed: options.seed ?? 0, sample: s })
          : values,
      );
    }
    yield { rows: batch.rows, features: target.features, mean, samples: drawn };
    done += cells;
    options.onProgress?.({ stage: "decode", done, total: dataset.cells });
  }
}

/** Options of `decodeAll`. */
export type DecodeAllOptions = Omit<DecodeOptions, "samples" | "counts" | "seed">;

/** Some cells, decoded into all modalities. */
export interface DecodingAll {
  /** Their rows. */
  readonly rows: Int32Array;
  /** Expected values by modality, cells × features, of the mean of the posterior. */
  readonly mean: Readonly<Record<string, Float32Array>>;
}

/** Outputs at the mean of each cell's posterior; of a mixture the mean over the means of its experts. */
async function pointOutputs(
  state: ModelState,
  batch: MosaicBatch,
  given: FeedOptions,
  names: readonly string[],
): Promise<Float32Array[]> {
  const cells = batch.rows.length;
  const experts = expertRounds(batch, given);
  let total: Float32Array[] | undefined;
  for (let round = 0; round < experts.rounds; round++) {
    const found = await state.trainer.compute(
      feedOf(batch, { ...given, expert: experts.expert(round) }),
      names,
    );
    const values = names.map((name) => found[name]!.data as Float32Array);
    if (experts.rounds === 1) return values;
    total ??= values.map((v) => new Float32Array(v.length));
    values.forEach((v, n) => {
      const features = v.length / cells;
      for (let i = 0; i < cells; i++) {
        const share = experts.share(round, i);
        if (share === 0) continue;
        for (let at = i * features; at < (i + 1) * features; at++) total![n]![at]! += share * v[at]!;
      }
    });
  }
  return total!;
}

/** The expert of a mixture in sample `sample`: in turn, from one that is drawn for the cell. */
function expertOf(seed: number, rows: Int32Array, sample: number): (cell: number, count: number) => number {
  return (cell, count) => (new Random(seed, EXPERT + BigInt(rows[cell]!)).int(count) + sample) % count;
}

/** Decodes all modalities of all cells in their order, a batch at a time. */
export async function* decodeAllCells(
  state: ModelState,
  dataset: MosaicDataset,
  options: DecodeAllOptions = {},
): AsyncGenerator<DecodingAll> {
  const { plan, registry } = state;
  checkDecode(options);
  checkNames(state, options.modalities ?? []);
  const asBatch = batchOf(state, options.transformBatch);
  const source = await batches(dataset, {
    registry,
    counts: countNames(state),
    batchSize: options.batchSize ?? 256,
    cache: "stream",
    allowEmpty: options.allowEmpty ?? false,
    ...pick(options),
  });
  const names = plan.modalities.map((m) => m.name);
  const given = options.library === undefined ? {} : { library: options.library };
  let done = 0;
  for await (const batch of source.epoch(0)) {
    options.signal?.throwIfAborted();
    const library = Object.fromEntries(
      names.map((modality) => [
        modality,
        librariesFor(state, batch.modalities[modality]!, batch.batch, { modality, asBatch, ...given }),
      ]),
    );
    const feed = {
      plan,
      library,
      ...(asBatch >= 0 && { asBatch }),
      ...(options.modalities && { encode: options.modalities }),
    };
    const found = await pointOutputs(
      state,
      batch,
      feed,
      names.map((name) => `expected.${name}`),
    );
    const mean = Object.fromEntries(names.map((n, i) => [n, found[i]!]));
    yield { rows: batch.rows, mean };
    done += batch.rows.length;
    options.onProgress?.({ stage: "decode", done, total: dataset.cells });
  }
}

/** One draw of each cell and feature; a cell draws the same whatever cells are decoded with it. */
function drawCounts(
  found: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: unknown }>>,
  of: { likelihood: Likelihood; modality: string; rows: Int32Array; seed: number; sample: number },
): Float32Array {
  const cells = of.rows.length;
  const tables = of.likelihood.parameters.map((name) => {
    const { data, shape } = found[`${name}.of.${of.modality}`]!;
    return { name, data: data as Float32Array, perCell: shape.length === 2 && shape[0] === cells };
  });
  const features = Math.max(...tables.map((t) => (t.perCell ? t.data.length / cells : t.data.length)));
  const values = new Float32Array(cells * features);
  const numbers: Record<string, number> = {};
  for (let i = 0; i < cells; i++) {
    const stream = SAMPLE + (1n << 59n) + (BigInt(of.rows[i]!) << 16n) + BigInt(of.sample);
    const random = new Random(of.seed, stream);
    for (let f = 0; f < features; f++) {
      for (const t of tables) numbers[t.name] = t.data[t.perCell ? i * features + f : f]!;
      values[i * features + f] = of.likelihood.draw(numbers, random);
    }
  }
  return values;
}

/** Noise of one sample: a cell draws the same whatever cells are decoded with it. */
function noiseOf(seed: number, rows: Int32Array, sample: number, latent: number): Float32Array {
  const noise = new Float32Array(rows.length * latent);
  rows.forEach((row, i) => {
    const random = new Random(seed, SAMPLE + (BigInt(row) << 16n) + BigInt(sample));
    for (let d = 0; d < latent; d++) noise[i * latent + d] = random.normal();
  });
  return noise;
}

/** Place of a batch by name; −1 for none. */
function batchOf(state: ModelState, name: string | undefined): number {
  if (name === undefined) return -1;
  const code = state.registry.batches.indexOf(name);
  if (code >= 0) return code;
  const known = state.registry.batches.join(", ");
  throw mosaicError("OBS_COLUMN", `the model knows no batch ${name} to decode cells as; it knows ${known}`, {
    usage: true,
  });
}

/** The library of each cell; never 0 for one that was not measured. */
function librariesFor(
  state: ModelState,
  part: { readonly mask: Uint8Array; readonly library: Float32Array },
  codes: Int32Array,
  given: { modality: string; asBatch: number; library?: number | "observed" },
): Float32Array {
  if (typeof given.library === "number") return new Float32Array(codes.length).fill(given.library);
  const medians = state.libraries[given.modality];
  if (!medians) return part.library;
  return part.library.map((own, i) => {
    if (part.mask[i]) return own;
    const code = given.asBatch >= 0 ? given.asBatch : codes[i]!;
    return medians[code] ?? medians.reduce((a, b) => a + b, 0) / medians.length;
  });
}
