/** Imputed values of one modality for all cells, with intervals where wanted. */
import { checkRange } from "@x/core/base";
import type { MosaicDataset } from "./dataset.ts";
import { type DecodeOptions, decodeCells } from "./decode.ts";
import type { ModelState } from "./mosaic-vae.ts";

/** Options of `impute`. */
export interface ImputeOptions extends DecodeOptions {
  /** Probability that a predictive interval holds, e.g. 0.9; 0 (default) gives none. Takes 50 samples unless said otherwise. */
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
  const given = interval > 0 ? { samples: 50, counts: true, batchSize: 64, ...rest } : rest;
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

/** Of sorted values, between neighbours in a straight line. */
function quantile(sorted: Float32Array, p: number): number {
  const at = p * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(sorted.length - 1, low + 1);
  return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!);
}
