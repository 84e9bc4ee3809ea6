/** What a network is trained on, and the batches it sees: everything follows from seed, epoch and step. */
import { Random } from "@x/core/base";
import { type AugmentOptions, augmentSamples, shuffleAsvs } from "./augment.ts";
import { type BatchTargets, batchTargets } from "./batch-targets.ts";
import type { Clades } from "./clades.ts";
import { communities } from "./communities.ts";
import { FeatureTable } from "./feature-table.ts";
import type { CountRange } from "./feeds.ts";
import type { ModelConfig, SampleBatch } from "./model-interfaces.ts";
import type { Tree } from "./read-newick.ts";
import { type SequenceBatchOptions, type SequenceCache, sequenceBatch } from "./sequence-batches.ts";

/** Samples with all that is known about them. */
export interface TrainingData {
  /** All samples; the numbers below are in its order. */
  readonly table: FeatureTable;
  /** Of the table's features. */
  readonly cache: SequenceCache;
  /** Places of the samples that train. */
  readonly train: Uint32Array;
  /** Places of the samples that are only looked at. */
  readonly valid: Uint32Array;
  /** On the model's scale, one sample's outputs after another's. */
  readonly targets?: Float32Array;
  /** Codes of categorical metadata. */
  readonly categories?: Int32Array;
  /** Distances to learn. */
  readonly distances?: BatchTargets;
  /** Distances of ASVs on the tree, by rows of the cache. */
  readonly kin?: KinTargets;
  /** Memberships of sequences in clades of the tree. */
  readonly clades?: Clades;
  /** Chance of a sample of a batch to be a community that nobody took, and the clades that some are drawn from. */
  readonly synthetic?: { readonly share: number; readonly clades: Clades };
  /** Numbers to learn, one sample after another. */
  readonly encoderValues?: Float32Array;
  /** Weight of each sample in the losses; 1 by default. */
  readonly sampleWeights?: Float32Array;
}

/** Distances of ASVs on the tree. */
export interface KinTargets {
  /** ASVs of a batch that are compared. */
  readonly size: number;
  /** Between rows of the cache, in units of the mean. */
  of(rows: ArrayLike<number>): Promise<Float32Array>;
}

/**
 * Distances on the tree between the sequences of a cache: weighted UniFrac of samples of one feature each. Errors as
 * `unifrac`.
 */
export async function kinTargets(
  table: FeatureTable,
  cache: SequenceCache,
  options: { tree: Tree; missingTips?: "error" | "drop"; missingLength?: number; threads?: number },
): Promise<KinTargets> {
  const rows = cache.table.lengths.length;
  const featureOf = new Int32Array(rows).fill(-1);
  cache.rowOf.forEach((row, f) => {
    if (featureOf[row] === -1) featureOf[row] = f;
  });
  const single = new FeatureTable({
    sampleIds: Array.from(featureOf, (f) => table.featureIds[f]!),
    featureIds: table.featureIds,
    indptr: Float64Array.from({ length: rows + 1 }, (_, i) => i),
    indices: Uint32Array.from(featureOf),
    values: new Float64Array(rows).fill(1),
    path: table.path,
  });
  const { of } = batchTargets(single, { metric: "weighted", ...options });
  const some = await of(
    Uint32Array.from({ length: Math.min(rows, 512) }, (_, i) => Math.floor((i * rows) / Math.min(rows, 512))),
  );
  const unit = some.reduce((a, b) => a + b, 0) / Math.max(1, some.length) || 1;
  return {
    size: Math.min(rows, KIN),
    of: async (chosen) => Float32Array.from(await of(chosen), (d) => d / unit),
  };
}

/** ASVs of a batch that are compared with each other on the tree. */
const KIN = 96;

/** How training samples are varied. */
export interface Variation extends Pick<AugmentOptions, "asvDropout" | "rarefactionNoise"> {
  /** Each sample's ASVs in a new order in each step: for models with sample positions. */
  readonly shuffleAsvs?: boolean;
}

/** Of the shuffles of epochs. */
const ORDER = 1n << 59n;
const KIN_ORDER = 1n << 58n;

/** Batches of an epoch: places of samples in a new order, the last one smaller where they do not fill it. */
export function epochBatches(
  { train }: Pick<TrainingData, "train">,
  batchSize: number,
  { seed, epoch }: { seed: number; epoch: number },
): Uint32Array[] {
  const order = new Random(seed, ORDER + BigInt(epoch)).shuffle(train.slice());
  return inBatches(order, batchSize);
}

/** Places in order, so many at a time. */
export function inBatches(places: Uint32Array, batchSize: number): Uint32Array[] {
  return Array.from({ length: Math.ceil(places.length / batchSize) }, (_, b) =>
    places.subarray(b * batchSize, (b + 1) * batchSize),
  );
}

