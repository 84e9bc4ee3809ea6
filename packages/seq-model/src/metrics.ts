import { checkRange, xError } from "@x/core/base";
import type { NativeMetric } from "./native.ts";

/** Metrics on a tree; `weighted` is the one without normalisation, as in QIIME 2. */
export const TREE_METRICS = [
  "unweighted",
  "weighted",
  "weighted-normalized",
  "generalized",
  "unweighted-vaw",
  "weighted-normalized-vaw",
] as const;

/** Metrics on the table alone. */
export const TABLE_METRICS = ["bray-curtis", "jaccard", "aitchison"] as const;

/** A metric on a tree. */
export type TreeMetric = (typeof TREE_METRICS)[number];

/** A metric on the table alone. */
export type TableMetric = (typeof TABLE_METRICS)[number];

/** Numbers some metrics have. */
export interface MetricNumbers {
  /** Of `generalized`, from 0 to 1; 0.5 by default. */
  alpha?: number | undefined;
  /** Of `aitchison`: added to every count, 1 by default (as in QIIME 2). */
  pseudocount?: number | undefined;
}

/** The metric as the kernel takes it. `OPTION_CHOICE` for another name, `OPTION_RANGE`. */
export function nativeMetric(name: string, numbers: MetricNumbers, allowed: readonly string[]): NativeMetric {
  if (!allowed.includes(name)) {
    const message = `metric must be one of ${allowed.join(", ")}, got ${JSON.stringify(name)}`;
    throw xError("OPTION_CHOICE", message, { usage: true, details: { option: "metric" } });
  }
  const alpha = checkRange("alpha", numbers.alpha ?? 0.5, { min: 0, max: 1 });
  const pseudocount = checkRange("pseudocount", numbers.pseudocount ?? 1, { min: Number.MIN_VALUE });
  return { name, parameter: name === "aitchison" ? pseudocount : alpha };
}

/** How a metric is called in results. */
export function metricLabel({ name, parameter }: NativeMetric): string {
  return name === "generalized" ? `generalized(${parameter})` : name;
}
