/** Matrix products. The precision policy lives here: only these are ever computed in half precision. */
import { apply, type Rule } from "./apply.ts";
import { currentGraph, type Dim, shapeError, showShape, sizeOf, type Tensor } from "./graph.ts";
import { add, cast } from "./ops-elementwise.ts";
import { sumTo } from "./ops-reduce.ts";
import { reshape, transpose } from "./ops-shape.ts";
import { broadcast } from "./shapes.ts";

interface Flags {
  a: boolean;
  b: boolean;
}

const turned = (t: Tensor, flag: boolean): readonly Dim[] => (flag ? [...t.shape].reverse() : t.shape);

/** Rules of this file. */
export const linearRules: Record<string, Rule<never>> = {
  MatMul: {
    outputs: ([a, b]) => {
      const [m, k] = a!.shape.slice(-2);
      const [k2, n] = b!.shape.slice(-2);
      if (a!.rank < 2 || b!.rank < 2 || k !== k2)
        shapeError("MatMul", `${showShape(a!.shape)} · ${showShape(b!.shape)}: the inner lengths differ`);
      return [[a!.dtype, [...broadcast("MatMul", a!.shape.slice(0, -2), b!.shape.slice(0, -2)), m!, n!]]];
    },
    vjp: ({ inputs: [a, b], g }) => [
      sumTo(product(g, transpose(b!)), a!.shape),
      sumTo(product(transpose(a!), g), b!.shape),
    ],
  } satisfies Rule,
  Gemm: {
    outputs: ([a, b, c], { a: ta, b: tb }) => {
      const [left, right] = [turned(a!, ta), turned(b!, tb)];
      if (a!.rank !== 2 || b!.rank !== 2 || left[1] !== right[0])
        shapeError("Gemm", `${showShape(left)} · ${showShape(right)}: the inner lengths differ`);
      if (c && (c.rank !== 1 || c.shape[0] !== right[1]))
        shapeError("Gemm", `a bias of ${showShape(c.shape)} for ${right[1]} columns`);
      return [[a!.dtype, [left[0]!, right[1]!]]];
    },
    attributes: ({ a, b }) => ({ transA: { int: a ? 1 : 0 }, transB: { int: b ? 1 : 0 } }),
    vjp: ({ inputs: [a, b, c], g, p }) => [
      p.a ? gemm(b!, g, { a: p.b, b: true }) : gemm(g, b!, { a: false, b: !p.b }),
      p.b ? gemm(g, a!, { a: true, b: p.a }) : gemm(a!, g, { a: !p.a, b: false }),
      ...(c ? [sumTo(g, c.shape)] : []),
    ],
  } satisfies Rule<Flags>,
};

function gemm(a: Tensor, b: Tensor, flags: Flags, bias?: Tensor): Tensor {
  return apply("Gemm", linearRules.Gemm as Rule<Flags>, bias ? [a, b, bias] : [a, b], flags);
}

function product(a: Tensor, b: Tensor, bias?: Tensor): Tensor {
  if (a.rank === 2 && b.rank === 2) return gemm(a, b, { a: false, b: false }, bias);
  const y = apply("MatMul", linearRules.MatMul as Rule, [a, b], undefined);
  return bias ? add(y, bias) : y;
}

/**
 * Matrix product over the last two axes; leading axes are broadcast. A 2-axis right side is shared by all rows of the
 * left. `bias`, one number a column, is added in the same pass where there is one.
 */
export function matmul(a: Tensor, b: Tensor, bias?: Tensor): Tensor {
  const half = currentGraph().precision;
  if (half !== "float32" && a.dtype === "float32" && b.dtype === "float32") {
    const y = cast(flatProduct(cast(a, half), cast(b, half)), "float32");
    return bias ? add(y, bias) : y;
  }
  return flatProduct(a, b, bias);
}

/** One big product instead of many small ones, where the right side is a plain matrix and the lengths are known. */
function flatProduct(a: Tensor, b: Tensor, bias?: Tensor): Tensor {
  const lead = a.shape.slice(0, -1);
  if (a.rank <= 2 || b.rank !== 2 || lead.some((dim) => typeof dim === "string")) return product(a, b, bias);
  const rows = reshape(a, [sizeOf(lead), a.shape.at(-1)!]);
  return reshape(product(rows, b, bias), [...lead, b.shape[1]!]);
}

/** Σ over the last axis (kept as 1) of x · v, for one number a column: [..., 1] from [..., n] and [n]. Never in half precision. */
export function rowDot(x: Tensor, v: Tensor): Tensor {
  const n = v.shape[0]!;
  const rows = reshape(x, [sizeOf(x.shape.slice(0, -1), "a row product"), n]);
  return reshape(product(rows, reshape(v, [n, 1])), [...x.shape.slice(0, -1), 1]);
}

/** Σ over the last axis (kept as 1) of x · y, two matrices [rows, n], in one pass that writes one number a row. */
export function rowProduct(x: Tensor, y: Tensor): Tensor {
  const [rows, n] = x.shape as [Dim, Dim];
  // Turned here and not by its shape: onnxruntime takes the turn into the product, and rows times columns of one are slow.
  const [row, column] = [reshape(x, [rows, 1, n]), transpose(reshape(y, [rows, 1, n]))];
  return reshape(apply("MatMul", linearRules.MatMul as Rule, [row, column], undefined), [rows, 1]);
}

/** Σ over rows of v · x for one number a row: [n] from [rows, n] and [rows, 1]. */
export function columnDot(x: Tensor, v: Tensor): Tensor {
  return reshape(product(transpose(v), x), [x.shape[1]!]);
}
