import { expect, it } from "vitest";
import { grad } from "../src/grad.ts";
import { attention, dense, embedding } from "../src/layers.ts";
import * as lik from "../src/likelihoods.ts";
import * as losses from "../src/losses.ts";
import * as el from "../src/ops-elementwise.ts";
import { layerNorm, logSoftmax, sum } from "../src/ops-reduce.ts";
import { concat, reshape } from "../src/ops-shape.ts";
import { productOfExperts } from "../src/product-of-experts.ts";
import { scanLayers } from "../src/scan-layers.ts";
import { geluTanh, lgamma, lgammaDelta, logAddExp, silu } from "../src/special.ts";
import { checkGradient, evaluate, type Fed, wiggle } from "./support/graphs.ts";

const t = (shape: number[], seed = 1, shift = 0): Fed => ({
  shape,
  values: wiggle(
    shape.reduce((a, b) => a * b, 1),
    seed,
  ).map((v) => v + shift),
});
const list = (...values: number[]): Fed => ({ shape: [values.length], values });
const whole = (shape: number[], values: number[]): Fed => ({ shape, values, dtype: "int64" });

it("activations and losses", async () => {
  for (const f of [el.gelu, geluTanh, silu]) await checkGradient(f, [t([6])]);
  await checkGradient((x, y) => losses.softmaxCrossEntropy(x, y), [t([3, 4]), whole([3], [0, 3, 1])]);
  await checkGradient(losses.meanSquaredError, [t([3, 4]), t([3, 4], 2)]);
  await checkGradient((x, y) => losses.huberLoss(x, y, 0.7), [t([3, 4]), t([3, 4], 2, 0.3)]);
  await checkGradient((x, y) => losses.cosineLoss(x, y), [t([3, 4]), t([3, 4], 2)]);
  await checkGradient(logAddExp, [t([6]), t([6], 2)]);
});

it("dense, embedding and attention with a mask", async () => {
  await checkGradient((x, w, b) => dense(x, { w, b }), [t([2, 3, 4]), t([4, 2], 2), t([2], 3)]);
  await checkGradient((w, i) => embedding(w, i), [t([4, 3]), whole([2, 2], [1, 1, 3, 0])]);
  const mask: Fed = { shape: [2, 3], values: [1, 1, 1, 1, 0, 1], dtype: "bool" };
  await checkGradient(
    (q, k, v, m) => attention(q, k, v, { heads: 2, mask: m }),
    [t([2, 3, 4]), t([2, 3, 4], 2), t([2, 3, 4], 3), mask],
  );
});

it("lgamma equals known values and its gradient is digamma", async () => {
  const x = [1e-6, 0.5, 1, 2, 3.5, 100, 1e6];
  // log Γ by mpmath, 20 digits.
  const known = [
    13.815509980749431, 0.5723649429247001, 0, 0, 1.2009736023470743, 359.1342053695754, 12815504.569147879,
  ];
  const [got] = await evaluate(lgamma, list(...x));
  for (const [i, v] of known.entries())
    expect(Math.abs((got![i] as number) - v) / Math.max(1, Math.abs(v)), `lgamma(${x[i]})`).toBeLessThan(
      1e-11,
    );
  await checkGradient(lgamma, [list(0.01, 0.5, 3, 1e3)], { floor: 1e-3 });
  await checkGradient(lgammaDelta, [list(0.01, 0.5, 3, 1e3), list(0.7, 3, 1e4, 2)], {
    floor: 1e-3,
  });
});

/** Wide steps in log space: a loss of 1e6 has only ten digits behind the point for the differences. */
const steps = { step: 4e-3, floor: 4 };

/** Every combination of x, mean and dispersion at the ends of what counts do. */
const xs: number[] = [];
const logMeans: number[] = [];
const logThetas: number[] = [];
// Never x itself: there the gradient by the mean is zero, and a relative difference means nothing.
for (const x of [0, 1, 37, 1e5])
  for (const mean of [1e-3, 2.5, 7e4])
    for (const theta of [1e-4, 1, 1e4]) {
      xs.push(x);
      logMeans.push(Math.log(mean));
      logThetas.push(Math.log(theta) || 1e-3);
    }

