/** The inputs of the steps of an epoch. */
import type { BatchSource, MosaicBatch } from "./batches.ts";
import type { BridgePartners } from "./bridge.ts";
import { columnNumbers, type MosaicDataset } from "./dataset.ts";
import { feedOf, stepRandom } from "./feed.ts";
import { groupMatrix } from "./groups.ts";
import type { ModelState } from "./mosaic-vae.ts";

/** The inputs of the steps of an epoch, from step `from` of it. */
export async function* trainFeeds(
  state: ModelState,
  source: BatchSource,
  given: {
    epoch: number;
    from: number;
    perEpoch: number;
    seed: number;
    tails: Readonly<Record<string, number>>;
    partners: BridgePartners | undefined;
    times: TimeScale;
  },
): AsyncGenerator<ReturnType<typeof feedOf>> {
  const { plan } = state;
  let step = given.epoch * given.perEpoch + given.from;
  for await (const batch of source.epoch(given.epoch, given.from)) {
    const { noise, random } = stepRandom(given.seed, step, batch.rows.length, plan.latent);
    const extra = extraInputs(state, batch, given);
    yield feedOf(batch, { plan, tails: given.tails, noise, random, extra });
    step++;
  }
}

function extraInputs(
  { plan }: ModelState,
  batch: MosaicBatch,
  { partners, times }: { partners: BridgePartners | undefined; times: TimeScale },
): Record<string, Float32Array> {
  const extra: Record<string, Float32Array> = {};
  if (plan.groups > 0) extra.group = groupMatrix(batch, plan.groupKind, plan.groupNames);
  if (plan.heads.temporal) {
    extra.time = new Float32Array(batch.rows.length * 2);
    batch.time.forEach((t, i) => {
      if (!Number.isFinite(t)) return;
      extra.time![2 * i] = (t - times.mean) / times.sd;
      extra.time![2 * i + 1] = 1;
    });
  }
  if (plan.heads.bridge) {
    extra.partner = new Float32Array(batch.rows.length * plan.latent);
    extra.paired = new Float32Array(batch.rows.length);
    batch.rows.forEach((row, i) => {
      const target = partners?.of(row);
      if (!target) return;
      extra.partner!.set(target, i * plan.latent);
      extra.paired![i] = 1;
    });
  }
  return extra;
}

/** Place and spread of the known times. */
export interface TimeScale {
  /** Cells whose time is known. */
  known: number;
  mean: number;
  sd: number;
}

/** That of `obs.time`; cells without a number there do not count. */
export function timeScale(dataset: MosaicDataset): TimeScale {
  const column = dataset.obs.getChild("time") ? columnNumbers(dataset.obs, "time") : [];
  const values = Array.from(column).filter(Number.isFinite);
  const mean = values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, values.length);
  return { known: values.length, mean, sd: Math.sqrt(variance) || 1 };
}
