import type { DType } from "./dtype.ts";
import { currentGraph, type Tensor } from "./graph.ts";

/** A scalar of the type of another tensor. */
export function constantLike(x: Tensor, value: number): Tensor {
  return currentGraph().constant(x.dtype, [], [value]);
}

/** A constant inside a model: a number, or numbers with a shape. */
export function constant(
  values: number | readonly number[],
  shape: readonly number[] = typeof values === "number" ? [] : [values.length],
  dtype: DType = "float32",
): Tensor {
  return currentGraph().constant(dtype, shape, typeof values === "number" ? [values] : values);
}
