/** The graphs a trainer runs: K steps of forward, backward and update as one `Scan`, and one evaluation. */

import { constant } from "./constants.ts";
import type { Data, DType } from "./dtype.ts";
import { trainError } from "./errors.ts";
import { grad } from "./grad.ts";
import { currentGraph, emit, Graph, inGraph, type Precision, scope, type Tensor } from "./graph.ts";
import { bind, type Model, type ModelResult, type StepContext } from "./model.ts";
import {
  abs,
  add,
  and,
  cast,
  div,
  greaterOrEqual,
  less,
  minimum,
  mul,
  sqrt,
  where,
} from "./ops-elementwise.ts";
import { gather } from "./ops-index.ts";
import { concat, reshape, split } from "./ops-shape.ts";
import type { Optimizer, UpdateScalars } from "./optimizer.ts";
import { type Layout, layout, type ParamSpec, type Piece } from "./params.ts";
import { flatten, type Tree, unflatten } from "./tree.ts";

/** Noise that TypeScript draws for each step. */
export interface NoiseInput {
  readonly input: string;
  readonly kind: "normal" | "uniform";
  readonly shape: readonly number[];
}

/** What must be fed, by name in the graph. */
export interface TrainGraph {
  readonly graph: Graph;
  /** Model inputs: fed as [K, …]. */
  readonly inputs: readonly {
    readonly name: string;
    readonly dtype: DType;
    readonly shape: readonly number[];
  }[];
  readonly noise: readonly NoiseInput[];
  /** Schedules: fed as [K]. */
  readonly schedules: readonly string[];
  /** Names of the loss parts, in the order of the outputs after loss, norm, ok and scale. */
  readonly parts: readonly string[];
}

/** What a train graph is built from. */
export interface TrainSpec {
  readonly model: Model;
  readonly dims: Readonly<Record<string, number>>;
  readonly optimizer: Optimizer;
  readonly clip: number;
  readonly precision: Precision;
  readonly trained: Layout;
  readonly frozen: Layout;
  /** Are many weights updated block by block? */
  readonly inBlocks: boolean;
  /** Whole data sets that stay in the session; batches are then rows of them. */
  readonly resident: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Data }>>;
}

/** Name of the int64 [K, batch] input that picks rows of resident data. */
export const ROWS = "rows";
/** After so many good steps in a row the loss scale of float16 doubles. */
const GROWTH_STEPS = 2000;
const LARGEST = 3e38;

/** Trained and frozen weights of a model; `freeze` is asked for each path. */
export function layouts(
  model: Model,
  freeze: (path: string) => boolean,
): { trained: Layout; frozen: Layout } {
  const specs = flatten<ParamSpec>(model.params);
  return {
    trained: layout(specs.filter(([path]) => !freeze(path))),
    frozen: layout(specs.filter(([path]) => freeze(path))),
  };
}

/** Name of a moment among the vectors. */
export function momentName(moment: string): string {
  return `moment.${moment}`;
}

/** Names under which the pieces of a vector are fed and kept between calls. */
export function pieceNames(vector: string, { pieces }: Layout): string[] {
  return pieces.map((_, i) => `${vector}.${i}`);
}

/** Inputs for the pieces of a vector. */
function pieceInputs(vector: string, layout: Layout, graph: Graph): Tensor[] {
  const names = pieceNames(vector, layout);
  return layout.pieces.map(({ shape }, i) => graph.input(names[i]!, "float32", shape));
}

/** The weights as the tree a model function expects, cut from the pieces of the flat vectors. */
function weightTree(model: Model, vectors: readonly (readonly [Layout, readonly Tensor[]])[]): Tree<Tensor> {
  const byName = new Map<string, Tensor>();
  for (const [{ pieces }, held] of vectors)
    for (const [i, { size, places }] of pieces.entries()) {
      if (places.length === 1 && places[0]!.size === size) {
        byName.set(places[0]!.name, reshape(held[i]!, places[0]!.spec.shape));
        continue;
      }
      const vector = reshape(held[i]!, [size]);
      const sizes = places.map((p) => p.size);
      const rest = size - sizes.reduce((a, b) => a + b, 0);
      const cut = split(vector, rest > 0 ? [...sizes, rest] : sizes, 0);
      places.forEach((p, j) => {
        byName.set(p.name, reshape(cut[j]!, p.spec.shape));
      });
    }
  const leaves = flatten<ParamSpec>(model.params).map(([path]) => byName.get(path)!);
  return unflatten(model.params, leaves) as unknown as Tree<Tensor>;
}

