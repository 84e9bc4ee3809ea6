import { tableFromColumns } from "@x/core";
import { checkOptions } from "@x/core/base";
import type { Table } from "apache-arrow";
import type { FeatureTable } from "./feature-table.ts";
import { diversityOf, newSource } from "./native.ts";
import type { Tree } from "./read-newick.ts";
import { phylogeny, type TreeOptions } from "./unifrac.ts";

/** Diversities of single samples. */
export const DIVERSITIES = ["faith-pd", "shannon", "observed"] as const;

/** A diversity of single samples. */
export type Diversity = (typeof DIVERSITIES)[number];

/** A number a sample. */
export interface DiversityValues {
  /** Names of the samples. */
  readonly ids: readonly string[];
  /** In the same order. */
  readonly values: Float64Array;
  /** Which diversity. */
  readonly metric: Diversity;
  /** `sample: Utf8` and a Float64 column named after the metric. */
  toArrow(): Table;
}

/**
 * Faith's phylogenetic diversity of every sample (Biological Conservation 1992): the length of all branches above its
 * features up to the root; a length written at the root does not count. 0 for a sample without counts. Errors as
 * `unifrac`.
 */
export function faithPd(table: FeatureTable, tree: Tree, options: TreeOptions = {}): DiversityValues {
  checkOptions(options, ["missingTips", "missingLength"], "faithPd");
  const { source } = phylogeny(table, tree, options);
  return valuesOf(table.sampleIds, diversityOf(source, "faith-pd"), "faith-pd");
}

/** Shannon's entropy in bits of every sample's counts; NaN for a sample without counts. */
export function shannon(table: FeatureTable): DiversityValues {
  return valuesOf(table.sampleIds, diversityOf(newSource(table), "shannon"), "shannon");
}

/** How many features each sample has. */
export function observedFeatures(table: FeatureTable): DiversityValues {
  return valuesOf(table.sampleIds, diversityOf(newSource(table), "observed"), "observed");
}

function valuesOf(ids: readonly string[], values: Float64Array, metric: Diversity): DiversityValues {
  const toArrow = (): Table => tableFromColumns({ sample: ids, [metric.replace("-", "_")]: values });
  return Object.freeze({ ids, values, metric, toArrow });
}
