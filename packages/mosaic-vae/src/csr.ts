/** Rows of a sparse matrix, and the few things done to them everywhere. */
import { mosaicError } from "./errors.ts";

/** Rows [start, end) of one modality, compressed by row. */
export interface CsrBlock {
  /** Cells. */
  readonly rows: number;
  /** Features. */
  readonly columns: number;
  /** Where each row begins in `indices` and `values`; rows + 1 numbers from 0. */
  readonly indptr: Int32Array;
  /** Feature of each value, from 0. */
  readonly indices: Int32Array;
  /** Numbers that are not 0 (explicit zeros are allowed). */
  readonly values: Float32Array;
}

/** `CSR_INDPTR` or `CSR_INDEX` when a block's parts do not belong together. */
export function checkCsr(block: CsrBlock, name: string, firstRow = 0): void {
  const { rows, columns, indptr, indices, values } = block;
  const nnz = indices.length;
  const bad = (message: string, details: object): Error =>
    mosaicError("CSR_INDPTR", `${name}: ${message}`, { details: { ...details } });
  if (indptr.length !== rows + 1 || indptr[0] !== 0 || values.length !== nnz)
    throw bad(`indptr has ${indptr.length} numbers for ${rows} rows, from ${indptr[0]}`, { rows });
  for (let i = 0; i < rows; i++) {
    if (indptr[i + 1]! >= indptr[i]!) continue;
    throw bad(`indptr decreases from ${indptr[i]} to ${indptr[i + 1]} at row ${firstRow + i}`, {
      row: firstRow + i,
    });
  }
  if (indptr[rows] !== nnz) throw bad(`indptr ends at ${indptr[rows]}, there are ${nnz} values`, { nnz });
  for (let row = 0, j = 0; row < rows; row++) {
    for (; j < indptr[row + 1]!; j++) {
      const column = indices[j]!;
      if (column >= 0 && column < columns) continue;
      const message = `${name}: row ${firstRow + row} has column ${column}, there are ${columns}`;
      throw mosaicError("CSR_INDEX", message, { details: { row: firstRow + row, column, columns } });
    }
  }
}

/** Rows [start, end) of a block; values are shared. */
export function sliceRows(block: CsrBlock, start: number, end: number): CsrBlock {
  const [from, to] = [block.indptr[start]!, block.indptr[end]!];
  const indptr = block.indptr.slice(start, end + 1);
  if (from !== 0) for (let i = 0; i < indptr.length; i++) indptr[i]! -= from;
  return {
    rows: end - start,
    columns: block.columns,
    indptr,
    indices: block.indices.subarray(from, to),
    values: block.values.subarray(from, to),
  };
}

/** Rows of a block in any order, each any number of times; or of blocks that lie one after the other, each of `height` rows. */
export function gatherRows(
  given: CsrBlock | readonly CsrBlock[],
  rows: ArrayLike<number>,
  height: number = Number.POSITIVE_INFINITY,
): CsrBlock {
  const blocks = "rows" in given ? [given] : given;
  const indptr = new Int32Array(rows.length + 1);
  for (let i = 0; i < rows.length; i++) {
    const block = blocks[Math.floor(rows[i]! / height)]!;
    const row = rows[i]! % height;
    indptr[i + 1] = indptr[i]! + block.indptr[row + 1]! - block.indptr[row]!;
  }
  const indices = new Int32Array(indptr[rows.length]!);
  const values = new Float32Array(indices.length);
  for (let i = 0; i < rows.length; i++) {
    const block = blocks[Math.floor(rows[i]! / height)]!;
    const row = rows[i]! % height;
    const [from, to] = [block.indptr[row]!, block.indptr[row + 1]!];
    indices.set(block.indices.subarray(from, to), indptr[i]!);
    values.set(block.values.subarray(from, to), indptr[i]!);
  }
  return { rows: rows.length, columns: blocks[0]!.columns, indptr, indices, values };
}

