import type { Texts } from "../texts.ts";
import { formatG4, isShare, roundShare, sharePlaces } from "./format.ts";

const PIECE = 1 << 20;
const [NL, SPACE, POINT, ZERO] = [10, 32, 46, 48];

/** Lines of right-aligned columns, written as bytes: strings would cost more than the counting. */
export class ReportLines {
  #buffer = Buffer.allocUnsafe(PIECE + (1 << 12));
  #at = 0;

  /** Whether enough is gathered to be written. */
  get isFull(): boolean {
    return this.#at >= PIECE;
  }

  /** What was gathered; its memory is used again after the next line begins. */
  take(): Uint8Array {
    const piece = this.#buffer.subarray(0, this.#at);
    this.#at = 0;
    return piece;
  }

  /** Text as it is. */
  text(text: string): this {
    this.#room(text.length * 3);
    this.#at += this.#buffer.write(text, this.#at);
    return this;
  }

  /** A space. */
  space(): this {
    this.#room(1);
    this.#buffer[this.#at++] = SPACE;
    return this;
  }

  /** The end of the line. */
  end(): void {
    this.#room(1);
    this.#buffer[this.#at++] = NL;
  }

  /** Name `k` of a column. */
  name(texts: Texts, k: number, width: number): this {
    const bytes = texts.width(k);
    this.#pad(width - bytes, bytes);
    texts.copy(k, this.#buffer, this.#at);
    this.#at += bytes;
    return this;
  }

  /** A short ASCII text. */
  right(text: string, width: number): this {
    this.#pad(width - text.length, text.length);
    for (let k = 0; k < text.length; k++) this.#buffer[this.#at++] = text.charCodeAt(k);
    return this;
  }

  /** A whole number that is not negative. */
  int(value: number, width: number): this {
    const digits = countDigits(value);
    this.#pad(width - digits, digits);
    this.#at += digits;
    this.#digits(value, this.#at);
    return this;
  }

  /** Three whole numbers with slashes, as genotype counts stand in .hwe. */
  triple(a: number, b: number, c: number, width: number): this {
    return this.right(`${a}/${b}/${c}`, width);
  }

  /** A share as formatG4 prints it; `nan` names what is not a number. */
  g4(value: number, width: number, nan = "nan"): this {
    if (!isShare(value)) return this.right(Number.isNaN(value) ? nan : formatG4(value), width);
    let places = sharePlaces(value);
    let whole = roundShare(value, places);
    while (whole % 10 === 0) {
      whole /= 10;
      places--;
    }
    if (places === 0) return this.right("1", width);
    this.#pad(width - places - 2, places + 2);
    this.#buffer[this.#at] = ZERO;
    this.#buffer[this.#at + 1] = POINT;
    this.#at += 2 + places;
    this.#buffer.fill(ZERO, this.#at - places, this.#at);
    this.#digits(whole, this.#at);
    return this;
  }

  /** Digits of a whole number that ends before `end`. */
  #digits(value: number, end: number): void {
    let rest = value;
    let at = end;
    do {
      const tenth = Math.floor(rest / 10);
      this.#buffer[--at] = ZERO + rest - tenth * 10;
      rest = tenth;
    } while (rest > 0);
  }

  #pad(spaces: number, bytes: number): void {
    this.#room(Math.max(0, spaces) + bytes);
    for (let k = 0; k < spaces; k++) this.#buffer[this.#at++] = SPACE;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#at + bytes));
    larger.set(this.#buffer.subarray(0, this.#at));
    this.#buffer = larger;
  }
}

function countDigits(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  return digits;
}
