import { checkRange } from "@x/core/base";

/** Mean and spread of what several passes predicted. */
export interface PassStatistics {
  /** Passes. */
  readonly passes: number;
  /** Mean of each number. */
  readonly mean: Float64Array;
  /** Variance of each number among passes (divided by passes − 1); 0 for a single pass. */
  readonly variance: Float64Array;
}

/**
 * Predicts several times, each time from other ASVs, and brings the passes together (Welford). `predict` gets the number
 * of the pass, to be used as the `step` of `sampling: "random"`, and gives the same number of values every time.
 */
export async function predictInPasses(
  passes: number,
  predict: (pass: number) => Promise<ArrayLike<number>>,
): Promise<PassStatistics> {
  checkRange("passes", passes, { min: 1, integer: true });
  const mean = Float64Array.from(await predict(0));
  const m2 = new Float64Array(mean.length);
  for (let pass = 1; pass < passes; pass++) {
    const values = await predict(pass);
    for (let i = 0; i < mean.length; i++) {
      const step = values[i]! - mean[i]!;
      mean[i]! += step / (pass + 1);
      m2[i]! += step * (values[i]! - mean[i]!);
    }
  }
  return { passes, mean, variance: m2.map((m) => (passes > 1 ? m / (passes - 1) : 0)) };
}