/** Blocks of the same columns one after the other. */
export function stackRows(blocks: readonly CsrBlock[], columns: number): CsrBlock {
  if (blocks.length === 1) return blocks[0]!;
  const rows = blocks.reduce((n, b) => n + b.rows, 0);
  const nnz = blocks.reduce((n, b) => n + b.indices.length, 0);
  const indptr = new Int32Array(rows + 1);
  const indices = new Int32Array(nnz);
  const values = new Float32Array(nnz);
  let [row, at] = [0, 0];
  for (const block of blocks) {
    indices.set(block.indices, at);
    values.set(block.values, at);
    for (let i = 1; i <= block.rows; i++) indptr[row + i] = at + block.indptr[i]!;
    row += block.rows;
    at += block.indices.length;
  }
  return { rows, columns, indptr, indices, values };
}

/** Row-major numbers as compressed rows; NaN is a value. `DATASET_SHAPE` when there are not rows × columns of them. */
export function denseToCsr(values: ArrayLike<number>, rows: number, columns: number, name: string): CsrBlock {
  if (values.length !== rows * columns) {
    const message = `${name} has ${values.length} numbers, ${rows} × ${columns} were expected`;
    throw mosaicError("DATASET_SHAPE", message, { details: { modality: name } });
  }
  let nnz = 0;
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) nnz++;
  const indptr = new Int32Array(rows + 1);
  const indices = new Int32Array(nnz);
  const kept = new Float32Array(nnz);
  for (let row = 0, i = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, i++) {
      const value = values[i]!;
      if (value === 0) continue;
      indices[at] = column;
      kept[at++] = value;
    }
    indptr[row + 1] = at;
  }
  return { rows, columns, indptr, indices, values: kept };
}

/** Compressed rows as row-major numbers, into `out` where given (its first rows × columns numbers are overwritten). */
export function csrToDense(block: CsrBlock, out?: Float32Array): Float32Array {
  const { rows, columns, indptr, indices, values } = block;
  const dense = out ?? new Float32Array(rows * columns);
  if (out) dense.fill(0, 0, rows * columns);
  for (let row = 0, j = 0; row < rows; row++) {
    const base = row * columns;
    for (; j < indptr[row + 1]!; j++) dense[base + indices[j]!]! += values[j]!;
  }
  return dense;
}

/** Sum of each row, in the order of storage. */
export function rowSums(block: CsrBlock): Float32Array {
  const sums = new Float32Array(block.rows);
  for (let row = 0, j = 0; row < block.rows; row++) {
    let sum = 0;
    for (; j < block.indptr[row + 1]!; j++) sum += block.values[j]!;
    sums[row] = sum;
  }
  return sums;
}

/** A block whose column j becomes `to[j]`; columns that go to −1 are left out. */
export function mapColumns(block: CsrBlock, to: Int32Array, columns: number): CsrBlock {
  const { rows } = block;
  const indptr = new Int32Array(rows + 1);
  const indices = new Int32Array(block.indices.length);
  const values = new Float32Array(block.indices.length);
  let at = 0;
  for (let row = 0, j = 0; row < rows; row++) {
    for (; j < block.indptr[row + 1]!; j++) {
      const column = to[block.indices[j]!]!;
      if (column < 0) continue;
      indices[at] = column;
      values[at++] = block.values[j]!;
    }
    indptr[row + 1] = at;
  }
  return { rows, columns, indptr, indices: indices.subarray(0, at), values: values.subarray(0, at) };
}

/** The block with some rows emptied; the same block where there are none. */
export function dropRows(block: CsrBlock, drop: (row: number) => boolean): CsrBlock {
  const { rows, columns, indptr, indices, values } = block;
  const kept = new Int32Array(rows + 1);
  for (let i = 0; i < rows; i++) kept[i + 1] = kept[i]! + (drop(i) ? 0 : indptr[i + 1]! - indptr[i]!);
  if (kept[rows] === indptr[rows]) return block;
  const [someIndices, someValues] = [new Int32Array(kept[rows]!), new Float32Array(kept[rows]!)];
  for (let i = 0; i < rows; i++) {
    if (kept[i + 1] === kept[i]) continue;
    someIndices.set(indices.subarray(indptr[i]!, indptr[i + 1]!), kept[i]!);
    someValues.set(values.subarray(indptr[i]!, indptr[i + 1]!), kept[i]!);
  }
  return { rows, columns, indptr: kept, indices: someIndices, values: someValues };
}
