/** Posteriors by modality, and what becomes of them together. */
import type { FusionKind } from "./config.ts";
import type { MosaicDataset } from "./dataset.ts";
import { type CellGaussians, type EmbedOptions, embedCells } from "./embed.ts";
import { mosaicError } from "./errors.ts";
import type { ModelState } from "./mosaic-vae.ts";

/** What the encoder of one modality says of each cell. */
export interface ModalityPosterior extends CellGaussians {
  /** 1 where the cell was measured; elsewhere mean and variance mean nothing. */
  readonly available: ArrayLike<number>;
}

/** Gaussians of all cells by modality, as encoders give them: without the prior, not yet fused. */
export interface Posteriors {
  /** Number of cells. */
  readonly cells: number;
  /** Number of dimensions. */
  readonly latent: number;
  /** By name. */
  readonly modalities: Readonly<Record<string, ModalityPosterior>>;
}

/** Encodes all cells with each encoder. */
export async function encodeCells(
  state: ModelState,
  dataset: MosaicDataset,
  options: EmbedOptions = {},
): Promise<Posteriors> {
  const names = options.modalities ?? state.plan.modalities.map((m) => m.name);
  const { cells, latent, experts } = await embedCells(state, dataset, { ...options, experts: true });
  const modalities = names.map((name): [string, ModalityPosterior] => {
    const available = dataset.modalities.get(name)?.available ?? new Uint8Array(cells);
    return [name, { ...experts[name]!, available }];
  });
  return { cells, latent, modalities: Object.fromEntries(modalities) };
}

/** How posteriors are fused. */
export interface FuseOptions {
  /** `poe` by default. */
  readonly fusion?: FusionKind;
  /** By modality: factors on the precisions of a product (1), or logarithms of the shares of an average (0). */
  readonly weights?: Readonly<Record<string, number>>;
}

/**
 * Fuses Gaussians of the modalities a cell has: a product with the standard normal prior, the mean and variance of an
 * equal mixture, or a weighted average. The prior itself, mean 0 and variance 1, where a cell has none.
 */
export function fusePosteriors(
  { cells, latent, modalities }: Posteriors,
  { fusion = "poe", weights = {} }: FuseOptions = {},
): CellGaussians {
  const fused = {
    mean: new Float32Array(cells * latent),
    variance: new Float32Array(cells * latent).fill(1),
  };
  const all = Object.entries(modalities);
  for (let i = 0; i < cells; i++) {
    const there = all.filter(([, m]) => m.available[i]);
    if (there.length === 0) continue;
    const shares = sharesOf(
      there.map(([name]) => name),
      fusion,
      weights,
    );
    for (let at = i * latent; at < (i + 1) * latent; at++) {
      let [mean, second, precision] = [0, 0, 1];
      there.forEach(([, m], j) => {
        const [mu, variance, share] = [m.mean[at]!, m.variance[at]!, shares[j]!];
        if (fusion === "poe") {
          precision += share / variance;
          mean += (share * mu) / variance;
        } else {
          mean += share * mu;
          second += fusion === "moe" ? share * (variance + mu * mu) : Math.sqrt(share) * variance;
        }
      });
      fused.mean[at] = fusion === "poe" ? mean / precision : mean;
      fused.variance[at] =
        fusion === "poe" ? 1 / precision : fusion === "moe" ? second - mean * mean : second;
    }
  }
  return fused;
}

function sharesOf(
  names: readonly string[],
  fusion: FusionKind,
  weights: Readonly<Record<string, number>>,
): number[] {
  if (fusion === "poe") return names.map((name) => weights[name] ?? 1);
  if (fusion === "moe") return names.map(() => 1 / names.length);
  const parts = names.map((name) => Math.exp(weights[name] ?? 0));
  const total = parts.reduce((a, b) => a + b, 0);
  return parts.map((p) => p / total);
}

/** Fuses as a model does it, with the weights it has learned. */
export async function fuseAsModel(
  { plan, trainer }: ModelState,
  posteriors: Posteriors,
  chosen: readonly string[] = Object.keys(posteriors.modalities),
): Promise<CellGaussians> {
  for (const name of chosen)
    if (!Object.hasOwn(posteriors.modalities, name))
      throw mosaicError("MODALITY_UNKNOWN", `there is no posterior of ${name}`, { usage: true });
  const learned = await trainer.weights();
  const weights = plan.modalities.map((m, i): [string, number] => {
    if (plan.fusion === "average") return [m.name, learned["fusion/weights"]!.data[i]!];
    return [m.name, m.expertLearned ? Math.exp(learned[`experts/${m.name}`]!.data[0]!) : m.expertWeight];
  });
  const modalities = Object.fromEntries(chosen.map((name) => [name, posteriors.modalities[name]!]));
  return fusePosteriors(
    { ...posteriors, modalities },
    { fusion: plan.fusion, weights: Object.fromEntries(weights) },
  );
}
