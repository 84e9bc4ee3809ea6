/**
 * Log likelihoods by element, all from logits and logarithms, so that no probability has to be clipped. Counts are
 * floats of at least 0; parameters are broadcast against them.
 */
import { int64s, type Operand, withGradient } from "./apply.ts";
import { emit, type Tensor } from "./graph.ts";
import {
  abs,
  add,
  div,
  equal,
  exp,
  log,
  maximum,
  minimum,
  mul,
  neg,
  relu,
  sigmoid,
  softplus,
  sub,
  where,
} from "./ops-elementwise.ts";
import { sum } from "./ops-reduce.ts";
import { reshape, transpose } from "./ops-shape.ts";
import { lgamma, lgammaDelta, logAddExp, logSigmoid } from "./special.ts";

/** Parameters of a negative binomial: variance μ + μ²/θ. */
export interface NegativeBinomial {
  /** log μ. */
  readonly logMean: Tensor;
  /** log θ; large is Poisson. */
  readonly logDispersion: Tensor;
  /**
   * log Γ(x + θ) − log Γ(θ) − log Γ(x + 1), computed here by default: the dearest part by far, and where θ does not
   * depend on the row it can be summed in other ways. 0 leaves it out.
   */
  readonly logChoose?: Operand;
}

/** log NB(x; μ, θ). */
export function nbLogLik(x: Tensor, { logMean, logDispersion, logChoose }: NegativeBinomial): Tensor {
  const theta = exp(logDispersion);
  return plus(logChoose ?? logRising(x, theta), nbKernel(x, theta, sub(logMean, logDispersion)));
}

/** log Γ(x + θ) − log Γ(θ) − log Γ(x + 1). */
function logRising(x: Tensor, theta: Tensor): Tensor {
  return sub(lgammaDelta(theta, x), lgamma(add(x, 1)));
}

function plus(a: Operand, b: Tensor): Tensor {
  return a === 0 ? b : add(a, b);
}

/** θ log(θ/(θ+μ)) + x log(μ/(θ+μ)), from log(μ/θ). */
function nbKernel(x: Tensor, theta: Tensor, ratio: Tensor): Tensor {
  return neg(add(mul(theta, softplus(ratio)), mul(x, softplus(neg(ratio)))));
}

/**
 * Σ over the last axis (kept as 1) of `nbLogLik` without log Γ(x + θ) − log Γ(θ) − log Γ(x + 1), for one θ a column:
 * `logDispersion` is [columns]. Its gradient is written by hand, in half as many passes over the matrix.
 */
export function nbKernelSum(x: Tensor, logMean: Tensor, logDispersion: Tensor): Tensor {
  const theta = exp(logDispersion);
  const ratio = sub(logMean, logDispersion);
  // log(1 + e^−|r|) is what softplus(r) and softplus(−r) share.
  const size = neg(abs(ratio));
  const shared = x.dtype === "float64" ? softplus(size) : log(add(exp(size), 1));
  const up = add(relu(ratio), shared);
  const down = sub(shared, minimum(ratio, 0));
  const total = neg(add(product(up, reshape(theta, [theta.shape[0]!, 1])), sum(mul(x, down), [-1], true)));
  return withGradient(total, [x, logMean, logDispersion], (g) => {
    const inner = sub(mul(x, exp(neg(up))), mul(theta, exp(neg(down))));
    const slope = mul(inner, g);
    const spread = mul(theta, reshape(product(transpose(g), up), theta.shape));
    return [neg(mul(down, g)), slope, neg(add(spread, sum(slope, [0])))];
  });
}

/** log of π·[x = 0] + (1 − π)·NB(x; μ, θ), with `gate` the logit of π (Greene 1994; Lopez et al. 2018). */
export function zinbLogLik(x: Tensor, parameters: NegativeBinomial & { readonly gate: Tensor }): Tensor {
  const { gate, logMean, logDispersion } = parameters;
  const open = logSigmoid(neg(gate));
  const theta = exp(logDispersion);
  const zero = neg(mul(theta, softplus(sub(logMean, logDispersion))));
  return where(equal(x, 0), logAddExp(logSigmoid(gate), add(open, zero)), add(open, nbLogLik(x, parameters)));
}

/** log of π·NB(x; background) + (1 − π)·NB(x; foreground) with one dispersion; `gate` is the logit of π (Gayoso et al. 2021). */
export function nbMixtureLogLik(
  x: Tensor,
  parameters: {
    readonly logBackground: Tensor;
    readonly logForeground: Tensor;
    readonly logDispersion: Tensor;
    readonly gate: Tensor;
    /** As of `nbLogLik`. */
    readonly logChoose?: Operand;
  },
): Tensor {
  const { logBackground, logForeground, logDispersion, gate, logChoose } = parameters;
  const theta = exp(logDispersion);
  const part = (logMean: Tensor, weight: Tensor): Tensor =>
    add(weight, nbKernel(x, theta, sub(logMean, logDispersion)));
  const [background, foreground] = [
    part(logBackground, logSigmoid(gate)),
    part(logForeground, logSigmoid(neg(gate))),
  ];
  return plus(logChoose ?? logRising(x, theta), logAddExp(background, foreground));
}

