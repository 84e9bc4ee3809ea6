/** Imputed values of one modality for all cells, with intervals where wanted. */
import { checkRange } from "@x/core/base";
import type { MosaicDataset } from "./dataset.ts";
import { type DecodeOptions, decodeCells } from "./decode.ts";
import type { ModelState } from "./mosaic-vae.ts";

/** Options of `impute`. */
export interface ImputeOptions extends DecodeOptions {
  /**
   * Probability that a predictive interval holds, e.g. 0.9; 0 (default) gives none. Takes 50 samples or more, as many as
   * it needs; `OPTION_RANGE` for fewer than 2 / (1 − interval) − 1.
   */
  interval?: number;
}

/** Imputed values. */
export interface Imputed {
  /** Names of the columns. */
  readonly features: readonly string[];
  /** Expected values, cells × features, of measured cells too. */
  readonly mean: Float32Array;
  /** Bounds of the interval, cells × features; undefined without one. */
  readonly lower?: Float32Array;
  /** See `lower`. */
  readonly upper?: Float32Array;
}

/** Imputes a modality. */
export async function imputeCells(
  state: ModelState,
  dataset: MosaicDataset,
  modality: string,
  options: ImputeOptions = {},
): Promise<Imputed> {
  const { interval = 0, ...rest } = options;
  checkRange("interval", interval, { min: 0, max: 0.999 });
  const features = state.registry.modalities.find((m) => m.name === modality)?.features ?? [];
  const size = dataset.cells * features.length;
  const mean = new Float32Array(size);
  const [lower, upper] = interval > 0 ? [new Float32Array(size), new Float32Array(size)] : [];
  const given = interval > 0 ? { ...drawsFor(interval, options), ...rest, counts: true } : rest;
  let at = 0;
  for await (const part of decodeCells(state, dataset, modality, given)) {
    mean.set(part.mean, at);
    if (lower && upper) {
      const values = new Float32Array(part.samples.length);
      for (let i = 0; i < part.mean.length; i++) {
        part.samples.forEach((sample, s) => {
          values[s] = sample[i]!;
        });
        values.sort();
        lower[at + i] = quantile(values, (1 - interval) / 2);
        upper[at + i] = quantile(values, (1 + interval) / 2);
      }
    }
    at += part.mean.length;
  }
  return { features, mean, ...(lower && upper && { lower, upper }) };
}

/** Draws at a time, cells × samples: what is held at once does not grow with the number of samples. */
const DRAWS = 3200;

/**
 * How many draws an interval takes: between the j-th smallest and the j-th largest of n draws the next one lies with
 * probability 1 − 2j / (n + 1), so n + 1 is a multiple of 2 / (1 − p), and at least 50. `OPTION_RANGE` where the caller
 * wants fewer than one such multiple. Expected values stay what they are without an interval.
 */
function drawsFor(
  interval: number,
  { samples }: ImputeOptions,
): { samples: number; batchSize: number; pointMean: boolean } {
  const unit = 2 / (1 - interval);
  const least = Math.ceil(unit - 1 - 1e-9);
  if (samples !== undefined) checkRange(`samples of an interval of ${interval}`, samples, { min: least });
  const count = samples ?? Math.ceil(Math.ceil(50 / unit) * unit - 1 - 1e-9);
  const batchSize = Math.max(1, Math.min(64, Math.floor(DRAWS / count)));
  return { samples: count, batchSize, pointMean: samples === undefined };
}

/** Of sorted values at rank p · (n + 1), between neighbours in a straight line (type 6 of Hyndman and Fan 1996). @internal */
export function quantile(sorted: Float32Array, p: number): number {
  const n = sorted.length;
  const rank = Math.min(n, Math.max(1, p * (n + 1)));
  const low = Math.floor(rank + 1e-9);
  const high = Math.min(n, low + 1);
  return sorted[low - 1]! + Math.max(0, rank - low) * (sorted[high - 1]! - sorted[low - 1]!);
}
