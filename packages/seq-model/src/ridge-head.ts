/** A linear head that begins as ridge regression on the rows it reads, so that training starts from a good place. */

/** A linear map. */
export interface LinearMap {
  /** [columns, outputs], row-major. */
  readonly w: Float32Array;
  /** [outputs]. */
  readonly b: Float32Array;
}

/** Penalties tried, relative to the mean square of the columns. */
const SCALES: readonly number[] = Array.from({ length: 25 }, (_, k) => 10 ** (k / 3 - 6));

/**
 * Ridge regression of `y` [n, outputs] on `x` [n, columns]: columns centred and scaled, one penalty for all outputs with
 * the least leave-one-out error (closed form), solved by Cholesky. The map is on the original columns.
 */
export function ridgeHead(x: Float32Array, y: ArrayLike<number>, n: number): LinearMap {
  const columns = x.length / n;
  const outputs = y.length / n;
  const { z, means, deviations } = standardised(x, n, columns);
  const centres = Array.from({ length: outputs }, (_, o) => mean(n, (i) => y[i * outputs + o]!));
  const gram = new Float64Array(columns * columns);
  const right = new Float64Array(columns * outputs);
  for (let i = 0; i < n; i++)
    for (let a = 0; a < columns; a++) {
      const v = z[i * columns + a]!;
      for (let b = 0; b <= a; b++) gram[a * columns + b]! += v * z[i * columns + b]!;
      for (let o = 0; o < outputs; o++) right[a * outputs + o]! += v * (y[i * outputs + o]! - centres[o]!);
    }
  let best: { error: number; solution: Float64Array } | undefined;
  for (const scale of SCALES) {
    const factor = cholesky(gram, columns, scale * n);
    if (!factor) continue;
    const solution = solve(factor, right, columns, outputs);
    let error = 0;
    for (let i = 0; i < n; i++) {
      const row = z.subarray(i * columns, (i + 1) * columns);
      // The share of its own value that a sample's prediction is made of; 1/n of it comes from the mean.
      const half = forward(factor, row, columns);
      const leverage = half.reduce((sum, v) => sum + v * v, 0) + 1 / n;
      for (let o = 0; o < outputs; o++) {
        let said = centres[o]!;
        for (let a = 0; a < columns; a++) said += row[a]! * solution[a * outputs + o]!;
        error += ((y[i * outputs + o]! - said) / Math.max(1e-6, 1 - leverage)) ** 2;
      }
    }
    if (!best || error < best.error) best = { error, solution };
  }
  const w = new Float32Array(columns * outputs);
  const b = Float32Array.from(centres);
  for (let a = 0; a < columns; a++)
    for (let o = 0; o < outputs; o++) {
      const slope = (best?.solution[a * outputs + o] ?? 0) / deviations[a]!;
      w[a * outputs + o] = slope;
      b[o]! -= slope * means[a]!;
    }
  return { w, b };
}

function standardised(
  x: Float32Array,
  n: number,
  columns: number,
): { z: Float64Array; means: Float64Array; deviations: Float64Array } {
  const means = new Float64Array(columns);
  const deviations = new Float64Array(columns);
  for (let a = 0; a < columns; a++) {
    means[a] = mean(n, (i) => x[i * columns + a]!);
    deviations[a] = Math.sqrt(mean(n, (i) => (x[i * columns + a]! - means[a]!) ** 2)) || 1;
  }
  const z = Float64Array.from(x, (v, at) => (v - means[at % columns]!) / deviations[at % columns]!);
  return { z, means, deviations };
}

function mean(n: number, of: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += of(i);
  return sum / n;
}

/** Lower factor of gram + penalty; undefined where rounding has left it without one. */
function cholesky(gram: Float64Array, size: number, penalty: number): Float64Array | undefined {
  const l = new Float64Array(size * size);
  for (let a = 0; a < size; a++)
    for (let b = 0; b <= a; b++) {
      let sum = gram[a * size + b]! + (a === b ? penalty : 0);
      for (let k = 0; k < b; k++) sum -= l[a * size + k]! * l[b * size + k]!;
      if (a === b && !(sum > 0)) return undefined;
      l[a * size + b] = a === b ? Math.sqrt(sum) : sum / l[b * size + b]!;
    }
  return l;
}

function forward(l: Float64Array, row: ArrayLike<number>, size: number): Float64Array {
  const out = new Float64Array(size);
  for (let a = 0; a < size; a++) {
    let sum = row[a]!;
    for (let k = 0; k < a; k++) sum -= l[a * size + k]! * out[k]!;
    out[a] = sum / l[a * size + a]!;
  }
  return out;
}

function solve(l: Float64Array, right: Float64Array, size: number, outputs: number): Float64Array {
  const out = new Float64Array(size * outputs);
  for (let o = 0; o < outputs; o++) {
    const y = forward(
      l,
      Float64Array.from({ length: size }, (_, a) => right[a * outputs + o]!),
      size,
    );
    for (let a = size - 1; a >= 0; a--) {
      let sum = y[a]!;
      for (let k = a + 1; k < size; k++) sum -= l[k * size + a]! * out[k * outputs + o]!;
      out[a * outputs + o] = sum / l[a * size + a]!;
    }
  }
  return out;
}