/** log Poisson(x; eʳ), from r = log of the rate; `logFactorial` is log Γ(x + 1), 0 to leave it out. */
export function poissonLogLik(
  x: Tensor,
  logRate: Tensor,
  { logFactorial }: { readonly logFactorial?: Operand } = {},
): Tensor {
  const main = sub(mul(x, logRate), exp(logRate));
  return logFactorial === 0 ? main : sub(main, logFactorial ?? lgamma(add(x, 1)));
}

/** log Bernoulli(x; sigmoid(logit)), x from 0 to 1. */
export function bernoulliLogLik(x: Tensor, logit: Tensor): Tensor {
  return sub(mul(x, logit), softplus(logit));
}

/** Σ over the last axis (kept as 1) of `bernoulliLogLik`, with a gradient written by hand. */
export function bernoulliLogLikSum(x: Tensor, logit: Tensor): Tensor {
  const share = logistic(logit);
  // softplus(l) = max(l, 0) + log(1 + e^−|l|), and 1 + e^−|l| = 1 / max(σ(l), 1 − σ(l)).
  const larger = maximum(share, sub(1, share));
  // Σ max(l, 0) is half of Σ l + Σ |l|: sums that write nothing back.
  const positive = mul(add(sum(logit, [-1], true), sumOfSizes(logit)), 0.5);
  const total = add(sub(sum(mul(x, logit), [-1], true), positive), sumOfLogs(larger));
  return withGradient(total, [x, logit], (g) => [mul(logit, g), mul(sub(x, share), g)]);
}

/** Σ |x| over the last axis (kept as 1). */
function sumOfSizes(x: Tensor): Tensor {
  return emit("ReduceL1", [x, int64s([-1])], [[x.dtype, [x.shape[0]!, 1]]], { keepdims: { int: 1 } })[0]!;
}

/** A matrix product that stays in the type of its factors, whatever the precision of the model's own. */
function product(a: Tensor, b: Tensor): Tensor {
  return emit("MatMul", [a, b], [[a.dtype, [...a.shape.slice(0, -1), b.shape.at(-1)!]]])[0]!;
}

/** σ(x): onnxruntime's float64 kernel has nine digits only. */
function logistic(x: Tensor): Tensor {
  return x.dtype === "float64" ? exp(sub(x, softplus(x))) : sigmoid(x);
}

/** Factors of at least ½ whose product is far from the end of float32. */
const FACTORS = 100;

/** Σ log over the last axis (kept as 1) of numbers from ½ to 1: one logarithm for many of them, where their number can be divided. */
function sumOfLogs(x: Tensor): Tensor {
  const n = x.shape.at(-1)!;
  let group = typeof n === "number" && x.rank === 2 ? FACTORS : 1;
  while (typeof n === "number" && n % group !== 0) group--;
  if (group < 4) return sum(log(x), [-1], true);
  const groups = Number(n) / group;
  const parted = reshape(x, [x.shape[0]!, groups, group]);
  const shape = [x.shape[0]!, groups];
  const [product] = emit("ReduceProd", [parted, int64s([2])], [[x.dtype, shape]], { keepdims: { int: 0 } });
  return sum(log(product!), [-1], true);
}

/** log N(x; mean, e^logVariance). */
export function gaussianLogLik(
  x: Tensor,
  { mean, logVariance }: { readonly mean: Tensor; readonly logVariance: Tensor },
): Tensor {
  const d = sub(x, mean);
  const square = mul(mul(d, d), exp(neg(logVariance)));
  return mul(add(add(square, logVariance), Math.log(2 * Math.PI)), -0.5);
}

/** A diagonal Gaussian. */
export interface Gaussian {
  /** Means, last axis the dimensions. */
  readonly mean: Tensor;
  /** log σ². */
  readonly logVariance: Tensor;
}

/** KL(q ‖ p) by element; p is the standard normal by default. */
export function gaussianKl(q: Gaussian, p?: Gaussian): Tensor {
  if (!p) return mul(sub(add(exp(q.logVariance), mul(q.mean, q.mean)), add(q.logVariance, 1)), 0.5);
  const d = sub(q.mean, p.mean);
  const log = sub(p.logVariance, q.logVariance);
  const ratio = div(add(exp(q.logVariance), mul(d, d)), exp(p.logVariance));
  return mul(sub(add(log, ratio), 1), 0.5);
}
