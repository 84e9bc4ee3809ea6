/** Data of one registry in the order of another: what a model of yesterday makes of the file of today. */
import type { Warn } from "@x/core/base";
import { mapColumns } from "./csr.ts";
import { columnTexts, type Modality, type MosaicDataset, type Registry } from "./dataset.ts";
import { mosaicError } from "./errors.ts";

/** How well one modality fits a registry. */
export interface Overlap {
  /** The modality. */
  readonly modality: string;
  /** Features of the registry. */
  readonly wanted: number;
  /** Of these, features that the data have. */
  readonly found: number;
  /** Share of the registry's features that were filled with 0. */
  readonly filled: number;
  /** Features of the data that the registry does not know; they are left out. */
  readonly unused: number;
}

/** Data in the order of a registry. */
export interface Aligned {
  /** The same cells; features and batches are those of the registry. */
  readonly dataset: MosaicDataset;
  /** One line a modality. */
  readonly overlaps: readonly Overlap[];
}

/** Options of `alignTo`. */
export interface AlignOptions {
  /** Least share of the registry's features that the data must have, 0.8 by default. */
  leastOverlap?: number;
  /** Receives `REGISTRY_FILLED` where features were filled with 0. */
  warn?: Warn;
}

/**
 * Puts a data set into the order of a registry: features are moved, missing ones are 0, unknown ones are left out; a
 * modality that the data do not have at all is there without a measured cell. Errors: `REGISTRY_OVERLAP` (fewer
 * features than `leastOverlap`), `REGISTRY_MISSING` (no modality of the registry is in the data).
 */
export function alignTo(dataset: MosaicDataset, registry: Registry, options: AlignOptions = {}): Aligned {
  const { leastOverlap = 0.8, warn } = options;
  const overlaps: Overlap[] = [];
  const modalities = registry.modalities.map((wanted): [string, Modality] => {
    const own = dataset.modalities.get(wanted.name);
    const there = dataset.registry.modalities.find((m) => m.name === wanted.name);
    if (!own || !there) return [wanted.name, absent(wanted, dataset.cells)];
    if (there.hash === wanted.hash) {
      const count = wanted.features.length;
      overlaps.push({ modality: own.name, wanted: count, found: count, filled: 0, unused: 0 });
      return [own.name, own];
    }
    const place = new Map(wanted.features.map((name, j) => [name, j]));
    const to = Int32Array.from(own.features, (name) => place.get(name) ?? -1);
    const found = to.reduce((n, j) => n + (j >= 0 ? 1 : 0), 0);
    const filled = 1 - found / wanted.features.length;
    const overlap = {
      modality: own.name,
      wanted: wanted.features.length,
      found,
      filled,
      unused: to.length - found,
    };
    overlaps.push(overlap);
    report(overlap, wanted.features, own.features, leastOverlap, warn);
    const rows: Modality["rows"] = async (start, end, opts) =>
      mapColumns(await own.rows(start, end, opts), to, wanted.features.length);
    return [own.name, { ...own, features: wanted.features, rows }];
  });
  if (overlaps.length === 0) {
    const message = `the data have ${[...dataset.modalities.keys()].join(", ")}, the model knows ${registry.modalities.map((m) => m.name).join(", ")}`;
    throw mosaicError("REGISTRY_MISSING", message);
  }
  const aligned: MosaicDataset = { ...dataset, modalities: new Map(modalities), registry };
  return { dataset: aligned, overlaps };
}

function report(
  o: Overlap,
  wanted: readonly string[],
  own: readonly string[],
  least: number,
  warn: Warn | undefined,
): void {
  const { modality, found, filled } = o;
  if (found < least * o.wanted) {
    const share = ((100 * found) / o.wanted).toFixed(1);
    const message = `${modality}: ${share} % of the model's ${o.wanted} features are in the data, ${100 * least} % are needed; the model's begin with ${wanted.slice(0, 3).join(", ")}, the data's with ${own.slice(0, 3).join(", ")}: another genome, or ids instead of names?`;
    throw mosaicError("REGISTRY_OVERLAP", message, { details: { ...o } });
  }
  if (filled > 0) {
    const message = `${modality}: ${o.wanted - found} of ${o.wanted} features (${(100 * filled).toFixed(1)} %) are not in the data and were filled with 0`;
    warn?.({ code: "REGISTRY_FILLED", message, details: { ...o } });
  }
}

function absent(wanted: Registry["modalities"][number], cells: number): Modality {
  return {
    name: wanted.name,
    kind: wanted.kind as Modality["kind"],
    features: wanted.features,
    available: new Uint8Array(cells),
    rows: async (start, end) => ({
      rows: end - start,
      columns: wanted.features.length,
      indptr: new Int32Array(end - start + 1),
      indices: new Int32Array(0),
      values: new Float32Array(0),
    }),
  };
}

/** Place of each cell's batch in the registry; −1 for batches it does not know and for missing ones. */
export function batchCodes(dataset: MosaicDataset): Int32Array {
  const { batches } = dataset.registry;
  if (dataset.batchKey === undefined)
    return new Int32Array(dataset.cells).fill(batches.length === 1 ? 0 : -1);
  return codesOf(columnTexts(dataset.obs, dataset.batchKey), batches);
}

/** Places of texts in a list; −1 where they are not in it. */
export function codesOf(texts: readonly (string | null)[], levels: readonly string[]): Int32Array {
  const place = new Map<string | null, number>(levels.map((level, i) => [level, i]));
  return Int32Array.from(texts, (text) => place.get(text) ?? -1);
}
