import { fileError, parseStrictNumber } from "@x/core/base";
import { chromosomeCode } from "./chromosomes.ts";
import { type FieldLine, scanFields } from "./fields.ts";
import type { BimColumns, PlinkWarning } from "./types.ts";

const INT32_MAX = 2147483647;
const [PLUS, MINUS, ZERO, NINE] = [43, 45, 48, 57];

/**
 * Reads a .bim (plain or gzip; 6 columns, or 5 without centimorgans on every line) into plain columns.
 *
 * @throws XError NO_VARIANTS, COLUMNS, BAD_POSITION, POSITION_RANGE, BAD_CM and those of
 * {@link scanFields}, each with the line.
 */
export async function readBim(
  path: string,
  warn: (warning: PlinkWarning) => void,
  signal?: AbortSignal,
): Promise<BimColumns> {
  const reader = new BimReader(path);
  await scanFields(path, (line) => reader.line(line), warn, signal);
  return reader.finish(warn);
}

class BimReader {
  readonly #path: string;
  readonly #chrom: string[] = [];
  readonly #id: string[] = [];
  readonly #a1: string[] = [];
  readonly #a2: string[] = [];
  #cm = new Float64Array(1 << 14);
  #pos = new Int32Array(1 << 14);
  #columns = 0;
  /** Alleles of one letter, by character code. */
  readonly #letters: string[] = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
  readonly #names = new Map<string, string>();
  #lastChrom = "";

  constructor(path: string) {
    this.#path = path;
  }

  line(line: FieldLine): void {
    if (line.count !== this.#columns) this.#checkColumns(line);
    const row = this.#id.length;
    if (row === this.#pos.length) this.#grow();
    const shift = line.count - 6;
    this.#chrom.push(this.#chromosome(line));
    this.#id.push(line.text(1));
    this.#cm[row] = shift < 0 ? 0 : this.#centimorgans(line);
    this.#pos[row] = this.#position(line, 3 + shift);
    const a1 = this.#allele(line, 4 + shift);
    const a2 = this.#allele(line, 5 + shift);
    this.#a1.push(a1);
    this.#a2.push(a2);
  }

  finish(warn: (warning: PlinkWarning) => void): BimColumns {
    const p = this.#id.length;
    if (p === 0)
      throw fileError("NO_VARIANTS", this.#path, "the file has no lines: there is no variant to read.", {});
    const columns = {
      chrom: this.#chrom,
      id: this.#id,
      cm: this.#cm.slice(0, p),
      pos: this.#pos.slice(0, p),
      a1: this.#a1,
      a2: this.#a2,
    };
    warnAbout(columns, this.#path, warn);
    return columns;
  }

  #checkColumns(line: FieldLine): void {
    const { count } = line;
    if (this.#columns === 0 && (count === 5 || count === 6)) {
      this.#columns = count;
      return;
    }
    if (this.#columns === 5 && count === 6 && line.line === 2)
      throw fileError(
        "COLUMNS",
        this.#path,
        "5 columns on this line, 6 on the next. A .bim has 6 (chromosome, id, centimorgans, position, allele 1, " +
          "allele 2), or 5 without centimorgans on every line.",
        { line: 1, found: 5, expected: 6 },
      );
    const expected = this.#columns || 6;
    throw fileError(
      "COLUMNS",
      this.#path,
      `${count} columns found, ${expected} expected (chromosome, id${expected === 6 ? ", centimorgans" : ""}, position, ` +
        "allele 1, allele 2).",
      { line: line.line, found: count, expected },
    );
  }

  #chromosome(line: FieldLine): string {
    const text = line.text(0);
    if (text === this.#lastChrom) return this.#lastChrom;
    const known = this.#names.get(text) ?? text;
    this.#names.set(known, known);
    this.#lastChrom = known;
    return known;
  }

  #allele(line: FieldLine, field: number): string {
    if (line.width(field) > 1) return line.text(field);
    return this.#letters[line.content.charCodeAt(line.starts[field]!)] ?? line.text(field);
  }

  #centimorgans(line: FieldLine): number {
    if (line.width(2) === 1 && line.content.charCodeAt(line.starts[2]!) === ZERO) return 0;
    const value = parseStrictNumber(line.text(2));
    if (value === undefined || !Number.isFinite(value))
      throw fileError("BAD_CM", this.#path, `centimorgans ${shorten(line.text(2))} is not a number. Write 0 when unknown.`, {
        line: line.line,
      });
    return value;
  }

  #position(line: FieldLine, field: number): number {
    const { content } = line;
    const [start, end] = [line.starts[field]!, line.ends[field]!];
    const sign = content.charCodeAt(start);
    const signed = sign === MINUS || sign === PLUS;
    let value = 0;
    for (let at = signed ? start + 1 : start; at < end; at++) {
      const code = content.charCodeAt(at);
      if (code < ZERO || code > NINE) this.#badPosition(line, field);
      if (value <= INT32_MAX) value = value * 10 + (code - ZERO);
    }
    if (signed && end - start === 1) this.#badPosition(line, field);
    if (value > INT32_MAX)
      throw fileError(
        "POSITION_RANGE",
        this.#path,
        `position ${shorten(line.text(field))} is beyond ${INT32_MAX}, the largest a base-pair position can be.`,
        { line: line.line },
      );
    return sign === MINUS ? -value : value;
  }

  #badPosition(line: FieldLine, field: number): never {
    const message = `position ${shorten(line.text(field))} is not a whole number.`;
    throw fileError("BAD_POSITION", this.#path, message, { line: line.line });
  }

  #grow(): void {
    const [cm, pos] = [new Float64Array(this.#cm.length * 2), new Int32Array(this.#pos.length * 2)];
    cm.set(this.#cm);
    pos.set(this.#pos);
    this.#cm = cm;
    this.#pos = pos;
  }
}

/** Text for a message: quoted, never longer than a line. */
function shorten(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}…` : text);
}

function warnAbout(bim: BimColumns, path: string, warn: (warning: PlinkWarning) => void): void {
  const negative = firstAndCount(bim.pos.length, (j) => bim.pos[j]! < 0);
  if (negative.count > 0)
    warn({
      code: "NEGATIVE_POSITION",
      message:
        `${path}:${negative.first + 1}: ${negative.count} variant(s) with a negative position. They are kept, but ` +
        "freq, missing and hardy leave them out as PLINK does.",
      details: { path, line: negative.first + 1, count: negative.count },
    });
  const same = firstAndCount(bim.a1.length, (j) => bim.a1[j] === bim.a2[j] && bim.a1[j] !== "0" && bim.a1[j] !== ".");
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
  for (const name of new Set(bim.chrom)) if (chromosomeCode(name) === undefined) unknown.add(name);
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

function warnOfDuplicates(bim: BimColumns, path: string, warn: (warning: PlinkWarning) => void): void {
  if (new Set(bim.id).size === bim.id.length) return;
  const first = new Map<string, number>();
  let count = 0;
  let example: [number, number] | undefined;
  bim.id.forEach((id, j) => {
    const before = first.get(id);
    if (before === undefined) first.set(id, j);
    else if (id !== ".") {
      count++;
      example ??= [before + 1, j + 1];
    }
  });
  if (example === undefined) return;
  warn({
    code: "DUP_VARIANT_ID",
    message:
      `${path}:${example[1]}: variant id ${shorten(bim.id[example[1] - 1]!)} is also on line ${example[0]} ` +
      `(${count} repeated in all). All rows are kept; choosing by id takes every row of it.`,
    details: { path, lines: example, count },
  });
}
