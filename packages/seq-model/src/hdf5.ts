import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromSystemError } from "@x/core/base";
import type { Dataset, File } from "h5wasm/node";
import { seqFileError } from "./errors.ts";

type H5 = typeof import("h5wasm/node").default;

let library: Promise<H5> | undefined;

/** The HDF5 library; loaded on first use, since its start takes longer than many a call. */
function h5(): Promise<H5> {
  library ??= import("h5wasm/node").then(async ({ default: h5wasm }) => {
    // Else HDF5 prints its own stack traces to stderr.
    (await h5wasm.ready).activate_throwing_error_handler();
    return h5wasm;
  });
  return library;
}

/** An open HDF5 file. */
export interface Hdf5File extends Disposable {
  /** For messages. */
  readonly path: string;
  /** A root attribute, integers as numbers. */
  attribute(name: string): unknown;
  /** A dataset, or nothing of that name. */
  dataset(name: string): Dataset | undefined;
  /** Names in a group; none where there is no such group. */
  names(group: string): string[];
}

/** Opens a file for reading. `BIOM_HDF5` when the library cannot. */
export async function openHdf5(path: string, name: string = path): Promise<Hdf5File> {
  const { File, Dataset: DatasetClass, Group } = await h5();
  let file: File;
  try {
    file = new File(path, "r");
    if (file.file_id === undefined || file.file_id < 0n) throw new Error("not readable");
    file.keys();
  } catch (cause) {
    const message = "the HDF5 library cannot open it: the file is cut, still being written, or no HDF5 file";
    throw seqFileError("BIOM_HDF5", name, message, { cause });
  }
  const get = (at: string): unknown => {
    try {
      return file.get(at);
    } catch {
      return null;
    }
  };
  return {
    path: name,
    attribute: (at) => plain(file.attrs[at]?.value),
    dataset: (at) => {
      const found = get(at);
      return found instanceof DatasetClass ? found : undefined;
    },
    names: (group) => {
      const found = get(group);
      return found instanceof Group ? found.keys() : [];
    },
    [Symbol.dispose]: () => void file.close(),
  };
}

/** The same for bytes: HDF5 reads files only, so they get one for as long as it is open. */
export async function openHdf5Bytes(bytes: Uint8Array, name: string): Promise<Hdf5File> {
  const folder = await mkdtemp(join(tmpdir(), "seq-model-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const path = join(folder, "bytes.h5");
    await writeFile(path, bytes);
    const file = await openHdf5(path, name);
    // The open file stays readable without its name.
    await remove();
    return file;
  } catch (e) {
    await remove();
    throw e;
  }
}

/** A whole dataset as float64. */
export function numbersOf(file: Hdf5File, name: string, range?: [number, number]): Float64Array {
  const found = file.dataset(name);
  if (!found) throw seqFileError("BIOM_FORMAT", file.path, `there is no dataset ${name}`);
  let value: unknown;
  try {
    value = range ? found.slice([range]) : found.value;
  } catch (cause) {
    throw seqFileError("BIOM_HDF5", file.path, `dataset ${name} cannot be read: the file is damaged`, {
      cause,
    });
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return Float64Array.from(value as unknown as Iterable<number | bigint>, Number);
  }
  if (value === null || (Array.isArray(value) && value.length === 0)) return new Float64Array();
  throw seqFileError("BIOM_FORMAT", file.path, `dataset ${name} holds no numbers`);
}

/** A dataset of texts, of fixed or variable length. */
export function textsOf(file: Hdf5File, name: string): string[] {
  const found = file.dataset(name);
  if (!found) throw seqFileError("BIOM_FORMAT", file.path, `there is no dataset ${name}`);
  const value: unknown = found.shape?.[0] === 0 ? [] : found.value;
  if (!Array.isArray(value)) throw seqFileError("BIOM_FORMAT", file.path, `dataset ${name} holds no texts`);
  return value.map(String);
}

/** HDF5 integers come as BigInt. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof BigInt64Array || value instanceof BigUint64Array) return Array.from(value, Number);
  return ArrayBuffer.isView(value) ? Array.from(value as Int32Array) : value;
}

/** A dataset to write. */
export interface Hdf5Output {
  /** Its name. */
  name: string;
  /** Texts, or numbers. */
  data: readonly string[] | Float64Array | Float32Array;
  /** Rows and columns; one dimension by default. */
  shape?: number[];
  /** `S` texts of variable length, `<d`, `<f`. */
  dtype: string;
}

/** The bytes of an HDF5 file of these datasets; `fill` then writes into them piece by piece. */
export async function hdf5Bytes(
  outputs: readonly Hdf5Output[],
  fill?: (dataset: (name: string) => Dataset) => void,
): Promise<Uint8Array> {
  const { File } = await h5();
  const folder = await mkdtemp(join(tmpdir(), "seq-model-"));
  try {
    const path = join(folder, "out.h5");
    const file = new File(path, "w");
    for (const { name, data, shape, dtype } of outputs) {
      file.create_dataset({ name, data: data as never, dtype, ...(shape ? { shape } : {}) });
    }
    fill?.((name) => file.get(name) as Dataset);
    file.flush();
    file.close();
    return await readFile(path);
  } catch (e) {
    throw fromSystemError(e, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
