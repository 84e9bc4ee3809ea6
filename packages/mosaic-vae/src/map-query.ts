/** New cells beside the old ones, without the old data: batches the model does not know get weights of their own. */
import type { MosaicDataset } from "./dataset.ts";
import { alignTo, type Overlap } from "./align.ts";
import type { ModelState } from "./mosaic-vae.ts";
import type { Warn } from "@x/core/base";
import { type Embedding, embedCells, type EmbedOptions } from "./embed.ts";

/** What `mapQuery` finds. */
export interface Mapped extends Embedding {
  /** How well the query's features fit. */
  readonly overlaps: readonly Overlap[];
  /** Batches of the query that the model was not trained on: decoded as the mean of the batches it knows. */
  readonly newBatches: readonly string[];
}

/**
 * Embeds a query in the space of the reference: features are moved into the model's order, missing ones are 0
 * (`REGISTRY_OVERLAP` below 80 %). Encoders never see the batch, so cells of new batches need no training.
 */
export async function mapQueryCells(
  state: ModelState,
  query: MosaicDataset,
  options: EmbedOptions = {},
): Promise<Mapped> {
  const warn: Warn | undefined = options.warn;
  const { dataset, overlaps } = alignTo(query, state.registry, warn ? { warn } : {});
  const known = new Set(state.registry.batches);
  const newBatches = query.registry.batches.filter((name) => !known.has(name));
  const found = await embedCells(state, dataset, options);
  return { ...found, overlaps, newBatches };
}