/** K steps in one call; K is known only when it runs. */
export function trainGraph(spec: TrainSpec): TrainGraph {
  const { model, dims, trained, frozen, optimizer } = spec;
  const root = new Graph(model.name);
  root.precision = spec.precision;
  const state = [
    ...["weights", ...optimizer.moments.map(momentName)].flatMap((name) => pieceInputs(name, trained, root)),
    root.input("count", "int64", []),
    root.input("scaler", "float32", [2]),
  ];
  const still = pieceInputs("frozen", frozen, root);
  const body = new Graph(`${model.name}/step`, root);
  const inner = state.map((t) => body.input(`step/${t.name}`, t.dtype, t.shape));
  const scanned: Tensor[] = [];
  /** An input of the call with one slice a step. */
  const perStep = (name: string, dtype: DType, shape: readonly number[]): Tensor => {
    scanned.push(root.input(name, dtype, ["K", ...shape]));
    return body.input(`step/${name}`, dtype, shape);
  };
  const inputs: { name: string; dtype: DType; shape: readonly number[] }[] = [];
  const noise: NoiseInput[] = [];
  const schedules: string[] = [];
  let parts: string[] = [];

  inGraph(body, () => {
    const tensors = stepInputs(spec, root, (name, dtype, shape) => {
      inputs.push({ name, dtype, shape });
      return perStep(name, dtype, shape);
    });
    const random = (kind: NoiseInput["kind"], name: string, shape: readonly number[]): Tensor => {
      const input = `noise.${name}`;
      if (noise.some((x) => x.input === input))
        throw trainError("GRAPH_NAME", `two noises are called ${name}`);
      noise.push({ input, kind, shape });
      return perStep(input, "float32", shape);
    };
    const known = new Map<string, Tensor>();
    const context: StepContext = {
      training: true,
      normal: (name, shape) => random("normal", name, bind(shape, dims)),
      dropout: (name, x, rate) => {
        if (rate <= 0) return x;
        const kept = greaterOrEqual(random("uniform", name, bind(x.shape, dims)), rate);
        return where(kept, mul(x, 1 / (1 - rate)), 0);
      },
      schedule: (name) => {
        const input = `schedule.${name}`;
        const tensor = known.get(input) ?? perStep(input, "float32", []);
        if (!known.has(input)) schedules.push(name);
        known.set(input, tensor);
        return tensor;
      },
    };
    const rate = perStep("rate", "float32", []);
    const vectors = Array.from({ length: 1 + optimizer.moments.length }, (_, i) =>
      inner.slice(i * trained.pieces.length, (i + 1) * trained.pieces.length),
    );
    const tree = weightTree(model, [
      [trained, vectors[0]!],
      [frozen, still],
    ]);
    const made = model.build(tensors, tree, context);
    parts = Object.keys(made.parts ?? {});
    const outputs = scope("update", () =>
      updateStep(spec, made, { vectors, count: inner.at(-2)!, scaler: inner.at(-1)!, rate }),
    );
    body.output(ownValues(outputs, body));
  });
  inGraph(root, () => {
    const watched = body.outputs.slice(state.length);
    const types = [
      ...state.map((t) => [t.dtype, t.shape] as const),
      ...watched.map((t) => [t.dtype, ["K", ...t.shape]] as const),
    ];
    const attributes = { body: { graph: body }, num_scan_inputs: { int: scanned.length } };
    root.output(emit("Scan", [...state, ...scanned], types, attributes));
  });
  // Scan wants its slices after the state, in the order of the outer inputs.
  body.inputs.splice(0, body.inputs.length, ...inner, ...body.inputs.filter((t) => !inner.includes(t)));
  return { graph: root, inputs, noise, schedules, parts };
}

/** Each output needs a value of its own, made in the body: a copy stands for one that has none. */
function ownValues(outputs: readonly Tensor[], body: Graph): Tensor[] {
  const taken = new Set<Tensor>(body.inputs);
  return outputs.map((t) => {
    const free = t.graph === body && !taken.has(t);
    taken.add(t);
    return free ? t : emit("Identity", [t], [[t.dtype, t.shape]])[0]!;
  });
}

