import { sampleHash } from "@x/core/base";
import type { FamColumns } from "./types.ts";

/** core's sampleHash of plain columns, without making an Arrow table. */
export function hashSamples(fam: Pick<FamColumns, "fid" | "iid">): string {
  const columns: Record<string, string[]> = { fid: fam.fid, iid: fam.iid };
  const getChild = (name: string) => {
    const column = columns[name];
    return column === undefined ? null : { get: (row: number): string => column[row]! };
  };
  return sampleHash({ numRows: fam.iid.length, getChild });
}
