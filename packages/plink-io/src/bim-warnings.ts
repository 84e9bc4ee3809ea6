import type { BimTable } from "./bim-table.ts";
import { chromosomeCode } from "./chromosomes.ts";
import type { PlinkWarning } from "./types.ts";

/** Text for a message: quoted, never longer than a line. */
export function shorten(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}…` : text);
}

/** Says what is odd about a .bim but can be read. */
export function warnAbout(bim: BimTable, path: string, warn: (warning: PlinkWarning) => void): void {
  warnOfNegatives(bim, path, warn);
  warnOfContigs(bim, path, warn);
  warnOfOrder(bim, path, warn);
  warnOfDuplicates(bim, path, warn);
}

function warnOfNegatives(bim: BimTable, path: string, warn: (warning: PlinkWarning) => void): void {
  const { pos } = bim;
  let [line, count] = [0, 0];
  for (let j = 0; j < pos.length; j++) if (pos[j]! < 0 && count++ === 0) line = j + 1;
  if (count === 0) return;
  warn({
    code: "NEGATIVE_POSITION",
    message:
      `${path}:${line}: ${count} variant(s) with a negative position. They are kept, but ` +
      "freq, missing and hardy leave them out as PLINK does.",
    details: { path, line, count },
  });
}

function warnOfContigs(bim: BimTable, path: string, warn: (warning: PlinkWarning) => void): void {
  const unknown = bim.chromNames.filter((name) => chromosomeCode(name) === undefined);
  if (unknown.length === 0) return;
  // Codes are given in file order.
  const line = bim.chrom.indexOf(bim.chromCode(unknown[0]!)) + 1;
  const names = unknown.slice(0, 5).join(", ");
  warn({
    code: "UNKNOWN_CHROMOSOME",
    message: `${path}:${line}: ${unknown.length} chromosome name(s) that are not human (${names}); read as contigs, two copies a person.`,
    details: { path, line, names: unknown.slice(0, 100) },
  });
}

function warnOfOrder(bim: BimTable, path: string, warn: (warning: PlinkWarning) => void): void {
  const { chrom, pos } = bim;
  const seen = new Set<number>();
  for (let j = 1; j < pos.length; j++) {
    const same = chrom[j] === chrom[j - 1];
    if (same ? pos[j]! >= pos[j - 1]! || pos[j]! < 0 : !seen.has(chrom[j]!)) {
      if (!same) seen.add(chrom[j - 1]!);
      continue;
    }
    if (same && pos[j - 1]! < 0) continue;
    warn({
      code: "UNSORTED",
      message: `${path}:${j + 1}: the variant lies before that of line ${j} or its chromosome began earlier. Order is kept as in the file.`,
      details: { path, line: j + 1, before: j },
    });
    return;
  }
}

function warnOfDuplicates(bim: BimTable, path: string, warn: (warning: PlinkWarning) => void): void {
  const { count, first, again } = repeatedIds(bim);
  if (count === 0) return;
  warn({
    code: "DUP_VARIANT_ID",
    message:
      `${path}:${again + 1}: variant id ${shorten(bim.id(again))} is also on line ${first + 1} ` +
      `(${count} repeated in all). All rows are kept; choosing by id takes every row of it.`,
    details: { path, line: again + 1, lines: [first + 1, again + 1], count },
  });
}

/** Rows whose id stood before, `.` apart: a table of row numbers by hash of the bytes. */
function repeatedIds(bim: BimTable): { count: number; first: number; again: number } {
  const { ids, idEnds, length } = bim;
  const bits = Math.max(4, Math.ceil(Math.log2(length * 2)));
  const table = new Int32Array(2 ** bits);
  const mask = table.length - 1;
  let [count, first, again, start] = [0, -1, -1, 0];
  for (let j = 0; j < length; j++) {
    const from = start;
    const end = idEnds[j]!;
    start = end;
    if (end - from === 1 && ids[from] === 46) continue;
    let hash = 0;
    for (let k = from; k < end; k++) hash = Math.imul(hash ^ ids[k]!, 0x01000193);
    let slot = (hash ^ (hash >>> 15)) & mask;
    // Rows are numbered from 1 in the table: zeroed memory is free.
    while (table[slot] !== 0 && !sameId(bim, table[slot]! - 1, from, end)) slot = (slot + 1) & mask;
    if (table[slot] === 0) table[slot] = j + 1;
    else if (count++ === 0) [first, again] = [table[slot]! - 1, j];
  }
  return { count, first, again };
}

function sameId({ ids, idEnds }: BimTable, row: number, from: number, end: number): boolean {
  let at = row === 0 ? 0 : idEnds[row - 1]!;
  if (idEnds[row]! - at !== end - from) return false;
  for (let k = from; k < end; k++) if (ids[at++] !== ids[k]) return false;
  return true;
}
