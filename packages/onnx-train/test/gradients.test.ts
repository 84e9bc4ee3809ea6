import { expect, it } from "vitest";
import { grad } from "../src/grad.ts";
import { Graph, inGraph, type Tensor } from "../src/graph.ts";
import { OPS } from "../src/op-table.ts";
import * as el from "../src/ops-elementwise.ts";
import * as index from "../src/ops-index.ts";
import { matmul } from "../src/ops-linear.ts";
import * as red from "../src/ops-reduce.ts";
import * as sh from "../src/ops-shape.ts";
import { checkGradient, evaluate, type Fed, wiggle } from "./support/graphs.ts";

const t = (shape: number[], seed = 1, shift = 0): Fed => ({
  shape,
  values: wiggle(
    shape.reduce((a, b) => a * b, 1),
    seed,
  ).map((v) => v + shift),
});
const positive = (shape: number[]): Fed => t(shape, 3, 1.5);
const whole = (shape: number[], values: number[]): Fed => ({ shape, values, dtype: "int64" });

/** Each differentiable operator of the table, under the name it has there. */
const cases: Record<string, [build: (...x: Tensor[]) => Tensor, ...fed: Fed[]]> = {
  Neg: [el.neg, t([2, 3])],
  Exp: [el.exp, t([2, 3])],
  Log: [el.log, positive([2, 3])],
  Sqrt: [el.sqrt, positive([2, 3])],
  Reciprocal: [el.reciprocal, positive([2, 3])],
  Abs: [el.abs, t([2, 3])],
  Sigmoid: [el.sigmoid, t([2, 3])],
  Tanh: [el.tanh, t([2, 3])],
  Relu: [el.relu, t([2, 3])],
  Softplus: [el.softplus, { shape: [4], values: [-30, -1, 0.5, 40] }],
  Erf: [el.erf, { shape: [5], values: [-3.5, -1, 0.1, 0.7, 2.5] }],
  Gelu: [el.gelu, { shape: [6], values: [-3.5, -1, 0, 0.1, 0.7, 2.5] }],
  Add: [el.add, t([2, 3]), t([3], 2)],
  Sub: [el.sub, t([2, 1]), t([1, 3], 2)],
  Mul: [el.mul, t([2, 3]), t([2, 1], 2)],
  Div: [el.div, t([3]), positive([2, 3])],
  Max: [el.maximum, t([2, 3]), t([3], 2)],
  Min: [el.minimum, t([2, 3]), t([3], 2)],
  Pow: [(x) => el.pow(x, 2.5), positive([4])],
  Where: [(x, y) => el.where(el.greater(x, 0), el.mul(x, x), y), t([2, 3]), t([3], 2)],
  Cast: [(x) => el.cast(el.cast(x, "float64"), "float64"), t([3])],
  ReduceSum: [(x) => red.sum(x, [0, 2]), t([2, 3, 2])],
  ReduceMean: [(x) => red.mean(x, [1], true), t([2, 3, 2])],
  ReduceMax: [(x) => red.max(x, [-1]), t([3, 4])],
  Softmax: [(x) => red.softmax(x, 1), t([2, 3, 2])],
  LogSoftmax: [(x) => red.logSoftmax(x), t([2, 4])],
  LayerNormalization: [(x, a, b) => red.layerNorm(x, a, b), t([2, 3, 4]), positive([4]), t([4], 5)],
  CumSum: [(x) => red.cumSum(el.mul(x, x), 1), t([2, 4])],
  Reshape: [(x) => el.exp(sh.reshape(x, [3, 2])), t([2, 3])],
  Transpose: [(x) => sh.transpose(el.mul(x, x), [1, 2, 0]), t([2, 3, 2])],
  Expand: [(x) => el.exp(sh.expand(x, [2, 3])), t([1, 3])],
  Concat: [(x, y) => el.exp(sh.concat([x, y, x], 1)), t([2, 1]), t([2, 2], 2)],
  Split: [
    (x) => {
      const [a, , c] = sh.split(x, [1, 2, 1], 1);
      return el.mul(a!, c!);
    },
    t([2, 4]),
  ],
  Slice: [(x) => el.exp(sh.slice(x, 1, 1, 2)), t([2, 4])],
  Pad: [(x) => el.exp(sh.pad(x, { axis: 0, before: 1, after: 2 })), t([2, 2])],
  Gather: [(x, i) => el.exp(index.gather(x, i)), t([4, 3]), whole([2, 3], [0, 3, 3, 1, 0, 0])],
  GatherElements: [(x, i) => index.gatherElements(el.exp(x), i), t([2, 3]), whole([2, 2], [2, 2, 0, 1])],
  TopK: [(x) => el.exp(index.topK(x, 2).values), t([3, 4])],
  MatMul: [matmul, t([2, 1, 2, 3]), t([2, 3, 2], 2)],
  Gemm: [(a, b) => matmul(el.exp(a), b), t([2, 3]), t([3, 4], 2)],
};

