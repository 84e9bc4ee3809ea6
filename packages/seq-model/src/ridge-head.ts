/** A linear head that begins as ridge regression on the rows it reads, so that training starts from a good place. */
import { rowProducts, symmetricEigen } from "./native.ts";

/** A linear map. */
export interface LinearMap {
  /** [columns, outputs], row-major. */
  readonly w: Float32Array;
  /** [outputs]. */
  readonly b: Float32Array;
  /** Mean squared error of samples left out, over all outputs. */
  readonly error: number;
  /** Which of the schemes it was. */
  readonly scheme: number;
}

/** Options of {@link ridgeHead}. */
export interface RidgeOptions {
  /**
   * Ways to weigh the columns, a number each: what a column may explain before the penalty bites. One that divides each
   * by its deviation by default.
   */
  readonly schemes?: readonly ArrayLike<number>[];
  /** Numbers of groups: samples of one are left out together. */
  readonly groups?: ArrayLike<number>;
  readonly threads?: number;
}

/** Penalties tried, relative to the mean eigenvalue of the weighted rows' products. */
const SCALES: readonly number[] = Array.from({ length: 29 }, (_, k) => 10 ** (k / 4 - 5));

/**
 * Ridge regression of `y` [n, outputs] on `x` [n, columns], columns centred: one way to weigh the columns and one penalty
 * for all outputs, those with the least error of samples (or groups) left out, in closed form. Solved by the
 * eigenvectors of the samples' products, so that columns may be many. The map is on the original columns.
 */
export async function ridgeHead(
  x: Float32Array,
  y: ArrayLike<number>,
  n: number,
  options: RidgeOptions = {},
): Promise<LinearMap> {
  const columns = x.length / n;
  const outputs = y.length / n;
  const { threads = 1 } = options;
  const means = Float64Array.from({ length: columns }, (_, a) => mean(n, (i) => x[i * columns + a]!));
  const centres = Array.from({ length: outputs }, (_, o) => mean(n, (i) => y[i * outputs + o]!));
  const centred = Float64Array.from(y, (v, at) => v - centres[at % outputs]!);
  const parts = groupsOf(n, options.groups);
  let best: { error: number; scheme: number; dual: Float64Array; weights: ArrayLike<number> } | undefined;
  for (const [scheme, weights] of (options.schemes ?? [inverseDeviations(x, n)]).entries()) {
    const z = Float64Array.from(x, (v, at) => (v - means[at % columns]!) * weights[at % columns]!);
    const { values, vectors } = await symmetricEigen(n, await rowProducts(n, columns, z, threads), threads);
    const unit = values.reduce((a, b) => a + b, 0) / n;
    if (!(unit > 0)) continue;
    for (const scale of SCALES) {
      const { error, dual } = leftOut({ values, vectors, n, outputs }, centred, scale * unit, parts);
      if (!best || error < best.error) best = { error, scheme, dual, weights };
    }
  }
  const w = new Float32Array(columns * outputs);
  const b = Float32Array.from(centres);
  if (!best) return { w, b, error: mean(n * outputs, (i) => centred[i]! ** 2), scheme: 0 };
  const { dual, weights, error, scheme } = best;
  for (let o = 0; o < outputs; o++) {
    let shift = 0;
    for (let a = 0; a < columns; a++) {
      let slope = 0;
      for (let i = 0; i < n; i++) slope += (x[i * columns + a]! - means[a]!) * dual[i * outputs + o]!;
      slope *= weights[a]! ** 2;
      w[a * outputs + o] = slope;
      shift += slope * means[a]!;
    }
    b[o]! -= shift;
  }
  return { w, b, error, scheme };
}

interface Spectrum {
  readonly values: Float64Array;
  /** [n, n], an eigenvector a column. */
  readonly vectors: Float64Array;
  readonly n: number;
  readonly outputs: number;
}

/**
 * With M = (K + λ)⁻¹ the residuals are λ M y, and those of a group that is left out (λ M − 1/n)⁻¹ of its block times them:
 * the mean is not penalised and costs each sample 1/n.
 */
function leftOut(
  { values, vectors, n, outputs }: Spectrum,
  y: Float64Array,
  penalty: number,
  parts: readonly (readonly number[])[],
): { error: number; dual: Float64Array } {
  const shrunk = values.map((v) => 1 / (Math.max(v, 0) + penalty));
  const turned = new Float64Array(n * outputs);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < n; k++)
      for (let o = 0; o < outputs; o++) turned[k * outputs + o]! += vectors[i * n + k]! * y[i * outputs + o]!;
  const dual = new Float64Array(n * outputs);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < n; k++)
      for (let o = 0; o < outputs; o++)
        dual[i * outputs + o]! += vectors[i * n + k]! * shrunk[k]! * turned[k * outputs + o]!;
  let error = 0;
  for (const part of parts) {
    const size = part.length;
    const block = new Float64Array(size * size);
    for (let a = 0; a < size; a++)
      for (let b = 0; b <= a; b++) {
        let sum = 0;
        for (let k = 0; k < n; k++)
          sum += vectors[part[a]! * n + k]! * vectors[part[b]! * n + k]! * shrunk[k]!;
        block[a * size + b] = block[b * size + a] = penalty * sum - 1 / n;
      }
    for (let o = 0; o < outputs; o++) {
      const residuals = Float64Array.from(part, (i) => penalty * dual[i * outputs + o]!);
      for (const r of solved(block, residuals)) error += r * r;
    }
  }
  return { error: error / (n * outputs), dual };
}

/** Gauss with pivots; a block that has no inverse counts as infinitely wrong. */
function solved(block: Float64Array, right: Float64Array): Float64Array {
  const n = right.length;
  const a = block.slice();
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i * n + k]!) > Math.abs(a[pivot * n + k]!)) pivot = i;
    if (Math.abs(a[pivot * n + k]!) < 1e-12) return right.map(() => Number.POSITIVE_INFINITY);
    for (let j = k; j < n; j++) [a[k * n + j], a[pivot * n + j]] = [a[pivot * n + j]!, a[k * n + j]!];
    [right[k], right[pivot]] = [right[pivot]!, right[k]!];
    for (let i = k + 1; i < n; i++) {
      const factor = a[i * n + k]! / a[k * n + k]!;
      if (factor === 0) continue;
      for (let j = k; j < n; j++) a[i * n + j]! -= factor * a[k * n + j]!;
      right[i]! -= factor * right[k]!;
    }
  }
  for (let k = n - 1; k >= 0; k--) {
    for (let j = k + 1; j < n; j++) right[k]! -= a[k * n + j]! * right[j]!;
    right[k]! /= a[k * n + k]!;
  }
  return right;
}

function groupsOf(n: number, groups: ArrayLike<number> | undefined): number[][] {
  const lists = new Map<number, number[]>();
  for (let i = 0; i < n; i++) {
    const key = groups?.[i] ?? i;
    const list = lists.get(key) ?? [];
    list.push(i);
    lists.set(key, list);
  }
  return [...lists.values()];
}

/** One over the deviation of each column of `x` [n, columns]; 0 for a column that does not vary. */
export function inverseDeviations(x: Float32Array, n: number): Float64Array {
  const columns = x.length / n;
  return Float64Array.from({ length: columns }, (_, a) => {
    const m = mean(n, (i) => x[i * columns + a]!);
    const deviation = Math.sqrt(mean(n, (i) => (x[i * columns + a]! - m) ** 2));
    return deviation > 1e-6 * Math.max(1, Math.abs(m)) ? 1 / deviation : 0;
  });
}

function mean(n: number, of: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += of(i);
  return sum / n;
}
