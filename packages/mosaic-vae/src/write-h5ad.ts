import { checkOptions } from "@x/core/base";
import type { Table } from "apache-arrow";
import { blocks } from "./counts.ts";
import type { CsrBlock } from "./csr.ts";
import type { Modality } from "./dataset.ts";
import { mosaicError } from "./errors.ts";
import { Hdf5Writer, type WriteValues } from "./hdf5/write.ts";
import { encoding, writeDataframe, writeTexts } from "./write-dataframe.ts";

/** Row-major numbers, cells × columns. */
export interface DenseMatrix {
  /** Numbers of a row. */
  readonly columns: number;
  /** All rows, one after the other; an iterable gives them in pieces of whole rows. */
  readonly values: Float32Array | Float64Array | Iterable<Float32Array> | AsyncIterable<Float32Array>;
}

/** What a matrix may be given as; a modality is read in blocks, so that it never has to fit in memory. */
export type MatrixInput = CsrBlock | DenseMatrix | Modality;

/** What goes into `uns`: texts, numbers, lists of either, and groups of them. */
export type Unstructured =
  | string
  | number
  | boolean
  | readonly string[]
  | Float32Array
  | Float64Array
  | Int32Array
  | { readonly [name: string]: Unstructured };

/** The parts of an `.h5ad` file. */
export interface H5ad {
  /** Names of the cells. */
  cellIds: readonly string[];
  /** What is known of each. */
  obs?: Table;
  /** Names of the columns of `X` and the layers; none by default. */
  varNames?: readonly string[];
  /** What is known of each. */
  var?: Table;
  /** Cells × `varNames`. */
  X?: MatrixInput;
  /** Cells × `varNames`, e.g. imputed values. */
  layers?: Readonly<Record<string, MatrixInput>>;
  /** Cells × anything, e.g. an embedding `X_mosaicvae`. */
  obsm?: Readonly<Record<string, MatrixInput>>;
  /** Anything else. */
  uns?: Readonly<Record<string, Unstructured>>;
}

/** Options of `writeH5ad`. */
export interface WriteH5adOptions {
  /** Stops the writing; nothing is left behind. */
  signal?: AbortSignal;
  /** False refuses an existing file (`OUT_EXISTS`). True by default. */
  overwrite?: boolean;
  /** `gzip` by default. Compressed bytes depend on the zlib of a machine, those of `none` are the same on all. */
  compression?: "gzip" | "none";
}

const DICTS = ["layers", "obsm", "obsp", "uns", "varm", "varp"];

/**
 * Writes an `.h5ad` file that anndata 0.8 and later open: sparse matrices as CSR, categories with their `ordered`,
 * booleans, and missing values as pandas has them. The same data give the same bytes on one machine. Returns the size in bytes.
 * Errors: `DATASET_SHAPE`, `OBS_COLUMN`, and those of writing files.
 */
export async function writeH5ad(path: string, data: H5ad, options: WriteH5adOptions = {}): Promise<number> {
  checkOptions(data, ["cellIds", "obs", "varNames", "var", "X", "layers", "obsm", "uns"], "writeH5ad");
  const { cellIds, varNames = [] } = data;
  const cells = cellIds.length;
  if (data.obs && data.obs.numCols > 0 && data.obs.numRows !== cells)
    throw mosaicError("DATASET_SHAPE", `obs has ${data.obs.numRows} rows for ${cells} cells`);
  if (data.var && data.var.numRows !== varNames.length)
    throw mosaicError("DATASET_SHAPE", `var has ${data.var.numRows} rows for ${varNames.length} names`);
  await using file = new Hdf5Writer(path, {
    signal: options.signal,
    overwrite: options.overwrite ?? true,
    compress: options.compression !== "none",
  });
  file.group("/", encoding("anndata", "0.1.0"));
  for (const name of DICTS) file.group(name, encoding("dict", "0.1.0"));
  await writeDataframe(file, "obs", cellIds, data.obs);
  await writeDataframe(file, "var", varNames, data.var);
  const write = async (at: string, matrix: MatrixInput, columns?: number): Promise<void> => {
    options.signal?.throwIfAborted();
    await writeMatrix(file, at, matrix, cells, columns);
  };
  if (data.X) await write("X", data.X, varNames.length);
  for (const [name, matrix] of Object.entries(data.layers ?? {}))
    await write(`layers/${name}`, matrix, varNames.length);
  for (const [name, matrix] of Object.entries(data.obsm ?? {})) await write(`obsm/${name}`, matrix);
  for (const [name, value] of Object.entries(data.uns ?? {}))
    await writeUnstructured(file, `uns/${name}`, value);
  return await file.commit(); // before the file is disposed of
}

