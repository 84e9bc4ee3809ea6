import type { Cohort } from "./cohort.ts";
import type { KeptRows, VariantFilter } from "./filter.ts";
import { decodeFloat64, fillDosages, matmul, type NativeOptions, subsetSamples } from "./native.ts";

/** Bytes of decoded genotypes held at once. */
export const COVARIATE_TILE_BYTES: number = 8 << 20;

/**
 * GEMMA's r² test: x′W(W′W)⁻¹W′x / x′x of the uncentred, mean-imputed dosage x among the analysed people, and only with
 * two or more covariate columns. It removes variants that a covariate equals, for which no effect can be estimated.
 */
export class CovariateTest {
  readonly #cohort: Cohort;
  /** Lower Cholesky factor of W′W, by rows. */
  readonly #factor: Float64Array;
  /** W with one person a row, as the product wants it. */
  readonly #rows: Float64Array;
  readonly #c: number;

  constructor(cohort: Cohort) {
    const n = cohort.analyzed.length;
    const c = cohort.w.length / n;
    this.#cohort = cohort;
    this.#c = c;
    this.#rows = new Float64Array(n * c);
    for (let j = 0; j < c; j++) for (let i = 0; i < n; i++) this.#rows[i * c + j] = cohort.w[j * n + i]!;
    this.#factor = cholesky(gram(this.#rows, n, c), c);
  }

  static neededFor(cohort: Cohort): boolean {
    return cohort.covariateNames.length >= 2;
  }

  /** Drops the kept variants of a block that the covariates explain. */
  async apply(
    filter: VariantFilter,
    kept: KeptRows,
    genotypes: { readonly packed: Uint8Array; readonly dosages?: Float64Array | undefined },
    o: NativeOptions,
  ): Promise<KeptRows> {
    const { packed, dosages } = genotypes;
    const { analyzed, samples } = this.#cohort;
    const n = analyzed.length;
    const tile = Math.max(1, Math.floor(COVARIATE_TILE_BYTES / (8 * n)));
    const r2 = new Float64Array(kept.rows.length);
    for (let from = 0; from < r2.length; from += tile) {
      const rows = kept.rows.subarray(from, from + tile);
      const means = kept.means.subarray(from, from + tile);
      const x = dosages
        ? await fillDosages(dosages, samples, analyzed, { rows, means }, o)
        : await this.#decode(packed, rows, o);
      const norms = imputeMeans(x, n, means);
      const products = await matmul(rows.length, this.#c, n, x, this.#rows, o);
      for (let i = 0; i < rows.length; i++)
        r2[from + i] = this.#explained(products.subarray(i * this.#c)) / norms[i]!;
    }
    return filter.dropExplained(kept, r2);
  }

  /** Dosages of the analysed people, NaN where missing. */
  async #decode(packed: Uint8Array, rows: Uint32Array, o: NativeOptions): Promise<Float64Array> {
    const { analyzed, samples } = this.#cohort;
    const stride = Math.ceil(samples / 4);
    const chosen = new Uint8Array(rows.length * stride);
    for (let i = 0; i < rows.length; i++)
      chosen.set(packed.subarray(rows[i]! * stride, (rows[i]! + 1) * stride), i * stride);
    const people = await subsetSamples(chosen, samples, rows.length, analyzed, o);
    return decodeFloat64(people, analyzed.length, rows.length, o);
  }

  /** |L⁻¹ W′x|². */
  #explained(wx: Float64Array): number {
    const c = this.#c;
    const solved = new Float64Array(c);
    let sum = 0;
    for (let i = 0; i < c; i++) {
      let v = wx[i]!;
      for (let j = 0; j < i; j++) v -= this.#factor[i * c + j]! * solved[j]!;
      solved[i] = v / this.#factor[i * c + i]!;
      sum += solved[i]! ** 2;
    }
    return sum;
  }
}

/** Puts the mean where a call is missing; returns x′x of each row. */
function imputeMeans(x: Float64Array, n: number, means: Float64Array): Float64Array {
  const norms = new Float64Array(means.length);
  for (let row = 0; row < means.length; row++) {
    const mean = means[row]!;
    let sum = 0;
    for (let i = row * n; i < (row + 1) * n; i++) {
      let v = x[i]!;
      if (Number.isNaN(v)) {
        v = mean;
        x[i] = mean;
      }
      sum += v * v;
    }
    norms[row] = sum;
  }
  return norms;
}

function gram(rows: Float64Array, n: number, c: number): Float64Array {
  const out = new Float64Array(c * c);
  for (let i = 0; i < n; i++)
    for (let a = 0; a < c; a++)
      for (let b = 0; b <= a; b++) out[a * c + b]! += rows[i * c + a]! * rows[i * c + b]!;
  return out;
}

function cholesky(a: Float64Array, c: number): Float64Array {
  for (let i = 0; i < c; i++)
    for (let j = 0; j <= i; j++) {
      let v = a[i * c + j]!;
      for (let k = 0; k < j; k++) v -= a[i * c + k]! * a[j * c + k]!;
      a[i * c + j] = i === j ? Math.sqrt(v) : v / a[j * c + j]!;
    }
  return a;
}
