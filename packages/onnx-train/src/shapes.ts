/** Shape rules shared by operators. */
import type { Dim } from "./graph.ts";
import { shapeError, showShape } from "./graph.ts";

/** The common shape of two operands, as NumPy broadcasts. */
export function broadcast(op: string, a: readonly Dim[], b: readonly Dim[]): Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    return shapeError(op, `${showShape(a)} and ${showShape(b)} do not fit together`);
  });
}

/** An axis from 0; negative ones count from the end. */
export function axisOf(op: string, axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && at >= 0 && at < rank) return at;
  return shapeError(op, `axis ${axis} does not exist in ${rank} axes`);
}

/** Axes from 0 in ascending order; all of them by default. */
export function axesOf(op: string, axes: readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  return [...new Set(axes.map((axis) => axisOf(op, axis, rank)))].sort((a, b) => a - b);
}

/** The shape after a reduction. */
export function reduced(shape: readonly Dim[], axes: readonly number[], keep: boolean): Dim[] {
  return keep
    ? shape.map((dim, i) => (axes.includes(i) ? 1 : dim))
    : shape.filter((_, i) => !axes.includes(i));
}

/** Are the shapes the same, symbols included? */
export function sameShape(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}
