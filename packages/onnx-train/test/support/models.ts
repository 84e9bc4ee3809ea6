import {
  add,
  attention,
  type Batch,
  dense,
  denseParams,
  embedding,
  exp,
  gaussianKl,
  gelu,
  graph,
  layerNorm,
  type Model,
  mean,
  meanSquaredError,
  mul,
  normParams,
  param,
  relu,
  scanLayers,
  softmaxCrossEntropy,
  stackParams,
  sum,
} from "../../src/index.ts";
import { wiggle } from "./graphs.ts";

/** A small classifier. */
export function mlp(hidden = 16): Model {
  return graph("mlp", {
    inputs: { x: ["batch", 4], y: { shape: ["batch"], dtype: "int64" } },
    params: { h: denseParams(4, hidden), out: denseParams(hidden, 3) },
  }).model(({ x, y }, p) => {
    const logits = dense(relu(dense(x, p.h)), p.out);
    return { loss: softmaxCrossEntropy(logits, y), outputs: { logits } };
  });
}

/** A small variational autoencoder: noise, dropout and a schedule. */
export function vae(): Model {
  return graph("vae", {
    inputs: { x: ["batch", 6] },
    params: {
      enc: denseParams(6, 8),
      mean: denseParams(8, 2),
      spread: denseParams(8, 2),
      dec: denseParams(2, 6),
    },
  }).model(({ x }, p, context) => {
    const h = context.dropout("h", relu(dense(x, p.enc)), 0.2);
    const q = { mean: dense(h, p.mean), logVariance: dense(h, p.spread) };
    const z = add(q.mean, mul(exp(mul(q.logVariance, 0.5)), context.normal("z", ["batch", 2])));
    const rebuilt = meanSquaredError(dense(z, p.dec), x);
    const kl = mean(sum(gaussianKl(q), [-1]));
    const loss = add(rebuilt, mul(kl, context.schedule("beta")));
    return { loss, parts: { rebuilt, kl }, outputs: { z } };
  });
}

/** Two transformer blocks that learn to repeat their tokens. */
export function transformer(): Model {
  const block = {
    n1: normParams(8),
    q: denseParams(8, 8),
    k: denseParams(8, 8),
    v: denseParams(8, 8),
    n2: normParams(8),
    up: denseParams(8, 16),
    down: denseParams(16, 8),
  };
  return graph("transformer", {
    inputs: { tokens: { shape: ["batch", 5], dtype: "int64" } },
    params: {
      table: param([7, 8], { normal: 0.5 }),
      place: param([5, 8], { normal: 0.5 }),
      blocks: stackParams(2, block),
      out: denseParams(8, 7),
    },
  }).model(({ tokens }, p) => {
    const start = add(embedding(p.table, tokens), p.place);
    const end = scanLayers(
      (x, b) => {
        const n = layerNorm(x, b.n1.scale, b.n1.shift);
        const y = add(x, attention(dense(n, b.q), dense(n, b.k), dense(n, b.v), { heads: 2 }));
        return add(y, dense(gelu(dense(layerNorm(y, b.n2.scale, b.n2.shift), b.up)), b.down));
      },
      p.blocks,
      start,
    );
    const logits = dense(end, p.out);
    return { loss: softmaxCrossEntropy(logits, tokens), outputs: { logits } };
  });
}

/** The batch of a step, always the same for the same number. */
export function mlpBatch(step: number, batch = 8): Batch {
  const x = wiggle(batch * 4, step + 1);
  return {
    x,
    y: Array.from({ length: batch }, (_, i) => (x[4 * i]! > 0 ? 1 : 0) + (x[4 * i + 1]! > 0 ? 1 : 0)),
  };
}

export function* mlpBatches(from: number, to: number): Generator<Batch> {
  for (let step = from; step < to; step++) yield mlpBatch(step);
}

export function* vaeBatches(from: number, to: number): Generator<Batch> {
  for (let step = from; step < to; step++) yield { x: wiggle(48, step + 1) };
}
