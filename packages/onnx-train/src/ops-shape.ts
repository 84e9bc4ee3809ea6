/** Operators that move numbers without changing them. */
import { apply, applyAll, int64s, type Rule } from "./apply.ts";
import { currentGraph, type Dim, shapeError, showShape, sizeOf, type Tensor } from "./graph.ts";
import { sumTo } from "./ops-reduce.ts";
import { axisOf, broadcast, sameShape } from "./shapes.ts";

interface Target {
  shape: readonly Dim[];
}

interface Range {
  axis: number;
  start: number;
  length: number;
}

/** Zeros around one axis. */
export interface Around {
  /** Which axis. */
  readonly axis: number;
  /** How many before it begins. */
  readonly before: number;
  /** How many after its end. */
  readonly after: number;
}

/** Rules of this file. */
export const shapeRules: Record<string, Rule<never>> = {
  Reshape: {
    outputs: ([x], { shape }) => [[x!.dtype, shape]],
    constants: ([x], { shape }) => [int64s(reshapeCode(x!.shape, shape))],
    vjp: ({ inputs: [x], g }) => [reshape(g, x!.shape)],
  } satisfies Rule<Target>,
  Transpose: {
    outputs: ([x], order) => [[x!.dtype, order.map((axis) => x!.shape[axis]!)]],
    attributes: (order) => ({ perm: { ints: order } }),
    vjp: ({ g, p }) => [
      transpose(
        g,
        p.map((_, i) => p.indexOf(i)),
      ),
    ],
  } satisfies Rule<readonly number[]>,
  Expand: {
    outputs: ([x], { shape }) => [[x!.dtype, broadcast("Expand", x!.shape, shape)]],
    constants: (_, { shape }) => [int64s(shape.map((dim) => (typeof dim === "number" ? dim : 1)))],
    vjp: ({ inputs: [x], g }) => [sumTo(g, x!.shape)],
  } satisfies Rule<Target>,
  Concat: {
    outputs: (parts, axis) => {
      const first = parts[0]!;
      const rest = (t: Tensor): Dim[] => t.shape.filter((_, i) => i !== axis);
      for (const t of parts)
        if (t.rank !== first.rank || !sameShape(rest(t), rest(first)))
          shapeError(
            "Concat",
            `${showShape(t.shape)} does not fit ${showShape(first.shape)} along axis ${axis}`,
          );
      const total = parts.length === 1 ? first.shape[axis]! : sizeSum(parts.map((t) => t.shape[axis]!));
      return [[first.dtype, first.shape.map((dim, i) => (i === axis ? total : dim))]];
    },
    attributes: (axis) => ({ axis: { int: axis } }),
    vjp: ({ inputs, g, p }) =>
      split(
        g,
        inputs.map((t) => sizeOf([t.shape[p]!], "Concat")),
        p,
      ),
  } satisfies Rule<number>,
  Split: {
    outputs: ([x], { lengths, axis }) => {
      const total = lengths.reduce((a, b) => a + b, 0);
      if (x!.shape[axis] !== total)
        shapeError("Split", `the parts have ${total} in all, axis ${axis} of ${showShape(x!.shape)} has not`);
      return lengths.map((n) => [x!.dtype, x!.shape.map((dim, i) => (i === axis ? n : dim))] as const);
    },
    constants: (_, { lengths }) => [int64s(lengths)],
    attributes: ({ axis }) => ({ axis: { int: axis } }),
    vjp: ({ outputs, gradients, p }) => [
      concat(
        outputs.map((out, i) => gradients[i] ?? zerosLike(out)),
        p.axis,
      ),
    ],
  } satisfies Rule<{ lengths: readonly number[]; axis: number }>,
  Slice: {
    outputs: ([x], { axis, start, length }) => {
      const dim = x!.shape[axis]!;
      if (typeof dim === "number" && start + length > dim)
        shapeError(
          "Slice",
          `${start} to ${start + length} lies outside of axis ${axis} of ${showShape(x!.shape)}`,
        );
      return [[x!.dtype, x!.shape.map((d, i) => (i === axis ? length : d))]];
    },
    constants: (_, { axis, start, length }) => [int64s([start]), int64s([start + length]), int64s([axis])],
    vjp: ({ inputs: [x], g, p }) => {
      const total = sizeOf([x!.shape[p.axis]!], "the gradient of a slice");
      return [pad(g, { axis: p.axis, before: p.start, after: total - p.start - p.length })];
    },
  } satisfies Rule<Range>,
  Pad: {
    outputs: ([x], { axis, before, after }) => [
      [x!.dtype, x!.shape.map((d, i) => (i === axis ? sizeSum([d, before, after]) : d))],
    ],
    constants: ([x], { axis, before, after }) => {
      const at = (n: number): number[] => x!.shape.map((_, i) => (i === axis ? n : 0));
      return [int64s([...at(before), ...at(after)])];
    },
    vjp: ({ inputs: [x], g, p }) => [slice(g, p.axis, p.before, sizeOf([x!.shape[p.axis]!], "Pad"))],
  } satisfies Rule<Around>,
};

