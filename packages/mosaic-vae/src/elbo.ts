/** How well a model explains cells. */
import { checkOptions, checkRange, type RunOptions } from "@x/core/base";
import { batches } from "./batches.ts";
import type { MosaicDataset } from "./dataset.ts";
import { countNames, RUN_OPTIONS } from "./embed.ts";
import { expertRounds, feedOf, stepRandom } from "./feed.ts";
import type { ModelState } from "./mosaic-vae.ts";

/** Options of `elbo`. */
export interface ElboOptions extends RunOptions {
  /** Samples of the embedding a cell; 1. */
  samples?: number;
  /** Of the samples; 0. */
  seed?: number;
  /** Cells without any modality have an ELBO of 0; `NO_MODALITY` by default. */
  allowEmpty?: boolean;
}

/** In nats, one number a cell. */
export interface Elbo {
  /** log p(x | z) of each modality at weight 1; 0 where a cell lacks it. */
  readonly logLik: Readonly<Record<string, Float32Array>>;
  /** KL(q ‖ prior). */
  readonly kl: Float32Array;
  /** Σ weight · logLik − beta · KL, at the final weights of the configuration. */
  readonly elbo: Float32Array;
}

/** Evidence lower bound of each cell, mean over the samples, and over the experts of a mixture. */
export async function elboOf(
  state: ModelState,
  dataset: MosaicDataset,
  options: ElboOptions = {},
): Promise<Elbo> {
  const { plan } = state;
  checkOptions(options, ["samples", "allowEmpty", ...RUN_OPTIONS], "elbo");
  const samples = checkRange("samples", options.samples ?? 1, { min: 1, max: 1e6, integer: true });
  const { seed = 0 } = options;
  const source = await batches(dataset, {
    registry: state.registry,
    counts: countNames(state),
    batchSize: 256,
    cache: "stream",
    allowEmpty: options.allowEmpty ?? false,
    ...(options.signal && { signal: options.signal }),
  });
  const logLik = Object.fromEntries(plan.modalities.map((m) => [m.name, new Float32Array(dataset.cells)]));
  const kl = new Float32Array(dataset.cells);
  const outputs = ["kl", ...plan.modalities.map((m) => `logLik.${m.name}`)];
  let done = 0;
  let index = 0;
  for await (const batch of source.epoch(0)) {
    const experts = expertRounds(batch, { plan });
    for (let s = 0; s < samples; s++) {
      const { noise } = stepRandom(seed, index++, batch.rows.length, plan.latent);
      for (let round = 0; round < experts.rounds; round++) {
        const feed = feedOf(batch, { plan, noise, expert: experts.expert(round) });
        const found = await state.trainer.compute(feed, outputs);
        const put = (to: Float32Array, name: string): void => {
          (found[name]!.data as Float32Array).forEach((v, i) => {
            to[done + i]! += (v * experts.share(round, i)) / samples;
          });
        };
        put(kl, "kl");
        for (const m of plan.modalities) put(logLik[m.name]!, `logLik.${m.name}`);
      }
    }
    done += batch.rows.length;
  }
  const elbo = kl.map((v, i) =>
    plan.modalities.reduce((sum, m) => sum + m.finalWeight * logLik[m.name]![i]!, -plan.finalBeta * v),
  );
  return { logLik, kl, elbo };
}

/** In nats, one number a cell. */
export interface NegLogLikelihood {
  /** −log p(x | z) of each modality; 0 where a cell lacks it. */
  readonly modalities: Readonly<Record<string, Float32Array>>;
  /** Their sum. */
  readonly total: Float32Array;
}

/** −log p(x | z), mean over samples of the posterior. */
export async function negLogLikelihoodOf(
  state: ModelState,
  dataset: MosaicDataset,
  options: ElboOptions = {},
): Promise<NegLogLikelihood> {
  const { logLik } = await elboOf(state, dataset, options);
  const entries = Object.entries(logLik).map(([name, values]) => [name, values.map((v) => -v)] as const);
  const total = new Float32Array(dataset.cells);
  for (const [, values] of entries)
    values.forEach((v, i) => {
      total[i]! += v;
    });
  return { modalities: Object.fromEntries(entries), total };
}
