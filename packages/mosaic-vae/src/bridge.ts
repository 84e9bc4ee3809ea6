/** Pairs of cells from different groups that ought to lie together, and where the partner lies. */
import type { RunOptions } from "@x/core/base";
import type { MosaicDataset } from "./dataset.ts";
import { embedCells } from "./embed.ts";
import { mosaicError } from "./errors.ts";
import { mappedPartners, mutualNeighbours } from "./bridge-pairs.ts";
import type { ModelState } from "./mosaic-vae.ts";

/** The partner of each cell. */
export interface BridgePartners {
  /** Number of cells that have one. */
  readonly count: number;
  /** The partner's position in the embedding; undefined for a cell without one. */
  of(row: number): Float32Array | undefined;
}

/** Looks for partners in the embedding as it is now. */
export async function bridgePartners(
  state: ModelState,
  dataset: MosaicDataset,
  rows: Int32Array,
  options: RunOptions = {},
): Promise<BridgePartners> {
  const settings = state.plan.heads.bridge!;
  const { provider = "mnn", k = 20 } = settings;
  const embedding = await embedCells(state, dataset, {
    single: provider === "linear" || provider === "dictionary",
    allowEmpty: true,
    ...(options.signal && { signal: options.signal }),
  });
  const patterns = patternOf(dataset);
  let pairs: readonly (readonly [number, number])[];
  if (provider === "seeded") pairs = seeded(dataset, settings.pairs ?? []);
  else if (provider === "mnn") pairs = mutualNeighbours(embedding, rows, patterns, k);
  else pairs = mappedPartners(embedding, dataset, rows, { k, local: provider === "dictionary" });
  const place = new Map<number, number>();
  for (const [a, b] of pairs) {
    if (!place.has(a)) place.set(a, b);
    if (!place.has(b)) place.set(b, a);
  }
  const { latent, mean } = embedding;
  return {
    count: place.size,
    of(row) {
      const partner = place.get(row);
      return partner === undefined ? undefined : mean.subarray(partner * latent, (partner + 1) * latent);
    },
  };
}

/** Which modalities each cell has, as a number. */
function patternOf(dataset: MosaicDataset): Int32Array {
  const pattern = new Int32Array(dataset.cells);
  [...dataset.modalities.values()].forEach((m, bit) => {
    m.available.forEach((on, i) => {
      if (on) pattern[i]! |= 1 << bit;
    });
  });
  return pattern;
}

/** Pairs by cell id. `CONFIG` for an id the data do not have. */
function seeded(
  dataset: MosaicDataset,
  pairs: readonly (readonly [string, string])[],
): [number, number][] {
  const place = new Map(dataset.cellIds.map((id, i) => [id, i]));
  const row = (id: string): number => {
    const found = place.get(id);
    if (found !== undefined) return found;
    throw mosaicError("CONFIG", `loss.heads.bridge.pairs names cell ${id}, which is not in the data`, {
      usage: true,
    });
  };
  return pairs.map(([a, b]) => [row(a), row(b)]);
}
