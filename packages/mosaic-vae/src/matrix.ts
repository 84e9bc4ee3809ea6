/** Matrices as anndata and 10x store them, read by rows whatever their order: CSR, CSC, dense, or a table of numbers. */
import { memoryLimit, throwIfAborted } from "@x/core/base";
import { type CsrBlock, checkCsr, denseToCsr } from "./csr.ts";
import { schemaError } from "./dataframe.ts";
import { mosaicFileError } from "./errors.ts";
import {
  asNumbers,
  attributeNumbers,
  attributeText,
  attributeTexts,
  toFloat32,
  toFloat64,
} from "./numbers.ts";
import type { ArrayNode, GroupNode, Tree } from "./tree.ts";

/** A matrix of cells × features in a file. */
export interface Matrix {
  /** Its place in the file. */
  readonly path: string;
  readonly rows: number;
  readonly columns: number;
  /** How it is stored. */
  readonly form: "csr" | "csc" | "dense" | "table";
  readonly dtype: string;
  /** Values stored; rows × columns where it is dense. */
  readonly stored: number;
  readonly filters: readonly string[];
  /** Its own column names, where it has them. */
  readonly names?: readonly string[];
  read(start: number, end: number, signal?: AbortSignal): Promise<CsrBlock>;
}

/** Bytes of a stored value once read: index and number. */
const VALUE_BYTES = 8;

/** Opens the matrix at a node. Errors: `H5AD_SCHEMA`, `CSR_INDPTR`; on read `CSR_INDEX`. */
export async function openMatrix(tree: Tree, node: GroupNode | ArrayNode, limit?: number): Promise<Matrix> {
  if (node.type === "array") return openDense(tree, node);
  const attributes = await node.attributes();
  const encoding = attributeText(attributes["encoding-type"]) ?? "";
  if (encoding === "dataframe")
    return openTable(tree, node, attributeTexts(attributes["column-order"]) ?? []);
  const form = /^(csr|csc)/.exec(encoding || (attributeText(attributes.h5sparse_format) ?? ""))?.[1];
  const shape = attributeNumbers(attributes.shape ?? attributes.h5sparse_shape);
  if (form === undefined || shape?.length !== 2)
    throw schemaError(
      tree,
      `${node.path} is no matrix: it is neither an array nor csr_matrix, csc_matrix or dataframe`,
    );
  return openSparse(tree, node, form as "csr" | "csc", [shape[0]!, shape[1]!], limit);
}

/** A sparse matrix in three arrays. 10x files use it too: their columns are cells, so that is CSR by cell. */
export async function openSparse(
  tree: Tree,
  group: GroupNode,
  form: "csr" | "csc",
  [rows, columns]: readonly [number, number],
  limit?: number,
): Promise<Matrix> {
  const part = async (name: string): Promise<ArrayNode> => {
    const node = await group.get(name);
    if (node?.type === "array" && node.shape.length === 1) return node;
    throw schemaError(tree, `${group.path} has no array ${name}`);
  };
  const [data, indices, indptrNode] = [await part("data"), await part("indices"), await part("indptr")];
  const [major, minor] = form === "csr" ? [rows, columns] : [columns, rows];
  const stored = data.shape[0]!;
  const bad = (message: string, details: object = {}): Error =>
    mosaicFileError("CSR_INDPTR", tree.path, `${group.path}: ${message}`, { object: group.path, ...details });
  if (!(rows >= 0 && columns >= 0 && columns < 2 ** 31)) throw bad(`a shape of ${rows} × ${columns}`);
  if (indptrNode.shape[0] !== major + 1)
    throw bad(`indptr has ${indptrNode.shape[0]} numbers, ${major + 1} were expected`);
  if (indices.shape[0] !== stored) throw bad(`${stored} values but ${indices.shape[0]} indices`);
  const indptr = toFloat64(await indptrNode.read(), indptrNode.path);
  if (indptr[0] !== 0) throw bad(`indptr begins with ${indptr[0]}, not 0`);
  for (let i = 0; i < major; i++) {
    if (!(indptr[i + 1]! < indptr[i]!)) continue;
    throw bad(
      `indptr decreases from ${indptr[i]} to ${indptr[i + 1]} at ${form === "csr" ? "row" : "column"} ${i}`,
      {
        row: i,
      },
    );
  }
  if (indptr[major] !== stored) throw bad(`indptr ends at ${indptr[major]}, there are ${stored} values`);

  /** Slices [from, to) of the stored order. */
  const slab = async (from: number, to: number, signal?: AbortSignal): Promise<CsrBlock> => {
    const [low, high] = [indptr[from]!, indptr[to]!];
    const [values, places] = [
      await data.read(low, high, signal),
      asNumbers(await indices.read(low, high, signal), indices.path),
    ];
    const block: CsrBlock = {
      rows: to - from,
      columns: minor,
      indptr: Int32Array.from({ length: to - from + 1 }, (_, i) => indptr[from + i]! - low),
      indices: places instanceof Int32Array ? places : toIndices(places),
      values: toFloat32(values, data.path),
    };
    checkCsr(block, `${tree.path}: ${group.path}`, from);
    return block;
  };
  const common = {
    path: group.path,
    rows,
    columns,
    form,
    dtype: data.dtype,
    stored,
    filters: data.filters,
  } as const;
  if (form === "csr") return { ...common, read: slab };
  return { ...common, read: bandReader(slab, { rows, columns, stored, indptr }, limit) };
}