/** One batch with what is to be learned; `variation` makes it another sequencing of the same samples. */
export async function batchOf(
  data: TrainingData,
  places: Uint32Array,
  config: ModelConfig,
  options: Pick<SequenceBatchOptions, "sampling" | "seed" | "step"> & { variation?: Variation },
): Promise<SampleBatch> {
  const { variation, ...sampling } = options;
  const { seed = 0, step = 0 } = options;
  const drawn = data.synthetic && variation ? communitiesOf(data, places, config, options) : undefined;
  const varied = !drawn && variation && (variation.asvDropout || variation.rarefactionNoise);
  const table =
    drawn ?? (varied ? augmentSamples(data.table, places, { ...variation, seed, step }) : data.table);
  const own = Uint32Array.from(places, (_, i) => i);
  const rows = drawn || varied ? own : places;
  const laid = sequenceBatch(table, data.cache, rows, { ...sampling, tokenLimit: config.tokenLimit });
  const made = variation?.shuffleAsvs ? shuffleAsvs(laid, { seed, step }) : laid;
  const pick = <T extends Float32Array | Int32Array>(
    values: T | undefined,
    Kind: new (n: number) => T,
  ): T | undefined => {
    if (!values) return undefined;
    const width = values.length / data.table.sampleIds.length;
    const out = new Kind(places.length * width);
    places.forEach((p, i) => {
      out.set(values.subarray(p * width, (p + 1) * width) as never, i * width);
    });
    return out;
  };
  const kin = data.kin && (await kinOf(data.kin, made.unique, { seed, step }));
  const targets = pick(data.targets, Float32Array);
  const categories = pick(data.categories, Int32Array);
  const encoderValues = pick(data.encoderValues, Float32Array);
  // Distances are those of the samples as they were sequenced: what is varied should not matter.
  const distances =
    data.distances &&
    Float32Array.from(await (drawn ? data.distances.again!(drawn).of(own) : data.distances.of(places)));
  return {
    ...made,
    ids: Array.from(places, (p) => data.table.sampleIds[p]!),
    ...(kin && { kin }),
    ...(data.clades && { clades: data.clades.of(made.unique) }),
    ...(targets && { targets }),
    ...(categories && { categories }),
    ...(distances && { distances }),
    ...(encoderValues && { encoderValues }),
  };
}

function communitiesOf(
  data: TrainingData,
  places: Uint32Array,
  config: ModelConfig,
  { seed = 0, step = 0 }: { seed?: number; step?: number },
): FeatureTable {
  const { table, cache, train } = data;
  const { share, clades } = data.synthetic!;
  const slots = mostSlots(data, config);
  return communities({ table, cache, train, clades }, places, { share, slots, seed, step });
}

/** ASVs of the largest training sample, as far as a sample may have. */
function mostSlots({ table, train }: TrainingData, { tokenLimit }: ModelConfig): number {
  const most = train.reduce((n, p) => Math.max(n, table.indptr[p + 1]! - table.indptr[p]!), 1);
  return Math.min(tokenLimit, most);
}

/** Some of a batch's ASVs, drawn by seed and step; some twice where there are too few. */
async function kinOf(
  kin: KinTargets,
  unique: Uint32Array,
  { seed, step }: { seed: number; step: number },
): Promise<NonNullable<SampleBatch["kin"]>> {
  const order = new Random(seed, KIN_ORDER + BigInt(step)).shuffle(Int32Array.from(unique, (_, i) => i));
  const rows = Int32Array.from({ length: kin.size }, (_, i) => order[i % order.length]!);
  return { rows, distances: await kin.of(rows.map((r) => unique[r]!)) };
}

/**
 * Lengths that no batch of the planned epochs exceeds. They follow from data, seed and number of epochs alone, so that a
 * run that goes on has the same graph.
 */
export function batchLengths(
  data: TrainingData,
  config: ModelConfig,
  { batchSize, epochs, seed }: { batchSize: number; epochs: number; seed: number },
): { asvs: number; slots: number } {
  const { table, cache } = data;
  const sizeOf = (p: number): number => table.indptr[p + 1]! - table.indptr[p]!;
  const slots = mostSlots(data, config);
  const rows = cache.table.lengths.length;
  // Communities may hold anything.
  if (data.synthetic) return { asvs: Math.min(batchSize * slots, rows), slots };
  const entries = data.train.reduce((sum, p) => sum + sizeOf(p), 0);
  const looked = Math.max(1, Math.min(epochs, Math.floor(LOOKS / Math.max(1, entries))));
  const seen = new Int32Array(rows);
  let [asvs, mark] = [1, 0];
  for (let epoch = 0; epoch < looked; epoch++)
    for (const places of epochBatches(data, batchSize, { seed, epoch })) {
      mark++;
      let count = 0;
      for (const p of places)
        for (let e = table.indptr[p]!; e < table.indptr[p + 1]!; e++) {
          const row = cache.rowOf[table.indices[e]!]!;
          if (seen[row] === mark) continue;
          seen[row] = mark;
          count++;
        }
      asvs = Math.max(asvs, count);
    }
  if (looked < epochs) asvs = Math.ceil(1.1 * asvs);
  return { asvs: Math.min(asvs, batchSize * slots, rows), slots };
}

/** Entries that `batchLengths` walks at most. */
const LOOKS = 2e7;

/** The range of the counts of some samples. */
export function countRange({ table, train }: Pick<TrainingData, "table" | "train">): CountRange {
  let [least, most] = [Number.POSITIVE_INFINITY, 0];
  for (const p of train)
    for (let e = table.indptr[p]!; e < table.indptr[p + 1]!; e++) {
      least = Math.min(least, table.values[e]!);
      most = Math.max(most, table.values[e]!);
    }
  return { least: Number.isFinite(least) ? least : 0, most };
}
