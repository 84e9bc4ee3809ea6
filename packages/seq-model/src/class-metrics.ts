import type { ClassScores } from "./scores.ts";

/** What is known of one class. */
export interface ClassDetail {
  /** Samples that are of it. */
  readonly support: number;
  /** Share of those said to be of it that are; 0 where none was. */
  readonly precision: number;
  /** Share of those that are of it that were said to be; 0 where there are none. */
  readonly recall: number;
  /** Harmonic mean of the two. */
  readonly f1: number;
}

/** What {@link ClassMetrics} keeps. */
export interface ClassCounts {
  /** Classes. */
  readonly classes: number;
  /** Row by row: the true class, and the one that was said. */
  readonly confusion: readonly number[];
}

/** Scores of predicted classes from batches, in the memory of one confusion matrix. */
export class ClassMetrics {
  /** Classes. */
  readonly classes: number;
  /** Row by row: samples that are of the row's class and were said to be of the column's. */
  readonly confusion: Float64Array;

  /** `confusion` continues from an earlier one. */
  constructor(classes: number, confusion?: ArrayLike<number>) {
    this.classes = classes;
    this.confusion = confusion ? Float64Array.from(confusion) : new Float64Array(classes * classes);
  }

  /** Takes a batch of class numbers. */
  add(truth: ArrayLike<number>, predicted: ArrayLike<number>): void {
    for (let i = 0; i < truth.length; i++) this.confusion[truth[i]! * this.classes + predicted[i]!]! += 1;
  }

  /** Takes what another of the same classes has seen. */
  merge(other: ClassMetrics): void {
    other.confusion.forEach((count, at) => {
      this.confusion[at]! += count;
    });
  }

  /** Each class by itself. */
  details(): ClassDetail[] {
    const { classes, confusion } = this;
    return Array.from({ length: classes }, (_, c) => {
      let [there, said] = [0, 0];
      for (let k = 0; k < classes; k++) {
        there += confusion[c * classes + k]!;
        said += confusion[k * classes + c]!;
      }
      const right = confusion[c * classes + c]!;
      return {
        support: there,
        precision: said > 0 ? right / said : 0,
        recall: there > 0 ? right / there : 0,
        f1: right > 0 ? (2 * right) / (said + there) : 0,
      };
    });
  }

  /** Scores so far, as `classScores` gives them for the whole. */
  scores(): ClassScores {
    const details = this.details();
    const total = this.confusion.reduce((a, b) => a + b, 0);
    const right = details.reduce((sum, _, c) => sum + this.confusion[c * this.classes + c]!, 0);
    return { accuracy: right / total, macroF1: details.reduce((a, d) => a + d.f1, 0) / this.classes };
  }

  /** Plain data. */
  toJSON(): ClassCounts {
    return { classes: this.classes, confusion: Array.from(this.confusion) };
  }
}

/**
 * Area under the ROC curve: the chance that a sample of the class has a larger score than one that is not of it, ties
 * counted half (Mann and Whitney). NaN where all samples or none are of the class, and where a score is NaN.
 */
export function auroc(scores: ArrayLike<number>, ofClass: ArrayLike<boolean | number>): number {
  const numbers = Float64Array.from(scores);
  if (numbers.some(Number.isNaN)) return Number.NaN;
  const rank = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);
  const order = Array.from(numbers, (_, i) => i).sort((a, b) => rank(numbers[a]!, numbers[b]!));
  let [positives, ranks] = [0, 0];
  for (let from = 0; from < order.length; ) {
    let to = from;
    let here = 0;
    while (to < order.length && numbers[order[to]!] === numbers[order[from]!])
      here += ofClass[order[to++]!] ? 1 : 0;
    positives += here;
    ranks += (here * (from + to + 1)) / 2;
    from = to;
  }
  const negatives = order.length - positives;
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** {@link auroc} of each class against all others; `scores` holds one sample's classes after another's. */
export function classAurocs(scores: ArrayLike<number>, truth: ArrayLike<number>, classes: number): number[] {
  return Array.from({ length: classes }, (_, c) =>
    auroc(
      Float64Array.from(truth, (_, s) => scores[s * classes + c]!),
      Array.from(truth, (t) => t === c),
    ),
  );
}
