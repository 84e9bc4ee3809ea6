import { checkOptions, checkRange, Random } from "@x/core/base";
import { seqError } from "./errors.ts";
import { FeatureTable } from "./feature-table.ts";
import type { SequenceBatch } from "./sequence-batches.ts";

/** Options of {@link augmentSamples}. */
export interface AugmentOptions {
  /** Chance of an ASV to be left out of its sample; 0 by default. A sample's largest ASV always stays. */
  asvDropout?: number;
  /**
   * Sequencing less deeply: each sample is drawn down to a depth between (1 − this) and all of its counts, without
   * replacement; 0 by default. Needs whole counts (`RAREFY_COUNTS`).
   */
  rarefactionNoise?: number;
  /** Seed, 0 by default. */
  seed?: number;
  /** Number of the drawing, so that every epoch can draw anew; 0 by default. */
  step?: number;
}

/** Keep the draws of one seed apart. */
const [NOISE, SHUFFLE] = [0x6e6f6973, 0x73687566];

/**
 * Samples (places in the table, in this order) as another sequencing might have seen them, as a new table of the same
 * features; the table itself stays as it is. What a sample draws depends on seed, step and its place in the table, not on
 * who else is in the batch. For training only. `OPTION_RANGE`.
 */
export function augmentSamples(
  table: FeatureTable,
  samples: ArrayLike<number>,
  options: AugmentOptions = {},
): FeatureTable {
  checkOptions(options, ["asvDropout", "rarefactionNoise", "seed", "step"], "augmentSamples");
  const dropout = checkRange("asvDropout", options.asvDropout ?? 0, { min: 0, max: 1 });
  const noise = checkRange("rarefactionNoise", options.rarefactionNoise ?? 0, { min: 0, max: 1 });
  const { seed = 0, step = 0 } = options;
  const indices: number[] = [];
  const values: number[] = [];
  const indptr = new Float64Array(samples.length + 1);
  for (let at = 0; at < samples.length; at++) {
    const sample = samples[at]!;
    const [from, to] = [table.indptr[sample]!, table.indptr[sample + 1]!];
    const random = new Random(seed, NOISE * 2 ** 20 + step * table.sampleIds.length + sample);
    const source = table.values.slice(from, to);
    const counts = noise > 0 ? thinned(source, noise, random, table.sampleIds[sample]!) : source;
    if (dropout > 0) dropAsvs(counts, dropout, random);
    counts.forEach((count, k) => {
      if (count === 0) return;
      indices.push(table.indices[from + k]!);
      values.push(count);
    });
    indptr[at + 1] = values.length;
  }
  return new FeatureTable({
    // A batch may hold a sample twice.
    sampleIds: Array.from(samples, (s, at) => `${at}:${table.sampleIds[s]}`),
    featureIds: table.featureIds,
    indptr,
    indices: Uint32Array.from(indices),
    values: Float64Array.from(values),
    path: table.path,
  });
}

/**
 * The same batch with each sample's ASVs in another order: for models with sample positions; one without does not see
 * it. The batch itself stays as it is.
 */
export function shuffleAsvs(
  batch: SequenceBatch,
  options: Pick<AugmentOptions, "seed" | "step"> = {},
): SequenceBatch {
  checkOptions(options, ["seed", "step"], "shuffleAsvs");
  const { seed = 0, step = 0 } = options;
  const { slots } = batch;
  const [sequence, counts] = [batch.sequence.slice(), batch.counts.slice()];
  const samples = slots === 0 ? 0 : batch.mask.length / slots;
  for (let s = 0; s < samples; s++) {
    const filled = batch.mask.subarray(s * slots, (s + 1) * slots).reduce((sum, m) => sum + m, 0);
    const order = Array.from({ length: filled }, (_, k) => s * slots + k);
    const random = new Random(seed, SHUFFLE * 2 ** 20 + step * samples + s);
    random.shuffle(order).forEach((from, k) => {
      sequence[s * slots + k] = batch.sequence[from]!;
      counts[s * slots + k] = batch.counts[from]!;
    });
  }
  return { ...batch, sequence, counts };
}

/** Selection sampling: each count in turn is taken with the chance (still wanted) / (still left). */
function thinned(counts: Float64Array, noise: number, random: Random, sample: string): Float64Array {
  if (counts.some((c) => !Number.isInteger(c))) {
    const message = `sample ${sample} has counts that are not whole; rarefaction noise draws whole reads`;
    throw seqError("RAREFY_COUNTS", message, { samples: [sample] });
  }
  let left = counts.reduce((a, b) => a + b, 0);
  let wanted = Math.max(Math.min(1, left), Math.round(left * (1 - noise * random.uniform())));
  return counts.map((count) => {
    let taken = 0;
    for (let k = 0; k < count; k++, left--) {
      if (random.uniform() * left >= wanted) continue;
      taken++;
      wanted--;
    }
    return taken;
  });
}

function dropAsvs(counts: Float64Array, dropout: number, random: Random): void {
  const largest = counts.indexOf(Math.max(...counts));
  counts.forEach((_, k) => {
    if (random.uniform() < dropout && k !== largest) counts[k] = 0;
  });
}
