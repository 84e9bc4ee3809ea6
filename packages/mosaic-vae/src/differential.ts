/** Which features differ between two groups of cells, from samples of the decoded means. */

import { tableFromColumns } from "@x/core";
import { checkOptions, checkRange, Random, type RunOptions } from "@x/core/base";
import type { Table } from "apache-arrow";
import type { MosaicDataset } from "./dataset.ts";
import { decodeCells } from "./decode.ts";
import { RUN_OPTIONS } from "./embed.ts";
import { mosaicError } from "./errors.ts";
import type { ModelState } from "./mosaic-vae.ts";

/** Options of `differentialExpression`. */
export interface DifferentialOptions extends RunOptions {
  /** Modality; the first of the model by default. */
  modality?: string;
  /** Smallest |log₂ fold change| that counts as a difference; 0.25. Of a Gaussian modality: smallest |difference|. */
  delta?: number;
  /** Samples of the embedding a cell; 10. */
  samples?: number;
  /** Pairs of cells drawn; 5,000. */
  pairs?: number;
  /** Decode all cells as of this batch. */
  transformBatch?: string;
  /** Of samples and pairs; 0. */
  seed?: number;
}

const TINY = 1e-6;

/**
 * Probability that the decoded mean of a random cell of `groupA` differs from that of one of `groupB` by more than
 * `delta` (the change mode of Boyeau et al. 2019): columns `feature`, `mean_a`, `mean_b`, `log2_fold_change`,
 * `p_change`, sorted by `p_change`. Counts are scaled to a library of 10⁴.
 * Values that may lie below 0 have no ratio: for a modality that is neither counts nor 0 and 1 the column is `difference`,
 * mean of a − b. `ROW_RANGE` for a row that is none.
 */
export async function differentialExpression(
  state: ModelState,
  dataset: MosaicDataset,
  groupA: ArrayLike<number>,
  groupB: ArrayLike<number>,
  options: DifferentialOptions = {},
): Promise<Table> {
  checkOptions(
    options,
    ["modality", "delta", "samples", "pairs", "transformBatch", ...RUN_OPTIONS],
    "differentialExpression",
  );
  const modality = options.modality ?? state.plan.modalities[0]!.name;
  const ratios = state.likelihoods.get(modality)?.counts ?? true;
  const delta = checkRange("delta", options.delta ?? 0.25, { min: 0 });
  const samples = checkRange("samples", options.samples ?? 10, { min: 1, integer: true });
  const draws = checkRange("pairs", options.pairs ?? 5000, { min: 1, integer: true });
  const [a, b] = [await sampleGroup(groupA), await sampleGroup(groupB)];

  async function sampleGroup(rows: ArrayLike<number>): Promise<Float32Array[]> {
    const wanted = new Set(Array.from(rows));
    for (const row of wanted) {
      if (Number.isInteger(row) && row >= 0 && row < dataset.cells) continue;
      const message = `a group names row ${row}; there are ${dataset.cells} cells, rows count from 0`;
      throw mosaicError("ROW_RANGE", message, { usage: true, details: { row, cells: dataset.cells } });
    }
    const found: Float32Array[] = [];
    for await (const part of decodeCells(state, dataset, modality, {
      samples,
      library: 1e4,
      allowEmpty: true,
      seed: options.seed ?? 0,
      ...(options.transformBatch !== undefined && { transformBatch: options.transformBatch }),
      ...(options.signal && { signal: options.signal }),
    }))
      part.rows.forEach((row, i) => {
        if (!wanted.has(row)) return;
        for (const sample of part.samples)
          found.push(sample.slice(i * part.features, (i + 1) * part.features));
      });
    if (found.length > 0) return found;
    throw mosaicError("LABELS", "a group of the comparison has no cell", { usage: true });
  }
  const features = state.registry.modalities.find((m) => m.name === modality)!.features;
  const random = new Random(options.seed ?? 0, 13n << 60n);
  const n = features.length;
  const [meanA, meanB, fold, change] = [0, 0, 0, 0].map(() => new Float64Array(n)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (const values of a) for (let f = 0; f < n; f++) meanA[f]! += values[f]! / a.length;
  for (const values of b) for (let f = 0; f < n; f++) meanB[f]! += values[f]! / b.length;
  for (let draw = 0; draw < draws; draw++) {
    const [x, y] = [a[random.int(a.length)]!, b[random.int(b.length)]!];
    for (let f = 0; f < n; f++) {
      const step = ratios ? Math.log2((x[f]! + TINY) / (y[f]! + TINY)) : x[f]! - y[f]!;
      fold[f]! += step / draws;
      if (Math.abs(step) > delta) change[f]! += 1 / draws;
    }
  }
  const order = Array.from(features, (_, f) => f).sort((p, q) => change[q]! - change[p]! || p - q);
  const sorted = (values: Float64Array): Float64Array => Float64Array.from(order, (f) => values[f]!);
  return tableFromColumns({
    feature: order.map((f) => features[f]!),
    mean_a: sorted(meanA),
    mean_b: sorted(meanB),
    [ratios ? "log2_fold_change" : "difference"]: sorted(fold),
    p_change: sorted(change),
  });
}
