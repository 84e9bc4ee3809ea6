/** A trained network: predicts, embeds, explains itself and is written to files. */
import { checkOptions, checkRange, type RunOptions, resolveThreads } from "@x/core/base";
import { compile, type Exported, exportOnnx, type Trainer } from "@x/onnx-train";
import { asvWidth } from "./asv-encoder.ts";
import { distanceBetween } from "./embedding-distances.ts";
import { seqError } from "./errors.ts";
import type { FeatureTable } from "./feature-table.ts";
import { feedOf } from "./feeds.ts";
import { headWidth } from "./heads.ts";
import { Inference } from "./inference.ts";
import { embeddingWidth } from "./model-config.ts";
import { type ModelFacts, readModel, writeModel } from "./model-file.ts";
import type { Predictions, Predictor, SampleBatch } from "./model-interfaces.ts";
import { putWeights, type WeightMap } from "./model-weights.ts";
import { buildNetwork } from "./network.ts";
import type { Sequences } from "./read-fasta.ts";
import {
  type SequenceBatchOptions,
  type SequenceCache,
  sequenceBatch,
  sequenceCache,
} from "./sequence-batches.ts";
import { slotGradientModel } from "./slot-gradients.ts";
import { invertTargetTransform } from "./target-transform.ts";
import { TOKENS } from "./tokens.ts";

/** Options of {@link SeqModel.load}. */
export interface LoadOptions extends Pick<RunOptions, "threads"> {
  /** `auto` by default. */
  device?: string;
}

/** Options of {@link SeqModel.predictTable}. */
export interface PredictTableOptions
  extends Pick<RunOptions, "signal" | "onProgress">,
    Pick<SequenceBatchOptions, "sampling" | "seed" | "step"> {
  /** Sequences by name, where the table's features are not named by them. */
  sequences?: Sequences;
  /** Samples a batch, 8 by default. */
  batchSize?: number;
  /** Codes of categorical metadata, one sample's columns after another's, for models that take them. */
  categories?: Int32Array;
  /** Of models whose targets are scaled by category: the category of each sample. */
  groups?: readonly string[];
}

/** Predictions of the samples of a table. */
export interface TablePredictions {
  /** Names of the samples. */
  readonly ids: readonly string[];
  /** Numbers a sample. */
  readonly width: number;
  /** On the scale of the target, or probabilities of classes; one sample after another. */
  readonly values: Float64Array;
  /** Sample embeddings, one after another. */
  readonly embeddings: Float32Array;
}

/** Counts of the losses play no part in use. */
const NO_LOSS = { target: 0, count: 0, encoder: 0, nucleotide: 0, phylogeny: 0 };

/**
 * A trained model. ```ts
 * await using model = await SeqModel.load("run/");
 * const { values } = await model.predictTable(table);
 * ```
 */
export class SeqModel implements Predictor, AsyncDisposable {
  /** Form, target and training. */
  readonly facts: ModelFacts;
  /** Weights by path. */
  readonly weights: WeightMap;
  readonly #threads: number;
  readonly #device: string;
  #inference: Promise<Inference> | undefined;
  readonly #slopes = new Map<number, Promise<Trainer>>();

  /** From what a training came to. */
  constructor(facts: ModelFacts, weights: WeightMap, options: LoadOptions = {}) {
    checkOptions(options, ["threads", "device"], "SeqModel");
    this.facts = facts;
    this.weights = weights;
    this.#threads = resolveThreads(options.threads);
    this.#device = options.device ?? "auto";
  }

  /** From a file, or a run's folder. `MODEL_FORMAT`, `CHECKPOINT_FORMAT`, `CHECKPOINT_TRUNCATED`. */
  static async load(path: string, options: LoadOptions = {}): Promise<SeqModel> {
    const { facts, weights } = readModel(path);
    return new SeqModel(facts, weights, options);
  }

  /** Writes the model as one file, atomically. */
  async save(path: string): Promise<void> {
    await writeModel(path, this.facts, this.weights);
  }

  /** Numbers a sample: outputs × quantiles, or classes; 0 for an encoder. */
  get width(): number {
    return headWidth(this.facts.config);
  }

  /** Names of classes; empty for numbers. */
  get classes(): readonly string[] {
    return this.facts.target?.classes ?? [];
  }

