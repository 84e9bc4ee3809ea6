import type { Table } from "apache-arrow";
import { arrowOfTable } from "./arrow.ts";
import { duplicates, listIds, seqError, seqFileError } from "./errors.ts";

/** What a {@link FeatureTable} is made of. */
export interface FeatureTableParts {
  /** Names of the samples. */
  sampleIds: readonly string[];
  /** Names of the features: sequences, md5 sums, OTU numbers. */
  featureIds: readonly string[];
  /** Where each sample's entries begin; one more than samples. */
  indptr: Float64Array;
  /** The feature of each entry, ascending within a sample. */
  indices: Uint32Array;
  /** The count of each entry. */
  values: Float64Array;
  /** For messages. */
  path?: string;
  /** What the file says about the features (taxonomy), one a feature, unchecked. */
  featureMetadata?: readonly unknown[];
  /** How the counts came about, e.g. a rarefaction. */
  history?: readonly string[];
}

/** Which part of a table. */
export interface TableSelection {
  /** Samples by name, in this order; all by default. `SAMPLE_UNKNOWN` for others. */
  samples?: readonly string[];
  /** Features by name, in this order; all by default. `FEATURE_UNKNOWN` for others. */
  features?: readonly string[];
}

/**
 * Counts of features in samples, compressed by sample. Frozen: every change gives a new table. Counts are finite and at
 * least 0 (`BIOM_VALUE`), names are unique (`DUP_SAMPLE`, `DUP_FEATURE`); an absent entry is 0, nothing is missing.
 */
export class FeatureTable {
  /** Names of the samples. */
  readonly sampleIds: readonly string[];
  /** Names of the features. */
  readonly featureIds: readonly string[];
  /** Where each sample's entries begin; one more than samples. */
  readonly indptr: Float64Array;
  /** The feature of each entry, ascending within a sample. */
  readonly indices: Uint32Array;
  /** The count of each entry. */
  readonly values: Float64Array;
  /** For messages. */
  readonly path: string;
  /** What the file says about the features, one a feature, unchecked. */
  readonly featureMetadata: readonly unknown[] | undefined;
  /** How the counts came about. */
  readonly history: readonly string[];

  /** Entries of a sample need not be sorted; entries of the same feature are an error (`BIOM_INDEX`). */
  constructor(parts: FeatureTableParts) {
    this.sampleIds = parts.sampleIds;
    this.featureIds = parts.featureIds;
    this.indptr = parts.indptr;
    const sorted = sortable(parts);
    this.indices = sorted.indices;
    this.values = sorted.values;
    this.path = parts.path ?? "table";
    this.featureMetadata = parts.featureMetadata;
    this.history = parts.history ?? [];
    checkIds(this);
    checkEntries(this);
    Object.freeze(this);
  }

  /** Entries. */
  get nnz(): number {
    return this.values.length;
  }

  /** Sum of each sample's counts. */
  totals(): Float64Array {
    return Float64Array.from(this.sampleIds, (_, s) => {
      let sum = 0;
      for (let at = this.indptr[s]!; at < this.indptr[s + 1]!; at++) sum += this.values[at]!;
      return sum;
    });
  }

  /** Place of a sample, or −1. */
  sampleIndex(id: string): number {
    const map = sampleMaps.get(this) ?? new Map(this.sampleIds.map((name, at) => [name, at]));
    sampleMaps.set(this, map);
    return map.get(id) ?? -1;
  }

  /** Places of samples. `SAMPLE_UNKNOWN` with those the table does not have. */
  sampleIndices(ids: readonly string[]): Uint32Array {
    const unknown = ids.filter((id) => this.sampleIndex(id) < 0);
    if (unknown.length > 0) {
      const message = `${this.path} has no sample ${listIds(unknown)}`;
      throw seqError("SAMPLE_UNKNOWN", message, { samples: unknown });
    }
    return Uint32Array.from(ids, (id) => this.sampleIndex(id));
  }

  /** A part of the table, as a new one. */
  select(selection: TableSelection): FeatureTable {
    const samples = selection.samples ?? this.sampleIds;
    const rows = this.sampleIndices(samples);
    const featureIds = selection.features ?? this.featureIds;
    const place = selection.features && this.#featurePlaces(selection.features);
    const most = rows.reduce((sum, row) => sum + this.indptr[row + 1]! - this.indptr[row]!, 0);
    const [indices, values] = [new Uint32Array(most), new Float64Array(most)];
    const indptr = new Float64Array(rows.length + 1);
    let to = 0;
    rows.forEach((row, at) => {
      for (let e = this.indptr[row]!; e < this.indptr[row + 1]!; e++) {
        const feature = place ? place[this.indices[e]!]! : this.indices[e]!;
        if (feature < 0) continue;
        indices[to] = feature;
        values[to++] = this.values[e]!;
      }
      indptr[at + 1] = to;
    });
    return new FeatureTable({
      sampleIds: samples,
      featureIds,
      indptr,
      indices: indices.slice(0, to),
      values: values.slice(0, to),
      path: this.path,
      history: this.history,
      ...this.#metadataOf(place, featureIds.length),
    });
  }