/** The model's inputs of one step: slices of what is fed, or rows of what is resident. */
function stepInputs(
  { model, dims, resident }: TrainSpec,
  root: Graph,
  perStep: (name: string, dtype: DType, shape: readonly number[]) => Tensor,
): Record<string, Tensor> {
  const names = Object.keys(resident);
  let rows: Tensor | undefined;
  return Object.fromEntries(
    Object.entries(model.inputs).map(([name, { shape, dtype }]) => {
      const fixed = bind(shape, dims);
      if (!names.includes(name)) return [name, perStep(name, dtype, fixed)];
      rows ??= perStep(ROWS, "int64", [fixed[0]!]);
      const data = resident[name]!;
      const all = root.initializer(`data.${name}`, dtype, data.shape, data.data);
      return [name, gather(all, rows)];
    }),
  );
}

/** Gradients, clipping, update; a step whose loss or gradient is not finite leaves everything as it was. */
function updateStep(
  spec: TrainSpec,
  made: ModelResult,
  given: { vectors: readonly (readonly Tensor[])[]; count: Tensor; scaler: Tensor; rate: Tensor },
): Tensor[] {
  const { vectors, count, scaler, rate } = given;
  const [scale, good] = split(scaler, [1, 1], 0).map((t) => reshape(t, [])) as [Tensor, Tensor];
  const scaled = spec.precision === "float16";
  const loss = cast(made.loss, "float32");
  const gradients = grad(scaled ? mul(loss, scale) : loss, vectors[0]!).map((g) =>
    scaled ? div(g, scale) : g,
  );
  const norm = norm2(gradients);
  const ok = and(less(norm, LARGEST), less(abs(loss), LARGEST));
  const next = updateWeights(spec, vectors, gradients, {
    clip: spec.clip > 0 ? minimum(div(spec.clip, add(norm, 1e-6)), 1) : undefined,
    ok,
    count: add(count, constant(1, [], "int64")),
    rate,
  });
  const streak = where(ok, add(good, 1), 0);
  const grown = greaterOrEqual(streak, GROWTH_STEPS);
  const newScale = scaled
    ? where(ok, where(grown, minimum(mul(scale, 2), 2 ** 24), scale), mul(scale, 0.5))
    : scale;
  const newScaler = concat([reshape(newScale, [1]), reshape(where(grown, 0, streak), [1])], 0);
  return [
    ...next.flat(),
    where(ok, add(count, constant(1, [], "int64")), count),
    newScaler,
    loss,
    norm,
    cast(ok, "float32"),
    scale,
    ...Object.values(made.parts ?? {}).map((t) => cast(t, "float32")),
  ];
}

/**
 * An update of weights and moments, each in pieces. A processor does it in blocks that stay in its cache, and not at all in
 * a step that is left out; a GPU wants few large operators and no decision that it has to wait for. The numbers are the
 * same.
 */
function updateWeights(
  { optimizer, trained, inBlocks }: TrainSpec,
  vectors: readonly (readonly Tensor[])[],
  gradients: readonly Tensor[],
  scalars: UpdateScalars,
): Tensor[][] {
  const apply = optimizer.update(scalars);
  const build = (
    [weights, gradient, ...more]: readonly Tensor[],
    masked: boolean,
    all: boolean,
  ): Tensor[] => {
    const mask = masked ? more.pop() : undefined;
    const next = apply({ weights: weights!, gradient: gradient!, moments: more, decays: mask ?? all });
    return [next.weights, ...next.moments];
  };
  const pieces = trained.pieces.map((piece, i) => {
    const [weights, ...moments] = vectors.map((v) => v[i]!) as [Tensor, ...Tensor[]];
    const masked = optimizer.decay && piece.decayed > 0 && piece.decayed < piece.size;
    const all = optimizer.decay && piece.decayed === piece.size;
    const before = [weights, ...moments];
    const whole = [weights, gradients[i]!, ...moments, ...(masked ? [decayMask(piece, i)] : [])];
    return { before, whole, build: (parts: readonly Tensor[]) => build(parts, masked, all) };
  });
  const made =
    inBlocks && trained.pieces.some(({ shape }) => shape.length > 1)
      ? choose(
          scalars.ok,
          () =>
            pieces.flatMap((p) =>
              p.whole[0]!.rank > 1 ? byBlock(p.build, p.whole, p.before.length) : p.build(p.whole),
            ),
          () => pieces.flatMap((p) => p.before.map((t) => emit("Identity", [t], [[t.dtype, t.shape]])[0]!)),
        )
      : pieces.flatMap(({ whole: [weights, gradient, ...more], build }) =>
          build([weights!, where(scalars.ok, gradient!, 0), ...more]),
        );
  // By piece, as they were made; by vector, as they are carried.
  return vectors.map((_, v) => pieces.map((_, i) => made[i * vectors.length + v]!));
}

