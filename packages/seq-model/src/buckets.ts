/** Training samples by how many ASVs they have: small ones are not padded to the largest. */
import { Random } from "@x/core/base";
import type { Trainer } from "@x/onnx-train";
import type { TrainingData } from "./training-data.ts";

/** Samples of about one size, and the graph that their batches fill. */
export interface Bucket {
  /** Places of the samples. */
  readonly train: Uint32Array;
  readonly trainer: Trainer;
  readonly lengths: { readonly asvs: number; readonly samples: number; readonly slots: number };
}

/** Keeps the order of buckets apart from other draws. */
const ORDER = 1n << 57n;

/** The training samples in so many groups of about equal number, from few ASVs to many; fewer where a batch is not filled. */
export function bySize(
  { table, train }: Pick<TrainingData, "table" | "train">,
  { lengthBuckets, batchSize }: { lengthBuckets: number; batchSize: number },
): Uint32Array[] {
  const wanted = Math.max(1, Math.min(lengthBuckets, Math.floor(train.length / batchSize)));
  if (wanted === 1) return [train];
  const size = (p: number): number => table.indptr[p + 1]! - table.indptr[p]!;
  const sorted = Array.from(train).sort((a, b) => size(a) - size(b) || a - b);
  return Array.from({ length: wanted }, (_, k) =>
    Uint32Array.from(
      sorted.slice(Math.floor((k * sorted.length) / wanted), Math.floor(((k + 1) * sorted.length) / wanted)),
    ),
  );
}

/** One graph a bucket and one training among them: weights and moments go along from one to the next. */
export class TrainerSet implements AsyncDisposable {
  readonly buckets: readonly Bucket[];
  #active: Bucket;

  constructor(buckets: readonly Bucket[]) {
    this.buckets = buckets;
    this.#active = buckets[0]!;
  }

  /** The trainer that holds the training. */
  get trainer(): Trainer {
    return this.#active.trainer;
  }

  /** Buckets in the order of an epoch. */
  order(seed: number, epoch: number): Bucket[] {
    if (this.buckets.length === 1) return [...this.buckets];
    return new Random(seed, ORDER + BigInt(epoch)).shuffle([...this.buckets]);
  }

  /** Hands the training to a bucket's trainer. */
  async use(bucket: Bucket): Promise<Trainer> {
    if (bucket !== this.#active) {
      await bucket.trainer.restore(await this.#active.trainer.state());
      this.#active = bucket;
    }
    return bucket.trainer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { trainer } of this.buckets) await trainer[Symbol.asyncDispose]();
  }
}