  /** Tokens of a table's sequences as this model was trained with. */
  cache(table: FeatureTable, sequences?: Sequences): SequenceCache {
    const { config, unknown } = this.facts;
    return sequenceCache(table, sequences, { maxLength: config.maxLength, unknown });
  }

  /** Predicts the samples of a batch. ASVs that it has seen before are not embedded again. */
  async predict(batch: SampleBatch, groups?: readonly string[]): Promise<Predictions> {
    const { config, target } = this.facts;
    const inference = await this.#ready();
    const names = ["embedding", "attention", ...(target ? ["prediction"] : [])];
    const found = await inference.compute(batch, names);
    const said = (found.prediction?.data ?? new Float32Array(0)) as Float32Array;
    const inner = Math.max(1, config.quantiles.length);
    const values =
      target && !config.classifier
        ? invertTargetTransform(target.transform, said, { inner, ...(groups && { categories: groups }) })
        : Float64Array.from(said);
    return {
      width: this.width,
      values,
      embeddings: found.embedding!.data as Float32Array,
      attention: found.attention!.data as Float32Array,
    };
  }

  /** As {@link Predictor.slotGradients}. */
  async slotGradients(batch: SampleBatch, weights: Float32Array, output: number): Promise<Float32Array> {
    checkRange("output", output, { min: 0, max: this.width - 1, integer: true });
    const { config, counts } = this.facts;
    const inference = await this.#ready();
    const embeddings = await inference.embed(batch);
    const slots = Math.ceil(batch.slots / 32) * 32;
    const trainer = await this.#slopeOf(slots);
    const out = new Float32Array(batch.ids.length * batch.slots);
    const { dim } = config;
    const columns = config.categories.length;
    for (let s = 0; s < batch.ids.length; s++) {
      const range = [s * batch.slots, (s + 1) * batch.slots] as const;
      const own = batch.sequence.subarray(...range);
      // One sample at a time, its ASVs in its own slots.
      const rows = new Float32Array(batch.slots * dim);
      own.forEach((row, i) => {
        rows.set(embeddings.subarray(row * dim, (row + 1) * dim), i * dim);
      });
      const one: SampleBatch = {
        ...batch,
        ids: [batch.ids[s]!],
        unique: Uint32Array.from(own, (_, i) => i),
        sequence: Int32Array.from(own, (_, i) => i),
        counts: batch.counts.subarray(...range),
        mask: batch.mask.subarray(...range),
        ...(batch.categories && { categories: batch.categories.subarray(s * columns, (s + 1) * columns) }),
      };
      const feed = feedOf(one, config, {
        lengths: { asvs: slots, samples: 1, slots },
        counts,
        embeddings: rows,
        presence: weights.subarray(...range),
      });
      const chosen = Float32Array.from({ length: this.width }, (_, o) => (o === output ? 1 : 0));
      const { slope } = await trainer.compute({ ...feed, chosen }, ["slope"]);
      out.set((slope!.data as Float32Array).subarray(0, batch.slots), s * batch.slots);
    }
    return out;
  }

  /** Predicts all samples of a table. Errors as `sequenceBatch` and `sequencesOf`. Progress: stage `predict`, in samples. */
  async predictTable(table: FeatureTable, options: PredictTableOptions = {}): Promise<TablePredictions> {
    const known = [
      "sequences",
      "batchSize",
      "categories",
      "groups",
      "sampling",
      "seed",
      "step",
      "signal",
      "onProgress",
    ];
    checkOptions(options, known, "predictTable");
    const { sequences, batchSize = 8, categories, groups, signal, onProgress, ...drawing } = options;
    checkRange("batchSize", batchSize, { min: 1, integer: true });
    const cache = this.cache(table, sequences);
    const { config } = this.facts;
    const n = table.sampleIds.length;
    const columns = config.categories.length;
    if (columns > 0 && categories?.length !== n * columns)
      throw seqError(
        "METADATA_MISSING",
        `the model takes ${columns} columns of metadata: give their codes (categories)`,
      );
    const values = new Float64Array(n * this.width);
    const wide = embeddingWidth(config);
    const embeddings = new Float32Array(n * wide);
    for (let from = 0; from < n; from += batchSize) {
      signal?.throwIfAborted();
      const places = Uint32Array.from({ length: Math.min(batchSize, n - from) }, (_, i) => from + i);
      const batch: SampleBatch = {
        ...sequenceBatch(table, cache, places, { ...drawing, tokenLimit: config.tokenLimit }),
        ids: Array.from(places, (p) => table.sampleIds[p]!),
        ...(columns > 0 && {
          categories: categories!.subarray(from * columns, (from + places.length) * columns),
        }),
      };
      const found = await this.predict(batch, groups?.slice(from, from + places.length));
      values.set(found.values, from * this.width);
      embeddings.set(found.embeddings, from * wide);
      onProgress?.({ stage: "predict", done: from + places.length, total: n });
    }
    return { ids: table.sampleIds, width: this.width, values, embeddings };
  }

