/** A column of names whose bytes can be copied without making strings: what long reports are written from. */
export interface Texts {
  /** Names in the column. */
  readonly length: number;
  /** UTF-8 bytes of name `k`. */
  width(k: number): number;
  /** Copies name `k` to `out` from `at` on. */
  copy(k: number, out: Buffer, at: number): void;
  /** All of them as strings. */
  strings(): string[];
}

/** Copies bytes; for a handful of them a loop is faster than Buffer.copy. */
export function copyBytes(from: Uint8Array, start: number, end: number, out: Buffer, at: number): void {
  if (end - start > 64) out.set(from.subarray(start, end), at);
  else for (let k = start; k < end; k++) out[at++] = from[k]!;
}

/** Strings as they are. */
export class StringTexts implements Texts {
  readonly #strings: readonly string[];

  constructor(strings: readonly string[]) {
    this.#strings = strings;
  }

  get length(): number {
    return this.#strings.length;
  }

  width(k: number): number {
    return Buffer.byteLength(this.#strings[k]!);
  }

  copy(k: number, out: Buffer, at: number): void {
    out.write(this.#strings[k]!, at);
  }

  strings(): string[] {
    return this.#strings.slice();
  }
}

/** Few different names, one code a row. */
export class CodedTexts implements Texts {
  readonly #codes: Uint32Array;
  readonly #name: (code: number) => string;
  readonly #encoded: Uint8Array[] = [];

  constructor(codes: Uint32Array, name: (code: number) => string) {
    this.#codes = codes;
    this.#name = name;
  }

  get length(): number {
    return this.#codes.length;
  }

  width(k: number): number {
    return this.#bytes(k).length;
  }

  copy(k: number, out: Buffer, at: number): void {
    const bytes = this.#bytes(k);
    copyBytes(bytes, 0, bytes.length, out, at);
  }

  strings(): string[] {
    return Array.from(this.#codes, this.#name);
  }

  #bytes(k: number): Uint8Array {
    const code = this.#codes[k]!;
    this.#encoded[code] ??= Buffer.from(this.#name(code));
    return this.#encoded[code];
  }
}

/** The same text in every `each` rows: a variant with several tests. */
export class RepeatedTexts implements Texts {
  readonly #texts: Texts;
  readonly #each: number;

  constructor(texts: Texts, each: number) {
    this.#texts = texts;
    this.#each = each;
  }

  get length(): number {
    return this.#texts.length * this.#each;
  }

  width(k: number): number {
    return this.#texts.width(Math.floor(k / this.#each));
  }

  copy(k: number, out: Buffer, at: number): void {
    this.#texts.copy(Math.floor(k / this.#each), out, at);
  }

  strings(): string[] {
    return this.#texts.strings().flatMap((text) => Array<string>(this.#each).fill(text));
  }
}
