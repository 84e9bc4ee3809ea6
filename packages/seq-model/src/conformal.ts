import { checkRange, type Warning } from "@x/core/base";
import { seqError } from "./errors.ts";

/** How far predictions are widened so that a share of new samples falls inside. Plain data. */
export interface Conformal {
  /** `split` widens a number to both sides, `cqr` moves both ends of an interval. */
  readonly kind: "split" | "cqr";
  /** Share of new samples that fall inside, at least, when they are exchangeable with those calibrated on. */
  readonly coverage: number;
  /** Added on both sides; Infinity (null in JSON) where too few samples were calibrated on to promise the coverage. */
  readonly width: number;
  /** Samples calibrated on. */
  readonly samples: number;
}

/** Both ends of an interval for each sample. */
export interface Intervals {
  /** Lower ends. */
  readonly low: Float64Array;
  /** Upper ends. */
  readonly high: Float64Array;
}

/**
 * Split conformal intervals (Papadopoulos et al. 2002; Lei et al. 2018) from samples that were not trained on: the width
 * is the ⌈(n + 1) · coverage⌉-th smallest absolute error. `CONFORMAL` without samples, or for values that are not finite.
 */
export function splitConformal(
  truth: ArrayLike<number>,
  predicted: ArrayLike<number>,
  coverage = 0.9,
): Conformal {
  const errors = Float64Array.from(truth, (y, i) => Math.abs(y - predicted[i]!));
  return { kind: "split", ...calibrated(errors, coverage) };
}

/**
 * Conformalised quantile regression (Romano, Patterson and Candès 2019): as {@link splitConformal} with the scores
 * max(low − y, y − high) of predicted intervals, so that intervals that are too wide shrink.
 */
export function quantileConformal(truth: ArrayLike<number>, intervals: Intervals, coverage = 0.9): Conformal {
  const scores = Float64Array.from(truth, (y, i) => Math.max(intervals.low[i]! - y, y - intervals.high[i]!));
  return { kind: "cqr", ...calibrated(scores, coverage) };
}

/**
 * Intervals of new predictions: of numbers for `split`, of intervals for `cqr`, where ends that a negative width moves
 * past each other meet in the middle.
 */
export function conformalIntervals(
  conformal: Conformal,
  predicted: ArrayLike<number> | Intervals,
): Intervals {
  const ends = "low" in predicted ? predicted : { low: predicted, high: predicted };
  if ((conformal.kind === "cqr") !== "low" in predicted) {
    throw seqError(
      "CONFORMAL",
      `${conformal.kind} intervals are made of ${conformal.kind === "cqr" ? "intervals" : "numbers"}`,
    );
  }
  const low = Float64Array.from(ends.low, (y) => y - conformal.width);
  const high = Float64Array.from(ends.high, (y) => y + conformal.width);
  low.forEach((_, i) => {
    if (low[i]! > high[i]!) low[i] = high[i] = (low[i]! + high[i]!) / 2;
  });
  return { low, high };
}

/** Share of samples inside their interval, ends included. */
export function coverageOf(truth: ArrayLike<number>, { low, high }: Intervals): number {
  return Array.from(truth).filter((y, i) => low[i]! <= y && y <= high[i]!).length / truth.length;
}

/** What to say where intervals are infinite; undefined where they are not. */
export function infiniteIntervals(conformal: readonly Conformal[]): Warning | undefined {
  const endless = conformal.find(({ width }) => width === Number.POSITIVE_INFINITY);
  if (!endless) return undefined;
  const { coverage, samples } = endless;
  const needed = Math.ceil(coverage / (1 - coverage) - 1e-9);
  const share = `${Number((100 * coverage).toPrecision(6))} %`;
  const message = Number.isFinite(needed)
    ? `intervals are infinite: ${share} needs ≥ ${needed} calibration samples, there are ${samples}`
    : `intervals are infinite: no number of calibration samples is enough for ${share}`;
  return { code: "CONFORMAL_FEW", message, details: { coverage, samples, needed } };
}

function calibrated(scores: Float64Array, coverage: number): Omit<Conformal, "kind"> {
  checkRange("coverage", coverage, { min: 0, max: 1 });
  const n = scores.length;
  if (n === 0 || scores.some(Number.isNaN)) {
    const message = n === 0 ? "there are no samples to calibrate on" : "a value to calibrate on is no number";
    throw seqError("CONFORMAL", message);
  }
  // Without the allowance 0.9 · 10 would round up to 10 as a double above 9.
  const rank = Math.ceil((n + 1) * coverage - 1e-9);
  const width = rank > n ? Number.POSITIVE_INFINITY : scores.sort()[Math.max(1, rank) - 1]!;
  return { coverage, width, samples: n };
}