for (const [i, x] of xs.entries()) {
  it(`NB, ZINB and the mixture at x = ${x}, log μ = ${logMeans[i]!.toFixed(1)}, log θ = ${logThetas[i]!.toFixed(1)}`, async () => {
    const at: Fed[] = [list(logMeans[i]!), list(logThetas[i]!)];
    const data: Fed = { shape: [1], values: [x], dtype: "float32" };
    const count = (c: Parameters<typeof el.cast>[0]) => el.cast(c, "float64");
    await checkGradient(
      (m, d, c) => lik.nbLogLik(count(c), { logMean: m, logDispersion: d }),
      [...at, data],
      steps,
    );
    const cell = (c: Parameters<typeof el.cast>[0]) => reshape(c, [1, 1]);
    await checkGradient(
      (m, d, c) =>
        lik.nbSharesSum(count(cell(c)), {
          logits: el.mul(cell(m), 0),
          logLibrary: cell(m),
          logDispersion: d,
        }),
      [...at, data],
      steps,
    );
    await checkGradient(
      (m, d, gate, c) => lik.zinbLogLik(count(c), { logMean: m, logDispersion: d, gate }),
      [...at, list(0.4), data],
      steps,
    );
    await checkGradient(
      (m, d, gate, c) =>
        lik.nbMixtureLogLik(count(c), {
          logBackground: m,
          logForeground: el.add(m, 1.5),
          logDispersion: d,
          gate,
        }),
      [...at, list(-0.6), data],
      steps,
    );
  });
}

it("the NB gradient by log θ equals its closed form where differences see nothing", async () => {
  for (const [x, mu, theta] of [
    [0, 1e-3, 1e4],
    [1, 1e-3, 1e4],
    [37, 36, 1e4],
    [100_000, 7e4, 1e-4],
    [100_000, 7e4, 1e4],
  ] as const) {
    const [got] = await evaluate(
      (m, d, c) => grad(sum(lik.nbLogLik(c, { logMean: m, logDispersion: d })), [d])[0]!,
      list(Math.log(mu)),
      list(Math.log(theta)),
      list(x),
    );
    // ψ(x + θ) − ψ(θ) is a finite sum for a whole x.
    let digammas = 0;
    for (let i = x - 1; i >= 0; i--) digammas += 1 / (theta + i);
    const exact = theta * (digammas - Math.log1p(mu / theta) + (mu - x) / (mu + theta));
    const scale = Math.max(Math.abs(exact), theta * 1e-12);
    expect(Math.abs((got![0] as number) - exact) / scale, `x ${x} μ ${mu} θ ${theta}`).toBeLessThan(1e-5);
  }
});

it("sums over a row equal the sums of their elements, in float32 too", async () => {
  const rows = 3;
  const columns = 150;
  const data = wiggle(rows * columns, 4).map((v) => Math.max(0, Math.floor(6 * v)));
  const y = wiggle(rows * columns, 5).map((v) => 12 * v);
  const theta = wiggle(columns, 6);
  const fed = (values: number[], shape: number[]): Fed => ({ shape, values, dtype: "float32" });
  const shape = [rows, columns];
  const pairs = await evaluate(
    (x, m, d, l) =>
      concat(
        [
          lik.nbSharesSum(x, { logits: m, logLibrary: l, logDispersion: d }),
          sum(
            lik.nbLogLik(x, { logMean: el.add(logSoftmax(m), l), logDispersion: d, logChoose: 0 }),
            [-1],
            true,
          ),
          lik.bernoulliLogLikSum(el.minimum(x, 1), m),
          sum(lik.bernoulliLogLik(el.minimum(x, 1), m), [-1], true),
        ],
        -1,
      ),
    fed(data, shape),
    fed(y, shape),
    fed(theta, [columns]),
    fed([3, 6, 9], [rows, 1]),
  );
  const found = Array.from(pairs[0]!, Number);
  for (let i = 0; i < found.length; i += 2)
    expect(Math.abs(found[i]! / found[i + 1]! - 1), `${i}`).toBeLessThan(2e-6);
});

