/** Statistics of features over the measured cells, and choosing among features. */
import { tableFromColumns } from "@x/core";
import { checkRange } from "@x/core/base";
import type { Table } from "apache-arrow";
import { blocks, type PassOptions } from "./counts.ts";
import { dropRows, mapColumns } from "./csr.ts";
import { featureHash, type Modality, type MosaicDataset } from "./dataset.ts";
import { mosaicError } from "./errors.ts";
import { normalizeTotal } from "./transform.ts";

/** Sums of each feature over the measured cells. */
export interface FeatureSums {
  /** Measured cells. */
  readonly cells: number;
  /** Σ v. */
  readonly sum: Float64Array;
  /** Σ v². */
  readonly squares: Float64Array;
  /** Cells with a value that is not 0. */
  readonly found: Float64Array;
}

/** One pass over the measured cells, or those of `fit`; `target` scales each cell to that sum first. */
export async function featureSums(
  modality: Modality,
  options: PassOptions & { target?: number; fit?: ArrayLike<number> } = {},
): Promise<FeatureSums> {
  const count = modality.features.length;
  const [sum, squares, found] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  const { fit } = options;
  const used = (row: number): boolean => modality.available[row] === 1 && fit?.[row] !== 0;
  let cells = 0;
  for await (const [start, raw] of blocks(modality, options)) {
    const measured = dropRows(raw, (i) => !used(start + i));
    const block = options.target === undefined ? measured : normalizeTotal(measured, options.target);
    for (let i = 0; i < block.rows; i++) cells += used(start + i) ? 1 : 0;
    for (let j = 0; j < block.indices.length; j++) {
      const value = block.values[j]!;
      const column = block.indices[j]!;
      sum[column]! += value;
      squares[column]! += value * value;
      if (value !== 0) found[column]!++;
    }
  }
  return { cells, sum, squares, found };
}

/** Cells / Σ v of each feature, 0 where it was found nowhere: the weights of `tfidf`. `fit` (1) uses these cells only. */
export async function inverseDocumentFrequency(
  modality: Modality,
  options: PassOptions & { fit?: ArrayLike<number> } = {},
): Promise<Float64Array> {
  const { cells, sum } = await featureSums(modality, options);
  return sum.map((s) => (s > 0 ? cells / s : 0));
}

/** Options of `highlyVariable`. */
export interface HighlyVariableOptions extends PassOptions {
  /** How many features, 2,000 by default (all where there are fewer). */
  top?: number;
}

const BINS = 20;

/**
 * Highly variable genes of raw counts, the way of Seurat as scanpy has it (`flavor="seurat"` on log1p CP10k; Satija et
 * al. 2015): the logarithm of variance / mean of CP10k, standardised within 20 bins of ln(1 + mean). Returns one row a
 * feature: `feature, mean` (CP10k), `dispersion` (logarithm; null where the mean is 0), `dispersion_norm` (null where it
 * cannot be told), `selected`. Ties at the edge go to the feature that comes first.
 */
export async function highlyVariable(
  modality: Modality,
  options: HighlyVariableOptions = {},
): Promise<Table> {
  const top = checkRange("top", options.top ?? 2000, { min: 1, integer: true });
  const { cells, sum, squares } = await featureSums(modality, { ...options, target: 1e4 });
  const mean = sum.map((s) => s / Math.max(1, cells));
  const dispersion = Array.from(mean, (m, j) => {
    const variance = ((squares[j]! / cells - m * m) * cells) / Math.max(1, cells - 1);
    const ratio = variance / (m === 0 ? 1e-12 : m);
    return ratio > 0 ? Math.log(ratio) : Number.NaN;
  });
  const level = mean.map((m) => Math.log1p(m));
  const norm = standardizeInBins(level, dispersion);
  const order = norm
    .map((value, j) => ({ value, j }))
    .filter(({ value }) => !Number.isNaN(value))
    .sort((a, b) => b.value - a.value || a.j - b.j);
  const selected = new Array<boolean>(mean.length).fill(false);
  for (const { j } of order.slice(0, top)) selected[j] = true;
  const orNull = (values: readonly number[]): (number | null)[] =>
    values.map((v) => (Number.isNaN(v) ? null : v));
  return tableFromColumns({
    feature: modality.features,
    mean,
    dispersion: orNull(dispersion),
    dispersion_norm: orNull(norm),
    selected,
  });
}

/** (value − mean) / sd within equal bins of `level`; alone in its bin a feature gets 1, as scanpy has it. */
function standardizeInBins(level: Float64Array, values: readonly number[]): number[] {
  const low = level.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = level.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const width = (high - low) / BINS;
  // pandas' cut: bins are open below, and the lowest one takes its edge.
  const bin = Array.from(level, (x) => (width > 0 ? Math.max(0, Math.ceil((x - low) / width) - 1) : 0));
  const members = new Map<number, number[]>();
  values.forEach((value, j) => {
    if (Number.isNaN(value)) return;
    const list = members.get(bin[j]!);
    if (list) list.push(value);
    else members.set(bin[j]!, [value]);
  });
  return values.map((value, j) => {
    const list = members.get(bin[j]!);
    if (Number.isNaN(value) || !list) return Number.NaN;
    const centre = list.reduce((a, b) => a + b, 0) / list.length;
    if (list.length === 1) return 1;
    const variance = list.reduce((a, b) => a + (b - centre) ** 2, 0) / (list.length - 1);
    return (value - centre) / Math.sqrt(variance);
  });
}

/** The features that were found in the most cells, as places in increasing order; ties go to the one that comes first. */
export async function mostFound(
  modality: Modality,
  top: number,
  options: PassOptions = {},
): Promise<Int32Array> {
  checkRange("top", top, { min: 1, integer: true });
  const { found } = await featureSums(modality, options);
  const order = Array.from(found, (count, j) => ({ count, j })).sort(
    (a, b) => b.count - a.count || a.j - b.j,
  );
  return Int32Array.from(order.slice(0, top), ({ j }) => j).sort();
}

/** The same data with only some features of each modality named here, as places; the registry follows. */
export function selectFeatures(
  dataset: MosaicDataset,
  places: Readonly<Record<string, ArrayLike<number>>>,
): MosaicDataset {
  const modalities = new Map(dataset.modalities);
  for (const [name, wanted] of Object.entries(places)) {
    const modality = modalities.get(name);
    if (!modality) throw mosaicError("MODALITY_UNKNOWN", `there is no modality ${name}`);
    const columns = Array.from(wanted);
    const to = new Int32Array(modality.features.length).fill(-1);
    columns.forEach((column, j) => {
      to[column] = j;
    });
    const rows: Modality["rows"] = async (start, end, options) =>
      mapColumns(await modality.rows(start, end, options), to, columns.length);
    modalities.set(name, { ...modality, features: columns.map((j) => modality.features[j]!), rows });
  }
  return replaceModalities(dataset, modalities);
}

/** The same cells with other modalities; the registry follows. */
export function replaceModalities(
  dataset: MosaicDataset,
  modalities: ReadonlyMap<string, Modality>,
): MosaicDataset {
  const registered = [...modalities.values()].map(({ name, kind, features }) => ({
    name,
    kind,
    features,
    hash: featureHash(features),
  }));
  return { ...dataset, modalities, registry: { ...dataset.registry, modalities: registered } };
}
