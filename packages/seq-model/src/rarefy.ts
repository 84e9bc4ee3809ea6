import { checkOptions, checkRange, type RunOptions, resolveThreads, sha256Hex } from "@x/core/base";
import { listIds, seqError } from "./errors.ts";
import { FeatureTable } from "./feature-table.ts";
import { newSource, rarefyCounts } from "./native.ts";

/** Options of {@link rarefy}. */
export interface RarefyOptions extends Pick<RunOptions, "signal" | "onProgress" | "threads" | "seed"> {
  /** Counts every sample is left with. */
  depth: number;
}

/** A rarefied table and what it cost. */
export interface Rarefied {
  /** Samples of the same total; features that nobody has left are gone. Its `history` says depth and seed. */
  readonly table: FeatureTable;
  /** Samples that had fewer counts. */
  readonly dropped: readonly string[];
}

/**
 * Draws `depth` counts of every sample without replacement and drops samples that have fewer. A sample draws from a
 * stream of its own name, so it gets the same counts in whatever table it stands. `RAREFY_COUNTS` for counts that are
 * not whole, `RAREFY_DEPTH` when no sample is deep enough.
 */
export async function rarefy(table: FeatureTable, options: RarefyOptions): Promise<Rarefied> {
  checkOptions(options, ["depth", "signal", "onProgress", "threads", "seed"], "rarefy");
  const depth = checkRange("depth", options.depth, { min: 1, integer: true });
  const seed = options.seed ?? 0;
  const streams = Float64Array.from(table.sampleIds, (id) => Number.parseInt(sha256Hex(id).slice(0, 13), 16));
  const { signal, onProgress } = options;
  const native = { signal, onProgress, threads: resolveThreads(options.threads), stage: "rarefy" };
  const drawn = await rarefyCounts(newSource(table), depth, seed, streams, native);
  const kept = new Set(drawn.kept);
  const dropped = table.sampleIds.filter((_, s) => !kept.has(s));
  if (kept.size === 0) {
    const message = `no sample has ${depth} counts; the deepest has ${Math.max(0, ...table.totals())}: ${listIds(dropped)}`;
    throw seqError("RAREFY_DEPTH", message, { depth });
  }
  const indptr = new Float64Array(kept.size + 1);
  drawn.lengths.forEach((length, at) => {
    indptr[at + 1] = indptr[at]! + length;
  });
  const rarefied = new FeatureTable({
    sampleIds: Array.from(drawn.kept, (s) => table.sampleIds[s]!),
    featureIds: table.featureIds,
    indptr,
    indices: drawn.indices,
    values: drawn.values,
    path: table.path,
    history: [...table.history, `rarefied to ${depth}, seed ${seed}, ${dropped.length} samples dropped`],
    ...(table.featureMetadata ? { featureMetadata: table.featureMetadata } : {}),
  });
  return { table: rarefied.dropEmptyFeatures(), dropped };
}
