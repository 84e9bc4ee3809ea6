/** Batches of cells as the inputs of the network: dense rows, masks, tallies, and everything random of a step. */
import { Random } from "@x/core/base";
import type { Batch, SparseRows } from "@x/onnx-train";
import type { MosaicBatch } from "./batches.ts";
import type { CsrBlock } from "./csr.ts";
import type { NetworkPlan, PlannedModality } from "./plan.ts";

/** How a batch is to be fed. */
export interface FeedOptions {
  readonly plan: NetworkPlan;
  /** Lengths of the lists of large counts, by modality; for training. */
  readonly tails?: Readonly<Record<string, number>>;
  /** [cells × latent] standard normal numbers; zeros by default. */
  readonly noise?: Float32Array;
  /** Draws modality dropout and the choice of a mixture; nothing is dropped without it. */
  readonly random?: Random;
  /** Without `random`: which expert of a mixture speaks for a cell that has `count` of them, ordered by name; the first. */
  readonly expert?: (cell: number, count: number) => number;
  /** Modalities that encoders may see; all by default. */
  readonly encode?: readonly string[];
  /** Decode all cells as of this batch. */
  readonly asBatch?: number;
  /** Library by modality in place of each cell's own. */
  readonly library?: Readonly<Record<string, Float32Array>>;
  /** Groups of the heads, partners of a bridge, times. */
  readonly extra?: Readonly<Record<string, Float32Array>>;
}

/** The inputs of one batch. */
export function feedOf(batch: MosaicBatch, options: FeedOptions): Batch {
  const { plan, tails, noise, random, asBatch, library, extra } = options;
  const cells = batch.rows.length;
  const masks = plan.modalities.map((m) => batch.modalities[m.name]!.mask);
  const seen = seenOf(batch, options);
  if (random && plan.modalityDropout > 0) dropModalities(seen, plan.modalityDropout, random);
  const feed: Record<string, Float32Array | BigInt64Array | SparseRows> = {
    noise: noise ?? new Float32Array(cells * plan.latent),
    batch: batchWeights(batch.batch, plan.batches, asBatch),
    ...(plan.fusion === "moe" && { choice: chooseExpert(seen, options) }),
    ...extra,
  };
  plan.modalities.forEach((m, i) => {
    const part = batch.modalities[m.name]!;
    const { block } = part;
    feed[`x.${m.name}`] = { ...(m.binary ? binary(block) : block), yours: true };
    feed[`mask.${m.name}`] = Float32Array.from(masks[i]!);
    feed[`seen.${m.name}`] = seen[i]!;
    feed[`library.${m.name}`] = library?.[m.name] ?? part.library;
    if (m.tally > 0 && tails) Object.assign(feed, tallies(m, block, tails[m.name]!));
  });
  return feed;
}

function binary(block: CsrBlock): CsrBlock {
  const { values } = block;
  let plain = true;
  for (let j = 0; j < values.length && plain; j++) plain = values[j] === 1;
  return plain ? block : { ...block, values: values.map((v) => (v > 0 ? 1 : 0)) };
}

/** Rows of weights over the batches: one 1, or equal ones where a batch is unknown. */
function batchWeights(codes: Int32Array, batches: number, asBatch: number | undefined): Float32Array {
  const weights = new Float32Array(codes.length * batches);
  codes.forEach((own, i) => {
    const code = asBatch ?? own;
    if (code < 0) weights.fill(1 / batches, i * batches, (i + 1) * batches);
    else weights[i * batches + code] = 1;
  });
  return weights;
}

/** Hides modalities of cells that have several; the last one stays. */
function dropModalities(seen: readonly Float32Array[], rate: number, random: Random): void {
  const order = Int32Array.from(seen, (_, m) => m);
  for (let i = 0; i < seen[0]!.length; i++) {
    let left = seen.reduce((n, s) => n + s[i]!, 0);
    if (left < 2) continue;
    for (const m of random.shuffle(order)) {
      if (seen[m]![i] === 0 || left < 2) continue;
      if (random.uniform() >= rate) continue;
      seen[m]![i] = 0;
      left--;
    }
  }
}

