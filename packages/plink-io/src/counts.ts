import type { Table } from "apache-arrow";
import { arrowTables } from "./lazy.ts";
import { sampleMask } from "./masks.ts";
import { countGenotypes, hardyExact } from "./native.ts";
import { checkRunning, SELECT_OPTIONS, silently } from "./run-options.ts";
import { selectSamples, selectVariants } from "./select.ts";
import type { CountTypes } from "./table-types.ts";
import type { PlinkStudy, RunningOptions, SelectOptions } from "./types.ts";

/** Options of {@link variantCounts}. */
export interface CountOptions extends SelectOptions, RunningOptions {}

/**
 * Genotype counts, allele-1 frequency and exact Hardy-Weinberg p of each variant, every person and chromosome taken as
 * diploid; see freq and hardy for PLINK's rules about founders and sex chromosomes.
 *
 * @returns Table `chrom id pos a1 a2 n_missing hom_a1 het hom_a2 a1_count af hwe_p`; af and hwe_p null where nobody is
 * typed.
 */
export async function variantCounts(
  study: PlinkStudy,
  options: CountOptions = {},
): Promise<Table<CountTypes>> {
  checkRunning(options, SELECT_OPTIONS, "variantCounts");
  const rows = selectVariants(study.bim, options);
  const keep = selectSamples(study.fam, options.samples);
  const kept = new Set(keep);
  const mask = keep ? sampleMask(study.n, (i) => kept.has(i)) : null;
  const [counts] = await countRows(study, rows, [mask], options);
  return arrowTables().countsTable(study.bim, rows, counts!, await hardyExact(counts!));
}

/** Four counts a row (hom A1, het, hom A2, missing) for each mask, in one pass over the file. */
export async function countRows(
  study: PlinkStudy,
  rows: Uint32Array,
  masks: readonly (Uint8Array | null)[],
  options: RunningOptions = {},
): Promise<Uint32Array[]> {
  const all = masks.map(() => new Uint32Array(rows.length * 4));
  if (rows.length === 0) return all;
  const kernel = silently(options);
  let done = 0;
  for await (const block of study.blocks({ rows, reuse: true, ...kernel })) {
    for (const [k, mask] of masks.entries()) {
      const counts = await countGenotypes(block.packed, study.n, block.rows, mask, kernel);
      all[k]!.set(counts, done * 4);
    }
    done += block.rows;
    options.onProgress?.({ stage: "counting", done, total: rows.length });
  }
  return all;
}
