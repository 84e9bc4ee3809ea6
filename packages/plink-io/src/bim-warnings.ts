import { chromosomeCode } from "./chromosomes.ts";
import type { BimColumns, PlinkWarning } from "./types.ts";

/** Text for a message: quoted, never longer than a line. */
export function shorten(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}…` : text);
}

/** Says what is odd about a .bim but can be read. */
export function warnAbout(bim: BimColumns, path: string, warn: (warning: PlinkWarning) => void): void {
  const negative = firstAndCount(bim.pos.length, (j) => bim.pos[j]! < 0);
  if (negative.count > 0)
    warn({
      code: "NEGATIVE_POSITION",
      message:
        `${path}:${negative.first + 1}: ${negative.count} variant(s) with a negative position. They are kept, but ` +
        "freq, missing and hardy leave them out as PLINK does.",
      details: { path, line: negative.first + 1, count: negative.count },
    });
  const same = firstAndCount(
    bim.a1.length,
    (j) => bim.a1[j] === bim.a2[j] && bim.a1[j] !== "0" && bim.a1[j] !== ".",
  );
  if (same.count > 0)
    warn({
      code: "SAME_ALLELES",
      message:
        `${path}:${same.first + 1}: allele 1 and allele 2 are both ${shorten(bim.a1[same.first]!)} (${same.count} such ` +
        "variant(s)). They are read; the allele names of their results say nothing.",
      details: { path, line: same.first + 1, count: same.count },
    });
  warnOfContigs(bim, path, warn);
  warnOfOrder(bim, path, warn);
  warnOfDuplicates(bim, path, warn);
}

function firstAndCount(length: number, test: (row: number) => boolean): { first: number; count: number } {
  let [first, count] = [-1, 0];
  for (let row = 0; row < length; row++) {
    if (!test(row)) continue;
    if (count++ === 0) first = row;
  }
  return { first, count };
}

function warnOfContigs(bim: BimColumns, path: string, warn: (warning: PlinkWarning) => void): void {
  const unknown = new Set<string>();
  for (const name of namesOf(bim)) if (chromosomeCode(name) === undefined) unknown.add(name);
  if (unknown.size === 0) return;
  const line = bim.chrom.findIndex((name) => unknown.has(name)) + 1;
  const names = [...unknown].slice(0, 5).join(", ");
  warn({
    code: "UNKNOWN_CHROMOSOME",
    message: `${path}:${line}: ${unknown.size} chromosome name(s) that are not human (${names}); read as contigs, two copies a person.`,
    details: { path, line, names: [...unknown].slice(0, 100) },
  });
}

function warnOfOrder(bim: BimColumns, path: string, warn: (warning: PlinkWarning) => void): void {
  const seen = new Set<string>();
  for (let j = 1; j < bim.pos.length; j++) {
    const same = bim.chrom[j] === bim.chrom[j - 1];
    if (same ? bim.pos[j]! >= bim.pos[j - 1]! || bim.pos[j]! < 0 : !seen.has(bim.chrom[j]!)) {
      if (!same) seen.add(bim.chrom[j - 1]!);
      continue;
    }
    if (same && bim.pos[j - 1]! < 0) continue;
    warn({
      code: "UNSORTED",
      message: `${path}:${j + 1}: the variant lies before that of line ${j} or its chromosome began earlier. Order is kept as in the file.`,
      details: { path, line: j + 1, before: j },
    });
    return;
  }
}

/** Chromosome names in use; equal neighbours are the same string, so that this is quick. */
function namesOf(bim: BimColumns): Set<string> {
  const names = new Set<string>();
  let last: string | undefined;
  for (const name of bim.chrom) {
    if (name !== last) names.add(name);
    last = name;
  }
  return names;
}

function warnOfDuplicates(bim: BimColumns, path: string, warn: (warning: PlinkWarning) => void): void {
  const { count, first, again } = repeatedIds(bim.id);
  if (count === 0) return;
  warn({
    code: "DUP_VARIANT_ID",
    message:
      `${path}:${again + 1}: variant id ${shorten(bim.id[again]!)} is also on line ${first + 1} ` +
      `(${count} repeated in all). All rows are kept; choosing by id takes every row of it.`,
    details: { path, line: again + 1, lines: [first + 1, again + 1], count },
  });
}

/** Rows whose id stood before, `.` apart. A table of row numbers by hash: a Set of a million strings takes half a second. */
function repeatedIds(ids: readonly string[]): { count: number; first: number; again: number } {
  const bits = Math.max(4, Math.ceil(Math.log2(ids.length * 2)));
  const table = new Int32Array(2 ** bits).fill(-1);
  const mask = table.length - 1;
  let [count, first, again] = [0, -1, -1];
  for (let j = 0; j < ids.length; j++) {
    const id = ids[j]!;
    if (id === ".") continue;
    let hash = 0;
    for (let k = 0; k < id.length; k++) hash = Math.imul(hash ^ id.charCodeAt(k), 0x01000193);
    let slot = (hash ^ (hash >>> 15)) & mask;
    while (table[slot]! >= 0 && ids[table[slot]!] !== id) slot = (slot + 1) & mask;
    if (table[slot]! < 0) table[slot] = j;
    else if (count++ === 0) [first, again] = [table[slot]!, j];
  }
  return { count, first, again };
}
