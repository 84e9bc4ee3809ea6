/** Truncated singular value decomposition of a modality, block by block: PCA-like embeddings and LSI. */
import { checkRange, Random } from "@x/core/base";
import { blocks, type PassOptions } from "./counts.ts";
import { type CsrBlock, dropRows } from "./csr.ts";
import type { Modality } from "./dataset.ts";
import { inverseDocumentFrequency } from "./features.ts";
import { tfidf } from "./transform.ts";

/** Options of `truncatedSvd`. */
export interface SvdOptions extends PassOptions {
  /** Components, 20 by default (fewer where there are fewer cells or features). */
  components?: number;
  /** Passes that sharpen the result, 4 by default. */
  iterations?: number;
  /** Subtract the mean of each feature over the measured cells (PCA); false by default. */
  center?: boolean;
  /** Applied to each block first, e.g. `log1p`. */
  transform?: (block: CsrBlock) => CsrBlock;
  /** Use these cells (1) only; the measured ones by default. Others get a row all the same. */
  fit?: ArrayLike<number>;
  /** Seed of the first directions; 0 by default. */
  seed?: number;
}

/** X ≈ U · S · Vᵀ. */
export interface Svd {
  /** Singular values found. */
  readonly components: number;
  /** U · S, cells × components; zeros for cells that were not measured. */
  readonly scores: Float32Array;
  /** S, from large to small. */
  readonly singular: Float64Array;
  /** V, features × components. */
  readonly loadings: Float64Array;
}

const OVERSAMPLING = 10;

/**
 * The largest singular values by randomised subspace iteration (Halko, Martinsson, Tropp, "Finding structure with
 * randomness", 2011), reading the modality once an iteration. The sign of a component makes its largest loading
 * positive. The same numbers for the same seed.
 */
export async function truncatedSvd(modality: Modality, options: SvdOptions = {}): Promise<Svd> {
  const features = modality.features.length;
  const cells = modality.available.length;
  const most = Math.min(features, cells);
  const components = Math.min(
    most,
    checkRange("components", options.components ?? 20, { min: 1, integer: true }),
  );
  const iterations = checkRange("iterations", options.iterations ?? 4, { min: 1, integer: true });
  const width = Math.min(most, components + OVERSAMPLING);
  const fit = options.fit ?? modality.available;
  const random = new Random(options.seed ?? 0, 1n << 58n);
  let v = Float64Array.from({ length: features * width }, () => random.normal());
  orthonormalize(v, features, width);
  const mean = options.center ? await featureMeans(modality, fit, options) : new Float64Array(features);
  let singular = new Float64Array(width);
  for (let i = 0; i < iterations; i++) {
    // Xᵀ X V: rows of X are seen once, V stays.
    const next = new Float64Array(features * width);
    const total = new Float64Array(width);
    for await (const [start, block] of measured(modality, fit, options))
      addProducts(block, (row) => fit[start + row] !== 0, v, mean, next, total, width);
    for (let j = 0; j < features; j++)
      if (mean[j] !== 0) for (let k = 0; k < width; k++) next[j * width + k]! -= mean[j]! * total[k]!;
    if (i === iterations - 1) {
      // Rayleigh–Ritz: the small matrix Vᵀ Xᵀ X V has the squares of the singular values.
      const small = new Float64Array(width * width);
      for (let j = 0; j < features; j++)
        for (let a = 0; a < width; a++)
          for (let b = 0; b < width; b++) small[a * width + b]! += v[j * width + a]! * next[j * width + b]!;
      const { values, vectors } = symmetricEigen(small, width);
      v = rotate(v, vectors, features, width);
      singular = values.map((x) => Math.sqrt(Math.max(0, x)));
    } else {
      v = next;
      orthonormalize(v, features, width);
    }
  }
  const loadings = new Float64Array(features * components);
  for (let k = 0; k < components; k++) {
    let top = 0;
    for (let j = 1; j < features; j++)
      if (Math.abs(v[j * width + k]!) > Math.abs(v[top * width + k]!)) top = j;
    const sign = v[top * width + k]! < 0 ? -1 : 1;
    for (let j = 0; j < features; j++) loadings[j * components + k] = sign * v[j * width + k]!;
  }
  const scores = await project(modality, { loadings, components, mean }, options);
  return { components, scores, singular: singular.slice(0, components), loadings };
}

/** Latent semantic indexing of ATAC: `tfidf`, then `truncatedSvd`. The first component follows the depth of a cell. */
export async function lsi(modality: Modality, options: SvdOptions = {}): Promise<Svd> {
  const idf = await inverseDocumentFrequency(modality, options);
  return truncatedSvd(modality, { ...options, transform: (block) => tfidf(block, idf) });
}

async function* measured(
  modality: Modality,
  fit: ArrayLike<number>,
  options: SvdOptions,
): AsyncGenerator<[start: number, block: CsrBlock]> {
  for await (const [start, raw] of blocks(modality, options)) {
    const block = dropRows(raw, (row) => fit[start + row] === 0);
    yield [start, options.transform ? options.transform(block) : block];
  }
}

async function featureMeans(
  modality: Modality,
  fit: ArrayLike<number>,
  options: SvdOptions,
): Promise<Float64Array> {
  const mean = new Float64Array(modality.features.length);
  let cells = 0;
  for await (const [start, block] of measured(modality, fit, options)) {
    for (let row = 0; row < block.rows; row++) if (fit[start + row] !== 0) cells++;
    for (let j = 0; j < block.indices.length; j++) mean[block.indices[j]!]! += block.values[j]!;
  }
  return mean.map((sum) => sum / Math.max(1, cells));
}

