import { formatE6, formatFixed3 } from "@x/core/base";
import type { BimColumns } from "@x/plink-io";
import type { AssociationColumns, StatisticName } from "../association-columns.ts";
import { GEMMA_NAMES } from "./modes.ts";

/** GEMMA's header. */
export function assocHeader(statistics: readonly StatisticName[]): string {
  const names = statistics.map((name) => GEMMA_NAMES[name]);
  return `${["chr\trs\tps\tn_miss\tallele1\tallele0\taf", ...names].join("\t")}\n`;
}

/** Rows as GEMMA prints them: af `%.3f`, the rest `%.6e`, text columns as in the .bim. */
export function assocRows(
  bim: BimColumns,
  block: AssociationColumns,
  statistics: readonly StatisticName[],
): string {
  let text = "";
  const { index } = block;
  const columns = statistics.map((name) => block[name]!);
  for (let i = 0; i < index.length; i++) {
    const row = index[i]!;
    text += `${bim.chrom[row]}\t${bim.id[row]}\t${bim.pos[row]}\t${block.nMiss[i]}\t${bim.a1[row]}\t${bim.a2[row]}\t`;
    text += formatFixed3(block.af[i]!);
    for (const column of columns) text += `\t${formatE6(column[i]!)}`;
    text += "\n";
  }
  return text;
}
