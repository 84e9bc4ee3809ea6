import { phaserError } from "./errors.ts";

/** A region as it is written: `chr`, `chr:from-to`, `chr:from-` or `chr:at`; positions from 1, both ends inside. */
export interface Region {
  readonly chrom: string;
  readonly from: number;
  readonly to: number;
}

/** The largest position there is. */
export const LAST_POSITION = 0x7fff_ffff;

/** Reads a region; a name that is a contig as it stands wins (`HLA:1` is one). @throws REGION */
export function parseRegion(text: string, contigs: readonly string[] = []): Region {
  const range = contigs.includes(text) ? null : /^(.+):([\d,]+)(-?)([\d,]*)$/.exec(text);
  if (!range) return { chrom: text, from: 1, to: LAST_POSITION };
  const number = (digits: string): number => Number(digits.replaceAll(",", ""));
  const from = number(range[2]!);
  const to = range[3] === "" ? from : range[4] === "" ? LAST_POSITION : number(range[4]!);
  if (!(from >= 1 && to >= from)) {
    const message = `${JSON.stringify(text)} is no region; write chr, chr:from-to or chr:from- with positions from 1`;
    throw phaserError("REGION", message, { usage: true });
  }
  return { chrom: range[1]!, from, to };
}

/** A region with `buffer` base pairs more on either side, as the reader takes it. */
export function widened({ chrom, from, to }: Region, buffer: number): string {
  const last = Math.min(LAST_POSITION, to + buffer);
  const first = Math.max(1, from - buffer);
  return first === 1 && last === LAST_POSITION ? chrom : `${chrom}:${first}-${last}`;
}
