/** The weights of the network: names, shapes and first values. */
import { type DenseParams, denseParams, type ParamSpec, param } from "@x/onnx-train";
import { type AsvParams, asvParams } from "./asv-encoder.ts";
import { type PoolParams, poolOf, type StackParams, stackOf } from "./blocks.ts";
import { type CladeParams, cladeParams } from "./clade-pool.ts";
import { encoderType } from "./encoder-types.ts";
import { type FusionParams, fusedWidth, fusionParams, type HeadParams, headParams } from "./heads.ts";
import { embeddingWidth } from "./model-config.ts";
import type { ModelConfig } from "./model-interfaces.ts";

/** Which part of the network a graph holds: all of it, ASVs alone, or samples of ASVs whose embeddings are known. */
export type NetworkPart = "whole" | "asvs" | "samples";

/** Weights of the sample level. */
export type SampleParams = {
  /** [token limit + 5, dim]. */
  readonly position?: ParamSpec;
  readonly count?: DenseParams;
  /** Of the `concat` count embedding. */
  readonly countJoin?: DenseParams;
  readonly stack?: StackParams;
  readonly encoder: {
    readonly stack?: StackParams;
    readonly pool?: PoolParams;
    readonly power?: ParamSpec;
    /** Of squared distances: logarithms of what each number of the embedding counts. */
    readonly logWeights?: ParamSpec;
    /** Of distances: logarithm of their factor, and the share of a distance that is each sample's own. */
    readonly scale?: ParamSpec;
    readonly own?: DenseParams;
  };
  readonly values?: DenseParams;
};

/** All weights. */
export type NetworkParams = {
  readonly asv?: AsvParams;
  readonly clades?: CladeParams;
  readonly sample?: SampleParams;
  readonly counts?: { readonly stack?: StackParams; readonly head: DenseParams };
  readonly target?: {
    readonly stack?: StackParams;
    readonly pool?: PoolParams;
    readonly power?: ParamSpec;
    readonly fusion?: FusionParams;
    readonly head: HeadParams;
  };
};

/** Weights of a network of this form; of ASVs alone or samples alone where only that part is built. */
export function networkParams(config: ModelConfig, part: NetworkPart = "whole"): NetworkParams {
  if (part === "asvs") return { asv: asvParams(config) };
  const rest = sampleNetwork(config);
  return part === "samples" ? rest : { asv: asvParams(config), ...rest };
}

function sampleNetwork(config: ModelConfig): NetworkParams {
  const { dim, layers, clades, countEmbedding: how, poolHeads, targetFrom, tokenLimit } = config;
  const width = embeddingWidth(config);
  const stacked = (depth: number): { stack?: StackParams } =>
    depth > 0 ? { stack: stackOf(config, depth) } : {};
  const powers = config.countPooling ? { power: countPowers(poolHeads) } : {};
  const values = encoderType(config.encoder).values ?? 0;
  const rowWidth = { states: dim, embedding: width, both: dim + width }[targetFrom];
  const fusion = fusionParams(config, rowWidth);
  return {
    ...(clades > 0 && { clades: cladeParams(dim, clades) }),
    sample: {
      ...(config.samplePositions && { position: param([tokenLimit + 5, dim], { normal: 1 }) }),
      ...(how !== "none" && { count: countParams(how === "film" ? 2 * dim : dim) }),
      ...(how === "concat" && { countJoin: denseParams(2 * dim, dim) }),
      ...stacked(layers.sample),
      encoder: {
        ...stacked(layers.encoder),
        ...(config.pooling === "powers"
          ? { power: param([dim], { values: new Float32Array(dim).fill(0.5) }, false) }
          : { pool: poolOf(dim, poolHeads, config.poolNorm), ...powers }),
        ...(config.distance !== "tanh" && { logWeights: param([width], "zeros", false) }),
        ...(config.distance === "squared" && {
          scale: param([1], "zeros", false),
          own: { w: param([width, 1], "zeros"), b: param([1]) },
        }),
      },
      ...(values > 0 && { values: denseParams(width, values) }),
    },
    ...(config.countPrediction && { counts: { ...stacked(layers.count), head: denseParams(dim, 1) } }),
    ...(config.outputs > 0 && {
      target: {
        ...(targetFrom !== "embedding" && {
          ...stacked(layers.target),
          pool: poolOf(dim, poolHeads, config.poolNorm),
          ...powers,
        }),
        ...(fusion && { fusion }),
        head: headParams(config, fusedWidth(config, rowWidth)),
      },
    }),
  };
}

/** Small at first: an embedding begins as what its letters say. */
function countParams(width: number): DenseParams {
  return { w: param([1, width], { normal: 0.02 }), b: param([width]) };
}

/** Powers of the count from 0 (presence) to 1 (abundance), one a head. */
function countPowers(heads: number): ParamSpec {
  const values = Array.from({ length: heads }, (_, h) => (heads === 1 ? 0.5 : h / (heads - 1)));
  return param([heads], { values }, false);
}
