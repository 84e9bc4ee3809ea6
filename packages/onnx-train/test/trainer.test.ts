import { expect, it } from "vitest";
import {
  adamW,
  type Batch,
  type CompileOptions,
  compile,
  graph,
  type Model,
  mean,
  mul,
  param,
  type Step,
  sgd,
  shuffledRows,
  sub,
  sum,
} from "../src/index.ts";
import { mlp, mlpBatch, mlpBatches, transformer, vae, vaeBatches } from "./support/models.ts";

const cpu = { device: "cpu", threads: 1, dims: { batch: 8 } } as const;

async function train(
  model: Model,
  batches: Iterable<Batch>,
  options: CompileOptions = {},
): Promise<{ steps: Step[]; weights: Buffer }> {
  await using trainer = await compile(model, { ...cpu, ...options });
  const steps: Step[] = [];
  for await (const step of trainer.run(batches)) steps.push(step);
  const { weights, moments } = await trainer.state();
  const all = [weights, ...Object.values(moments)].map((v) =>
    Buffer.from(v.buffer, v.byteOffset, v.byteLength),
  );
  return { steps, weights: Buffer.concat(all) };
}

it("a network learns one batch by heart", async () => {
  const one = Array.from({ length: 300 }, () => mlpBatch(0));
  const { steps } = await train(mlp(), one, { optimizer: adamW({ lr: 0.02 }), stepsPerCall: 50 });
  expect(steps.length).toBe(300);
  expect(steps[0]!.loss).toBeGreaterThan(0.5);
  expect(steps.at(-1)!.loss).toBeLessThan(0.01);
});

it("so does a tiny transformer with checkpointed layers", async () => {
  const tokens = Array.from({ length: 40 }, (_, i) => (i * 5 + (i % 3)) % 7);
  const one = Array.from({ length: 200 }, () => ({ tokens }));
  const { steps } = await train(transformer(), one, {
    optimizer: adamW({ lr: 0.01 }),
    stepsPerCall: 20,
    clip: 1,
  });
  expect(steps[0]!.loss).toBeGreaterThan(1);
  expect(steps.at(-1)!.loss).toBeLessThan(0.02);
});

it("K steps in one call are K calls of one step, byte for byte", async () => {
  const options = { schedules: { beta: (step: number) => step / 20 }, seed: 5 };
  const single = await train(vae(), vaeBatches(0, 20), { ...options, stepsPerCall: 1 });
  for (const stepsPerCall of [7, 20]) {
    const many = await train(vae(), vaeBatches(0, 20), { ...options, stepsPerCall });
    expect(many.weights.equals(single.weights)).toBe(true);
    expect(many.steps.map((s) => s.loss)).toEqual(single.steps.map((s) => s.loss));
  }
});

it("one thread or two, twice the same: the same bytes; another seed: others", async () => {
  const options = { schedules: { beta: 0.5 }, seed: 5 };
  const a = await train(vae(), vaeBatches(0, 20), options);
  expect((await train(vae(), vaeBatches(0, 20), options)).weights.equals(a.weights)).toBe(true);
  expect((await train(vae(), vaeBatches(0, 20), { ...options, threads: 2 })).weights.equals(a.weights)).toBe(
    true,
  );
  expect((await train(vae(), vaeBatches(0, 20), { ...options, seed: 6 })).weights.equals(a.weights)).toBe(
    false,
  );
  const big = { dims: { batch: 512 } };
  const batches = (): Batch[] => [0, 1, 2].map((step) => mlpBatch(step, 512));
  const one = await train(mlp(512), batches(), { ...big, threads: 1 });
  expect((await train(mlp(512), batches(), { ...big, threads: 2 })).weights.equals(one.weights)).toBe(true);
});

it("parts, gradient norm and clipping", async () => {
  const { steps } = await train(vae(), vaeBatches(0, 3), {
    schedules: { beta: 0.5 },
    optimizer: sgd({ lr: 0 }),
  });
  for (const { loss, parts } of steps) expect(loss).toBeCloseTo(parts.rebuilt! + 0.5 * parts.kl!, 5);
  const free = await train(mlp(), mlpBatches(0, 1), { optimizer: sgd({ lr: 1 }) });
  const start = await train(mlp(), [], {});
  const clipped = await train(mlp(), mlpBatches(0, 1), { optimizer: sgd({ lr: 1 }), clip: 0.01 });
  const length = (a: Buffer, b: Buffer): number => {
    const [x, y] = [a, b].map((v) => new Float32Array(v.buffer, v.byteOffset, v.length / 4));
    return Math.hypot(...y!.map((w, i) => w - x![i]!));
  };
  const n = free.weights.length;
  expect(length(start.weights.subarray(0, n), free.weights)).toBeCloseTo(free.steps[0]!.gradientNorm, 4);
  expect(length(start.weights.subarray(0, n), clipped.weights)).toBeCloseTo(0.01, 5);
});

