/** Transformations of rows: pure functions of blocks. Zeros stay zeros, so that blocks stay sparse. */
import { type CsrBlock, rowSums } from "./csr.ts";

/** Each value v of a row becomes f(v, row); f(0) is taken to be 0. */
export function mapValues(
  block: CsrBlock,
  f: (value: number, row: number, column: number) => number,
): CsrBlock {
  const values = new Float32Array(block.values.length);
  for (let row = 0, j = 0; row < block.rows; row++)
    for (; j < block.indptr[row + 1]!; j++) values[j] = f(block.values[j]!, row, block.indices[j]!);
  return { ...block, values };
}

/** ln(1 + v). */
export function log1p(block: CsrBlock): CsrBlock {
  return mapValues(block, (v) => Math.log1p(v));
}

/** Each row scaled to the same sum, 10,000 by default (CP10k); a row of zeros stays one. */
export function normalizeTotal(block: CsrBlock, target = 1e4): CsrBlock {
  const sums = rowSums(block);
  return mapValues(block, (v, row) => (sums[row]! > 0 ? (v * target) / sums[row]! : 0));
}

/** 1 where there is anything. */
export function binarize(block: CsrBlock): CsrBlock {
  return mapValues(block, (v) => (v > 0 ? 1 : 0));
}

/**
 * Centred log-ratio of each cell as Seurat has it (`NormalizeData`, method CLR, margin 2; Stoeckius et al. 2017):
 * ln(1 + v / g) with g = exp(Σ ln(1 + v) / features).
 */
export function clr(block: CsrBlock): CsrBlock {
  const logs = rowSums(log1p(block));
  return mapValues(block, (v, row) => Math.log1p(v / Math.exp(logs[row]! / block.columns)));
}

/**
 * Term frequency × inverse document frequency as Signac has it (`RunTFIDF`, method 1; Stuart et al. 2021):
 * ln(1 + v / rowSum · idf · 10⁴). `idf` is cells / (sum of the feature), one a feature; see `inverseDocumentFrequency`.
 */
export function tfidf(block: CsrBlock, idf: ArrayLike<number>): CsrBlock {
  const sums = rowSums(block);
  return mapValues(block, (v, row, column) =>
    sums[row]! > 0 ? Math.log1p((v / sums[row]!) * idf[column]! * 1e4) : 0,
  );
}
