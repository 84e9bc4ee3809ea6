import { seqFileError } from "./errors.ts";
import { FeatureTable } from "./feature-table.ts";
import { type Hdf5File, numbersOf, textsOf } from "./hdf5.ts";

/** Ids and sizes of a BIOM 2.1 file, its entries left where they are. */
export interface BiomHeader {
  readonly sampleIds: readonly string[];
  readonly featureIds: readonly string[];
  readonly indptr: Float64Array;
  readonly generatedBy: string;
}

/** Reads and checks what is needed before any entry. */
export function readHeader(file: Hdf5File): BiomHeader {
  const { path } = file;
  for (const needed of ["observation/ids", "sample/ids", "sample/matrix/indptr"]) {
    if (file.dataset(needed)) continue;
    const message = `this HDF5 file has no ${needed}, so it is no BIOM 2.1 table`;
    throw seqFileError("BIOM_FORMAT", path, message);
  }
  const header = {
    featureIds: textsOf(file, "observation/ids"),
    sampleIds: textsOf(file, "sample/ids"),
    indptr: numbersOf(file, "sample/matrix/indptr"),
    generatedBy: String(file.attribute("generated-by") ?? ""),
  };
  const shape = file.attribute("shape");
  const found = [header.featureIds.length, header.sampleIds.length];
  if (Array.isArray(shape) && (shape[0] !== found[0] || shape[1] !== found[1])) {
    const message = `the shape says ${shape.join(" × ")}, there are ${found.join(" features × ")} samples`;
    throw seqFileError("BIOM_SHAPE", path, message);
  }
  if (header.indptr.length !== found[1]! + 1) {
    const message = `${found[1]} samples need ${found[1]! + 1} pointers, there are ${header.indptr.length}`;
    throw seqFileError("BIOM_SHAPE", path, message);
  }
  return header;
}

/** The samples `from` to `to` (not included) of a file. */
export function readSamples(file: Hdf5File, header: BiomHeader, from: number, to: number): FeatureTable {
  const [start, end] = [header.indptr[from]!, header.indptr[to]!];
  const whole = from === 0 && to === header.sampleIds.length;
  const range: [number, number] | undefined = whole ? undefined : [start, end];
  const entries = (name: string): Float64Array =>
    start === end ? new Float64Array() : numbersOf(file, `sample/matrix/${name}`, range);
  const [indices, values] = [entries("indices"), entries("data")];
  const negative = indices.find((f) => f < 0);
  if (negative !== undefined)
    throw seqFileError("BIOM_INDEX", file.path, `an entry is for feature number ${negative}`);
  return new FeatureTable({
    sampleIds: header.sampleIds.slice(from, to),
    featureIds: header.featureIds,
    indptr: header.indptr.slice(from, to + 1).map((p) => p - start),
    indices: Uint32Array.from(indices),
    values,
    path: file.path,
    ...taxonomyOf(file, header.featureIds.length),
  });
}

/** `observation/metadata/taxonomy`: levels of every feature side by side. */
function taxonomyOf(file: Hdf5File, features: number): { featureMetadata?: readonly unknown[] } {
  if (!file.names("observation/metadata").includes("taxonomy") || features === 0) return {};
  const levels = textsOf(file, "observation/metadata/taxonomy");
  const width = levels.length / features;
  const of = (f: number): unknown => ({ taxonomy: levels.slice(f * width, (f + 1) * width) });
  return { featureMetadata: Array.from({ length: features }, (_, f) => of(f)) };
}
