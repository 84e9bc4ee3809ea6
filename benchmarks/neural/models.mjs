// The models that are timed; the cuda check runs the same ones.
import {
  add,
  attention,
  dense,
  denseParams,
  embedding,
  exp,
  gaussianKl,
  gelu,
  graph,
  layerNorm,
  mean,
  mul,
  nbLogLik,
  neg,
  normParams,
  param,
  relu,
  scanLayers,
  softmaxCrossEntropy,
  stackParams,
  sum,
} from "@x/onnx-train";

/** Numbers from −1 to 1 that look random and are the same everywhere. */
const wiggle = (n, seed = 1) =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed));

/** Batch 128, 100 → 256 → 256 → 10. */
export function mlp() {
  const model = graph("mlp", {
    inputs: { x: ["batch", 100], y: { shape: ["batch"], dtype: "int64" } },
    params: { a: denseParams(100, 256), b: denseParams(256, 256), out: denseParams(256, 10) },
  }).model(({ x, y }, p) => softmaxCrossEntropy(dense(relu(dense(relu(dense(x, p.a)), p.b)), p.out), y));
  const batch = { x: wiggle(12_800), y: Array.from({ length: 128 }, (_, i) => (i * 7) % 10) };
  return { model, batch, dims: { batch: 128 } };
}

/** Pre-norm blocks of width 128, 4 heads, FFN 512, over 64 tokens, batch 32. */
export function transformer(blocks = 1) {
  const block = {
    n1: normParams(128),
    q: denseParams(128, 128),
    k: denseParams(128, 128),
    v: denseParams(128, 128),
    o: denseParams(128, 128),
    n2: normParams(128),
    up: denseParams(128, 512),
    down: denseParams(512, 128),
  };
  const model = graph("transformer", {
    inputs: {
      tokens: { shape: ["batch", 64], dtype: "int64" },
      next: { shape: ["batch", 64], dtype: "int64" },
    },
    params: {
      table: param([32, 128], { normal: 0.02 }),
      place: param([64, 128], { normal: 0.02 }),
      blocks: stackParams(blocks, block),
      out: denseParams(128, 32),
    },
  }).model(({ tokens, next }, p) => {
    const layer = (x, b) => {
      const n = layerNorm(x, b.n1.scale, b.n1.shift);
      const mixed = attention(dense(n, b.q), dense(n, b.k), dense(n, b.v), { heads: 4 });
      const y = add(x, dense(mixed, b.o));
      return add(y, dense(gelu(dense(layerNorm(y, b.n2.scale, b.n2.shift), b.up)), b.down));
    };
    const start = add(embedding(p.table, tokens), p.place);
    const end = scanLayers(layer, p.blocks, start, { checkpoint: blocks > 1 });
    return softmaxCrossEntropy(dense(end, p.out), next);
  });
  const tokens = Array.from({ length: 2048 }, (_, i) => (i * 5 + (i % 7)) % 32);
  return { model, batch: { tokens, next: tokens.map((t) => (t + 1) % 32) }, dims: { batch: 32 } };
}

/** 2,000 counts through 128 hidden to 20 latent dimensions, negative binomial, batch 128. */
export function vae() {
  const model = graph("vae", {
    inputs: { x: ["batch", 2000] },
    params: {
      enc: denseParams(2000, 128),
      mean: denseParams(128, 20),
      spread: denseParams(128, 20),
      dec: denseParams(20, 128),
      rate: denseParams(128, 2000),
      logDispersion: param([2000]),
    },
  }).model(({ x }, p, context) => {
    const h = relu(dense(mul(x, 0.1), p.enc));
    const q = { mean: dense(h, p.mean), logVariance: dense(h, p.spread) };
    const z = add(q.mean, mul(exp(mul(q.logVariance, 0.5)), context.normal("z", ["batch", 20])));
    const logMean = dense(relu(dense(z, p.dec)), p.rate);
    const fit = sum(nbLogLik(x, { logMean, logDispersion: p.logDispersion }), [-1]);
    return add(neg(mean(fit)), mean(sum(gaussianKl(q), [-1])));
  });
  return {
    model,
    batch: { x: wiggle(256_000).map((v) => Math.floor(Math.abs(v) * 4)) },
    dims: { batch: 128 },
  };
}
