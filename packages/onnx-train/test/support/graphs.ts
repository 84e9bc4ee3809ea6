import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { expect } from "vitest";
import { constant } from "../../src/constants.ts";
import { type Data, type DType, toData } from "../../src/dtype.ts";
import { grad } from "../../src/grad.ts";
import { Graph, inGraph, type Tensor } from "../../src/graph.ts";
import { mul } from "../../src/ops-elementwise.ts";
import { sum } from "../../src/ops-reduce.ts";
import { encodeModel } from "../../src/proto.ts";
import { toModel } from "../../src/to-model.ts";

/** A value to feed. */
export interface Fed {
  shape: readonly number[];
  values: ArrayLike<number>;
  dtype?: DType;
}

/** Numbers from −1 to 1 that look random and are the same everywhere. */
export function wiggle(n: number, seed = 1): number[] {
  return Array.from({ length: n }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed) % 1);
}

export async function session(graph: Graph): Promise<InferenceSession> {
  return InferenceSession.create(encodeModel(toModel(graph)), { intraOpNumThreads: 1, logSeverityLevel: 3 });
}

export async function feed(
  s: InferenceSession,
  names: readonly string[],
  fed: readonly Fed[],
): Promise<Data[]> {
  const feeds = Object.fromEntries(
    fed.map((f, i) => {
      const dtype = f.dtype ?? "float64";
      return [names[i]!, new OrtTensor(dtype as "float64", toData(dtype, f.values) as never, f.shape)];
    }),
  );
  const out = await s.run(feeds);
  return s.outputNames.map((name) => out[name]!.data as Data);
}

/** What `build` computes from these values. */
export async function evaluate(
  build: (...inputs: Tensor[]) => Tensor | readonly Tensor[],
  ...fed: Fed[]
): Promise<Data[]> {
  const graph = new Graph("test");
  const inputs = fed.map((f, i) => graph.input(`in${i}`, f.dtype ?? "float64", f.shape));
  const made = inGraph(graph, () => build(...inputs));
  graph.output((Array.isArray(made) ? made : [made]) as Tensor[]);
  return feed(
    await session(graph),
    inputs.map((t) => t.name),
    fed,
  );
}

/**
 * Compares the gradient of Σ wᵢ·build(inputs)ᵢ by every floating input with four-point central differences, in float64.
 * The error is relative to the largest entry of that input's gradient; the step is `step` times the value, or `floor` where
 * that is larger.
 */
export async function checkGradient(
  build: (...inputs: Tensor[]) => Tensor,
  fed: readonly Fed[],
  { bound = 1e-5, step = 1e-3, floor = 1 } = {},
): Promise<number> {
  const graph = new Graph("check");
  const inputs = fed.map((f, i) => graph.input(`in${i}`, f.dtype ?? "float64", f.shape));
  const floats = inputs.filter((t) => t.dtype === "float64");
  inGraph(graph, () => {
    const out = build(...inputs);
    const size = out.shape.reduce<number>((n, d) => n * Number(d), 1);
    const weights = constant(
      wiggle(size, 7).map((v) => v + 1.3),
      out.shape as number[],
      "float64",
    );
    const loss = sum(mul(out, weights));
    graph.output([loss, ...grad(loss, floats)]);
  });
  const s = await session(graph);
  const names = inputs.map((t) => t.name);
  const [at0, ...analytic] = await feed(s, names, fed);
  let worst = 0;
  let at = 0;
  for (const [k, f] of fed.entries()) {
    if ((f.dtype ?? "float64") !== "float64") continue;
    const got = analytic[at++] as Float64Array;
    const numeric = new Float64Array(got.length);
    const noise = new Float64Array(got.length);
    for (let i = 0; i < got.length; i++) {
      const h = step * Math.max(Math.abs(f.values[i]!), floor);
      // What rounding of the loss alone does to the differences: they cannot see below it.
      noise[i] = (8 * Number.EPSILON * Math.max(1, Math.abs(at0![0] as number))) / h;
      const loss = async (d: number): Promise<number> => {
        const values = Float64Array.from(f.values);
        values[i] = values[i]! + d;
        const [l] = await feed(
          s,
          names,
          fed.map((x, j) => (j === k ? { ...x, values } : x)),
        );
        return l![0] as number;
      };
      numeric[i] =
        (8 * ((await loss(h)) - (await loss(-h))) - ((await loss(2 * h)) - (await loss(-2 * h)))) / (12 * h);
    }
    const scale = Math.max(...numeric.map(Math.abs), 1e-300);
    for (let i = 0; i < got.length; i++)
      worst = Math.max(worst, (Math.abs(got[i]! - numeric[i]!) - noise[i]!) / scale);
  }
  expect(worst, "relative difference from central differences").toBeLessThanOrEqual(bound);
  return worst;
}
