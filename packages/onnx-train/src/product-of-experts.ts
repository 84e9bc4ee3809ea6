import type { Tensor } from "./graph.ts";
import type { Gaussian } from "./likelihoods.ts";
import { add, div, exp, greater, log, mul, neg, where } from "./ops-elementwise.ts";

/** One expert of a product. */
export interface Expert extends Gaussian {
  /** 1 where the expert takes part, 0 where it is absent; broadcast against the mean. NaN of an absent one does no harm. */
  readonly mask?: Tensor;
  /** Factor on its precision, 1 by default. */
  readonly weight?: Tensor;
}

/**
 * The product of Gaussian experts and a standard normal prior (Hinton 2002; Wu and Goodman 2018): precisions add up.
 * Where every mask is 0 it is the prior itself.
 */
export function productOfExperts(experts: readonly Expert[]): Gaussian {
  const [first, ...rest] = experts.map(weigh);
  let precision = add(first!.precision, 1);
  let weighted = first!.weighted;
  for (const expert of rest) {
    precision = add(precision, expert.precision);
    weighted = add(weighted, expert.weighted);
  }
  return { mean: div(weighted, precision), logVariance: neg(log(precision)) };
}

function weigh({ mean, logVariance, mask, weight }: Expert): { precision: Tensor; weighted: Tensor } {
  // Chosen before it is used: 0 · NaN would be NaN, in the gradient too.
  const present = mask && greater(mask, 0);
  const safe = (x: Tensor): Tensor => (present ? where(present, x, 0) : x);
  let precision = exp(neg(safe(logVariance)));
  if (weight) precision = mul(precision, weight);
  if (mask) precision = mul(precision, mask);
  return { precision, weighted: mul(precision, safe(mean)) };
}
