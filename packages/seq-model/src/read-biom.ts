import { type RunOptions, throwIfAborted } from "@x/core/base";
import { readHeader, readSamples } from "./biom-hdf5.ts";
import { parseBiomJson } from "./biom-json.ts";
import { seqFileError } from "./errors.ts";
import type { FeatureTable } from "./feature-table.ts";
import { type Hdf5File, openHdf5, openHdf5Bytes } from "./hdf5.ts";
import { openQza, qzaFile } from "./qza.ts";
import { readAll, sniffBytes, sniffFile } from "./sniff.ts";

/** Options of {@link openBiom}. */
export interface BiomStreamOptions extends Pick<RunOptions, "signal" | "onProgress"> {
  /** Samples a block, 256 by default. */
  chunk?: number;
}

/** A table whose entries are still in the file. */
export interface BiomFile extends Disposable {
  /** Names of the samples. */
  readonly sampleIds: readonly string[];
  /** Names of the features. */
  readonly featureIds: readonly string[];
  /** Entries in all. */
  readonly nnz: number;
  /** What wrote the file, as it says itself. */
  readonly generatedBy: string;
  /** The samples `from` to `to` (not included). */
  read(from: number, to: number): FeatureTable;
  /** Blocks of samples in the order of the file: memory holds one of them. Stage `read`, in samples. */
  stream(options?: BiomStreamOptions): AsyncGenerator<FeatureTable>;
}

/**
 * Reads a whole feature table: BIOM 2.1 (HDF5), BIOM 1.0 (JSON, also gzipped) or a `.qza` with either, told apart by
 * their content. Errors: `BIOM_FORMAT`, `BIOM_HDF5`, `BIOM_SHAPE`, `BIOM_INDEX`, `BIOM_VALUE`, `DUP_FEATURE`,
 * `DUP_SAMPLE`, `QZA_FORMAT`, `QZA_TYPE` and those of the file system. Format: biom-format.org.
 */
export async function readBiom(
  path: string,
  options: Pick<RunOptions, "signal"> = {},
): Promise<FeatureTable> {
  throwIfAborted(options.signal);
  const kind = await sniffFile(path);
  if (kind === "hdf5") return readWhole(await openHdf5(path));
  if (kind === "zip") {
    const bytes = qzaFile(await openQza(path), ".biom", "a FeatureTable");
    if (sniffBytes(bytes) === "hdf5") return readWhole(await openHdf5Bytes(bytes, path));
    return parseBiomJson(Buffer.from(bytes).toString("utf8"), path);
  }
  const bytes = kind === "json" || kind === "text" ? await readAll(path, options.signal) : new Uint8Array();
  if (sniffBytes(bytes) === "hdf5") return readWhole(await openHdf5Bytes(bytes, path));
  if (sniffBytes(bytes) === "json")
    return parseBiomJson(
      Buffer.from(bytes)
        .toString("utf8")
        .replace(/^\uFEFF/, ""),
      path,
    );
  const message =
    "this is neither an HDF5 file nor JSON, so it is no BIOM table (tab-separated tables: biom convert)";
  throw seqFileError("BIOM_FORMAT", path, message);
}

/** Opens a BIOM 2.1 (HDF5) table to be read in blocks of samples, for tables larger than memory. Errors as {@link readBiom}. */
export async function openBiom(path: string): Promise<BiomFile> {
  const kind = await sniffFile(path);
  if (kind !== "hdf5") {
    const message =
      "only BIOM 2.1 (HDF5) files can be read in blocks; readBiom reads this one whole, biom convert --to-hdf5 turns it";
    throw seqFileError("BIOM_FORMAT", path, message);
  }
  const file = await openHdf5(path);
  try {
    return blocksOf(file);
  } catch (e) {
    file[Symbol.dispose]();
    throw e;
  }
}

function blocksOf(file: Hdf5File): BiomFile {
  const header = readHeader(file);
  const total = header.sampleIds.length;
  return {
    sampleIds: header.sampleIds,
    featureIds: header.featureIds,
    nnz: header.indptr[total]!,
    generatedBy: header.generatedBy,
    read: (from, to) => readSamples(file, header, Math.max(0, from), Math.min(total, to)),
    async *stream({ chunk = 256, signal, onProgress } = {}) {
      for (let from = 0; from < total; from += chunk) {
        throwIfAborted(signal);
        const to = Math.min(total, from + chunk);
        yield readSamples(file, header, from, to);
        onProgress?.({ stage: "read", done: to, total });
      }
    },
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

function readWhole(file: Hdf5File): FeatureTable {
  using open = file;
  const header = readHeader(open);
  return readSamples(open, header, 0, header.sampleIds.length);
}
