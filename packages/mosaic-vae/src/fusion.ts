/** Posteriors of a cell's modalities become one. */
import {
  add,
  concat,
  div,
  exp,
  type Gaussian,
  gaussianKl,
  greater,
  log as logOf,
  logSumExp,
  mul,
  productOfExperts,
  softmax,
  split,
  sqrt,
  sub,
  sum,
  type Tensor,
  where,
} from "@x/onnx-train";

/** One modality's posterior. */
export interface Posterior extends Gaussian {
  /** [cells, 1]: 1 where the cell's encoder saw it. */
  readonly mask: Tensor;
  /** Factor on its precision in a product. */
  readonly weight: number | Tensor;
}

/** Product with the standard normal prior; the prior itself where every mask is 0. */
export function product(posteriors: readonly Posterior[]): Gaussian {
  return productOfExperts(
    posteriors.map(({ mean, logVariance, mask, weight }) => ({
      mean,
      logVariance,
      mask: weight === 1 ? mask : mul(mask, weight),
    })),
  );
}

/**
 * Weighted mean of means, with √weight on variances, over the modalities a cell has (as MultiVI's averaging; Ashuach et
 * al. 2023). `logits` is [modalities]. The prior where there is none.
 */
export function average(posteriors: readonly Posterior[], logits: Tensor): Gaussian {
  const masks = concat(
    posteriors.map((p) => p.mask),
    -1,
  );
  const any = greater(sum(masks, [-1], true), 0);
  const weights = split(
    softmax(where(greater(masks, 0), add(mul(masks, 0), logits), -1e9)),
    posteriors.map(() => 1),
    -1,
  );
  const parts = posteriors.map((p, m) => {
    const there = greater(p.mask, 0);
    const w = weights[m]!;
    const root = sqrt(where(there, w, 1));
    return {
      mean: where(there, mul(w, p.mean), 0),
      variance: where(there, mul(root, exp(p.logVariance)), 0),
    };
  });
  const total = (pick: "mean" | "variance"): Tensor => parts.map((p) => p[pick]).reduce((a, b) => add(a, b));
  return {
    mean: where(any, total("mean"), 0),
    logVariance: where(any, logOf(where(any, total("variance"), 1)), 0),
  };
}

/**
 * A mixture with equal parts of the modalities a cell has: the chosen expert's Gaussian (`choice` is [cells,
 * modalities], one 1 a row) for the sample, and mean and variance of the whole mixture for reading out.
 */
export function mixture(
  posteriors: readonly Posterior[],
  choice: Tensor,
): { chosen: Gaussian; whole: Gaussian } {
  const picks = split(
    choice,
    posteriors.map(() => 1),
    -1,
  );
  const count = posteriors.map((p) => p.mask).reduce((a, b) => add(a, b));
  const any = greater(count, 0);
  const safe = where(any, count, 1);
  const over = (f: (p: Posterior) => Tensor): Tensor =>
    div(
      posteriors.map((p) => where(greater(p.mask, 0), f(p), 0)).reduce((a, b) => add(a, b)),
      safe,
    );
  const mean = over((p) => p.mean);
  const square = over((p) => add(exp(p.logVariance), mul(p.mean, p.mean)));
  const take = (f: (p: Posterior) => Tensor): Tensor =>
    posteriors.map((p, m) => where(greater(picks[m]!, 0), f(p), 0)).reduce((a, b) => add(a, b));
  return {
    chosen: { mean: take((p) => p.mean), logVariance: take((p) => p.logVariance) },
    whole: { mean, logVariance: where(any, logOf(where(any, sub(square, mul(mean, mean)), 1)), 0) },
  };
}

/** log q(z) − log p(z) of a mixture at a sample, [cells]: its expectation is the KL divergence. 0 without modalities. */
export function mixtureLogRatio(posteriors: readonly Posterior[], z: Tensor): Tensor {
  const logs = posteriors.map((p) => {
    const d = sub(z, p.mean);
    const square = mul(mul(d, d), exp(mul(p.logVariance, -1)));
    const log = mul(sum(add(square, p.logVariance), [-1], true), -0.5);
    return where(greater(p.mask, 0), log, -1e9);
  });
  const count = posteriors.map((p) => p.mask).reduce((a, b) => add(a, b));
  const any = greater(count, 0);
  const density = sub(logSumExp(concat(logs, -1), -1, true), logOf(where(any, count, 1)));
  const prior = mul(sum(mul(z, z), [-1], true), -0.5);
  return sum(where(any, sub(density, prior), 0), [-1]);
}

/** Jeffreys divergence ½ KL(p ‖ q) + ½ KL(q ‖ p), [cells, 1]. */
export function jeffreys(p: Gaussian, q: Gaussian): Tensor {
  return sum(mul(add(gaussianKl(p, q), gaussianKl(q, p)), 0.5), [-1], true);
}