/** What encoders may see, [modalities][cells]: 0 or 1. */
function seenOf(batch: MosaicBatch, { plan, encode }: Pick<FeedOptions, "plan" | "encode">): Float32Array[] {
  return plan.modalities.map((m) => {
    const visible = encode === undefined || encode.includes(m.name);
    return Float32Array.from(batch.modalities[m.name]!.mask, (on) => (on && visible ? 1 : 0));
  });
}

/** One of the seen modalities of each cell: drawn, or as `expert` says; none where none is seen. */
function chooseExpert(
  seen: readonly Float32Array[],
  { plan, random, expert = () => 0 }: FeedOptions,
): Float32Array {
  const cells = seen[0]!.length;
  const choice = new Float32Array(cells * seen.length);
  // By name, so that the order of the modalities in the data decides nothing.
  const byName = plan.modalities
    .map(({ name }, m) => ({ name, m }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ m }) => m);
  for (let i = 0; i < cells; i++) {
    const there = byName.filter((m) => seen[m]![i]);
    if (there.length === 0) continue;
    choice[i * seen.length + there[random ? random.int(there.length) : expert(i, there.length)]!] = 1;
  }
  return choice;
}

/** Rounds in which each expert of a mixture speaks once, and the share of a cell's result that a round gives. */
export interface ExpertRounds {
  readonly rounds: number;
  /** `expert` of round `round`. */
  expert(round: number): (cell: number, count: number) => number;
  share(round: number, cell: number): number;
}

/** An expectation over a mixture is the mean over its experts; without a mixture there is one round. */
export function expertRounds(batch: MosaicBatch, given: Pick<FeedOptions, "plan" | "encode">): ExpertRounds {
  const count = new Int32Array(batch.rows.length);
  if (given.plan.fusion === "moe")
    for (const seen of seenOf(batch, given))
      seen.forEach((on, i) => {
        count[i]! += on;
      });
  const experts = count.map((n) => Math.max(1, n));
  return {
    rounds: experts.reduce((a, b) => Math.max(a, b), 1),
    expert: (round) => (_, n) => round % n,
    share: (round, cell) => (round < experts[cell]! ? 1 / experts[cell]! : 0),
  };
}

/** N(k, feature): cells with a count above k < tally; and the counts beyond, as a list of fixed length. */
function tallies(
  m: PlannedModality,
  block: CsrBlock,
  length: number,
): Record<string, Float32Array | BigInt64Array> {
  const { tally, features } = m;
  const { indices, values } = block;
  const exact = new Uint32Array((tally + 1) * features);
  const tailFeature = new BigInt64Array(length);
  const tailCount = new Float32Array(length);
  let at = 0;
  for (let j = 0; j < indices.length; j++) {
    const value = values[j]!;
    // First the number of cells with exactly this count; those of zero are not looked at …
    if (value <= tally) exact[(value | 0) * features + indices[j]!]!++;
    else {
      exact[tally * features + indices[j]!]!++;
      tailFeature[at] = BigInt(indices[j]!);
      tailCount[at++] = value - tally;
    }
  }
  // … then with this count or more.
  const table = new Float32Array(tally * features);
  const sums = exact.subarray(features);
  for (let i = table.length - 1; i >= 0; i--) {
    if (i + features < table.length) sums[i]! += sums[i + features]!;
    table[i] = sums[i]!;
  }
  return {
    [`tally.${m.name}`]: table,
    [`tailFeature.${m.name}`]: tailFeature,
    [`tailCount.${m.name}`]: tailCount,
  };
}

/** The longest list of large counts that any batch can have: those of the cells with most of them. */
export function tailLength(large: Int32Array, batchSize: number): number {
  const sorted = large.slice().sort().reverse();
  return Math.max(
    1,
    sorted.subarray(0, batchSize).reduce((a, b) => a + b, 0),
  );
}

/** Streams of the random numbers of a step. */
const NOISE = 3n << 60n;
const CHOICE = 5n << 60n;

/** Everything random of step `step`, from the seed and its number alone. */
export function stepRandom(
  seed: number,
  step: number,
  cells: number,
  latent: number,
): { noise: Float32Array; random: Random } {
  const random = new Random(seed, NOISE + BigInt(step));
  const noise = new Float32Array(cells * latent);
  for (let i = 0; i < noise.length; i++) noise[i] = random.normal();
  return { noise, random: new Random(seed, CHOICE + BigInt(step)) };
}
