/** Losses: means over all elements unless said otherwise. */
import type { Tensor } from "./graph.ts";
import { sizeOf } from "./graph.ts";
import { abs, add, div, less, mul, neg, sqrt, sub, where } from "./ops-elementwise.ts";
import { oneHot } from "./ops-index.ts";
import { logSoftmax, mean, sum } from "./ops-reduce.ts";

/** Mean cross-entropy of logits [..., classes] against whole-number labels [...]. */
export function softmaxCrossEntropy(logits: Tensor, labels: Tensor): Tensor {
  const classes = sizeOf([logits.shape.at(-1)!], "the classes");
  return neg(mean(sum(mul(logSoftmax(logits), oneHot(labels, classes, logits.dtype)), [-1])));
}

/** Mean squared difference. */
export function meanSquaredError(x: Tensor, y: Tensor): Tensor {
  const d = sub(x, y);
  return mean(mul(d, d));
}

/** Mean Huber loss: d²/2 up to `delta`, then linear. */
export function huberLoss(x: Tensor, y: Tensor, delta = 1): Tensor {
  const d = sub(x, y);
  const size = abs(d);
  return mean(where(less(size, delta), mul(mul(d, d), 0.5), mul(sub(size, delta / 2), delta)));
}

/** Mean of 1 − cosine similarity along the last axis. */
export function cosineLoss(x: Tensor, y: Tensor, epsilon = 1e-8): Tensor {
  const dot = sum(mul(x, y), [-1]);
  const norms = sqrt(add(mul(sum(mul(x, x), [-1]), sum(mul(y, y), [-1])), epsilon));
  return mean(sub(1, div(dot, norms)));
}
