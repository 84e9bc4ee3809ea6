// Gradients of fusions and heads, as training takes them, beside central differences along random directions.
import { add, compile, graph, mean, mul, param, reshape, sgd, sum, type Tensor } from "@x/onnx-train";
import { expect, it } from "vitest";
import type { HeadsConfig } from "../src/config.ts";
import { average, jeffreys, mixture, mixtureLogRatio, type Posterior } from "../src/fusion.ts";
import { headParams, headTerms } from "../src/heads.ts";
import type { NetworkPlan } from "../src/plan.ts";

const CELLS = 12;
const LATENT = 3;
const wiggle = (n: number, seed: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed));

type Params = Readonly<Record<string, Tensor>>;
type Loss = (x: Readonly<Record<string, Tensor>>, p: Params) => Tensor;

/**
 * The step of gradient descent at rate 1 is the gradient. `turn` may take from a direction what must not be looked at;
 * `sign` is −1 where a gradient is reversed on purpose. Returns the largest difference, relative to the gradient.
 */
async function check(
  made: { inputs: Record<string, [string, number]>; params: object; loss: Loss },
  feed: Record<string, Float32Array>,
  { turn = (v: Float32Array, _offset: number) => v, sign = 1 } = {},
): Promise<number> {
  const model = graph("gradient", { inputs: made.inputs, params: made.params as never }).model(
    (x, p) => made.loss(x as never, p as never) as never,
  );
  await using trainer = await compile(model, {
    device: "cpu",
    threads: 1,
    dims: { cells: CELLS },
    optimizer: sgd({ lr: 1 }),
    clip: 0,
    stepsPerCall: 1,
  });
  const start = Float32Array.from(await trainer.trainedWeights());
  const at = async (weights: Float32Array): Promise<number> => {
    await trainer.restoreWeights(weights);
    for await (const step of trainer.run([feed])) return step.loss;
    return Number.NaN;
  };
  const offset = trainer.plan.trained.places.find(({ name }) => name === "z")?.offset ?? 0;
  await at(start);
  const after = await trainer.trainedWeights();
  const gradient = start.map((v, i) => v - after[i]!);
  const size = Math.hypot(...gradient);
  expect(size).toBeGreaterThan(1e-4);
  let worst = 0;
  for (let seed = 3; seed < 8; seed++) {
    const raw = turn(wiggle(start.length, seed), offset);
    const length = Math.hypot(...raw);
    const v = raw.map((x) => x / length);
    const h = 0.03;
    const [up, down, up2, down2] = [h, -h, 2 * h, -2 * h].map((d) => start.map((w, i) => w + d * v[i]!));
    const near = (await at(up!)) - (await at(down!));
    const far = (await at(up2!)) - (await at(down2!));
    const numeric = (8 * near - far) / (12 * h);
    const analytic = gradient.reduce((s, g, i) => s + g * v[i]!, 0);
    worst = Math.max(worst, Math.abs(sign * analytic - numeric) / size);
  }
  return worst;
}

/** Two modalities; some cells lack one, none lacks both. */
const masks = {
  a: Float32Array.from({ length: CELLS }, (_, i) => (i % 3 === 0 ? 0 : 1)),
  b: Float32Array.from({ length: CELLS }, (_, i) => (i % 4 === 1 ? 0 : 1)),
};
const choice = Float32Array.from({ length: CELLS * 2 }, (_, i) => {
  const cell = i >> 1;
  const second = masks.a[cell] === 0 || (masks.b[cell] === 1 && cell % 2 === 0);
  return (i % 2 === 1) === second ? 1 : 0;
});
const posteriorsOf = (x: Readonly<Record<string, Tensor>>, p: Params): Posterior[] =>
  ["a", "b"].map((m) => ({
    mean: p[`mean_${m}`]!,
    logVariance: p[`log_${m}`]!,
    mask: x[`mask_${m}`]!,
    weight: 1,
  }));
const weighted = (t: Tensor, w: Tensor): Tensor => sum(mul(t, w));