/** Adds Xᵀ (X − mean) V of a block to `next`, and the sums of (X − mean) V to `total`. */
function addProducts(
  block: CsrBlock,
  counts: (row: number) => boolean,
  v: Float64Array,
  mean: Float64Array,
  next: Float64Array,
  total: Float64Array,
  width: number,
): void {
  const offset = new Float64Array(width);
  for (let j = 0; j < mean.length; j++)
    if (mean[j] !== 0) for (let k = 0; k < width; k++) offset[k]! += mean[j]! * v[j * width + k]!;
  const y = new Float64Array(width);
  for (let row = 0; row < block.rows; row++) {
    if (!counts(row)) continue;
    const [from, to] = [block.indptr[row]!, block.indptr[row + 1]!];
    for (let k = 0; k < width; k++) y[k] = -offset[k]!;
    for (let j = from; j < to; j++) {
      const at = block.indices[j]! * width;
      const value = block.values[j]!;
      for (let k = 0; k < width; k++) y[k]! += value * v[at + k]!;
    }
    for (let k = 0; k < width; k++) total[k]! += y[k]!;
    for (let j = from; j < to; j++) {
      const at = block.indices[j]! * width;
      const value = block.values[j]!;
      for (let k = 0; k < width; k++) next[at + k]! += value * y[k]!;
    }
  }
}

/** (X − mean) V for all measured cells. */
async function project(
  modality: Modality,
  { loadings, components, mean }: { loadings: Float64Array; components: number; mean: Float64Array },
  options: SvdOptions,
): Promise<Float32Array> {
  const scores = new Float32Array(modality.available.length * components);
  const offset = new Float64Array(components);
  for (let j = 0; j < mean.length; j++)
    for (let k = 0; k < components; k++) offset[k]! += mean[j]! * loadings[j * components + k]!;
  const y = new Float64Array(components);
  for await (const [start, block] of measured(modality, modality.available, options)) {
    for (let row = 0; row < block.rows; row++) {
      if (modality.available[start + row] === 0) continue;
      for (let k = 0; k < components; k++) y[k] = -offset[k]!;
      for (let j = block.indptr[row]!; j < block.indptr[row + 1]!; j++) {
        const at = block.indices[j]! * components;
        for (let k = 0; k < components; k++) y[k]! += block.values[j]! * loadings[at + k]!;
      }
      scores.set(y, (start + row) * components);
    }
  }
  return scores;
}

/** Makes the columns of a rows × width matrix orthonormal (Gram and Schmidt, twice). */
function orthonormalize(v: Float64Array, rows: number, width: number): void {
  for (let k = 0; k < width; k++) {
    for (let round = 0; round < 2; round++) {
      for (let other = 0; other < k; other++) {
        let dot = 0;
        for (let j = 0; j < rows; j++) dot += v[j * width + k]! * v[j * width + other]!;
        for (let j = 0; j < rows; j++) v[j * width + k]! -= dot * v[j * width + other]!;
      }
    }
    let norm = 0;
    for (let j = 0; j < rows; j++) norm += v[j * width + k]! ** 2;
    const scale = norm > 0 ? 1 / Math.sqrt(norm) : 0;
    for (let j = 0; j < rows; j++) v[j * width + k]! *= scale;
  }
}

/** V · W. */
function rotate(v: Float64Array, w: Float64Array, rows: number, width: number): Float64Array<ArrayBuffer> {
  const out = new Float64Array(rows * width);
  for (let j = 0; j < rows; j++)
    for (let a = 0; a < width; a++) {
      const value = v[j * width + a]!;
      for (let b = 0; b < width; b++) out[j * width + b]! += value * w[a * width + b]!;
    }
  return out;
}

/** Eigenvalues from large to small, and vectors by column, of a small symmetric matrix (Jacobi's rotations). */
function symmetricEigen(
  matrix: Float64Array,
  n: number,
): { values: Float64Array<ArrayBuffer>; vectors: Float64Array } {
  const a = Float64Array.from(matrix, (x, i) => (x + matrix[(i % n) * n + Math.floor(i / n)]!) / 2);
  const w = new Float64Array(n * n);
  for (let i = 0; i < n; i++) w[i * n + i] = 1;
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    let all = 0;
    for (let i = 0; i < n * n; i++) {
      all += a[i]! ** 2;
      if (i % n !== Math.floor(i / n)) off += a[i]! ** 2;
    }
    if (off <= 1e-30 * all) break;
    for (let p = 0; p < n - 1; p++) for (let q = p + 1; q < n; q++) jacobi(a, w, n, p, q);
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((p, q) => a[q * n + q]! - a[p * n + p]! || p - q);
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => {
    for (let i = 0; i < n; i++) vectors[i * n + to] = w[i * n + from]!;
  });
  return { values: Float64Array.from(order, (i) => a[i * n + i]!), vectors };
}

function jacobi(a: Float64Array, w: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]!;
  if (apq === 0) return;
  const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let i = 0; i < n; i++) {
    const [x, y] = [a[i * n + p]!, a[i * n + q]!];
    a[i * n + p] = c * x - s * y;
    a[i * n + q] = s * x + c * y;
  }
  for (let i = 0; i < n; i++) {
    const [x, y] = [a[p * n + i]!, a[q * n + i]!];
    a[p * n + i] = c * x - s * y;
    a[q * n + i] = s * x + c * y;
  }
  for (let i = 0; i < n; i++) {
    const [x, y] = [w[i * n + p]!, w[i * n + q]!];
    w[i * n + p] = c * x - s * y;
    w[i * n + q] = s * x + c * y;
  }
}
