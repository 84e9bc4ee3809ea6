import type { SequenceBatch } from "./sequence-batches.ts";

/** Distances of ASVs on the tree, in units of their mean. */
export interface KinTargets {
  /** Rows of the batch's ASVs. */
  readonly rows: Int32Array;
  /** Distances of each to each, row by row. */
  readonly distances: Float32Array;
}

/** Some samples as a model takes them: every sequence once, and which sample has which. */
export interface SampleBatch extends SequenceBatch {
  /** Names of the samples; padding samples have none, so there may be fewer than rows. */
  readonly ids: readonly string[];
  /** Codes of categorical metadata, one sample's columns after another's; 0 is a value that training did not see. */
  readonly categories?: Int32Array;
  /** What is to be predicted, on the model's scale, one sample's outputs after another's; classes as numbers. */
  readonly targets?: Float32Array;
  /** Memberships of the batch's ASVs in clades, 0 or 1, one ASV's after another's. */
  readonly clades?: Float32Array;
  /** Distances the encoder learns, B × B. */
  readonly distances?: Float32Array;
  /** Some rows of the batch's ASVs, and their distances on the tree in units of the mean. */
  readonly kin?: KinTargets;
  /** Numbers of each sample that the encoder learns, such as Faith PD, one sample after another. */
  readonly encoderValues?: Float32Array;
}

/** How the counts of ASVs reach the sample level: x = ln(count + 1). */
export type CountEmbedding = "none" | "add" | "concat" | "film";

/** Layers of the five stacks. */
export interface StackLayers {
  /** Over the nucleotides of an ASV. */
  readonly asv: number;
  /** Over the ASVs of a sample. */
  readonly sample: number;
  /** On top of it, for the sample embedding. */
  readonly encoder: number;
  /** On top of the sample level, for counts. */
  readonly count: number;
  /** On top of the sample level, for the target. */
  readonly target: number;
}

/** Form and size of a network; plain data, stored in checkpoints. */
export interface ModelConfig {
  /** Width of all embeddings. */
  readonly dim: number;
  /** Attention heads; divides `dim`. */
  readonly heads: number;
  /** Layers of each stack. */
  readonly layers: StackLayers;
  /** Width of a feed-forward layer over `dim`. */
  readonly ffnRatio: number;
  /** Share of units dropped in training: of samples' ASVs one by one, of an ASV's letters in all places alike. */
  readonly dropout: number;
  /** Of feed-forward layers. */
  readonly activation: "gelu" | "relu";
  /** Different tokens. */
  readonly vocabulary: number;
  /** Letters of a sequence at most. */
  readonly maxLength: number;
  /** ASVs of a sample at most. */
  readonly tokenLimit: number;
  /** Letters that make one place of the nucleotide encoder; 1 looks at each by itself. */
  readonly patch: number;
  /** Do ASVs know their slot? False makes the model blind to their order. */
  readonly samplePositions: boolean;
  /** How counts come in. */
  readonly countEmbedding: CountEmbedding;
  /** Does attention pooling of ASVs start from their abundance (a learned power of the count, one a head)? */
  readonly countPooling: boolean;
  /**
   * How a sample embedding comes about: attention pooling, or `powers`: the sum of ASV states times their shares of the
   * counts to a learned power, ½ at first as in Hellinger distances, one for each number of the embedding.
   */
  readonly pooling: "attention" | "powers";
  /**
   * Clades of the tree that a sample embedding tells apart, in front of what pooling gives: presence of each, which no
   * count changes, and a power of its share of the counts. 0 for none.
   */
  readonly clades: number;
  /**
   * What an ASV embedding is read from: attention over the places, or also from each place by itself (`places`), which
   * tells sequences apart that differ in one letter.
   */
  readonly asvReadout: "attention" | "places";
  /** Is what attention pooling gives normalised? */
  readonly poolNorm: boolean;
  /** Heads of the pooling of ASVs; each pools its part of the width. */
  readonly poolHeads: number;
  /** Name in the registry of encoder types. */
  readonly encoder: string;
  /**
   * How a distance follows from two embeddings: tanh(|a − b| / 10) as in AAM; `squared`, a multiple of the weighted mean
   * squared difference with a share of each sample's own; or `shared`, (|a|² + |b|² − 2 a·b) / (|a|² + |b|² − a·b) with a
   * weight for each number, which is unweighted UniFrac where the numbers are presences and the weights lengths.
   */
  readonly distance: "tanh" | "squared" | "shared";
  /** What the target is read from: the pooled sample-level states, the sample embedding, or both. */
  readonly targetFrom: "states" | "embedding" | "both";
  /** Numbers to predict, or classes; 0 for an encoder alone. */
  readonly outputs: number;
  /** Are the outputs classes? */
  readonly classifier: boolean;
  /** Quantiles of each output, ascending; none predicts the output itself. */
  readonly quantiles: readonly number[];
  /** Form of the head. */
  readonly head: "linear" | "mlp" | "residual";
  /** Widths of its hidden layers. */
  readonly hidden: readonly number[];
  /** Share of its hidden units dropped. */
  readonly headDropout: number;
  /** Is the head's input normalised? */
  readonly targetLayerNorm: boolean;
  /** A sigmoid on the outputs, for targets between 0 and 1. */
  readonly bounded: boolean;
  /** On the outputs. */
  readonly outputActivation: "none" | "relu" | "softplus" | "exp";
  /** A learned factor and term on each output. */
  readonly learnableScale: boolean;
  /** Levels (with the unseen one) of each column of categorical metadata. */
  readonly categories: readonly number[];
  /** Width of a column's embedding. */
  readonly categoryDim: number;
  /** How they join the sample. */
  readonly fusion: "concat" | "add" | "gmu" | "cross-attention";
  /** Is the count of each ASV predicted? */
  readonly countPrediction: boolean;
  /** Are hidden letters predicted? */
  readonly nucleotides: boolean;
  /** Can embeddings of ASVs learn their distances on the tree? */
  readonly phylogeny: boolean;
}

/** What a model says about some samples. */
export interface Predictions {
  /** Numbers a sample: outputs × quantiles, or classes. */
  readonly width: number;
  /** On the scale of the target (probabilities of classes), one sample after another; nothing for padding samples. */
  readonly values: Float64Array;
  /** Sample embeddings, one after another. */
  readonly embeddings: Float32Array;
  /** Weight of each slot in the pooling that the prediction rests on, mean of heads; 0 in empty slots. */
  readonly attention: Float32Array;
}

/** Predicts; the tools that explain and judge models ask no more of one. */
export interface Predictor {
  /** Numbers a sample. */
  readonly width: number;
  /** Names of classes; empty for numbers. */
  readonly classes: readonly string[];
  /** Predicts the samples of a batch. */
  predict(batch: SampleBatch): Promise<Predictions>;
  /**
   * Slope of one number of the prediction (on the model's scale, before class probabilities) along each slot's weight,
   * where a weight of 0 takes the ASV's embedding away and 1 leaves it: what integrated gradients sum up. As `weights`.
   */
  slotGradients(batch: SampleBatch, weights: Float32Array, output: number): Promise<Float32Array>;
}
