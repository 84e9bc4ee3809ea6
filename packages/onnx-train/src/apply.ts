/** Applies an operator by its rule: checks shapes, adds the node, records the gradient. */
import type { DType } from "./dtype.ts";
import { trainError } from "./errors.ts";
import { type Attribute, currentGraph, type Dim, emit, record, type Tensor } from "./graph.ts";

/** What a gradient rule gets to see. */
export interface Backward<P> {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** By output; undefined is zero. */
  readonly gradients: readonly (Tensor | undefined)[];
  /** The first output's gradient, where it is the only one that counts. */
  readonly g: Tensor;
  readonly p: P;
}

/** Everything known about one operator. */
export interface Rule<P = undefined> {
  /** Types and shapes of the outputs; throws `GRAPH_SHAPE`. */
  outputs(inputs: readonly Tensor[], p: P): readonly (readonly [DType, readonly Dim[]])[];
  /** Vector-Jacobian product: gradients by input. Left out where there is none (comparisons, rounding). */
  vjp?(b: Backward<P>): readonly (Tensor | undefined)[];
  /** Attributes of the ONNX node. */
  attributes?(p: P): Record<string, Attribute>;
  /** Constant inputs that follow the tensors: axes, pads, splits. */
  constants?(inputs: readonly Tensor[], p: P): readonly Tensor[];
  /** A replacement for float64, where onnxruntime has no double kernel (gradient checks run in float64). */
  double?(inputs: readonly Tensor[], p: P): readonly Tensor[];
  /** A replacement for float32, where onnxruntime's own kernel is slower than the sum of its parts. */
  single?(inputs: readonly Tensor[], p: P): readonly Tensor[];
  /** ONNX's name, where the table's differs. */
  onnx?: string;
}

/** Applies `rule` and returns all outputs. */
export function applyAll<P>(op: string, rule: Rule<P>, inputs: readonly Tensor[], p: P): Tensor[] {
  const types = rule.outputs(inputs, p);
  let outputs: Tensor[];
  const dtype = types[0]![0];
  const composed = dtype === "float64" ? rule.double : dtype === "float32" ? rule.single : undefined;
  if (composed) {
    // The composed values behind an Identity, so that they carry this operator's own gradient.
    outputs = composed(inputs, p).map((t, i) => emit("Identity", [t], [types[i]!])[0]!);
  } else {
    const constants = rule.constants?.(inputs, p) ?? [];
    outputs = emit(rule.onnx ?? op, [...inputs, ...constants], types, rule.attributes?.(p));
  }
  const vjp = rule.vjp?.bind(rule);
  record(
    op,
    inputs,
    outputs,
    vjp &&
      ((gradients) => {
        const g = gradients.find((x) => x !== undefined)!;
        return vjp({ inputs, outputs, gradients, g, p });
      }),
  );
  return outputs;
}

/** Applies `rule` and returns its first output. */
export function apply<P>(op: string, rule: Rule<P>, inputs: readonly Tensor[], p: P): Tensor {
  return applyAll(op, rule, inputs, p)[0]!;
}

/** The same value with a gradient of its own: `slopes` gives, from the upstream gradient, those of `inputs`. */
export function withGradient(
  value: Tensor,
  inputs: readonly Tensor[],
  slopes: (g: Tensor) => readonly (Tensor | undefined)[],
): Tensor {
  const [own] = emit("Identity", [value], [[value.dtype, value.shape]]);
  record("WithGradient", inputs, [own!], ([g]) => slopes(g!));
  return own!;
}

/** A tensor, or a number that becomes a constant of the other operand's type. */
export type Operand = Tensor | number;

/** Both operands as tensors of one type. `GRAPH_DTYPE` where the types differ. */
export function operands(op: string, a: Operand, b: Operand): [Tensor, Tensor] {
  const like = typeof a === "number" ? b : a;
  const dtype = typeof like === "number" ? "float32" : like.dtype;
  const pair = [a, b].map((x) => (typeof x === "number" ? currentGraph().constant(dtype, [], [x]) : x));
  if (pair[0]!.dtype !== pair[1]!.dtype)
    throw trainError(
      "GRAPH_DTYPE",
      `${op}: ${pair[0]!.dtype} and ${pair[1]!.dtype} cannot be combined; use cast`,
    );
  return [pair[0]!, pair[1]!];
}

/** A constant list of whole numbers: axes, shapes. */
export function int64s(values: readonly number[]): Tensor {
  return currentGraph().constant("int64", [values.length], values);
}
