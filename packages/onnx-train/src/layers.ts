/** Layers as functions of their weights. */
import { withGradient } from "./apply.ts";
import { isFloat } from "./dtype.ts";
import { type Dim, shapeError, showShape, type Tensor } from "./graph.ts";
import type { Keep } from "./map-chunks.ts";
import { cast, mul, sub, where } from "./ops-elementwise.ts";
import { lookup } from "./ops-index.ts";
import { matmul } from "./ops-linear.ts";
import { softmax, sum } from "./ops-reduce.ts";
import { reshape, transpose } from "./ops-shape.ts";

/** x · w + b over the last axis; `w` is [in, out], `b` (optional) is [out]. */
export function dense(x: Tensor, p: { readonly w: Tensor; readonly b?: Tensor }): Tensor {
  return matmul(x, p.w, p.b);
}

/** Rows of a table [vocabulary, width] by token; its gradient has the same bits on every run. */
export function embedding(table: Tensor, tokens: Tensor): Tensor {
  return lookup(table, tokens, matmul);
}

/** Options of `attention`. */
export interface AttentionOptions {
  /** Number of heads; must divide the width. */
  readonly heads: number;
  /** True (or 1) where a key may be looked at: [batch, keys], or anything that broadcasts to [batch, heads, queries, keys]. */
  readonly mask?: Tensor;
}

/**
 * Scaled dot-product attention with several heads (Vaswani et al. 2017): q is [batch, queries, width], k and v are
 * [batch, keys, width]; the result is as q.
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, { heads, mask }: AttentionOptions): Tensor {
  const width = q.shape[2];
  if (q.rank !== 3 || typeof width !== "number" || width % heads !== 0)
    shapeError("attention", `${heads} heads do not divide the width of ${showShape(q.shape)}`);
  const each = width / heads;
  const parted = (t: Tensor, order: number[]): Tensor =>
    transpose(reshape(t, [t.shape[0]!, t.shape[1]!, heads, each]), order);
  const scores = matmul(parted(q, [0, 2, 1, 3]), parted(k, [0, 2, 3, 1]));
  const scaled = mul(scores, 1 / Math.sqrt(each));
  const weighted = attend(mask ? where(maskOf(mask), scaled, -1e9) : scaled, parted(v, [0, 2, 1, 3]));
  const mixed = transpose(weighted, [0, 2, 1, 3]);
  return reshape(mixed, [q.shape[0]!, q.shape[1]!, width]);
}

/**
 * softmax(scores) · values over the last two axes. Its gradient needs, for each row of scores, the sum of the gradients of
 * its weights times the weights: that is the product of the result and its own gradient, which are much shorter rows
 * (Dao et al. 2022). `keep` is that of `mapChunks`.
 */
export function attend(scores: Tensor, values: Tensor, keep: Keep = (t) => t): Tensor {
  const weights = softmax(scores);
  const mixed = keep(matmul(weights, values));
  return withGradient(mixed, [scores, values], (g) => {
    const inner = sub(matmul(g, transpose(values)), sum(mul(g, mixed), [-1], true));
    return [mul(weights, inner), matmul(transpose(weights), g)];
  });
}

function maskOf(mask: Tensor): Tensor {
  const shaped: readonly Dim[] = mask.rank === 2 ? [mask.shape[0]!, 1, 1, mask.shape[1]!] : mask.shape;
  return reshape(isFloat(mask.dtype) ? cast(mask, "bool") : mask, shaped);
}
