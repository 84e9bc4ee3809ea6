import { randomU32 } from "@x/core/base";
import type { RegressionScores } from "./scores.ts";

/** What {@link RegressionMetrics} keeps: plain data that can stand in a checkpoint or travel between processes. */
export interface RegressionSums {
  /** Numbers seen. */
  readonly n: number;
  /** Mean of the truth. */
  readonly mean: number;
  /** Sum of the truth's squared distances from its mean. */
  readonly m2: number;
  /** Sum of absolute errors. */
  readonly absolute: number;
  /** Sum of squared errors. */
  readonly squared: number;
  /** Sum of predicted − true. */
  readonly bias: number;
}

/** Scores of numbers that came in batches. */
export interface StreamedScores extends RegressionScores {
  /** Mean of predicted − true. */
  readonly bias: number;
}

/**
 * Scores of predicted numbers from batches of any size, in the memory of one batch: mean and spread after Welford (1962),
 * parts brought together after Chan, Golub and LeVeque (1979).
 */
export class RegressionMetrics {
  #n = 0;
  #mean = 0;
  #m2 = 0;
  #absolute = 0;
  #squared = 0;
  #bias = 0;

  /** From {@link RegressionMetrics.toJSON}. */
  static from(sums: RegressionSums): RegressionMetrics {
    const made = new RegressionMetrics();
    made.#n = sums.n;
    made.#mean = sums.mean;
    made.#m2 = sums.m2;
    made.#absolute = sums.absolute;
    made.#squared = sums.squared;
    made.#bias = sums.bias;
    return made;
  }

  /** Numbers seen. */
  get n(): number {
    return this.#n;
  }

  /** Takes a batch. Where there is a `mask`, only places that are not 0 count: the padding of counts. */
  add(truth: ArrayLike<number>, predicted: ArrayLike<number>, mask?: ArrayLike<number>): void {
    for (let i = 0; i < truth.length; i++) {
      if (mask && !mask[i]) continue;
      const y = truth[i]!;
      const error = predicted[i]! - y;
      const step = y - this.#mean;
      this.#n++;
      this.#mean += step / this.#n;
      this.#m2 += step * (y - this.#mean);
      this.#absolute += Math.abs(error);
      this.#squared += error * error;
      this.#bias += error;
    }
  }

  /** Takes what another has seen. */
  merge(other: RegressionMetrics): void {
    const n = this.#n + other.#n;
    if (other.#n === 0) return;
    const step = other.#mean - this.#mean;
    this.#m2 += other.#m2 + (step * step * this.#n * other.#n) / n;
    this.#mean += (step * other.#n) / n;
    this.#absolute += other.#absolute;
    this.#squared += other.#squared;
    this.#bias += other.#bias;
    this.#n = n;
  }

  /** Scores so far; NaN before the first number, R² also where the truth does not vary. */
  scores(): StreamedScores {
    const [n, m2] = [this.#n, this.#m2];
    return {
      r2: m2 > 0 ? 1 - this.#squared / m2 : Number.NaN,
      mae: this.#absolute / n,
      rmse: Math.sqrt(this.#squared / n),
      bias: this.#bias / n,
    };
  }

  /** Plain data. */
  toJSON(): RegressionSums {
    return {
      n: this.#n,
      mean: this.#mean,
      m2: this.#m2,
      absolute: this.#absolute,
      squared: this.#squared,
      bias: this.#bias,
    };
  }
}

/**
 * A sample of at most `size` of all items, each with the same chance, whatever order or parts they come in: an item's
 * key is a random number of its own number, and the smallest keys stay. Parts of one whole therefore merge to the very
 * sample that the whole would have given.
 */
export class Reservoir<T> {
  /** Items kept at most. */
  readonly size: number;
  readonly #seed: number;
  #kept: { key: number; index: number; item: T }[] = [];
  #limit = Number.POSITIVE_INFINITY;

  /** 1,000 items by default. */
  constructor(size = 1000, seed = 0) {
    this.size = size;
    this.#seed = seed;
  }

  /** Offers an item; `index` is its number among all, each given once. */
  add(index: number, item: T): void {
    const key = randomU32(this.#seed, STREAM, index);
    if (key > this.#limit) return;
    this.#kept.push({ key, index, item });
    if (this.#kept.length >= 2 * this.size) this.#cut();
  }

  /** Takes what another of the same seed has kept. */
  merge(other: Reservoir<T>): void {
    this.#kept.push(...other.#kept);
    this.#cut();
  }

  /** The items kept, in the order of their numbers. */
  items(): T[] {
    this.#cut();
    return this.#kept.toSorted((a, b) => a.index - b.index).map(({ item }) => item);
  }

  #cut(): void {
    this.#kept.sort((a, b) => a.key - b.key || a.index - b.index);
    if (this.#kept.length <= this.size) return;
    this.#kept.length = this.size;
    this.#limit = this.#kept.at(-1)!.key;
  }
}

/** Keeps the reservoir's numbers apart from others of the same seed. */
const STREAM = 0x72657376;
