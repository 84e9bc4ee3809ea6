/** One pass over the training cells: what first values, likelihoods and feeds have to know. */
import type { PassOptions } from "./counts.ts";
import { BLOCK_ROWS } from "./counts.ts";
import type { MosaicDataset } from "./dataset.ts";

/** What was found in a modality. */
export interface ModalityFacts {
  /** Mean of each feature over the measured cells. */
  readonly means: Float64Array;
  /** The same with numbers above 0 taken as 1. */
  readonly shares: Float64Array;
  /** Mean of ln(1 + v). */
  readonly logMeans: Float64Array;
  /** Whole numbers of at least 0 only. */
  readonly counts: boolean;
  /** Of each visited cell: how many counts are above `beyond`. */
  readonly large: Int32Array;
}

/** Looks at some cells of a data set. */
export async function findFacts(
  dataset: MosaicDataset,
  rows: Int32Array,
  beyond: number,
  { signal }: PassOptions = {},
): Promise<Record<string, ModalityFacts>> {
  const facts: Record<string, ModalityFacts> = {};
  const wanted = new Int32Array(dataset.cells).fill(-1);
  rows.forEach((row, i) => {
    wanted[row] = i;
  });
  for (const modality of dataset.modalities.values()) {
    const means = new Float64Array(modality.features.length);
    const shares = new Float64Array(modality.features.length);
    const logMeans = new Float64Array(modality.features.length);
    const large = new Int32Array(rows.length);
    let cells = 0;
    let counts = true;
    for (let start = 0; start < dataset.cells; start += BLOCK_ROWS) {
      const block = await modality.rows(start, Math.min(dataset.cells, start + BLOCK_ROWS), { signal });
      for (let i = 0; i < block.rows; i++) {
        const place = wanted[start + i]!;
        if (place < 0 || !modality.available[start + i]) continue;
        cells++;
        for (let j = block.indptr[i]!; j < block.indptr[i + 1]!; j++) {
          const value = block.values[j]!;
          means[block.indices[j]!]! += value;
          logMeans[block.indices[j]!]! += Math.log1p(Math.max(0, value));
          if (value > 0) shares[block.indices[j]!]!++;
          if (value > beyond) large[place]!++;
          if (!(value >= 0 && Number.isInteger(value))) counts = false;
        }
      }
    }
    const each = (x: Float64Array): Float64Array => x.map((sum) => sum / Math.max(1, cells));
    facts[modality.name] = {
      means: each(means),
      shares: each(shares),
      logMeans: each(logMeans),
      counts,
      large,
    };
  }
  return facts;
}
