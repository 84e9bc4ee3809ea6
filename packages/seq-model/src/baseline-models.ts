import type { FeatureTable } from "./feature-table.ts";
import {
  denseTable,
  fitDistanceRidge,
  fitForest,
  fitRidge,
  type NativeOptions,
  type NativeTable,
  type NativeTask,
} from "./native.ts";
import type { Tree } from "./read-newick.ts";
import { unifrac } from "./unifrac.ts";

/** The models by name. */
export type BaselineModel =
  | "random-forest"
  | "extra-trees"
  | "ridge-clr"
  | "ridge-hellinger"
  | "unifrac-generalized"
  | "unifrac-unweighted";

/** What all models are fitted to. */
export interface BaselineInput {
  readonly table: FeatureTable;
  readonly train: Uint32Array;
  readonly test: Uint32Array;
  readonly y: Float64Array;
  readonly classes: number;
  readonly trees: number;
  readonly seed: number;
  readonly tree: Tree | undefined;
  readonly native: NativeOptions;
  readonly memoryLimit: number | undefined;
}

/** What a model said of the test samples. */
export interface Prediction {
  readonly model: BaselineModel | "mean" | "majority";
  readonly about: string;
  readonly predictions: Float64Array;
}

/** A model that has not run yet. */
interface Runnable {
  readonly model: BaselineModel;
  readonly about: string;
  predict(): Promise<Float64Array>;
}

/** Penalties tried, times the kernel's mean eigenvalue. */
const SCALES = Float64Array.from({ length: 29 }, (_, k) => 10 ** (k / 4 - 5));

/** Pseudocount of the centred logarithms: half a count, as in the analyses these models are compared with. */
const PSEUDOCOUNT = 0.5;

/** The models that can run on this input. */
export function baselineModels(input: BaselineInput): Runnable[] {
  const { table, trees, seed, classes, native } = input;
  const dense = new Map<string, NativeTable>();
  const columns = (kind: string): NativeTable => {
    const made = dense.get(kind) ?? denseTable(table, kind, PSEUDOCOUNT);
    dense.set(kind, made);
    return made;
  };
  const p = table.featureIds.length;
  const task: NativeTask = { train: input.train, test: input.test, y: input.y };
  const forest = async (kind: string, features: number, extra: boolean): Promise<Float64Array> => {
    const options = { trees, features, minLeaf: 1, bootstrap: !extra, randomThresholds: extra, seed };
    const stage = extra ? "extra trees" : "random forest";
    const found = await fitForest(columns(kind), task, classes, options, { ...native, stage });
    return largest(found.predictions, classes);
  };
  const linear: NativeTask = { ...task, y: oneHot(input.y, classes) };
  const ridge = async (kind: string): Promise<Float64Array> => {
    const found = await fitRidge(columns(kind), linear, SCALES, { ...native, stage: `ridge ${kind}` });
    return largest(found.predictions, classes);
  };
  const kernel = async (metric: "generalized" | "unweighted"): Promise<Float64Array> => {
    const { signal, threads, onProgress } = native;
    const shared = { threads, ...(signal ? { signal } : {}), ...(onProgress ? { onProgress } : {}) };
    const limit = input.memoryLimit === undefined ? {} : { memoryLimit: input.memoryLimit };
    using d = await unifrac(table, input.tree!, { metric, ...shared, ...limit });
    const found = await fitDistanceRidge(d.native, linear, SCALES, { ...native, stage: `ridge ${metric}` });
    return largest(found.predictions, classes);
  };
  const models: Runnable[] = [
    {
      model: "random-forest",
      about: `${trees} trees on relative abundances, √features a split`,
      predict: () => forest("relative", Math.floor(Math.sqrt(p)), false),
    },
    {
      model: "extra-trees",
      about: `${trees} extremely randomised trees on CLR, a third of the features a split`,
      predict: () => forest("clr", Math.floor(p / 3), true),
    },
    { model: "ridge-clr", about: "ridge regression on CLR", predict: () => ridge("clr") },
    { model: "ridge-hellinger", about: "ridge regression on Hellinger", predict: () => ridge("hellinger") },
  ];
  if (!input.tree) return models;
  return [
    ...models,
    {
      model: "unifrac-generalized",
      about: "kernel ridge regression on generalised UniFrac, α = 0.5",
      predict: () => kernel("generalized"),
    },
    {
      model: "unifrac-unweighted",
      about: "kernel ridge regression on unweighted UniFrac",
      predict: () => kernel("unweighted"),
    },
  ];
}

/** Classes as columns of 0 and 1, one sample's after another's; numbers as they are. */
function oneHot(y: Float64Array, classes: number): Float64Array {
  if (classes === 0) return y;
  const columns = new Float64Array(y.length * classes);
  y.forEach((c, i) => {
    columns[i * classes + c] = 1;
  });
  return columns;
}

/** The class with the largest number, the first of equal ones; numbers as they are. */
function largest(values: Float64Array, classes: number): Float64Array {
  if (classes === 0) return values;
  return Float64Array.from({ length: values.length / classes }, (_, i) => {
    const row = values.subarray(i * classes, (i + 1) * classes);
    return row.indexOf(Math.max(...row));
  });
}
