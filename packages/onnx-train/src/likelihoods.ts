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
  mul,
  neg,
  sigmoid,
  softplus,
  sub,
  where,
} from "./ops-elementwise.ts";
import { columnDot, rowDot, rowProduct } from "./ops-linear.ts";
import { logSoftmax, sum } from "./ops-reduce.ts";
import { full, reshape } from "./ops-shape.ts";
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
 * Σ over the last axis (kept as 1) of `nbLogLik` without log Γ(x + θ) − log Γ(θ) − log Γ(x + 1), for means that are shares of
 * a library, μ = library · softmax(logits), and one θ a column. x is data and gets no gradient; those of the others are
 * written by hand, in half as many passes over the matrix: with u = 1 + μ/θ the sum is x log(μ/θ) − (x + θ) log u, its slope by
 * log μ is (x − μ)/u, and the softmax is μ over the library.
 */
export function nbSharesSum(
  x: Tensor,
  parameters: {
    /** [rows, columns]. */
    readonly logits: Tensor;
    /** [rows, 1]. */
    readonly logLibrary: Tensor;
    /** log θ, [columns]; μ/θ must stay below the end of float32. */
    readonly logDispersion: Tensor;
  },
): Tensor {
  const { logits, logLibrary, logDispersion } = parameters;
  const theta = exp(logDispersion);
  const logMean = add(logSoftmax(logits), logLibrary);
  const mean = exp(logMean);
  const u = add(mul(mean, exp(neg(logDispersion))), 1);
  let logU = log(u);
  let fit = sub(sub(rowProduct(x, logMean), rowDot(x, logDispersion)), rowProduct(x, logU));
  if (x.dtype === "float64") {
    // Without the digits that 1 + μ/θ and the difference of two large sums lose: here gradients are checked.
    const ratio = sub(logMean, logDispersion);
    logU = softplus(ratio);
    fit = neg(rowProduct(x, softplus(neg(ratio))));
  }
  const total = sub(fit, rowDot(logU, theta));
  return withGradient(total, [logits, logLibrary, logDispersion], (g) => {
    const slope = div(sub(x, mean), u);
    const whole = sum(slope, [-1], true);
    const part = mul(g, div(whole, exp(logLibrary)));
    const spread = add(columnDot(slope, g), mul(theta, columnDot(logU, g)));
    return [sub(mul(slope, g), mul(mean, part)), mul(g, whole), neg(spread)];
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

/** Σ over the last axis (kept as 1) of `bernoulliLogLik`, with a gradient written by hand; x is data and gets none. */
export function bernoulliLogLikSum(x: Tensor, logit: Tensor): Tensor {
  const share = logistic(logit);
  // softplus(l) = max(l, 0) + log(1 + e^−|l|): Σ max(l, 0) is half of Σ l + Σ |l|, and 1 + e^−|l| is 1 / σ(|l|).
  const size = abs(logit);
  const ones = full(x.dtype, [logit.shape[1]!], 1);
  const positive = mul(add(sum(logit, [-1], true), rowDot(size, ones)), 0.5);
  const total = add(sub(rowProduct(x, logit), positive), sumOfLogs(logistic(size)));
  return withGradient(total, [logit], (g) => [mul(sub(x, share), g)]);
}

/** σ(x): onnxruntime's float64 kernel has nine digits only. */
function logistic(x: Tensor): Tensor {
  return x.dtype === "float64" ? exp(sub(x, softplus(x))) : sigmoid(x);
}

/** Factors of at least ½ whose product is far from the end of float32. */
const FACTORS = 50;

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