function sizeSum(dims: readonly Dim[]): number {
  return dims.reduce<number>((total, dim) => total + sizeOf([dim], "a joined axis"), 0);
}

/** What Reshape is told: lengths, 0 for "as in the input at this place", −1 for the one that follows from the rest. */
function reshapeCode(from: readonly Dim[], to: readonly Dim[]): number[] {
  const known = (shape: readonly Dim[]): number =>
    shape.reduce<number>((n, d) => (typeof d === "number" ? n * d : n), 1);
  const symbols = (shape: readonly Dim[]): string =>
    shape
      .filter((d) => typeof d === "string")
      .sort()
      .join();
  if (known(from) !== known(to) || symbols(from) !== symbols(to))
    shapeError("Reshape", `${showShape(from)} has not as many elements as ${showShape(to)}`);
  const code = to.map((dim, i) => (typeof dim === "number" ? dim : from[i] === dim ? 0 : -1));
  if (code.filter((c) => c === -1).length > 1)
    shapeError("Reshape", `${showShape(from)} to ${showShape(to)} moves more than one symbolic axis`);
  return code;
}

/** The same numbers in another shape. */
export function reshape(x: Tensor, shape: readonly Dim[]): Tensor {
  if (sameShape(x.shape, shape)) return x;
  return apply("Reshape", shapeRules.Reshape as Rule<Target>, [x], { shape });
}

/** Axes in another order; the last two swapped by default. */
export function transpose(x: Tensor, order?: readonly number[]): Tensor {
  const last = x.rank - 1;
  const axes = order ?? x.shape.map((_, i) => (i === last ? last - 1 : i === last - 1 ? last : i));
  if (axes.length !== x.rank || new Set(axes).size !== x.rank || axes.some((a) => !(a >= 0 && a <= last)))
    shapeError("Transpose", `${showShape(axes)} is no order of the axes of ${showShape(x.shape)}`);
  return apply("Transpose", shapeRules.Transpose as Rule<readonly number[]>, [x], axes);
}

/** Repeats along axes of length 1. A symbolic length must be there already. */
export function expand(x: Tensor, shape: readonly Dim[]): Tensor {
  if (sameShape(x.shape, shape)) return x;
  return apply("Expand", shapeRules.Expand as Rule<Target>, [x], { shape });
}

/** Joins along an axis. */
export function concat(parts: readonly Tensor[], axis = -1): Tensor {
  if (parts.length === 1) return parts[0]!;
  return apply("Concat", shapeRules.Concat as Rule<number>, parts, axisOf("Concat", axis, parts[0]!.rank));
}

/** Cuts along an axis into parts of these lengths. */
export function split(x: Tensor, lengths: readonly number[], axis = -1): Tensor[] {
  if (lengths.length === 1 && x.shape.at(axis) === lengths[0]) return [x];
  const rule = shapeRules.Split as Rule<{ lengths: readonly number[]; axis: number }>;
  return applyAll("Split", rule, [x], { lengths, axis: axisOf("Split", axis, x.rank) });
}

/** `length` elements from `start` along an axis. */
export function slice(x: Tensor, axis: number, start: number, length: number): Tensor {
  const p = { axis: axisOf("Slice", axis, x.rank), start, length };
  return apply("Slice", shapeRules.Slice as Rule<Range>, [x], p);
}

/** Zeros before and after along one axis. */
export function pad(x: Tensor, around: Around): Tensor {
  if (around.before === 0 && around.after === 0) return x;
  const p = { ...around, axis: axisOf("Pad", around.axis, x.rank) };
  return apply("Pad", shapeRules.Pad as Rule<Around>, [x], p);
}

/** A tensor of one value. */
export function full(dtype: Tensor["dtype"], shape: readonly Dim[], value: number): Tensor {
  return expand(currentGraph().constant(dtype, [], [value]), shape);
}

/** Zeros of the same type and (fixed) shape. */
export function zerosLike(x: Tensor): Tensor {
  return full(x.dtype, x.shape, 0);
}
