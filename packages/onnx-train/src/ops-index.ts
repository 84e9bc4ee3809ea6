/** Operators that pick by index. */
import { apply, applyAll, int64s, type Rule } from "./apply.ts";
import { currentGraph, emit, shapeError, showShape, sizeOf, type Tensor } from "./graph.ts";
import { cast } from "./ops-elementwise.ts";
import { reshape, zerosLike } from "./ops-shape.ts";
import { axisOf, sameShape } from "./shapes.ts";

interface Axis {
  axis: number;
}

interface Top {
  k: number;
}

const whole = (op: string, t: Tensor): void => {
  if (t.dtype !== "int64") shapeError(op, `the indices must be int64, ${t.name} is ${t.dtype}`);
};

/** Rules of this file. */
export const indexRules: Record<string, Rule<never>> = {
  Gather: {
    outputs: ([x, index], { axis }) => {
      whole("Gather", index!);
      return [[x!.dtype, [...x!.shape.slice(0, axis), ...index!.shape, ...x!.shape.slice(axis + 1)]]];
    },
    attributes: ({ axis }) => ({ axis: { int: axis } }),
    vjp: ({ inputs: [x, index], g, p }) => {
      if (p.axis !== 0) shapeError("Gather", "has a gradient along axis 0 only; transpose first");
      const rows = reshape(index!, [sizeOf(index!.shape), 1]);
      const updates = reshape(g, [sizeOf(index!.shape), ...x!.shape.slice(1)]);
      const type = [[x!.dtype, x!.shape]] as const;
      return [
        emit("ScatterND", [zerosLike(x!), rows, updates], type, { reduction: { text: "add" } })[0]!,
        undefined,
      ];
    },
  } satisfies Rule<Axis>,
  GatherElements: {
    outputs: ([x, index], { axis }) => {
      whole("GatherElements", index!);
      if (x!.rank !== index!.rank || x!.shape.some((d, i) => i !== axis && d !== index!.shape[i]))
        shapeError("GatherElements", `${showShape(index!.shape)} does not fit ${showShape(x!.shape)}`);
      return [[x!.dtype, index!.shape]];
    },
    attributes: ({ axis }) => ({ axis: { int: axis } }),
    vjp: ({ inputs: [x, index], g, p }) => [scatterElements(x!, index!, g, p.axis), undefined],
  } satisfies Rule<Axis>,
  TopK: {
    outputs: ([x], { k }) => {
      const shape = [...x!.shape.slice(0, -1), k];
      return [
        [x!.dtype, shape],
        ["int64", shape],
      ];
    },
    constants: (_, { k }) => [int64s([k])],
    vjp: ({ inputs: [x], outputs: [, index], g }) => [scatterElements(x!, index!, g, x!.rank - 1)],
  } satisfies Rule<Top>,
  OneHot: {
    outputs: ([index], { k }) => {
      whole("OneHot", index!);
      return [["float32", [...index!.shape, k]]];
    },
    constants: (_, { k }) => [int64s([k]), currentGraph().constant("float32", [2], [0, 1])],
  } satisfies Rule<Top>,
};

function scatterElements(x: Tensor, index: Tensor, updates: Tensor, axis: number): Tensor {
  const attributes = { axis: { int: axis }, reduction: { text: "add" } };
  return emit("ScatterElements", [zerosLike(x), index, updates], [[x.dtype, x.shape]], attributes)[0]!;
}

/** Slices by index along an axis (0 by default), as in an embedding table. Gradients along axis 0 only. */
export function gather(x: Tensor, index: Tensor, axis = 0): Tensor {
  return apply("Gather", indexRules.Gather as Rule<Axis>, [x, index], {
    axis: axisOf("Gather", axis, x.rank),
  });
}

/** Single elements by index along an axis; `index` has the shape of the result. */
export function gatherElements(x: Tensor, index: Tensor, axis = -1): Tensor {
  const p = { axis: axisOf("GatherElements", axis, x.rank) };
  return apply("GatherElements", indexRules.GatherElements as Rule<Axis>, [x, index], p);
}

/** What `topK` finds. */
export interface TopValues {
  /** Largest first. */
  readonly values: Tensor;
  /** Their places, int64. */
  readonly indices: Tensor;
}

/** The k largest along the last axis, largest first, and their places. */
export function topK(x: Tensor, k: number): TopValues {
  const [values, indices] = applyAll("TopK", indexRules.TopK as Rule<Top>, [x], { k });
  return { values: values!, indices: indices! };
}

/** 1 at the index, 0 elsewhere; a new last axis of length `k`. */
export function oneHot(index: Tensor, k: number, dtype: Tensor["dtype"] = "float32"): Tensor {
  // onnxruntime has no double kernel.
  return cast(apply("OneHot", indexRules.OneHot as Rule<Top>, [index], { k }), dtype);
}

/** Rows of a small table by index, through a one-hot product: the same bits on every run, CUDA included. */
export function lookup(table: Tensor, index: Tensor, product: (a: Tensor, b: Tensor) => Tensor): Tensor {
  if (index.shape.some((dim) => typeof dim === "string")) return gather(table, index); // exported: no gradient there
  const flat = oneHot(reshape(index, [sizeOf(index.shape)]), sizeOf([table.shape[0]!]), table.dtype);
  const out = product(flat, table);
  const shape = [...index.shape, table.shape[1]!];
  return sameShape(out.shape, shape) ? out : reshape(out, shape);
}
