/**
 * Log likelihoods by element, all from logits and logarithms, so that no probability has to be clipped. Counts are
 * floats of at least 0; parameters are broadcast against them.
 */
import type { Operand } from "./apply.ts";
import type { Tensor } from "./graph.ts";
import { add, div, equal, exp, mul, neg, softplus, sub, where } from "./ops-elementwise.ts";
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
