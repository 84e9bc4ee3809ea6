/** Sums, means and maxima over axes, softmax, layer normalisation. */
import { apply, applyAll, int64s, type Rule } from "./apply.ts";
import { type Dim, sizeOf, type Tensor } from "./graph.ts";
import {
  add,
  cast,
  div,
  equal,
  exp,
  log,
  mul,
  neg,
  reciprocal,
  sqrt,
  stopGradient,
  sub,
} from "./ops-elementwise.ts";
import { rowDot } from "./ops-linear.ts";
import { expand, reshape } from "./ops-shape.ts";
import { axesOf, axisOf, reduced, sameShape } from "./shapes.ts";

interface Over {
  axes: readonly number[];
  keep: boolean;
}

function reduction(vjp: NonNullable<Rule<Over>["vjp"]>): Rule<Over> {
  return {
    outputs: ([x], { axes, keep }) => [[x!.dtype, reduced(x!.shape, axes, keep)]],
    attributes: ({ keep }) => ({ keepdims: { int: keep ? 1 : 0 } }),
    constants: (_, { axes }) => [int64s(axes)],
    vjp,
  };
}

/** A reduced tensor with its axes back as 1. */
function restore(t: Tensor, x: Tensor, { axes, keep }: Over): Tensor {
  return keep ? t : reshape(t, reduced(x.shape, axes, true));
}

interface Axis {
  axis: number;
}

interface Norm {
  epsilon: number;
}

/** Rules of this file. */
export const reduceRules: Record<string, Rule<never>> = {
  ReduceSum: reduction(({ inputs: [x], g, p }) => [expand(restore(g, x!, p), x!.shape)]),
  ReduceMean: reduction(({ inputs: [x], g, p }) => {
    const n = sizeOf(
      p.axes.map((axis) => x!.shape[axis]!),
      "the gradient of a mean",
    );
    return [expand(restore(div(g, n), x!, p), x!.shape)];
  }),
  ReduceMax: reduction(({ inputs: [x], outputs: [y], g, p }) => {
    // Equal maxima share the gradient.
    const hit = cast(equal(x!, restore(y!, x!, p)), x!.dtype);
    return [mul(hit, div(restore(g, x!, p), sum(hit, p.axes, true)))];
  }),
  Softmax: {
    outputs: ([x]) => [[x!.dtype, x!.shape]],
    attributes: ({ axis }) => ({ axis: { int: axis } }),
    vjp: ({ outputs: [y], g, p }) => [mul(y!, sub(g, sum(mul(g, y!), [p.axis], true)))],
  } satisfies Rule<Axis>,
  LogSoftmax: {
    outputs: ([x]) => [[x!.dtype, x!.shape]],
    attributes: ({ axis }) => ({ axis: { int: axis } }),
    vjp: ({ outputs: [y], g, p }) => [sub(g, mul(exp(y!), sum(g, [p.axis], true)))],
  } satisfies Rule<Axis>,
  LayerNormalization: {
    outputs: ([x]) => {
      const row = x!.shape.map((dim, i) => (i === x!.rank - 1 ? 1 : dim));
      return [
        [x!.dtype, x!.shape],
        [x!.dtype, row],
        [x!.dtype, row],
      ];
    },
    attributes: ({ epsilon }) => ({ axis: { int: -1 }, epsilon: { float: epsilon } }),
    // The kernel gives its mean and deviation in float32 only.
    double: ([x, scale, shift], { epsilon }) => {
      const middle = mean(x!, [-1], true);
      const inverse = reciprocal(sqrt(add(variance(x!, [-1], true), epsilon)));
      return [add(mul(mul(sub(x!, middle), inverse), scale!), shift!), middle, inverse];
    },
    vjp: ({ inputs: [x, scale, shift], outputs: [, mean1, inverse], g }) => {
      const normal = mul(sub(x!, mean1!), inverse!);
      const inner = mul(g, normal);
      // Means over a row of g·scale and g·scale·normal, as products with a vector: they write one number a row.
      const share = div(scale!, sizeOf(scale!.shape));
      const rest = add(rowDot(g, share), mul(normal, rowDot(inner, share)));
      return [mul(sub(mul(g, scale!), rest), inverse!), sumTo(inner, scale!.shape), sumTo(g, shift!.shape)];
    },
  } satisfies Rule<Norm>,
  CumSum: {
    outputs: ([x]) => [[x!.dtype, x!.shape]],
    constants: (_, { axis }) => [int64s([axis])],
    // Backwards: the total minus the sum before each element.
    vjp: ({ g, p }) => [add(sub(sum(g, [p.axis], true), cumSum(g, p.axis)), g)],
  } satisfies Rule<Axis>,
};