/** Places beyond 32 bits become −1, which the check of columns refuses. */
function toIndices(places: ArrayLike<number | bigint>): Int32Array {
  return Int32Array.from(places, (place) => (Number(place) < 2 ** 31 ? Number(place) : -1));
}

/** Values of a CSC matrix that one pass brings into memory at most. */
const PASS = 2 ** 22;

/**
 * Rows of a matrix stored by columns: passes over the file, each keeping a band of rows as large as a quarter of the
 * memory limit. A matrix that fits there is read once.
 */
function bandReader(
  slab: (from: number, to: number, signal?: AbortSignal) => Promise<CsrBlock>,
  { rows, columns, stored, indptr }: { rows: number; columns: number; stored: number; indptr: Float64Array },
  limit: number | undefined,
): Matrix["read"] {
  let counts: Promise<Uint32Array> | undefined;
  let band: { start: number; end: number; block: CsrBlock } | undefined;
  const passes = async function* (signal?: AbortSignal): AsyncGenerator<[first: number, block: CsrBlock]> {
    for (let from = 0; from < columns; ) {
      throwIfAborted(signal);
      let to = from + 1;
      while (to < columns && indptr[to + 1]! - indptr[from]! <= PASS) to++;
      yield [from, await slab(from, to, signal)];
      from = to;
    }
  };
  const countRows = async (signal?: AbortSignal): Promise<Uint32Array> => {
    const count = new Uint32Array(rows);
    for await (const [, block] of passes(signal)) for (const row of block.indices) count[row]!++;
    return count;
  };
  const readBand = async (start: number, least: number, signal?: AbortSignal): Promise<typeof band> => {
    counts ??= countRows(signal);
    const count = await counts.catch((e: unknown) => {
      counts = undefined;
      throw e;
    });
    const most = Math.min(
      2 ** 31 - 1,
      Math.floor(memoryLimit({ memoryLimit: limit }).bytes / 4 / VALUE_BYTES),
    );
    let end = start;
    for (let kept = 0; end < rows && (end < least || kept + count[end]! <= Math.min(most, stored)); end++)
      kept += count[end]!;
    const bandPtr = new Int32Array(end - start + 1);
    for (let i = start; i < end; i++) bandPtr[i - start + 1] = bandPtr[i - start]! + count[i]!;
    const next = bandPtr.slice();
    const indices = new Int32Array(bandPtr[end - start]!);
    const values = new Float32Array(indices.length);
    for await (const [first, block] of passes(signal)) {
      for (let column = 0, j = 0; column < block.rows; column++) {
        for (; j < block.indptr[column + 1]!; j++) {
          const row = block.indices[j]! - start;
          if (row < 0 || row >= end - start) continue;
          const at = next[row]!++;
          indices[at] = first + column;
          values[at] = block.values[j]!;
        }
      }
    }
    return { start, end, block: { rows: end - start, columns, indptr: bandPtr, indices, values } };
  };
  return async (start, end, signal) => {
    if (!band || start < band.start || end > band.end) band = await readBand(start, end, signal);
    const { block, start: first } = band!;
    const [from, to] = [block.indptr[start - first]!, block.indptr[end - first]!];
    return {
      rows: end - start,
      columns,
      indptr: block.indptr.slice(start - first, end - first + 1).map((at) => at - from),
      indices: block.indices.subarray(from, to),
      values: block.values.subarray(from, to),
    };
  };
}

function openDense(tree: Tree, node: ArrayNode): Matrix {
  if (
    node.shape.length > 2 ||
    node.shape.length === 0 ||
    node.element === "string" ||
    node.element === "record"
  )
    throw schemaError(
      tree,
      `${node.path} is no matrix of numbers (${node.dtype}, ${node.shape.length} dimensions)`,
    );
  const [rows, columns = 1] = node.shape as [number, number?];
  return {
    path: node.path,
    rows,
    columns,
    form: "dense",
    dtype: node.dtype,
    stored: rows * columns,
    filters: node.filters,
    read: async (start, end, signal) =>
      denseToCsr(toFloat32(await node.read(start, end, signal), node.path), end - start, columns, node.path),
  };
}

/** A table in `obsm`: each column is a feature. */
async function openTable(tree: Tree, group: GroupNode, names: readonly string[]): Promise<Matrix> {
  const columns: ArrayNode[] = [];
  for (const name of names) {
    const node = await group.get(name);
    if (node?.type !== "array" || node.shape.length !== 1 || node.element === "string")
      throw schemaError(tree, `${group.path}/${name} is no column of numbers`);
    columns.push(node);
  }
  const rows = columns[0]?.shape[0] ?? 0;
  return {
    path: group.path,
    rows,
    columns: names.length,
    form: "table",
    dtype: columns[0]?.dtype ?? "float64",
    stored: rows * names.length,
    filters: columns[0]?.filters ?? [],
    names,
    async read(start, end, signal) {
      const dense = new Float32Array((end - start) * names.length);
      for (const [j, column] of columns.entries()) {
        const values = toFloat32(await column.read(start, end, signal), column.path);
        for (let i = 0; i < values.length; i++) dense[i * names.length + j] = values[i]!;
      }
      return denseToCsr(dense, end - start, names.length, group.path);
    },
  };
}
