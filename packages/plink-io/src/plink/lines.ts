import type { Texts } from "../texts.ts";
import { formatG4, isShare, roundShare, sharePlaces } from "./format.ts";

const PIECE = 1 << 20;
/** Free bytes a line begins with; all its columns but names take less. */
const SPARE = 1 << 12;
const [NL, SPACE, POINT, ZERO] = [10, 32, 46, 48];

/**
 * Lines of right-aligned columns, written as bytes: strings would cost more than the counting. The memory is full of
 * spaces from the start, so that padding is a step forward. Each column but the first has a space before it.
 */
export class ReportLines {
  #buffer = Buffer.alloc(PIECE + SPARE, SPACE);
  #at = 0;

  /** Whether enough is gathered to be written. */
  get isFull(): boolean {
    return this.#at >= PIECE;
  }

  /** A copy of what was gathered. */
  take(): Uint8Array {
    const piece = Buffer.from(this.#buffer.subarray(0, this.#at));
    this.#buffer.fill(SPACE, 0, this.#at);
    this.#at = 0;
    return piece;
  }

  /** Text as it is. */
  text(text: string): this {
    this.#room(Buffer.byteLength(text));
    this.#at += this.#buffer.write(text, this.#at);
    return this;
  }

  /** The end of the line. */
  end(): void {
    this.#buffer[this.#at++] = NL;
    if (this.#at + SPARE > this.#buffer.length) this.#room(0);
  }

  /** Name `k` of the first column. */
  first(texts: Texts, k: number, width: number): this {
    const bytes = texts.width(k);
    this.#room(bytes + width);
    if (bytes < width) this.#at += width - bytes;
    texts.copy(k, this.#buffer, this.#at);
    this.#at += bytes;
    return this;
  }

  /** Name `k` of another column. */
  name(texts: Texts, k: number, width: number): this {
    this.#at++;
    return this.first(texts, k, width);
  }

  /** A short ASCII text. */
  right(text: string, width: number): this {
    const { length } = text;
    let at = this.#at + 1 + (length < width ? width - length : 0);
    for (let k = 0; k < length; k++) this.#buffer[at++] = text.charCodeAt(k);
    this.#at = at;
    return this;
  }

  /** A whole number that is not negative. */
  int(value: number, width: number): this {
    const digits = countDigits(value);
    this.#at += 1 + Math.max(digits, width);
    writeDigits(this.#buffer, value, this.#at);
    return this;
  }

  /** Three whole numbers with slashes, as genotype counts stand in .hwe. */
  triple(a: number, b: number, c: number, width: number): this {
    return this.right(`${a}/${b}/${c}`, width);
  }

  /** A number as formatG4 prints it; `nan` names what is not one. */
  g4(value: number, width: number, nan = "nan"): this {
    if (!isShare(value)) return this.right(Number.isNaN(value) ? nan : formatG4(value), width);
    let places = sharePlaces(value);
    let whole = roundShare(value, places);
    while (whole % 10 === 0) {
      whole /= 10;
      places--;
    }
    if (places === 0) return this.right("1", width);
    const buffer = this.#buffer;
    const end = this.#at + 1 + Math.max(places + 2, width);
    for (let at = end - places - 2; at < end; at++) buffer[at] = ZERO;
    buffer[end - places - 1] = POINT;
    writeDigits(buffer, whole, end);
    this.#at = end;
    return this;
  }

  #room(bytes: number): void {
    if (this.#at + bytes + SPARE <= this.#buffer.length) return;
    const larger = Buffer.alloc(2 * (this.#at + bytes + SPARE), SPACE);
    larger.set(this.#buffer.subarray(0, this.#at));
    this.#buffer = larger;
  }
}

/** Digits of a whole number, the last one before `end`. */
function writeDigits(buffer: Buffer, value: number, end: number): void {
  let rest = value;
  let at = end;
  do {
    const tenth = Math.floor(rest / 10);
    buffer[--at] = ZERO + rest - tenth * 10;
    rest = tenth;
  } while (rest > 0);
}

function countDigits(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  return digits;
}
