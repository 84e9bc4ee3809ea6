/** Losses of the network: weighted means over samples, so that padding samples count nothing. */
import {
  abs,
  add,
  cast,
  constant,
  cumSum,
  type Dim,
  div,
  equal,
  exp,
  less,
  matmul,
  maximum,
  mean,
  mul,
  not,
  oneHot,
  relu,
  reshape,
  sqrt,
  sub,
  sum,
  type Tensor,
  tanh,
  transpose,
  where,
} from "@x/onnx-train";
import type { ModelConfig } from "./model-interfaces.ts";

/** How far predictions are from targets. */
export type TargetLossKind = "mse" | "mae" | "huber" | "asymmetric";

/** What the target loss is made of. */
export interface TargetLossConfig {
  /** Of numbers, one for all outputs or one for each; huber by default. Quantiles take the pinball loss, classes the likelihood. */
  readonly loss: TargetLossKind | readonly TargetLossKind[];
  /** Of `asymmetric`: a prediction that is too large by one. */
  readonly overPenalty: number;
  /** Of `asymmetric`: a prediction that is too small by one. */
  readonly underPenalty: number;
  /** Weights of classes in alphabetical order, at least 0; all 1 by default. `CLASS_WEIGHTS`. */
  readonly classWeights?: readonly number[];
}

/** Sum of values × weights over sum of weights; 0 where there is no weight. */
export function weightedMean(values: Tensor, weights: Tensor): Tensor {
  return div(sum(mul(values, weights)), maximum(sum(weights), 1e-8));
}

/**
 * The target loss: mean over outputs, then over samples by weight [B]. `predicted` [B, outputs (× quantiles)], or
 * log-probabilities; `target` [B, outputs], classes as numbers.
 */
export function targetLoss(
  predicted: Tensor,
  target: Tensor,
  weight: Tensor,
  config: ModelConfig,
  { loss, overPenalty, underPenalty, classWeights }: TargetLossConfig,
): Tensor {
  const [batch] = predicted.shape as [Dim];
  if (config.classifier) {
    const truth = oneHot(reshape(cast(target, "int64"), [batch]), config.outputs);
    const own = classWeights ? sum(mul(truth, constant(classWeights)), [1]) : undefined;
    const nll = mul(sum(mul(predicted, truth), [1]), -1);
    return weightedMean(nll, own ? mul(weight, own) : weight);
  }
  const { quantiles, outputs } = config;
  if (quantiles.length > 0) {
    const q = quantiles.length;
    const error = sub(reshape(target, [batch, outputs, 1]), reshape(predicted, [batch, outputs, q]));
    const t = constant([...quantiles]);
    const pinball = maximum(mul(error, t), mul(error, sub(t, 1)));
    return weightedMean(mean(pinball, [1, 2]), weight);
  }
  const error = sub(predicted, target);
  const one = (kind: TargetLossKind): Tensor => {
    if (kind === "mse") return mul(error, error);
    if (kind === "mae") return abs(error);
    if (kind === "asymmetric")
      return add(mul(relu(error), overPenalty), mul(relu(mul(error, -1)), underPenalty));
    const size = abs(error);
    return where(less(size, constant(1)), mul(mul(error, error), 0.5), sub(size, 0.5));
  };
  if (typeof loss === "string") return weightedMean(mean(one(loss), [1]), weight);
  const each = loss.map((kind, i) => mul(one(kind), constant(loss.map((_, j) => (i === j ? 1 : 0)))));
  return weightedMean(
    mean(
      each.reduce((a, b) => add(a, b)),
      [1],
    ),
    weight,
  );
}

/** Squared difference of predicted and true shares of counts, mean over the ASVs that are there. */
export function countLoss(predicted: Tensor, target: Tensor, mask: Tensor): Tensor {
  const d = sub(predicted, target);
  return weightedMean(mul(d, d), mask);
}

/**
 * Distances of all pairs of embeddings [B, dim]: tanh(|a − b| / 10) as in AAM, or the mean of (a − b)² e²ʷ with a weight for
 * each number.
 */
export function pairDistances(rows: Tensor, logWeights?: Tensor): Tensor {
  const weighted = logWeights ? mul(rows, exp(logWeights)) : rows;
  const [batch, dim] = rows.shape as [Dim, number];
  const d = sub(reshape(weighted, [batch, 1, dim]), reshape(weighted, [1, batch, dim]));
  if (logWeights) return mean(mul(d, d), [2]);
  const square = sum(mul(d, d), [2]);
  const near = less(square, constant(1e-8));
  // The root has no slope at 0: equal samples are 0 apart and pull at nothing.
  return where(near, mul(square, 0), tanh(mul(sqrt(where(near, constant(1e-8), square)), 0.1)));
}

/**
 * (|a|² + |b|² − 2 a·b) / (|a|² + |b|² − a·b) of all pairs of embeddings [B, dim], each number times eʷ: what two samples
 * do not share of all that they have.
 */
export function sharedDistances(rows: Tensor, logWeights: Tensor): Tensor {
  const weighted = mul(rows, exp(logWeights));
  const products = matmul(weighted, transpose(weighted));
  const own = sum(mul(weighted, weighted), [1], true);
  const both = add(own, transpose(own));
  return div(sub(both, mul(products, 2)), add(sub(both, products), 1e-8));
}

/**
 * eˢ d + own(a) + own(b): an embedding has room for some branches only, what it has no room for is each sample's own [B, 1].
 * The diagonal is not 0; the loss leaves it out.
 */
export function scaledDistances(raw: Tensor, scale: Tensor, own: Tensor): Tensor {
  const [batch] = raw.shape as [Dim];
  return add(add(mul(raw, exp(scale)), own), reshape(own, [1, batch]));
}

/** Squared difference of predicted and true distances, mean over pairs of two samples by the product of their weights. */
export function pairLoss(predicted: Tensor, target: Tensor, weight: Tensor): Tensor {
  const [batch] = weight.shape as [Dim];
  const d = sub(predicted, target);
  const places = cumSum(add(mul(weight, 0), 1), 0);
  const other = cast(not(equal(reshape(places, [batch, 1]), reshape(places, [1, batch]))), "float32");
  const w = mul(mul(reshape(weight, [batch, 1]), reshape(weight, [1, batch])), other);
  return weightedMean(mul(d, d), w);
}

/** Squared difference of squared distances between ASVs [n, dim] (times eˢ) and their distances on the tree [n, n]. */
export function kinLoss(rows: Tensor, target: Tensor, scale: Tensor): Tensor {
  const [n, dim] = rows.shape as [Dim, number];
  const d = sub(reshape(rows, [n, 1, dim]), reshape(rows, [1, n, dim]));
  const error = sub(mul(mean(mul(d, d), [2]), exp(scale)), target);
  return mean(mul(error, error));
}
