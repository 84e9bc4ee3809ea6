import { readIpcFile, writeIpc } from "@x/core";
import {
  type AtomicWriter,
  atomicWriter,
  parseStrictNumber,
  type RunOptions,
  readTable,
  xError,
} from "@x/core/base";
import { DistanceMatrix } from "./distance-matrix.ts";
import { listIds, seqError, seqFileError } from "./errors.ts";
import { type Hdf5File, hdf5Bytes, numbersOf, openHdf5, textsOf } from "./hdf5.ts";
import { npyHeader, parseNpy } from "./npy.ts";
import { openQza, qzaFile } from "./qza.ts";
import { readAll, sniffFile } from "./sniff.ts";

/** Layouts a matrix is written in. */
export const DISTANCE_FORMATS = ["npy", "tsv", "h5", "arrow"] as const;

/** A layout by its file ending. */
export type DistanceFormat = (typeof DISTANCE_FORMATS)[number];

/** Options of {@link writeDistances}. */
export interface WriteDistancesOptions extends Pick<RunOptions, "signal"> {
  /** By the ending of the name by default. `OPTION_CHOICE` where that says nothing. */
  format?: DistanceFormat;
}

/**
 * Writes a matrix, atomically. `npy`: NumPy's array without names (they go to `<path>.ids.txt`). `tsv`: QIIME 2's, names
 * in the first row and column. `h5`: unifrac-binaries' `order` and `matrix`. `arrow`: {@link DistanceMatrix.toArrow}.
 * Float32 matrices give float32 in `npy` and `h5`. `MATRIX_FORMAT` for names with tabs or line breaks in `tsv` and `npy`.
 */
export async function writeDistances(
  path: string,
  matrix: DistanceMatrix,
  options: WriteDistancesOptions = {},
): Promise<string[]> {
  const format = options.format ?? formatOf(path);
  if (format === "tsv" || format === "npy") refuseBreaks(path, matrix.ids);
  await using out = atomicWriter(path, { signal: options.signal });
  if (format === "tsv") await writeTsv(out, matrix);
  else if (format === "npy") await writeNpy(out, matrix);
  else if (format === "arrow") await writeIpc(out, matrix.batches(), { schema: matrix.schema });
  else await out.write(await hdf5Matrix(matrix));
  await out.commit();
  if (format !== "npy" || path === "-") return [path];
  const names = `${path}.ids.txt`;
  await using ids = atomicWriter(names, { signal: options.signal });
  await ids.write(`${matrix.ids.join("\n")}\n`);
  await ids.commit();
  return [path, names];
}

/** Names go into lines of text, where they must not begin another field or line. */
function refuseBreaks(path: string, ids: readonly string[]): void {
  const bad = ids.filter((id) => /[\t\r\n]/.test(id));
  if (bad.length === 0) return;
  const message = `${bad.length} names hold a tab or a line break: ${listIds(bad.map((id) => JSON.stringify(id)))}; .h5 and .arrow can hold them`;
  throw seqFileError("MATRIX_FORMAT", path, message, { samples: bad });
}

/** The layout a file name stands for. */
export function formatOf(path: string): DistanceFormat {
  const ending = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? "";
  const known: Record<string, DistanceFormat> = {
    npy: "npy",
    tsv: "tsv",
    txt: "tsv",
    h5: "h5",
    hdf5: "h5",
    arrow: "arrow",
  };
  if (Object.hasOwn(known, ending)) return known[ending]!;
  const message = `${path}: the ending says no layout; there are .${DISTANCE_FORMATS.join(", .")}`;
  throw xError("OPTION_CHOICE", message, { usage: true, details: { path } });
}

async function writeTsv(out: AtomicWriter, matrix: DistanceMatrix): Promise<void> {
  await out.write(`\t${matrix.ids.join("\t")}\n`);
  for (const { row, rows, values } of matrix.rows()) {
    for (let r = 0; r < rows; r++) {
      const line = values.subarray(r * matrix.n, (r + 1) * matrix.n);
      await out.write(`${matrix.ids[row + r]}\t${line.join("\t")}\n`);
    }
  }
}

async function writeNpy(out: AtomicWriter, matrix: DistanceMatrix): Promise<void> {
  await out.write(npyHeader([matrix.n, matrix.n], matrix.float32 ? "<f4" : "<f8"));
  for (const { values } of matrix.rows()) {
    const numbers = matrix.float32 ? Float32Array.from(values) : values.slice();
    await out.write(new Uint8Array(numbers.buffer));
  }
}

