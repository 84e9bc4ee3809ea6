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
/** Embeddings kept at most. */
const KEPT = 2 ** 18;
/** Keeps the mask of evaluations apart from those of training steps. */
const EVALUATION_STEP = 2 ** 40;

/** Two graphs that share a set of weights: letters to ASVs, and ASVs to samples. */
export class Inference implements AsyncDisposable {
  readonly #config: ModelConfig;
  readonly #options: InferenceOptions;
  readonly #asvs: Trainer;
  readonly #samples: Trainer;
  #weights: WeightMap = new Map();
  /** By the letters of a sequence. */
  readonly #known = new Map<string, Float32Array>();

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
      compile(buildNetwork(config, { part, weights: { ...losses, phylogeny: 0 }, loss, chunk: 0 }), {
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
    this.#known.clear();
  }

  /** The weights it has. */
  get weights(): WeightMap {
    return this.#weights;
  }

  /** Embeddings [ASVs, dim] of a batch's ASVs; a sequence is embedded once and kept. */
  async embed(batch: Pick<SampleBatch, "unique" | "tokens" | "width">): Promise<Float32Array> {
    const width = asvWidth(this.#config);
    const { dim } = this.#config;
    const n = batch.unique.length;
    const rows = widened(batch.tokens, batch.width, n, width);
    const keys = Array.from({ length: n }, (_, i) =>
      Buffer.from(rows.buffer, i * width, width).toString("latin1"),
    );
    if (this.#known.size > KEPT) this.#known.clear();
    const wanted = keys.flatMap((key, i) => (this.#known.has(key) ? [] : [i]));
    for (let from = 0; from < wanted.length; from += ASVS_A_CALL) {
      const part = wanted.slice(from, from + ASVS_A_CALL);
      const tokens = new Uint8Array(part.length * width);
      part.forEach((row, i) => {
        tokens.set(rows.subarray(row * width, (row + 1) * width), i * width);
      });
      const made = await this.#asvs.compute({ tokens }, ["asv"]);
      const values = made.asv!.data as Float32Array;
      part.forEach((row, i) => {
        this.#known.set(keys[row]!, values.slice(i * dim, (i + 1) * dim));
      });
    }
    const out = new Float32Array(n * dim);
    keys.forEach((key, i) => {
      out.set(this.#known.get(key)!, i * dim);
    });
    return out;
  }

  /** Loss of hidden letters of some rows of a cache, with the same letters hidden every time. */
  async letters(
    { table }: SequenceCache,
    rows: readonly number[],
    mask: MaskOptions,
    seed: number,
  ): Promise<{ loss: number; found: number; hidden: number }> {
    const width = asvWidth(this.#config);
    let [loss, found, hidden] = [0, 0, 0];
    for (let from = 0; from < rows.length; from += ASVS_A_CALL) {
      const part = rows.slice(from, from + ASVS_A_CALL);
      const letters = new Uint8Array(part.length * width);
      part.forEach((row, i) => {
        letters.set(
          table.tokens.subarray(row * table.width, row * table.width + Math.min(width, table.width)),
          i * width,
        );
      });
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
  async evaluate(batch: SampleBatch): Promise<Evaluation> {
    return this.#samples.evaluate(await this.#feed(batch));
  }

  /** Some outputs of a batch. */
  async compute(
    batch: SampleBatch,
    outputs: readonly string[],
  ): Promise<Readonly<Record<string, NumberArray>>> {
    return this.#samples.compute(await this.#feed(batch), outputs);
  }

  async #feed(batch: SampleBatch): Promise<Batch> {
    const embeddings = await this.embed(batch);
    const lengths = { asvs: batch.unique.length, samples: batch.ids.length, slots: batch.slots };
    return feedOf(batch, this.#config, { lengths, counts: this.#options.counts, embeddings });
  }

  /** Frees the sessions. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#asvs[Symbol.asyncDispose]();
    await this.#samples[Symbol.asyncDispose]();
  }
}

/** Rows of tokens, padded or cut to a width. */
function widened(tokens: Uint8Array, from: number, rows: number, width: number): Uint8Array {
  const out = new Uint8Array(rows * width);
  const across = Math.min(from, width);
  for (let r = 0; r < rows; r++) out.set(tokens.subarray(r * from, r * from + across), r * width);
  return out;
}
