/** Points of many dimensions on a plane: attraction of neighbours, repulsion of others (McInnes et al. 2018). */
import { Random } from "@x/core/base";
import { nearest, type Points } from "./neighbours.ts";

const EPOCHS = 150;
const NEGATIVE = 4;
const [A, B] = [1.577, 0.895]; // min_dist 0.1

/** Two coordinates a point; the same for the same seed. */
export function layout(
  points: Points,
  { k = 15, seed = 0 }: { k?: number; seed?: number } = {},
): Float32Array {
  const near = nearest(points, points, { k, self: false });
  const n = points.count;
  const random = new Random(seed, 19n << 58n);
  const at = principalPlane(points, random);
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const rate = 1 - epoch / EPOCHS;
    for (let i = 0; i < n; i++)
      for (let e = 0; e < near.k; e++) {
        // Far neighbours pull in fewer of the rounds.
        if (e > 0 && (epoch + i) % (1 + (e >> 2)) !== 0) continue;
        pull(at, i, near.indices[i * near.k + e]!, rate);
        for (let m = 0; m < NEGATIVE; m++) push(at, i, random.u32() % n, rate);
      }
  }
  return at;
}

function pull(at: Float32Array, i: number, j: number, rate: number): void {
  const [dx, dy] = [at[2 * i]! - at[2 * j]!, at[2 * i + 1]! - at[2 * j + 1]!];
  const square = dx * dx + dy * dy;
  if (square === 0) return;
  const force = (-2 * A * B * square ** (B - 1)) / (1 + A * square ** B);
  const [fx, fy] = [clip(force * dx) * rate, clip(force * dy) * rate];
  at[2 * i]! += fx;
  at[2 * i + 1]! += fy;
  at[2 * j]! -= fx;
  at[2 * j + 1]! -= fy;
}

function push(at: Float32Array, i: number, j: number, rate: number): void {
  if (i === j) return;
  const [dx, dy] = [at[2 * i]! - at[2 * j]!, at[2 * i + 1]! - at[2 * j + 1]!];
  const square = dx * dx + dy * dy;
  const force = (2 * B) / ((0.001 + square) * (1 + A * square ** B));
  at[2 * i]! += clip(force * dx) * rate;
  at[2 * i + 1]! += clip(force * dy) * rate;
}

const clip = (x: number): number => Math.max(-4, Math.min(4, x));

/** The plane of the two largest variances, ten units wide, by a few power iterations. */
function principalPlane({ values, count, dimensions }: Points, random: Random): Float32Array {
  const mean = new Float64Array(dimensions);
  for (let i = 0; i < count * dimensions; i++) mean[i % dimensions]! += values[i]! / count;
  const axes: Float64Array[] = [];
  for (let axis = 0; axis < 2; axis++) {
    let v = Float64Array.from({ length: dimensions }, () => random.normal());
    for (let round = 0; round < 30; round++) {
      for (const other of axes) {
        const dot = v.reduce((s, x, d) => s + x * other[d]!, 0);
        v = v.map((x, d) => x - dot * other[d]!);
      }
      const next = new Float64Array(dimensions);
      for (let i = 0; i < count; i++) {
        let dot = 0;
        for (let d = 0; d < dimensions; d++) dot += (values[i * dimensions + d]! - mean[d]!) * v[d]!;
        for (let d = 0; d < dimensions; d++) next[d]! += dot * (values[i * dimensions + d]! - mean[d]!);
      }
      const norm = Math.hypot(...next) || 1;
      v = next.map((x) => x / norm);
    }
    axes.push(v);
  }
  const out = new Float32Array(2 * count);
  let largest = 1e-9;
  for (let i = 0; i < count; i++)
    axes.forEach((axis, a) => {
      let dot = 0;
      for (let d = 0; d < dimensions; d++) dot += (values[i * dimensions + d]! - mean[d]!) * axis[d]!;
      out[2 * i + a] = dot;
      largest = Math.max(largest, Math.abs(dot));
    });
  return out.map((x) => (10 * x) / largest);
}
