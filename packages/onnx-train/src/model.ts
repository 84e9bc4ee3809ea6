/** A model: what goes in, which weights it has, and a function that computes its loss. */
import type { DType } from "./dtype.ts";
import { trainError } from "./errors.ts";
import type { Dim, Tensor } from "./graph.ts";
import type { ParamSpec } from "./params.ts";
import type { Tree } from "./tree.ts";

/** An input: its shape, with names for the lengths that `compile` fixes and an exported model leaves open. */
export type InputSpec = readonly Dim[] | TypedInput;

/** An input of a given type. */
export interface TypedInput {
  /** Lengths, or names of lengths. */
  readonly shape: readonly Dim[];
  /** float32 by default. */
  readonly dtype?: DType;
}

/** The same tree with tensors for leaves. */
export type TensorsOf<T> = { readonly [K in keyof T]: T[K] extends ParamSpec ? Tensor : TensorsOf<T[K]> };

/** What a model function may ask for besides inputs and weights. */
export interface StepContext {
  /** False in evaluation and in exported models. */
  readonly training: boolean;
  /** Standard normal noise, new in each step, the same for the same seed. A scalar 0 when not training. */
  normal(name: string, shape: readonly Dim[]): Tensor;
  /** Drops elements with this probability and scales the others up; nothing when not training. */
  dropout(name: string, x: Tensor, rate: number): Tensor;
  /** A number of each step, from `schedules` of `compile`; `fallback` when not training. */
  schedule(name: string, fallback?: number): Tensor;
}

/** What a model function returns. A tensor alone is the loss. */
export interface ModelResult {
  /** A scalar. */
  readonly loss: Tensor;
  /** Scalars worth watching, by name. */
  readonly parts?: Readonly<Record<string, Tensor>>;
  /** What `evaluate` returns and `exportOnnx` writes. */
  readonly outputs?: Readonly<Record<string, Tensor>>;
}

/** A model, ready for `compile`. */
export interface Model {
  /** Its name. */
  readonly name: string;
  /** Inputs by name. */
  readonly inputs: Readonly<Record<string, Required<TypedInput>>>;
  /** Weights. */
  readonly params: Tree<ParamSpec>;
  /** Builds it in the current graph. @internal */
  readonly build: (
    inputs: Readonly<Record<string, Tensor>>,
    params: Tree<Tensor>,
    context: StepContext,
  ) => ModelResult;
}

/** A model whose function is still to be written. */
export interface ModelStart<I, P> {
  /** The function is run more than once: for training, evaluation and export. */
  model(
    build: (
      inputs: { readonly [K in keyof I]: Tensor },
      params: TensorsOf<P>,
      context: StepContext,
    ) => Tensor | ModelResult,
  ): Model;
}

/**
 * Begins a model: `graph(name, { inputs, params }).model((inputs, params) => loss)`. Inputs are float32 unless said
 * otherwise. `GRAPH_NAME` for a name that cannot stand in a path.
 */
export function graph<const I extends Readonly<Record<string, InputSpec>>, const P extends Tree<ParamSpec>>(
  name: string,
  { inputs, params }: { readonly inputs: I; readonly params: P },
): ModelStart<I, P> {
  for (const word of [name, ...Object.keys(inputs)])
    if (!/^[\w.-]+$/.test(word))
      throw trainError(
        "GRAPH_NAME",
        `${JSON.stringify(word)}: names are made of letters, digits, - . and _`,
        {
          usage: true,
        },
      );
  const specs = Object.fromEntries(
    Object.entries(inputs).map(([key, spec]) => {
      const full = "shape" in spec ? spec : { shape: spec };
      return [key, { shape: full.shape, dtype: full.dtype ?? ("float32" as const) }];
    }),
  );
  return {
    model: (build) => ({
      name,
      inputs: specs,
      params,
      build(tensors, weights, context) {
        const made = build(tensors as never, weights as never, context);
        return "loss" in made ? made : { loss: made };
      },
    }),
  };
}

/** A shape with its names replaced by numbers. `OPTION_MISSING` for a name nobody fixed. */
export function bind(shape: readonly Dim[], dims: Readonly<Record<string, number>>): number[] {
  return shape.map((dim) => {
    const n = typeof dim === "number" ? dim : dims[dim];
    if (n !== undefined) return n;
    throw trainError(
      "GRAPH_SHAPE",
      `the length ${dim} is not fixed: compile(model, { dims: { ${dim}: … } })`,
      {
        usage: true,
        details: { dim },
      },
    );
  });
}
