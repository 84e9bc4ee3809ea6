import type { PlinkStudy } from "@x/plink-io";
import type { Cohort } from "./cohort.ts";
import { countGenotypes, type NativeOptions } from "./native.ts";
import type { FilteredBlock } from "./study.ts";

/** Mean dosages of the kept rows over everyone with a call, analysed or not: what a kinship centres by. */
export async function kinshipMeans(
  study: PlinkStudy,
  cohort: Cohort,
  block: FilteredBlock,
  native: NativeOptions,
): Promise<Float64Array> {
  const { kept, packed, rows } = block;
  if (cohort.analyzed.length === study.n) return kept.means;
  const counts = await countGenotypes(packed, study.n, rows, null, native);
  return Float64Array.from(kept.rows, (row) => {
    const [homA1, het, homA2] = counts.subarray(4 * row);
    return (2 * homA1! + het!) / (homA1! + het! + homA2!);
  });
}