  /**
   * Distances of all pairs of samples as the encoder learned them, from their embeddings alone (`embeddings` of
   * `predictTable`): n × n, row by row, zeros on the diagonal.
   */
  distances(embeddings: Float32Array): Float64Array {
    const n = embeddings.length / embeddingWidth(this.facts.config);
    const between = distanceBetween(embeddings, this.facts.config, this.weights);
    const out = new Float64Array(n * n);
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) out[i * n + j] = out[j * n + i] = between(i, j);
    return out;
  }

  /**
   * Writes the whole network for onnxruntime in Node, browsers or Python: inputs `tokens` [asvs, width], `index`, `counts`,
   * `mask` [samples, slots]; outputs `embedding` and `prediction` (on the model's scale: the transform stands in the
   * metadata). No head for letters is in it. Compared with the model before it is written (`EXPORT_MISMATCH`).
   */
  async exportOnnx(path: string): Promise<Exported> {
    const { facts } = this;
    const config = { ...facts.config, nucleotides: false };
    const lengths = { asvs: 6, samples: 2, slots: 4 };
    const model = buildNetwork(config, {
      part: "whole",
      weights: NO_LOSS,
      loss: facts.training.loss,
      chunk: 0,
    });
    await using trainer = await compile(model, {
      dims: lengths,
      stepsPerCall: 1,
      threads: this.#threads,
      device: this.#device,
    });
    await putWeights(trainer, this.weights);
    const width = asvWidth(config);
    const check: Record<string, ArrayLike<number>> = {
      tokens: Array.from({ length: lengths.asvs * width }, (_, i) =>
        i % width === 0 ? TOKENS.START! : 1 + ((i * 7) % 4),
      ),
      index: [0, 1, 2, 3, 4, 5, 0, 0],
      counts: [10, 3, 1, 2, 7, 1, 0, 0],
      mask: [1, 1, 1, 1, 1, 1, 0, 0],
      weight: [1, 1],
      positions: [0, 1, 2, 3],
      categories: new Float32Array(lengths.samples * config.categories.length),
    };
    return await exportOnnx(trainer, path, {
      outputs: ["embedding", ...(facts.target ? ["prediction"] : [])],
      check,
      metadata: {
        facts: JSON.stringify(facts),
        tokens: JSON.stringify(TOKENS),
      },
    });
  }

  async #ready(): Promise<Inference> {
    const { config, counts, training } = this.facts;
    this.#inference ??= Inference.create({ ...config, nucleotides: false }, this.weights, {
      losses: NO_LOSS,
      loss: training.loss,
      counts,
      threads: this.#threads,
      device: this.#device,
    });
    return this.#inference;
  }

  #slopeOf(slots: number): Promise<Trainer> {
    const known = this.#slopes.get(slots);
    if (known) return known;
    const made = (async () => {
      const model = slotGradientModel(this.facts.config, slots, this.facts.training.loss);
      const trainer = await compile(model, {
        dims: { numbers: this.width },
        stepsPerCall: 1,
        threads: this.#threads,
        device: this.#device,
      });
      await putWeights(trainer, this.weights);
      return trainer;
    })();
    this.#slopes.set(slots, made);
    return made;
  }

  /** Frees the sessions. */
  async [Symbol.asyncDispose](): Promise<void> {
    const inference = await this.#inference?.catch(() => undefined);
    await inference?.[Symbol.asyncDispose]();
    for (const making of this.#slopes.values()) {
      const trainer = await making.catch(() => undefined);
      await trainer?.[Symbol.asyncDispose]();
    }
  }
}