it("likelihoods, divergences and the product of experts", async () => {
  const l = list(-30, -1, 2, 25);
  const data: Fed = { ...list(0, 1, 1, 0), dtype: "float32" };
  await checkGradient((y, x) => lik.bernoulliLogLik(el.cast(x, "float64"), y), [l, data]);
  const logits: Fed = {
    shape: [2, 8],
    values: [-30, -7, -1, 0.3, 2, 9, 25, 0.01, 1, 2, 3, 4, -5, -6, -7, -8],
  };
  const found: Fed = {
    shape: [2, 8],
    values: [0, 1, 0, 1, 1, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 0],
    dtype: "float32",
  };
  await checkGradient((y, x) => lik.bernoulliLogLikSum(el.cast(x, "float64"), y), [logits, found]);
  await checkGradient(
    (logits, logLibrary, logDispersion, x) =>
      lik.nbSharesSum(el.cast(x, "float64"), { logits, logLibrary, logDispersion }),
    [t([2, 8]), t([2, 1], 3, 2), t([8], 2), found],
  );
  await checkGradient(
    (y) => lik.poissonLogLik(el.add(el.mul(el.stopGradient(y), 0), 3), y),
    [list(-5, 0.1, 4)],
  );
  await checkGradient(
    (x, mean, logVariance) => lik.gaussianLogLik(x, { mean, logVariance }),
    [t([4]), t([4], 2), t([4], 3)],
  );
  await checkGradient((mean, logVariance) => lik.gaussianKl({ mean, logVariance }), [t([4]), t([4], 2)]);
  await checkGradient(
    (a, b, c, d) => lik.gaussianKl({ mean: a, logVariance: b }, { mean: c, logVariance: d }),
    [t([4]), t([4], 2), t([4], 3), t([4], 4)],
  );
  const mask: Fed = { shape: [3, 1], values: [1, 0, 1], dtype: "float32" };
  await checkGradient(
    (a, b, c, d, m) => {
      const joint = productOfExperts([
        { mean: a, logVariance: b, mask: el.cast(m, "float64") },
        { mean: c, logVariance: d },
      ]);
      return concat([joint.mean, joint.logVariance], 1);
    },
    [t([3, 2]), t([3, 2], 2), t([3, 2], 3), t([3, 2], 4), mask],
  );
});

it("an absent expert full of NaN changes nothing, and no expert at all is the prior", async () => {
  const nan: Fed = { shape: [1, 2], values: [Number.NaN, Number.NaN] };
  const off: Fed = { shape: [1, 1], values: [0] };
  const [mean, logVariance] = await evaluate(
    (a, b, m) => {
      const joint = productOfExperts([{ mean: a, logVariance: b, mask: m }]);
      return [joint.mean, joint.logVariance];
    },
    nan,
    nan,
    off,
  );
  expect([...mean!, ...logVariance!].map(Number).map((v) => v + 0)).toEqual([0, 0, 0, 0]);
});

it("scanLayers: gradients of weights, input and shared tensors, checkpointed and not", async () => {
  for (const checkpoint of [true, false]) {
    await checkGradient(
      (x, w, b, s) =>
        scanLayers(
          (at, p, [shift]) => el.tanh(el.add(dense(at, p.d), el.mul(shift!, at))),
          { d: { w, b } },
          x,
          { checkpoint, shared: [s] },
        ),
      [t([2, 3]), t([4, 3, 3], 2), t([4, 3], 3), t([3], 4)],
    );
  }
});

it("a transformer block in scanLayers", async () => {
  await checkGradient(
    (x, a, b, q, w) =>
      scanLayers(
        (at, p) => {
          const n = layerNorm(at, p.a, p.b);
          const y = el.add(at, attention(dense(n, { w: p.q }), n, n, { heads: 2 }));
          return el.add(y, geluTanh(dense(y, { w: p.w })));
        },
        { a, b, q, w },
        x,
      ),
    [t([2, 3, 4]), t([2, 4], 2, 1.5), t([2, 4], 3), t([2, 4, 4], 4), t([2, 4, 4], 5)],
  );
});