function reduce(op: string, x: Tensor, axes: readonly number[] | undefined, keep: boolean): Tensor {
  const over = axesOf(op, axes, x.rank);
  if (over.length === 0) return x;
  return apply(op, reduceRules[op] as Rule<Over>, [x], { axes: over, keep });
}

/** Sum over axes (all by default); `keep` leaves them as 1. */
export function sum(x: Tensor, axes?: readonly number[], keep = false): Tensor {
  return reduce("ReduceSum", x, axes, keep);
}

/** Mean over axes (all by default); `keep` leaves them as 1. */
export function mean(x: Tensor, axes?: readonly number[], keep = false): Tensor {
  return reduce("ReduceMean", x, axes, keep);
}

/** Maximum over axes (all by default); equal maxima share the gradient. */
export function max(x: Tensor, axes?: readonly number[], keep = false): Tensor {
  return reduce("ReduceMax", x, axes, keep);
}

/** Softmax along an axis, the last by default. */
export function softmax(x: Tensor, axis = -1): Tensor {
  return apply("Softmax", reduceRules.Softmax as Rule<Axis>, [x], { axis: axisOf("Softmax", axis, x.rank) });
}

/** log(softmax) along an axis, the last by default. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  const p = { axis: axisOf("LogSoftmax", axis, x.rank) };
  return apply("LogSoftmax", reduceRules.LogSoftmax as Rule<Axis>, [x], p);
}

/** log Σ exp along an axis, without overflow. */
export function logSumExp(x: Tensor, axis = -1, keep = false): Tensor {
  // Relative to the largest, which alone says how much is lost: an element of −1e9 (none there) must cost the others nothing.
  const at = axisOf("LogSumExp", axis, x.rank);
  const top = stopGradient(max(x, [at], true));
  const all = add(top, log(sum(exp(sub(x, top)), [at], true)));
  return keep ? all : reshape(all, reduced(x.shape, [at], false));
}

/** Running sum along an axis. */
export function cumSum(x: Tensor, axis = -1): Tensor {
  return apply("CumSum", reduceRules.CumSum as Rule<Axis>, [x], { axis: axisOf("CumSum", axis, x.rank) });
}

/** Normalises the last axis to mean 0 and variance 1, then scales and shifts (Ba, Kiros and Hinton 2016). */
export function layerNorm(x: Tensor, scale: Tensor, shift: Tensor, epsilon = 1e-5): Tensor {
  return applyAll("LayerNormalization", reduceRules.LayerNormalization as Rule<Norm>, [x, scale, shift], {
    epsilon,
  })[0]!;
}

/** Sums a gradient over the axes along which its tensor was broadcast. */
export function sumTo(g: Tensor, shape: readonly Dim[]): Tensor {
  if (sameShape(g.shape, shape)) return g;
  const lead = g.rank - shape.length;
  const axes = g.shape.flatMap((dim, i) => (i < lead || (shape[i - lead] === 1 && dim !== 1) ? [i] : []));
  const kept = axes.length === 0 ? g : sum(g, axes, true);
  return sameShape(kept.shape, shape) ? kept : reshape(kept, shape);
}

/** Variance (population) over axes. */
export function variance(x: Tensor, axes?: readonly number[], keep = false): Tensor {
  const centred = add(x, neg(mean(x, axes, true)));
  return mean(mul(centred, centred), axes, keep);
}
