/** What the stacks of the network are made of: transformer layers and attention pooling. */
import {
  add,
  attend,
  cast,
  constant,
  type DenseParams,
  dense,
  denseParams,
  div,
  exp,
  gelu,
  type Keep,
  layerNorm,
  log,
  matmul,
  maximum,
  mean,
  mul,
  type NormParams,
  normParams,
  type ParamSpec,
  param,
  relu,
  reshape,
  scope,
  softmax,
  split,
  sum,
  type Tensor,
  type TensorsOf,
  transpose,
  where,
} from "@x/onnx-train";
import type { ModelConfig } from "./model-interfaces.ts";

/** Weights of one transformer layer. */
export type LayerParams = {
  readonly norm1: NormParams;
  /** Queries, keys and values beside each other. */
  readonly qkv: DenseParams;
  readonly out: DenseParams;
  readonly norm2: NormParams;
  readonly up: DenseParams;
  readonly down: DenseParams;
};

/** Weights of a stack: layers by name, then a last normalisation. */
export type StackParams = {
  readonly layers: { readonly [layer: string]: LayerParams };
  readonly norm: NormParams;
};

/** Weights of attention pooling. */
export type PoolParams = {
  /** [dim, heads]. */
  readonly query: ParamSpec;
  /** Left out where the pooled row stays as it is. */
  readonly norm?: NormParams;
};

/** Drops units of a tensor; does nothing outside of training. */
export type Dropout = (name: string, x: Tensor) => Tensor;

/** Of normalisation inside layers and poolings. */
const EPSILON = 1e-5;
/** Of the normalisation after a stack. */
const STACK_EPSILON = 1e-6;
/** Where nothing may be looked at. */
const NEVER = -1e9;

/** Weights of `stack`. */
export function stackOf(config: Pick<ModelConfig, "dim" | "ffnRatio">, depth: number): StackParams {
  const { dim, ffnRatio } = config;
  const layer = (): LayerParams => ({
    norm1: normParams(dim),
    qkv: denseParams(dim, 3 * dim),
    out: denseParams(dim, dim),
    norm2: normParams(dim),
    up: denseParams(dim, ffnRatio * dim),
    down: denseParams(ffnRatio * dim, dim),
  });
  return {
    layers: Object.fromEntries(Array.from({ length: depth }, (_, i) => [`l${i}`, layer()])),
    norm: normParams(dim),
  };
}

/** Pre-norm transformer layers over [batch, places, dim], then a normalisation; `mask` [batch, places] says which places may be looked at. */
export function stack(
  x: Tensor,
  p: TensorsOf<StackParams>,
  mask: Tensor,
  config: Pick<ModelConfig, "heads" | "activation">,
  dropout: Dropout = (_, t) => t,
  keep: Keep = (t) => t,
): Tensor {
  // 0 or −1e9, added to the scores of all layers and heads.
  const bias = reshape(mul(add(mask, -1), -NEVER), [mask.shape[0]!, 1, 1, mask.shape[1]!]);
  let at = x;
  for (const [name, layer] of Object.entries(p.layers)) {
    const drop: Dropout = (what, t) => dropout(`${name}.${what}`, t);
    at = keep(scope(name, () => transformerLayer(at, layer, bias, config, drop, keep)));
  }
  return layerNorm(at, p.norm.scale, p.norm.shift, STACK_EPSILON);
}

function transformerLayer(
  x: Tensor,
  p: TensorsOf<LayerParams>,
  bias: Tensor,
  { heads, activation }: Pick<ModelConfig, "heads" | "activation">,
  dropout: Dropout,
  keep: Keep,
): Tensor {
  const mixed = selfAttention(layerNorm(x, p.norm1.scale, p.norm1.shift, EPSILON), p, bias, heads, keep);
  const y = keep(add(x, dropout("attention", mixed)));
  const wide = keep(dense(layerNorm(y, p.norm2.scale, p.norm2.shift, EPSILON), p.up));
  return add(y, dropout("ffn", dense(activation === "gelu" ? gelu(wide) : relu(wide), p.down)));
}

function selfAttention(
  x: Tensor,
  p: TensorsOf<LayerParams>,
  bias: Tensor,
  heads: number,
  keep: Keep,
): Tensor {
  const [batch, places, dim] = x.shape as [number, number, number];
  const each = dim / heads;
  const parts = split(keep(dense(x, p.qkv)), [dim, dim, dim]) as [Tensor, Tensor, Tensor];
  const [q, k, v] = parts.map((t) => reshape(t, [batch, places, heads, each])) as [Tensor, Tensor, Tensor];
  const scores = matmul(mul(transpose(q, [0, 2, 1, 3]), 1 / Math.sqrt(each)), transpose(k, [0, 2, 3, 1]));
  const mixed = attend(add(scores, bias), transpose(v, [0, 2, 1, 3]), keep);
  return dense(reshape(transpose(mixed, [0, 2, 1, 3]), [batch, places, dim]), p.out);
}

/** Weights of `pool`. */
export function poolOf(dim: number, heads = 1, norm = true): PoolParams {
  return { query: param([dim, heads]), ...(norm && { norm: normParams(dim) }) };
}

/** The weights of `pool` in a graph. */
export interface PoolTensors {
  readonly query: Tensor;
  readonly norm?: TensorsOf<NormParams>;
}

/** A pooled row a batch entry, and the weights that made it. */
export interface Pooled {
  /** [batch, dim]. */
  readonly row: Tensor;
  /** [batch, places, heads]. */
  readonly weights: Tensor;
}

/**
 * Attention pooling: softmax over the places of w·x / √dim where `mask` is 1, renormalised with 1e-8 as in AAM, then a
 * normalised sum. With several heads each pools its part of the width. `bias` [batch, places, heads] is added to the
 * scores. Where the mask is 0 everywhere all places count alike.
 */
export function pool(x: Tensor, p: PoolTensors, mask: Tensor, bias?: Tensor): Pooled {
  const [batch, places, dim] = x.shape as [number, number, number];
  const heads = p.query.shape[1] as number;
  const allowed = reshape(mask, [batch, places, 1]);
  const raw = mul(matmul(x, p.query), 1 / Math.sqrt(dim));
  const scores = where(cast(allowed, "bool"), bias ? add(raw, bias) : raw, constant(NEVER));
  const soft = softmax(scores, 1);
  const weights = div(soft, add(sum(soft, [1], true), 1e-8));
  const parted = reshape(x, [batch, places, heads, dim / heads]);
  const pooled = sum(mul(parted, reshape(weights, [batch, places, heads, 1])), [1]);
  const row = reshape(pooled, [batch, dim]);
  return { row: p.norm ? layerNorm(row, p.norm.scale, p.norm.shift, EPSILON) : row, weights };
}

/**
 * Sums of ASV states times their shares of the counts to a power: [batch, dim], with a learned power [dim] for each number,
 * ½ at first. Abundance is taken once, and a sum of many rare ASVs still counts. The weights are the shares to the mean power.
 */
export function powerPool(x: Tensor, power: Tensor, mask: Tensor, counts: Tensor): Pooled {
  const [batch, places] = mask.shape as [number, number];
  const held = mul(counts, mask);
  const shares = div(held, maximum(sum(held, [1], true), 1e-8));
  const there = reshape(mask, [batch, places, 1]);
  const logs = reshape(log(add(shares, 1e-9)), [batch, places, 1]);
  const raised = mul(exp(mul(logs, power)), there);
  const each = mul(exp(mul(logs, mean(power))), there);
  return { row: sum(mul(raised, x), [1]), weights: div(each, maximum(sum(each, [1], true), 1e-8)) };
}