it("AdamW takes the steps of its formulas", async () => {
  const lr = 0.01;
  await using trainer = await compile(mlp(), { ...cpu, optimizer: adamW({ lr }), stepsPerCall: 1 });
  const before = await trainer.state();
  for await (const _ of trainer.run([mlpBatch(0)]));
  const first = await trainer.state();
  const decayed = trainer.plan.trained.decayed;
  for (let i = 0; i < before.weights.length; i++) {
    const g = first.moments.first![i]!;
    const pull = i < decayed ? 0.01 * before.weights[i]! : 0;
    // The first step has the length of the rate, whatever the gradient's.
    expect(first.weights[i]!).toBeCloseTo(before.weights[i]! - lr * (g / (Math.abs(g) + 1e-8) + pull), 5);
  }
});

it("frozen weights stay, the others move", async () => {
  await using trainer = await compile(mlp(), { ...cpu, freeze: (path) => path.startsWith("h/") });
  const before = await trainer.weights();
  for await (const _ of trainer.run(mlpBatches(0, 5)));
  const after = await trainer.weights();
  expect(after["h/w"]).toEqual(before["h/w"]);
  expect(after["out/w"]).not.toEqual(before["out/w"]);
});

it("a step that is not finite is left out, counted, and its part is named", async () => {
  await using trainer = await compile(vae(), { ...cpu, schedules: { beta: 1 }, stepsPerCall: 3 });
  const steps: Step[] = [];
  const bad = { x: new Float32Array(48).fill(1e30) };
  const good = [...vaeBatches(0, 2)];
  for await (const step of trainer.run([good[0]!, bad, good[1]!])) steps.push(step);
  expect(steps.map((s) => s.applied)).toEqual([true, false, true]);
  expect(steps[1]!.notFinite).toContain("rebuilt");
  expect(trainer.skipped).toBe(1);
  expect((await trainer.state()).updates).toBe(2);
  expect((await trainer.state()).weights.every(Number.isFinite)).toBe(true);
});

it("many weights are updated in blocks, to the same bytes as few", async () => {
  // Each weight has a loss of its own, so the first ten do the same in both models.
  const model = (n: number) =>
    graph("apart", { inputs: { x: ["batch"] }, params: { w: param([n, 1], "ones") } }).model(({ x }, p) => {
      const d = sub(p.w, mul(mean(x), 0.3));
      return sum(mul(d, d));
    });
  const found = [];
  for (const n of [10, 70_000, 200_000]) {
    await using trainer = await compile(model(n), {
      ...cpu,
      dims: { batch: 2 },
      optimizer: adamW({ lr: 0.01, weightDecay: 0.1 }),
      stepsPerCall: 3,
    });
    expect(trainer.size).toBe(n);
    const applied = [];
    const batches = [1, 2, Number.NaN, 3, 4].map((v) => ({ x: [v, 2 * v] }));
    for await (const step of trainer.run(batches)) applied.push(step.applied);
    expect(applied).toEqual([true, true, false, true, true]);
    const { weights, moments } = await trainer.state();
    found.push([weights, moments.first!, moments.second!].map((v) => v.slice(0, 10)));
    expect(weights[n - 1]).toBe(weights[0]);
    // One long tensor is cut evenly; what is left of others is filled up with zeros.
    expect(Array.from(weights.subarray(n)).every((w) => w === 0)).toBe(true);
  }
  expect(found.slice(1)).toEqual([found[0], found[0]]);
});

it("compressed rows are the matrix they stand for, in training and evaluation", async () => {
  const dense = [
    0, 2, 0, 0, 1, 0, 0, 3, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 1, 0,
  ];
  const indptr = [0];
  const indices: number[] = [];
  const values: number[] = [];
  dense.forEach((v, i) => {
    if (v !== 0) {
      indices.push(i % 4);
      values.push(v);
    }
    if (i % 4 === 3) indptr.push(values.length);
  });
  const sparse = {
    columns: 4,
    indptr: Int32Array.from(indptr),
    indices: Int32Array.from(indices),
    values: Float32Array.from(values),
  };
  const y = [0, 1, 2, 0, 1, 2, 0, 1];
  const trained = async (...xs: Batch[string][]): Promise<Buffer> =>
    (
      await train(
        mlp(),
        xs.map((x) => ({ x, y })),
        { stepsPerCall: 2 },
      )
    ).weights;
  const expected = await trained(dense, dense, dense);
  expect((await trained(sparse, sparse, sparse)).equals(expected)).toBe(true);
  expect((await trained(dense, sparse, sparse)).equals(expected)).toBe(true);
  await using trainer = await compile(mlp(), cpu);
  expect(await trainer.evaluate({ x: sparse, y })).toEqual(await trainer.evaluate({ x: dense, y }));
  await expect(trainer.evaluate({ x: { ...sparse, columns: 5 }, y })).rejects.toMatchObject({
    code: "BATCH_SHAPE",
  });
});

