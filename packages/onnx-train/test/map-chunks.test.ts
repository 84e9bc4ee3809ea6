import { expect, it } from "vitest";
import {
  accumulate,
  adamW,
  compile,
  constant,
  emaWeights,
  graph,
  mapChunks,
  matmul,
  mean,
  mul,
  param,
  reshape,
  sgd,
  sum,
  tanh,
  withEma,
} from "../src/index.ts";

const x = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i));
const start = { values: Float32Array.from({ length: 9 }, (_, i) => Math.cos(i)) };

/** Σ tanh(x W)² / 8 over eight rows, at once or two rows at a time. */
function model(chunked: boolean, kept = false) {
  return graph("m", {
    inputs: { x: [8, 3] },
    params: { w: param([3, 3], start), s: param([8, 3], "ones") },
  }).model((inputs, p) => {
    const scaled = mul(inputs.x, p.s);
    if (!chunked) return mean(sum(mul(tanh(matmul(scaled, p.w)), tanh(matmul(scaled, p.w))), [1]));
    const [parts] = mapChunks(
      ([rows], [w], keep) => {
        const product = matmul(rows!, w!);
        const y = tanh(kept ? keep(product) : product);
        return [sum(mul(y, y))];
      },
      [reshape(scaled, [4, 2, 3])],
      [p.w],
    );
    return mul(sum(parts!), constant(1 / 8));
  });
}

const after = async (chunked: boolean, kept = false) => {
  await using trainer = await compile(model(chunked, kept), {
    optimizer: sgd({ lr: 1 }),
    device: "cpu",
    threads: 1,
    stepsPerCall: 1,
  });
  const losses: number[] = [];
  for await (const { loss } of trainer.run([{ x }, { x }])) losses.push(loss);
  return { losses, weights: (await trainer.state()).weights };
};

it("mapChunks gives the values and gradients of the whole, by slices and by what is shared", async () => {
  const [whole, chunked] = [await after(false), await after(true)];
  chunked.losses.forEach((loss, i) => {
    expect(loss).toBeCloseTo(whole.losses[i]!, 5);
  });
  chunked.weights.forEach((w, i) => {
    expect(w).toBeCloseTo(whole.weights[i]!, 5);
  });
});

it("what a chunk keeps is what it would compute again: the same bytes", async () => {
  const [again, kept] = [await after(true), await after(true, true)];
  expect(kept).toEqual(again);
});

it("accumulate: two batches make one update of their mean gradient", async () => {
  const trained = async (optimizer: ReturnType<typeof sgd>, batches: number) => {
    await using trainer = await compile(model(false), {
      optimizer,
      device: "cpu",
      threads: 1,
      stepsPerCall: 1,
    });
    const after: Float32Array[] = [];
    for await (const _ of trainer.run(Array.from({ length: batches }, () => ({ x }))))
      after.push((await trainer.state()).weights);
    return after;
  };
  const [one] = await trained(adamW({ lr: 0.1 }), 1);
  const [first, second] = await trained(accumulate(adamW({ lr: 0.1 }), 2), 2);
  expect(first).toEqual((await trained(adamW({ lr: 0 }), 1))[0]);
  second!.forEach((w, i) => {
    expect(w).toBeCloseTo(one![i]!, 5);
  });
});

it("withEma: the average of the weights after each update, without the bias of its start", async () => {
  await using trainer = await compile(model(false), {
    optimizer: withEma(sgd({ lr: 0.5 }), 0.9),
    device: "cpu",
    threads: 1,
    stepsPerCall: 1,
  });
  const seen: Float32Array[] = [];
  for await (const _ of trainer.run([{ x }, { x }, { x }])) seen.push((await trainer.state()).weights);
  const { moments, updates } = await trainer.state();
  const average = emaWeights(moments.ema!, 0.9, updates);
  const factors = [0.081, 0.09, 0.1].map((f) => f / (1 - 0.9 ** 3));
  average.forEach((w, i) => {
    expect(w).toBeCloseTo(
      factors[0]! * seen[0]![i]! + factors[1]! * seen[1]![i]! + factors[2]! * seen[2]![i]!,
      5,
    );
  });
});
