/** The batches of an epoch as a training graph takes them. */
import type { Batch } from "@x/onnx-train";
import type { Bucket } from "./buckets.ts";
import { feedOf } from "./feeds.ts";
import type { Inference } from "./inference.ts";
import { type MaskOptions, maskLetters } from "./letter-masks.ts";
import type { TrainingRun } from "./training.ts";
import { batchOf, countRange, epochBatches } from "./training-data.ts";

/** Batches of one bucket in one epoch; with frozen ASVs their embeddings are computed here. */
export async function* trainFeeds(
  { config, training, data }: TrainingRun,
  given: {
    epoch: number;
    /** Number of the first step. */
    first: number;
    bucket: Bucket;
    inference: Inference;
    mask: MaskOptions;
  },
): AsyncGenerator<Batch> {
  const { batchSize, seed, sampling, variation, losses, freeze } = training;
  const { epoch, bucket, inference, mask } = given;
  const { lengths } = bucket;
  const counts = countRange(data);
  const batches = epochBatches(bucket, batchSize, { seed, epoch });
  let step = given.first;
  for (const places of batches) {
    const { kin, clades, train: _, ...rest } = data;
    const learns = freeze === "none";
    const batch = await batchOf(
      {
        ...rest,
        train: bucket.train,
        ...(kin && learns && (losses.phylogeny ?? 0) > 0 && { kin }),
        ...(clades && learns && (losses.clades ?? 0) > 0 && { clades }),
      },
      places,
      config,
      { sampling, seed, step, variation },
    );
    const known = freeze === "none" ? undefined : await inference.embed(batch);
    const hide = !known && config.nucleotides && losses.nucleotide > 0 && mask.ratio > 0;
    const masked = hide ? maskLetters(batch.tokens, batch.width, mask, { seed, step }) : undefined;
    const sampleWeights = data.sampleWeights && Array.from(places, (p) => data.sampleWeights![p]!);
    yield feedOf(batch, config, {
      lengths,
      counts,
      ...(masked && { masked }),
      ...(known && { embeddings: known }),
      ...(sampleWeights && { sampleWeights }),
    });
    step++;
  }
}