it("data that stays in the session gives the same training as batches that are fed", async () => {
  const rows = 40;
  const all = mlpBatch(3, rows);
  const x = Float32Array.from(all.x as number[]);
  const y = BigInt64Array.from(all.y as number[], BigInt);
  const order = [...shuffledRows(rows, 8, { seed: 2, steps: 12 })];
  const fed = order.map((r) => ({
    x: [...r].flatMap((i) => [...x.subarray(4 * i, 4 * i + 4)]),
    y: [...r].map((i) => Number(y[i])),
  }));
  const resident = { x: { shape: [rows, 4], data: x }, y: { shape: [rows], data: y } };
  const a = await train(mlp(), fed, { stepsPerCall: 5 });
  const b = await train(
    mlp(),
    order.map((r) => ({ rows: r })),
    { stepsPerCall: 5, resident },
  );
  expect(b.weights.equals(a.weights)).toBe(true);
  expect([...shuffledRows(rows, 8, { seed: 2, from: 7, steps: 5 })]).toEqual(order.slice(7));
});

it("float16 products train, with a loss scale; bfloat16 on the CPU is refused with its reason", async () => {
  const one = Array.from({ length: 100 }, () => mlpBatch(0));
  await using trainer = await compile(mlp(), {
    ...cpu,
    precision: "float16",
    optimizer: adamW({ lr: 0.02 }),
  });
  expect(trainer.precision.used).toBe("float16");
  let last: Step | undefined;
  for await (const step of trainer.run(one)) last = step;
  expect(last!.loss).toBeLessThan(0.2);
  expect(last!.lossScale).toBeGreaterThanOrEqual(1);
  await using other = await compile(mlp(), { ...cpu, precision: "bfloat16" });
  expect(other.precision).toMatchObject({ used: "float32", asked: "bfloat16" });
  expect(other.precision.why).toMatch(/bfloat16/);
});

it("evaluates batches of any size", async () => {
  await using trainer = await compile(mlp(), cpu);
  for (const n of [1, 5, 33]) {
    const { loss, outputs } = await trainer.evaluate(mlpBatch(0, n));
    expect(loss).toBeGreaterThan(0);
    expect(outputs.logits!.shape).toEqual([n, 3]);
  }
});

it("an abort is answered at once, the call under way counts, and training goes on", {
  retry: 3,
}, async () => {
  const hidden = 2048;
  await using trainer = await compile(mlp(hidden), { ...cpu, dims: { batch: 512 }, stepsPerCall: 60 });
  const controller = new AbortController();
  const batch = mlpBatch(0, 512);
  const batches = Array.from({ length: 600 }, () => batch);
  setTimeout(() => controller.abort(), 300);
  let aborted = 0;
  controller.signal.addEventListener("abort", () => {
    aborted = performance.now();
  });
  const run = (async () => {
    for await (const _ of trainer.run(batches, { signal: controller.signal }));
  })();
  await expect(run).rejects.toMatchObject({ name: "AbortError" });
  expect(performance.now() - aborted).toBeLessThan(2000);
  const { step } = await trainer.state();
  expect(step).toBeGreaterThan(0);
  expect(step % 60).toBe(0);
  const more: number[] = [];
  for await (const s of trainer.run([batch])) more.push(s.step);
  expect(more).toEqual([step]);
});

it("mistakes are named before onnxruntime sees them", async () => {
  await expect(compile(mlp(), { ...cpu, dims: {} })).rejects.toMatchObject({ code: "GRAPH_SHAPE" });
  await expect(compile(mlp(), { ...cpu, stepPerCall: 3 } as never)).rejects.toMatchObject({
    code: "UNKNOWN_OPTION",
  });
  await expect(compile(vae(), cpu)).rejects.toMatchObject({ code: "UNKNOWN_OPTION" });
  await using trainer = await compile(mlp(), cpu);
  const run = async (batch: Batch): Promise<void> => {
    for await (const _ of trainer.run([batch]));
  };
  await expect(run({ x: [1, 2], y: [0] })).rejects.toMatchObject({ code: "BATCH_SHAPE" });
  await expect(run({ y: mlpBatch(0).y! })).rejects.toMatchObject({ code: "BATCH_SHAPE" });
  await run(mlpBatch(0));
  expect(trainer.step).toBe(1);
});

it("memory given back between operators changes no number", async () => {
  const fast = await train(mlp(), mlpBatches(0, 5));
  const low = await train(mlp(), mlpBatches(0, 5), { memory: "low" });
  expect(low.weights.equals(fast.weights)).toBe(true);
});

it("two trainers share the worker without mixing their weights", async () => {
  await using a = await compile(mlp(), { ...cpu, seed: 1 });
  await using b = await compile(mlp(), { ...cpu, seed: 2 });
  const run = async (t: typeof a): Promise<void> => {
    for await (const _ of t.run(mlpBatches(0, 12)));
  };
  await Promise.all([run(a), run(b)]);
  const alone = await train(mlp(), mlpBatches(0, 12), { seed: 2 });
  const { weights } = await b.state();
  const bytes = Buffer.from(weights.buffer, weights.byteOffset, weights.byteLength);
  expect(alone.weights.subarray(0, bytes.length).equals(bytes)).toBe(true);
});

it("a closed trainer says so", async () => {
  const trainer = await compile(mlp(), cpu);
  await trainer[Symbol.asyncDispose]();
  await trainer[Symbol.asyncDispose]();
  await expect(trainer.state()).rejects.toMatchObject({ code: "TRAINER_CLOSED" });
});
