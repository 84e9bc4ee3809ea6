/** The network at work without training: ASVs are embedded once and kept, samples are read from the embeddings. */
import { type Batch, compile, type Evaluation, type NumberArray, type Trainer } from "@x/onnx-train";
import { asvWidth } from "./asv-encoder.ts";
import { type CountRange, feedOf } from "./feeds.ts";
import { type MaskOptions, maskLetters } from "./letter-masks.ts";
import type { ModelConfig, SampleBatch } from "./model-interfaces.ts";
import type { TargetLossConfig } from "./model-losses.ts";
import { putWeights, type WeightMap } from "./model-weights.ts";
import { buildNetwork, type LossWeights } from "./network.ts";
import type { SequenceCache } from "./sequence-batches.ts";

/** How an {@link Inference} is made. */
export interface InferenceOptions {
  readonly losses: LossWeights;
  readonly loss: TargetLossConfig;
  readonly counts: CountRange;
  readonly threads: number;
  readonly device: string;
}

/** ASVs embedded at a time. */
const ASVS_A_CALL = 64;
/** Keeps the mask of evaluations apart from those of training steps. */
const EVALUATION_STEP = 2 ** 40;

/** Two graphs that share a set of weights: letters to ASVs, and ASVs to samples. */
export class Inference implements AsyncDisposable {
  readonly #config: ModelConfig;
  readonly #options: InferenceOptions;
  readonly #asvs: Trainer;
  readonly #samples: Trainer;
  #weights: WeightMap = new Map();
  #known = new WeakMap<SequenceCache, Map<number, Float32Array>>();

  private constructor(config: ModelConfig, options: InferenceOptions, asvs: Trainer, samples: Trainer) {
    this.#config = config;
    this.#options = options;
    this.#asvs = asvs;
    this.#samples = samples;
  }

  /** Compiles both graphs and puts the weights in. */
  static async create(
    config: ModelConfig,
    weights: WeightMap,
    options: InferenceOptions,
  ): Promise<Inference> {
    const { losses, loss, threads, device } = options;
    const made = async (part: "asvs" | "samples"): Promise<Trainer> =>
      compile(buildNetwork(config, { part, weights: losses, loss, chunk: 0 }), {
        dims: { asvs: 2, samples: 2, slots: 2 },
        stepsPerCall: 1,
        threads,
        device,
      });
    const asvs = await made("asvs");
    const inference = new Inference(config, options, asvs, await made("samples"));
    await inference.set(weights);
    return inference;
  }

  /** Other weights; embeddings of ASVs are computed again. */
  async set(weights: WeightMap): Promise<void> {
    await putWeights(this.#asvs, weights);
    await putWeights(this.#samples, weights);
    this.#weights = weights;
    this.#known = new WeakMap();
  }

  /** The weights it has. */
  get weights(): WeightMap {
    return this.#weights;
  }

  /** Embeddings [rows, dim] of rows of a cache; each row is computed once. */
  async embed(cache: SequenceCache, rows: ArrayLike<number>): Promise<Float32Array> {
    const known = this.#known.get(cache) ?? new Map<number, Float32Array>();
    this.#known.set(cache, known);
    const wanted = [...new Set(Array.from(rows))].filter((row) => !known.has(row));
    const width = asvWidth(this.#config);
    const { dim } = this.#config;
    for (let from = 0; from < wanted.length; from += ASVS_A_CALL) {
      const part = wanted.slice(from, from + ASVS_A_CALL);
      const made = await this.#asvs.compute({ tokens: rowsOf(cache, part, width) }, ["asv"]);
      const values = made.asv!.data as Float32Array;
      part.forEach((row, i) => {
        known.set(row, values.slice(i * dim, (i + 1) * dim));
      });
    }
    const out = new Float32Array(rows.length * dim);
    Array.from(rows).forEach((row, i) => {
      out.set(known.get(row)!, i * dim);
    });
    return out;
  }

  /** Loss of hidden letters of some rows, with the same letters hidden every time. */
  async letters(
    cache: SequenceCache,
    rows: ArrayLike<number>,
    mask: MaskOptions,
    seed: number,
  ): Promise<{ loss: number; found: number; hidden: number }> {
    const width = asvWidth(this.#config);
    const all = Array.from(rows);
    let [loss, found, hidden] = [0, 0, 0];
    for (let from = 0; from < all.length; from += ASVS_A_CALL) {
      const letters = rowsOf(cache, all.slice(from, from + ASVS_A_CALL), width);
      const { tokens, scored } = maskLetters(letters, width, mask, { seed, step: EVALUATION_STEP + from });
      const weight = scored.reduce((a, b) => a + b, 0);
      if (weight === 0) continue;
      const { parts } = await this.#asvs.evaluate({ tokens, letters, scored });
      loss += parts.nucleotide! * weight;
      found += parts.letters! * weight;
      hidden += weight;
    }
    return { loss: loss / Math.max(1, hidden), found: found / Math.max(1, hidden), hidden };
  }

  /** Loss, parts and outputs of a batch. */
  async evaluate(cache: SequenceCache, batch: SampleBatch): Promise<Evaluation> {
    return this.#samples.evaluate(await this.#feed(cache, batch));
  }

  /** Some outputs of a batch. */
  async compute(
    cache: SequenceCache,
    batch: SampleBatch,
    outputs: readonly string[],
  ): Promise<Readonly<Record<string, NumberArray>>> {
    return this.#samples.compute(await this.#feed(cache, batch), outputs);
  }

  async #feed(cache: SequenceCache, batch: SampleBatch): Promise<Batch> {
    const embeddings = await this.embed(cache, batch.unique);
    const lengths = { asvs: batch.unique.length, samples: batch.ids.length, slots: batch.slots };
    return feedOf(batch, this.#config, { lengths, counts: this.#options.counts, embeddings });
  }

  /** Frees the sessions. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#asvs[Symbol.asyncDispose]();
    await this.#samples[Symbol.asyncDispose]();
  }
}

/** Tokens of rows of a cache, padded or cut to a width. */
export function rowsOf({ table }: SequenceCache, rows: readonly number[], width: number): Uint8Array {
  const tokens = new Uint8Array(rows.length * width);
  const across = Math.min(width, table.width);
  rows.forEach((row, at) => {
    tokens.set(table.tokens.subarray(row * table.width, row * table.width + across), at * width);
  });
  return tokens;
}