/** Without a gradient by nature. */
const none = [
  "Sign",
  "Floor",
  "Not",
  "StopGradient",
  "Greater",
  "GreaterOrEqual",
  "Less",
  "LessOrEqual",
  "Equal",
  "And",
  "Or",
  "OneHot",
];

it("every operator of the table has a case", () => {
  expect([...Object.keys(cases), ...none].sort()).toEqual(Object.keys(OPS).sort());
});

for (const [name, [build, ...fed]] of Object.entries(cases)) {
  it(`${name}: gradient against central differences`, async () => {
    await checkGradient(build, fed);
  });
}

it("second derivatives: a gradient is made of operators that have gradients", async () => {
  await checkGradient((x) => grad(red.sum(el.tanh(el.mul(x, x))), [x])[0]!, [t([4])]);
});

it("logSumExp of float32 loses nothing to elements that are as good as not there", async () => {
  const x: Fed = { shape: [2, 3], values: [-1e9, 0.25, -1e9, 1, 2, -1e4], dtype: "float32" };
  const [got] = await evaluate((t) => red.logSumExp(t, 1), x);
  expect(got![0]).toBeCloseTo(0.25, 6);
  expect(got![1]).toBeCloseTo(Math.log(Math.exp(1) + Math.exp(2)), 6);
});

it("transposed products, logSumExp, variance and small tables", async () => {
  await checkGradient((a, b) => matmul(sh.transpose(a), sh.transpose(b)), [t([3, 2]), t([4, 3], 2)]);
  await checkGradient((a, b) => matmul(a, b), [t([2, 3, 4]), t([4, 2], 2)]);
  await checkGradient((x) => red.logSumExp(x, 1), [t([2, 4])]);
  await checkGradient((x) => red.variance(x, [1]), [t([2, 4])]);
  await checkGradient((x, i) => index.lookup(x, i, matmul), [t([4, 3]), whole([2, 3], [0, 3, 3, 1, 0, 0])]);
});

it("stopGradient ends the way; an operator without a gradient is refused by name", async () => {
  const [g] = await evaluate((x) => grad(red.sum(el.mul(x, el.stopGradient(x))), [x])[0]!, t([2], 1, 3));
  expect([...g!]).toEqual(wiggle(2).map((v) => v + 3));
  const graph = new Graph("one");
  const x = graph.input("x", "int64", [2]);
  const w = graph.input("w", "float32", [2, 3]);
  inGraph(graph, () => {
    const table = index.gather(w, x, 0);
    expect(() => grad(red.sum(index.gather(sh.transpose(table), x, 1)), [w])).toThrow(/axis 0 only/);
    const hot = el.cast(el.cast(w, "int64"), "float32");
    expect(grad(red.sum(hot), [w])[0]!.shape).toEqual([2, 3]);
  });
});