function hdf5Matrix(matrix: DistanceMatrix): Promise<Uint8Array> {
  const { n, ids, float32 } = matrix;
  // The library works in 32-bit memory.
  if (n * n * 8 > 2 ** 30) {
    const message = `a matrix of ${n} samples is too large for HDF5 here; write .npy or .arrow`;
    throw seqError("MATRIX_FORMAT", message, { samples: n });
  }
  const values = matrix.toArray();
  const data = float32 ? Float32Array.from(values) : values;
  return hdf5Bytes([
    { name: "order", data: ids, shape: [n], dtype: "S" },
    { name: "matrix", data, shape: [n, n], dtype: float32 ? "<f" : "<d" },
  ]);
}

/** Options of {@link readDistances}. */
export interface ReadDistancesOptions extends Pick<RunOptions, "signal"> {
  /** Names of rows and columns, for `.npy` files without `<path>.ids.txt` beside them. */
  ids?: readonly string[];
}

/**
 * Reads a square matrix: `.npy`, QIIME 2's TSV, `.h5` of unifrac-binaries (`order`, `matrix`) or AAM (`distances`),
 * Arrow, or a `.qza` DistanceMatrix, told apart by content. Errors: `MATRIX_FORMAT`, `MATRIX_VALUES`, `DUP_SAMPLE`.
 */
export async function readDistances(
  path: string,
  options: ReadDistancesOptions = {},
): Promise<DistanceMatrix> {
  const kind = await sniffFile(path);
  if (kind === "hdf5") {
    using file = await openHdf5(path);
    return fromHdf5(file, options);
  }
  if (kind === "npy") {
    const { shape, values } = parseNpy(await readAll(path, options.signal), path);
    const ids = options.ids ?? (await idsBeside(path));
    return square(values, ids, shape, path);
  }
  if (kind === "arrow") return fromArrow(path);
  const text =
    kind === "zip" ? qzaFile(await openQza(path), "distance-matrix.tsv", "a DistanceMatrix") : path;
  return fromTsv(text, path);
}

async function fromTsv(source: string | Uint8Array, path: string): Promise<DistanceMatrix> {
  const table = await readTable(source, { delimiter: "tab", header: true, name: path });
  const [rows, ...columns] = table.columns;
  const ids = table.names.slice(1);
  if (!rows || rows.join("\t") !== ids.join("\t")) {
    throw seqFileError(
      "MATRIX_FORMAT",
      path,
      "rows and columns do not have the same names in the same order",
    );
  }
  const values = new Float64Array(ids.length ** 2);
  columns.forEach((column, c) => {
    column.forEach((text, r) => {
      const value = parseStrictNumber(text);
      if (value === undefined) {
        throw seqFileError("MATRIX_FORMAT", path, `${JSON.stringify(text)} is no number`, {
          line: table.lineOf(r),
        });
      }
      values[r * ids.length + c] = value;
    });
  });
  return square(values, ids, [rows.length, ids.length], path);
}

function fromHdf5(file: Hdf5File, options: ReadDistancesOptions): DistanceMatrix {
  const name = ["matrix", "distances"].find((key) => file.dataset(key));
  if (!name)
    throw seqFileError("MATRIX_FORMAT", file.path, "there is neither a dataset matrix nor distances");
  const ids = options.ids ?? (file.dataset("order") ? textsOf(file, "order") : undefined);
  if (!ids)
    throw seqFileError("MATRIX_FORMAT", file.path, "there is no dataset order, so names must be given (ids)");
  return square(numbersOf(file, name), ids, file.dataset(name)!.shape ?? [], file.path);
}

async function fromArrow(path: string): Promise<DistanceMatrix> {
  const table = await readIpcFile(path);
  const [sample, list] = [table.getChild("sample"), table.getChild("distances")];
  if (!sample || !list)
    throw seqFileError("MATRIX_FORMAT", path, "there are no columns sample and distances");
  const ids = Array.from(sample, String);
  const values = new Float64Array(ids.length ** 2);
  let at = 0;
  for (const row of list as Iterable<{ toArray(): Float64Array }>) {
    values.set(row.toArray(), at);
    at += ids.length;
  }
  return square(
    values,
    ids,
    [ids.length, at / Math.max(1, ids.length)],
    path,
    table.schema.metadata.get("metric"),
  );
}

async function idsBeside(path: string): Promise<string[]> {
  try {
    const text = Buffer.from(await readAll(`${path}.ids.txt`)).toString("utf8");
    return text.trimEnd().split(/\r?\n/);
  } catch (cause) {
    const message = `a .npy file has no names: give ids, or ${path}.ids.txt with one a line`;
    throw seqFileError("MATRIX_FORMAT", path, message, { cause });
  }
}

function square(
  values: Float64Array,
  ids: readonly string[],
  shape: readonly number[],
  path: string,
  metric?: string,
): DistanceMatrix {
  if (shape.length !== 2 || shape[0] !== shape[1] || shape[0] !== ids.length) {
    const message = `the matrix is ${shape.join(" × ")}, there are ${ids.length} names`;
    throw seqFileError("MATRIX_FORMAT", path, message);
  }
  return DistanceMatrix.fromSquare(values, ids, metric);
}
