import { fileError, parseStrictNumber } from "@x/core/base";
import { shorten, warnAbout } from "./bim-warnings.ts";
import { type FieldLine, scanFields } from "./fields.ts";
import type { BimColumns, PlinkWarning } from "./types.ts";

const INT32_MAX = 2147483647;
const PLUS = 43;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const NINE = 57;

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
    const plain = plainDecimal(line.content, line.starts[2]!, line.ends[2]!);
    if (plain !== undefined) return plain;
    const value = parseStrictNumber(line.text(2));
    if (value === undefined || !Number.isFinite(value))
      throw fileError(
        "BAD_CM",
        this.#path,
        `centimorgans ${shorten(line.text(2))} is not a number. Write 0 when unknown.`,
        {
          line: line.line,
        },
      );
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

/**
 * Fast way for `12.345`: up to 15 digits and one point. Both whole numbers are exact in binary, so that their quotient
 * is the nearest number to the decimal, as Number() would give.
 */
function plainDecimal(text: string, start: number, end: number): number | undefined {
  if (end - start > 16) return undefined;
  let [value, scale, digits] = [0, 0, 0];
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === POINT && scale === 0) scale = 1;
    else if (code >= ZERO && code <= NINE) {
      value = value * 10 + (code - ZERO);
      scale *= 10;
      digits++;
    } else return undefined;
  }
  if (digits === 0 || digits > 15) return undefined;
  return scale > 1 ? value / scale : value;
}
