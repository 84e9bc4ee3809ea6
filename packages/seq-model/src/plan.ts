import { checkRange } from "@x/core/base";
import { type MetricNumbers, nativeMetric, TREE_METRICS, type TreeMetric } from "./metrics.ts";
import { distancesBytes } from "./native.ts";

/** How large a run is. */
export interface UnifracSize extends MetricNumbers {
  /** Samples. */
  samples: number;
  /** Branches above the features: about twice the features. */
  branches: number;
  /** Share of branches that a sample has something below, on average. 0.15 by default. */
  density?: number;
  /** Which UniFrac. */
  metric: TreeMetric;
  /** As in `unifrac`. */
  float32?: boolean;
}

/** What a run will cost. */
export interface UnifracPlan {
  /** Pairs of samples. */
  readonly pairs: number;
  /** Terms of the sums that are added: pairs × the branches a sample has. */
  readonly terms: number;
  /** Bytes at the peak, the table apart. */
  readonly bytes: number;
  /** Bytes of the whole square as `.npy`: 8 a distance, 4 with `float32`. */
  readonly fileBytes: number;
  /** CPU seconds, on all threads together; a machine's clock and vectors make it half or twice as much. */
  readonly cpuSeconds: number;
}

/** Seconds a term takes, measured with AVX-512 at 2 GHz (docs/design/seq-model.md). */
const SECONDS: Record<TreeMetric, number> = {
  unweighted: 0.14e-9,
  weighted: 0.22e-9,
  "weighted-normalized": 0.22e-9,
  generalized: 2.9e-9,
  "unweighted-vaw": 1.8e-9,
  "weighted-normalized-vaw": 1.8e-9,
};

/**
 * What {@link unifrac} will cost, by formula: terms = n (n − 1) / 2 × branches × density (all branches for the
 * variance-adjusted metrics). Nothing is computed.
 */
export function planUnifrac(size: UnifracSize): UnifracPlan {
  const { density = 0.15, float32 = false } = size;
  checkRange("samples", size.samples, { min: 1, max: 2 ** 32, integer: true });
  checkRange("branches", size.branches, { min: 1 });
  checkRange("density", density, { min: 0, max: 1 });
  const metric = nativeMetric(size.metric, size, TREE_METRICS);
  const pairs = (size.samples * (size.samples - 1)) / 2;
  const terms = pairs * size.branches * (size.metric.endsWith("-vaw") ? 1 : density);
  return Object.freeze({
    pairs,
    terms,
    bytes: distancesBytes(size.samples, metric, float32),
    fileBytes: 128 + (float32 ? 4 : 8) * size.samples ** 2,
    cpuSeconds: terms * SECONDS[size.metric],
  });
}