it.each<[string, Loss]>([
  [
    "Jeffreys divergence",
    (x, p) => {
      const [a, b] = posteriorsOf(x, p);
      return mean(jeffreys(a!, b!));
    },
  ],
  [
    "mixture: what is drawn from, and what is read out",
    (x, p) => {
      const { chosen, whole } = mixture(posteriorsOf(x, p), x.choice!);
      return [chosen.mean, chosen.logVariance, whole.mean, whole.logVariance]
        .map((t) => weighted(t, x.weights!))
        .reduce((s, t) => add(s, t));
    },
  ],
  ["mixture: log ratio", (x, p) => mean(mixtureLogRatio(posteriorsOf(x, p), mul(x.weights!, 0.7)))],
  [
    "average",
    (x, p) => {
      const q = average(posteriorsOf(x, p), reshape(p.logits!, [2]));
      return add(weighted(q.mean, x.weights!), weighted(q.logVariance, x.weights!));
    },
  ],
])("%s", async (name, loss) => {
  const values = (seed: number): { values: Float32Array } => ({ values: wiggle(CELLS * LATENT, seed) });
  const params = {
    mean_a: param([CELLS, LATENT], values(1)),
    log_a: param([CELLS, LATENT], values(2)),
    mean_b: param([CELLS, LATENT], values(3)),
    log_b: param([CELLS, LATENT], values(4)),
    ...(name === "average" && { logits: param([2], { values: Float32Array.of(0.3, -0.4) }) }),
  };
  const inputs: Record<string, [string, number]> = {
    mask_a: ["cells", 1],
    mask_b: ["cells", 1],
    choice: ["cells", 2],
    weights: ["cells", LATENT],
  };
  const feed = { mask_a: masks.a, mask_b: masks.b, choice, weights: wiggle(CELLS * LATENT, 9) };
  expect(await check({ inputs, params, loss }, feed)).toBeLessThan(2e-3);
});

const start = wiggle(CELLS * LATENT, 1).map((v, i) => v + (Math.floor(i / LATENT) % 2 ? 0.8 : 0));
const groups = Float32Array.from({ length: CELLS * 2 }, (_, i) => ((i >> 1) % 2 === i % 2 ? 1 : 0));

/**
 * Costs are relative to their mean, whose gradient is left out: directions along which the mean stays are looked at. It is
 * twice the variance of the cells, so its gradient is along the cells' distance from their centre.
 */
function keepSpread(v: Float32Array): Float32Array {
  const centre = Float64Array.from({ length: LATENT }, (_, d) =>
    start.reduce((s, x, i) => s + (i % LATENT === d ? x / CELLS : 0), 0),
  );
  const away = start.map((x, i) => x - centre[i % LATENT]!);
  const share = v.reduce((s, x, i) => s + x * away[i]!, 0) / away.reduce((s, x) => s + x * x, 0);
  return v.map((x, i) => x - share * away[i]!);
}

it.each<[HeadsConfig, { relative?: boolean; sign?: number }]>([
  [{ mmd: {} }, { relative: true }],
  [{ coral: {} }, {}],
  [{ sinkhorn: { epsilon: 0.5 } }, { relative: true }],
  [{ gw: { epsilon: 0.5 } }, { relative: true }],
  [{ adversarial: {} }, { sign: -1 }],
  [{ laplacian: { k: 11 } }, { relative: true }],
  [{ temporal: {} }, {}],
  [{ bridge: {} }, {}],
])("head %j", async (heads, { relative = false, sign = 1 }) => {
  const plan = { latent: LATENT, groups: 2, heads } as unknown as NetworkPlan;
  // The classifier and the line through time stand still: the embedding is what moves.
  const fixed = headParams(plan);
  const inputs: Record<string, [string, number]> = {
    group: ["cells", 2],
    time: ["cells", 2],
    partner: ["cells", LATENT],
    paired: ["cells", 1],
  };
  const loss: Loss = (x, p) => Object.values(headTerms(plan, { z: p.z!, x, p: p.heads as never }))[0]!;
  const feed = {
    group: groups,
    time: wiggle(CELLS * 2, 4).map((v, i) => (i % 2 ? 1 : v)),
    partner: wiggle(CELLS * LATENT, 5),
    paired: Float32Array.from({ length: CELLS }, (_, i) => i % 2),
  };
  const params = { z: param([CELLS, LATENT], { values: start }), ...fixed };
  const turn = (v: Float32Array, offset: number): Float32Array => {
    const turned = new Float32Array(v.length);
    const part = v.slice(offset, offset + start.length);
    turned.set(relative ? keepSpread(part) : part, offset);
    return turned;
  };
  expect(await check({ inputs, params, loss }, feed, { turn, sign })).toBeLessThan(2e-3);
});