/** `If`: only the branch that is chosen is computed. */
function choose(ok: Tensor, yes: () => Tensor[], no: () => Tensor[]): Tensor[] {
  const outer = currentGraph();
  const [then_branch, else_branch] = [yes, no].map((build, i) => {
    const branch = new Graph(outer.unique(`${outer.name}/${i === 0 ? "yes" : "no"}`), outer);
    inGraph(branch, () => branch.output(build()));
    return { graph: branch };
  }) as [{ graph: Graph }, { graph: Graph }];
  const types = then_branch.graph.outputs.map((t) => [t.dtype, t.shape] as const);
  return emit("If", [ok], types, { then_branch, else_branch });
}

/** A function of rows of [blocks, each], one block at a time, whose first `outputs` results are such rows too. */
function byBlock(
  build: (parts: readonly Tensor[]) => Tensor[],
  whole: readonly Tensor[],
  outputs: number,
): Tensor[] {
  const outer = currentGraph();
  const body = new Graph(outer.unique(`${outer.name}/block`), outer);
  const parts = whole.map((t) => body.input(`${body.name}/${t.name}`, t.dtype, t.shape.slice(1)));
  inGraph(body, () => body.output(build(parts)));
  const types = Array.from({ length: outputs }, () => ["float32", whole[0]!.shape] as const);
  return emit("Scan", whole, types, { body: { graph: body }, num_scan_inputs: { int: whole.length } });
}

/** 1 for each weight of a piece that decays, else 0. */
function decayMask({ decayed, size, shape }: Piece, i: number): Tensor {
  const mask = new Float32Array(size).fill(1, 0, decayed);
  return currentGraph().root.initializer(`decays.${i}`, "float32", shape, mask);
}

/** Euclidean norm of several vectors in one pass over each; it has no gradient. */
function norm2(xs: readonly Tensor[]): Tensor {
  const squares = xs.map((x) => emit("ReduceSumSquare", [x], [[x.dtype, []]], { keepdims: { int: 0 } })[0]!);
  return sqrt(squares.reduce((a, b) => add(a, b)));
}

/** The model without noise: loss, parts and outputs of one batch. Symbolic where `dims` leaves a length open. */
export function evalGraph(
  model: Model,
  weights: (root: Graph, model: Model) => Tree<Tensor>,
  shapeOf: (shape: readonly (number | string)[]) => readonly (number | string)[],
): { graph: Graph; made: ModelResult } {
  const root = new Graph(model.name);
  const inputs = Object.fromEntries(
    Object.entries(model.inputs).map(([name, { shape, dtype }]) => [
      name,
      root.input(name, dtype, shapeOf(shape)),
    ]),
  );
  const context: StepContext = {
    training: false,
    normal: () => currentGraph().constant("float32", [], [0]),
    dropout: (_name, x) => x,
    schedule: (_name, fallback = 1) => currentGraph().constant("float32", [], [fallback]),
  };
  const made = inGraph(root, () => model.build(inputs, weights(root, model), context));
  return { graph: root, made };
}

/** Weights as inputs of an evaluation, the same pieces that training carries. */
export function weightInputs(trained: Layout, frozen: Layout): (root: Graph, model: Model) => Tree<Tensor> {
  return (root, model) =>
    weightTree(model, [
      [trained, pieceInputs("weights", trained, root)],
      [frozen, pieceInputs("frozen", frozen, root)],
    ]);
}

/** Outputs under their own names. */
export function named(outputs: Readonly<Record<string, Tensor>>, root: Graph): Tensor[] {
  return inGraph(root, () => Object.entries(outputs).map(([name, t]) => root.nameOutput(name, t)));
}