async function writeMatrix(
  file: Hdf5Writer,
  path: string,
  matrix: MatrixInput,
  cells: number,
  columns: number | undefined,
): Promise<void> {
  const sparse = "available" in matrix || "indptr" in matrix;
  const width = "available" in matrix ? matrix.features.length : matrix.columns;
  const height = "available" in matrix ? matrix.available.length : "indptr" in matrix ? matrix.rows : cells;
  if (height !== cells || (columns !== undefined && width !== columns)) {
    const wanted = `${cells} × ${columns ?? width}`;
    throw mosaicError("DATASET_SHAPE", `${path} is ${height} × ${width}, ${wanted} was expected`);
  }
  if (!sparse) {
    const { values } = matrix as DenseMatrix;
    const type = values instanceof Float64Array ? "float64" : "float32";
    const pieces = ArrayBuffer.isView(values) ? [values] : values;
    const attributes = encoding("array", "0.2.0");
    return file.stream(path, { type, shape: [cells, width], attributes }, pieces as Iterable<WriteValues>);
  }
  const parts = (): AsyncGenerator<CsrBlock> | CsrBlock[] =>
    "available" in matrix ? measuredBlocks(matrix) : [matrix as CsrBlock];
  const indptr = new Int32Array(cells + 1);
  let row = 0;
  for await (const block of parts())
    for (let i = 0; i < block.rows; i++, row++)
      indptr[row + 1] = indptr[row]! + block.indptr[i + 1]! - block.indptr[i]!;
  const stored = indptr[cells]!;
  const shape = {
    type: "int64",
    shape: [2],
    values: BigInt64Array.of(BigInt(cells), BigInt(width)),
  } as const;
  file.group(path, { ...encoding("csr_matrix", "0.1.0"), shape });
  const pick = async function* (name: "indices" | "values"): AsyncGenerator<WriteValues> {
    for await (const block of parts()) yield block[name];
  };
  await file.array(`${path}/indptr`, { type: "int32", shape: [cells + 1] }, indptr);
  await file.stream(`${path}/indices`, { type: "int32", shape: [stored] }, pick("indices"));
  await file.stream(`${path}/data`, { type: "float32", shape: [stored] }, pick("values"));
}

async function* measuredBlocks(modality: Modality): AsyncGenerator<CsrBlock> {
  for await (const [, block] of blocks(modality)) yield block;
}

async function writeUnstructured(file: Hdf5Writer, path: string, value: Unstructured): Promise<void> {
  if (typeof value === "string")
    return file.array(path, { type: "text", shape: [], attributes: encoding("string", "0.2.0") }, [value]);
  const scalar = encoding("numeric-scalar", "0.2.0");
  if (typeof value === "boolean")
    return file.array(path, { type: "bool", shape: [], attributes: scalar }, Uint8Array.of(value ? 1 : 0));
  if (typeof value === "number") {
    const whole = Number.isSafeInteger(value);
    const data = whole ? BigInt64Array.of(BigInt(value)) : Float64Array.of(value);
    return file.array(path, { type: whole ? "int64" : "float64", shape: [], attributes: scalar }, data);
  }
  if (Array.isArray(value)) return writeTexts(file, path, value as readonly string[]);
  const attributes = encoding("array", "0.2.0");
  if (value instanceof Float32Array)
    return file.array(path, { type: "float32", shape: [value.length], attributes }, value);
  if (value instanceof Float64Array)
    return file.array(path, { type: "float64", shape: [value.length], attributes }, value);
  if (value instanceof Int32Array)
    return file.array(path, { type: "int32", shape: [value.length], attributes }, value);
  file.group(path, encoding("dict", "0.1.0"));
  for (const [name, part] of Object.entries(value as Record<string, Unstructured>))
    await writeUnstructured(file, `${path}/${name}`, part);
}
