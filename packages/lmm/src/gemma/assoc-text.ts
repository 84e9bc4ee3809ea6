import { formatE6, formatFixed3 } from "@x/core/base";
import type { BimColumns } from "@x/plink-io";
import type { AssociationColumns } from "../association-columns.ts";

/** GEMMA's header of `-lmm 1`. */
export const WALD_HEADER = "chr\trs\tps\tn_miss\tallele1\tallele0\taf\tbeta\tse\tlogl_H1\tl_remle\tp_wald\n";

/** Rows as GEMMA prints them: af `%.3f`, the rest `%.6e`, text columns as in the .bim. */
export function waldRows(bim: BimColumns, block: AssociationColumns): string {
  let text = "";
  const { index } = block;
  for (let i = 0; i < index.length; i++) {
    const row = index[i]!;
    text +=
      `${bim.chrom[row]}\t${bim.id[row]}\t${bim.pos[row]}\t${block.nMiss[i]}\t${bim.a1[row]}\t${bim.a2[row]}\t` +
      `${formatFixed3(block.af[i]!)}\t${formatE6(block.beta[i]!)}\t${formatE6(block.se[i]!)}\t` +
      `${formatE6(block.loglH1[i]!)}\t${formatE6(block.lRemle[i]!)}\t${formatE6(block.pWald[i]!)}\n`;
  }
  return text;
}