  /** Without the features that no sample has. */
  dropEmptyFeatures(): FeatureTable {
    const used = new Uint8Array(this.featureIds.length);
    for (let at = 0; at < this.nnz; at++) if (this.values[at]! > 0) used[this.indices[at]!] = 1;
    return this.select({ features: this.featureIds.filter((_, f) => used[f]) });
  }

  /** Entries as an Arrow table: `sample, feature: Dictionary<Utf8>; count: Float64`, sample after sample. */
  toArrow(): Table {
    return arrowOfTable(this);
  }

  /** What the file says about the chosen features; `place` holds where each feature went. */
  #metadataOf(place: Int32Array | undefined, count: number): { featureMetadata?: readonly unknown[] } {
    if (!this.featureMetadata) return {};
    if (!place) return { featureMetadata: this.featureMetadata };
    const kept: unknown[] = Array(count).fill(null);
    place.forEach((to, f) => {
      if (to >= 0) kept[to] = this.featureMetadata![f];
    });
    return { featureMetadata: kept };
  }

  #featurePlaces(features: readonly string[]): Int32Array {
    const at = new Map(this.featureIds.map((id, f) => [id, f]));
    const unknown = features.filter((id) => !at.has(id));
    if (unknown.length > 0) {
      const message = `${this.path} has no feature ${listIds(unknown)}`;
      throw seqError("FEATURE_UNKNOWN", message, { features: unknown });
    }
    const place = new Int32Array(this.featureIds.length).fill(-1);
    features.forEach((id, f) => {
      place[at.get(id)!] = f;
    });
    return place;
  }
}

/** Frozen tables cannot hold what is made on demand. */
const sampleMaps = new WeakMap<FeatureTable, Map<string, number>>();

function checkIds(table: FeatureTable): void {
  const features = duplicates(table.featureIds);
  if (features.length > 0) {
    const message = `${features.length} feature ids stand more than once: ${listIds(features)}; ids must be unique`;
    throw seqFileError("DUP_FEATURE", table.path, message, { features });
  }
  for (const [what, names] of [
    ["feature", table.featureIds],
    ["sample", table.sampleIds],
  ] as const) {
    const nameless = names.findIndex((id) => id.trim() === "");
    if (nameless >= 0)
      throw seqFileError(
        "BIOM_FORMAT",
        table.path,
        `${what} number ${nameless} (counting from 0) has no name`,
      );
  }
  const samples = duplicates(table.sampleIds);
  if (samples.length > 0) {
    const message = `${samples.length} sample ids stand more than once: ${listIds(samples)}; ids must be unique`;
    throw seqFileError("DUP_SAMPLE", table.path, message, { samples });
  }
}

/** Copies where entries will have to be sorted: the caller's arrays stay as they are. */
function sortable({ indptr, indices, values }: FeatureTableParts): Pick<FeatureTable, "indices" | "values"> {
  for (let s = 0; s + 1 < indptr.length; s++) {
    for (let at = indptr[s]! + 1; at < indptr[s + 1]!; at++) {
      if (indices[at - 1]! >= indices[at]!) return { indices: indices.slice(), values: values.slice() };
    }
  }
  return { indices, values };
}

function checkEntries(table: FeatureTable): void {
  const { indptr, indices, values, path } = table;
  const samples = table.sampleIds.length;
  if (
    indptr.length !== samples + 1 ||
    indptr[samples] !== values.length ||
    indices.length !== values.length
  ) {
    const message = `${samples} samples have ${indptr.length} pointers, ${indices.length} indices and ${values.length} counts`;
    throw seqFileError("BIOM_SHAPE", path, message);
  }
  for (let s = 0; s < samples; s++) {
    const [from, to] = [indptr[s]!, indptr[s + 1]!];
    if (!(from <= to))
      throw seqFileError("BIOM_SHAPE", path, `the pointers fall at sample ${table.sampleIds[s]}`);
    let sorted = true;
    for (let at = from; at < to; at++) {
      const [feature, value] = [indices[at]!, values[at]!];
      if (feature >= table.featureIds.length) {
        const message = `sample ${table.sampleIds[s]} has feature number ${feature}, there are ${table.featureIds.length} (counting from 0)`;
        throw seqFileError("BIOM_INDEX", path, message, { sample: table.sampleIds[s], feature });
      }
      if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) {
        const message = `sample ${table.sampleIds[s]} has ${value} of ${table.featureIds[feature]}; counts are finite and at least 0`;
        throw seqFileError("BIOM_VALUE", path, message, { sample: table.sampleIds[s], value });
      }
      if (at > from && indices[at - 1]! >= feature) sorted = false;
    }
    if (!sorted) sortEntries(table, s, from, to);
  }
}

function sortEntries(table: FeatureTable, sample: number, from: number, to: number): void {
  const { indices, values } = table;
  const order = Array.from({ length: to - from }, (_, k) => from + k).sort(
    (a, b) => indices[a]! - indices[b]!,
  );
  const [is, vs] = [order.map((at) => indices[at]!), order.map((at) => values[at]!)];
  const twice = is.findIndex((f, k) => k > 0 && is[k - 1] === f);
  if (twice >= 0) {
    const names = `sample ${table.sampleIds[sample]} and feature ${table.featureIds[is[twice]!]}`;
    throw seqFileError("BIOM_INDEX", table.path, `two entries are for ${names}`);
  }
  indices.set(is, from);
  values.set(vs, from);
}
