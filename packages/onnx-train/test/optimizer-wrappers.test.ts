import { expect, it } from "vitest";
import {
  accumulate,
  adamW,
  compile,
  EMA,
  emaWeights,
  graph,
  mean,
  mul,
  type Optimizer,
  param,
  sgd,
  sub,
  sum,
  withEma,
} from "../src/index.ts";

/** n weights from 1, each drawn to 0.3 × the mean of x. */
const model = (n: number) =>
  graph("apart", { inputs: { x: ["batch"] }, params: { w: param([n], "ones") } }).model(({ x }, p) => {
    const d = sub(p.w, mul(mean(x), 0.3));
    return sum(mul(d, d));
  });

async function weightsAfter(n: number, optimizer: Optimizer, xs: readonly number[]) {
  await using trainer = await compile(model(n), {
    device: "cpu",
    threads: 1,
    dims: { batch: 2 },
    optimizer,
    clip: 0,
    stepsPerCall: 3,
  });
  for await (const _ of trainer.run(xs.map((x) => ({ x: [x, x] }))));
  return await trainer.state();
}

it.each([10, 70_000])("two batches of one step are the step of their mean: %i weights", async (n) => {
  const whole = await weightsAfter(n, adamW({ lr: 0.1 }), [1.5, 4]);
  const halves = await weightsAfter(n, accumulate(adamW({ lr: 0.1 }), 2), [1, 2, Number.NaN, 3, 5]);
  expect(halves.updates).toBe(4);
  expect(halves.weights[0]).toBeCloseTo(whole.weights[0]!, 6);
  expect(halves.weights[n - 1]).toBe(halves.weights[0]);
  expect(halves.moments.sum!.every((x) => x === 0)).toBe(true);
});

it.each([10, 70_000])("the moving average is that of the weights: %i weights", async (n) => {
  const xs = [1, 2, 3, 4, 5];
  const steps: number[] = [];
  for (let k = 1; k <= xs.length; k++)
    steps.push((await weightsAfter(10, sgd({ lr: 0.1 }), xs.slice(0, k))).weights[0]!);
  const { moments, weights, updates } = await weightsAfter(n, withEma(sgd({ lr: 0.1 }), 0.8), xs);
  expect(weights[0]).toBe(steps.at(-1));
  const average = steps.reduce((sum, w) => 0.8 * sum + 0.2 * w, 0) / (1 - 0.8 ** xs.length);
  expect(emaWeights(moments[EMA]!, 0.8, updates)[n - 1]).toBeCloseTo(average, 6);
});
