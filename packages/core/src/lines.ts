import { isUtf8 } from "node:buffer";

import { type ByteSource, readChunks, sourceName } from "./bytes.ts";
import { fileError } from "./errors.ts";
import type { OnProgress } from "./progress.ts";
import type { Warn } from "./warnings.ts";

/** One line without its line end. */
export interface Line {
  /** Counts from 1. */
  number: number;
  /** Without LF or CRLF. */
  text: string;
}

/** Consecutive lines; `first` is the number of the first one. Blank lines that are skipped split blocks. */
export interface LineBlock {
  /** Number of the first line, from 1. */
  first: number;
  /** The lines, without their ends. */
  lines: string[];
}

/** Options of `readLines` and `readLineBlocks`. */
export interface ReadLinesOptions {
  /** Longest field in bytes, 1 MiB by default; `FIELD_TOO_LONG` beyond. Memory stays bounded. */
  maxField?: number;
  /** Longest line in bytes, 256 MiB by default; `LINE_TOO_LONG` beyond. */
  maxLine?: number;
  /** Byte that ends a field besides space and tab, e.g. `","`. */
  delimiter?: string;
  /** What a blank line is: an error (the default), skipped, or kept as an empty text. Blank lines at the very end are always dropped unless kept. */
  blank?: "error" | "skip" | "keep";
  /** Name in error messages; the path by default. */
  name?: string;
  /** Receives `BOM_STRIPPED`. */
  warn?: Warn | undefined;
  /** Stops the read. */
  signal?: AbortSignal | undefined;
  /** Stage `read`, in bytes after decompression; the total is 0. */
  onProgress?: OnProgress | undefined;
}

const MIB = 2 ** 20;
const [NL, CR, TAB, SPACE] = [10, 13, 9, 32];

/**
 * Reads a text line by line: gzip undone, CRLF accepted, a byte order mark stripped (warning `BOM_STRIPPED`), the
 * missing last line end accepted. Errors name the line: `NUL_BYTE`, `ENCODING` (UTF-16, invalid UTF-8), `BLANK_LINE`,
 * `FIELD_TOO_LONG`, `LINE_TOO_LONG`, `LINE_ENDING` (a carriage return inside a line), `GZIP_TRUNCATED`.
 */
export async function* readLines(source: ByteSource, options: ReadLinesOptions = {}): AsyncGenerator<Line> {
  for await (const { first, lines } of readLineBlocks(source, options)) {
    let number = first;
    for (const text of lines) yield { number: number++, text };
  }
}

/** `readLines` in blocks of about 1 MiB: several times faster where a file has many short lines. */
export async function* readLineBlocks(
  source: ByteSource,
  options: ReadLinesOptions = {},
): AsyncGenerator<LineBlock> {
  const splitter = new LineSplitter(sourceName(source, options.name), options);
  for await (const chunk of readChunks(source, options)) {
    yield* splitter.push(chunk);
    options.onProgress?.({ stage: "read", done: splitter.bytes, total: 0 });
  }
  yield* splitter.end();
}

/** Cuts chunks at line ends, checks whole blocks at once and decodes each block in one piece. */
class LineSplitter {
  bytes = 0;
  readonly #name: string;
  readonly #options: ReadLinesOptions;
  readonly #maxField: number;
  readonly #maxLine: number;
  readonly #comma: number;
  #carry: Uint8Array[] = [];
  #carryBytes = 0;
  /** Bytes since the last field end in the carried piece. */
  #run = 0;
  #line = 1;
  /** Lines that were blank since the last one that was not. */
  #blanks = 0;
  #started = false;

  constructor(name: string, options: ReadLinesOptions) {
    this.#name = name;
    this.#options = options;
    this.#maxField = options.maxField ?? MIB;
    this.#maxLine = options.maxLine ?? 256 * MIB;
    this.#comma = options.delimiter?.charCodeAt(0) ?? SPACE;
  }

  *push(chunk: Uint8Array): Generator<LineBlock> {
    const bytes = this.#started ? chunk : this.#start(chunk);
    const last = bytes.lastIndexOf(NL);
    if (last < 0) return this.#keep(bytes);
    const head = bytes.subarray(0, last + 1);
    let block = head;
    if (this.#carryBytes > 0) {
      this.#scanFields(head.subarray(0, head.indexOf(NL)), this.#line);
      block = Buffer.concat([...this.#carry, head]);
    }
    this.#carry = [];
    this.#carryBytes = 0;
    this.#run = 0;
    yield* this.#decode(block);
    this.#keep(bytes.subarray(last + 1));
  }

  *end(): Generator<LineBlock> {
    if (this.#carryBytes === 0) return;
    const rest = Buffer.concat(this.#carry);
    this.#carry = [];
    this.#carryBytes = 0;
    yield* this.#decode(rest);
  }

  /** Looks at the first bytes: byte order marks, and the NUL pattern of UTF-16 without one. */
  #start(chunk: Uint8Array): Uint8Array {
    this.#started = true;
    const [a, b, c] = chunk;
    if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) throw this.#utf16();
    if (looksLikeUtf16(chunk)) throw this.#utf16();
    if (a !== 0xef || b !== 0xbb || c !== 0xbf) return chunk;
    const message = `${this.#name}: the byte order mark at the start was left out`;
    this.#options.warn?.({ code: "BOM_STRIPPED", message, details: { path: this.#name } });
    this.bytes += 3;
    return chunk.subarray(3);
  }

  #utf16(): Error {
    return fileError("ENCODING", this.#name, "this is UTF-16 text; save it as UTF-8", { line: 1 });
  }

  /** Carries the start of an unfinished line, within the limits. */
  #keep(rest: Uint8Array): void {
    if (rest.length === 0) return;
    this.#scanFields(rest, this.#line);
    this.#carry.push(rest.slice()); // the chunk's memory may be used again
    this.#carryBytes += rest.length;
    if (this.#carryBytes > this.#maxLine) {
      const message = `the line is longer than ${this.#maxLine} bytes`;
      throw fileError("LINE_TOO_LONG", this.#name, message, { line: this.#line });
    }
  }

  /** Continues the field length count over bytes of one line. */
  #scanFields(bytes: Uint8Array, line: number): void {
    let run = this.#run;
    if (run + bytes.length > this.#maxField) {
      for (const byte of bytes) {
        if (byte === TAB || byte === SPACE || byte === this.#comma) run = 0;
        else if (++run > this.#maxField) {
          const message = `a field is longer than ${this.#maxField} bytes: is this the right file, with its delimiters?`;
          throw fileError("FIELD_TOO_LONG", this.#name, message, { line });
        }
      }
    } else {
      const at = Math.max(bytes.lastIndexOf(TAB), bytes.lastIndexOf(SPACE), bytes.lastIndexOf(this.#comma));
      run = at < 0 ? run + bytes.length : bytes.length - at - 1;
    }
    this.#run = run;
  }

  /** Whole lines to texts. */
  *#decode(block: Uint8Array): Generator<LineBlock> {
    const buffer = Buffer.from(block.buffer, block.byteOffset, block.length);
    this.#checkBytes(buffer);
    const text = buffer.toString("utf8");
    const lines = text.split("\n");
    if (buffer[buffer.length - 1] === NL) lines.pop();
    if (buffer.includes(CR)) this.#stripReturns(lines);
    if (buffer.length > this.#maxField) this.#checkFieldLengths(lines);
    const first = this.#line;
    this.#line += lines.length;
    this.bytes += buffer.length;
    yield* this.#splitAtBlanks(first, lines);
  }

  #checkBytes(buffer: Buffer): void {
    const nul = buffer.indexOf(0);
    if (nul >= 0) {
      const message = "the text contains a NUL byte: the file is binary or damaged";
      throw fileError("NUL_BYTE", this.#name, message, this.#place(buffer, nul));
    }
    if (isUtf8(buffer)) return;
    const bad = firstInvalidUtf8(buffer);
    const message = "the text is not valid UTF-8; convert it (iconv -f LATIN1 -t UTF-8)";
    throw fileError("ENCODING", this.#name, message, this.#place(buffer, bad));
  }

  #place(buffer: Buffer, at: number): { line: number; byte: number } {
    let line = this.#line;
    for (let i = buffer.indexOf(NL); i >= 0 && i < at; i = buffer.indexOf(NL, i + 1)) line++;
    return { line, byte: this.bytes + at };
  }

  #stripReturns(lines: string[]): void {
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      const at = line.indexOf("\r");
      if (at < 0) continue;
      if (at !== line.length - 1) {
        const message = "a carriage return stands inside the line; line ends must be LF or CRLF";
        throw fileError("LINE_ENDING", this.#name, message, { line: this.#line + i, column: at + 1 });
      }
      lines[i] = line.slice(0, -1);
    }
  }

  #checkFieldLengths(lines: string[]): void {
    for (let i = 0; i < lines.length; i++) {
      if (lines[i]!.length * 3 <= this.#maxField) continue;
      this.#run = 0;
      this.#scanFields(Buffer.from(lines[i]!), this.#line + i);
    }
    this.#run = 0;
  }

  *#splitAtBlanks(first: number, lines: string[]): Generator<LineBlock> {
    const { blank = "error" } = this.#options;
    if (blank === "keep") return yield { first, lines };
    let from = 0;
    for (let i = 0; i < lines.length; i++) {
      if (!isBlank(lines[i]!)) {
        if (this.#blanks > 0 && blank === "error") {
          const message = "blank line in the middle of the file; remove it";
          throw fileError("BLANK_LINE", this.#name, message, { line: first + i - this.#blanks });
        }
        this.#blanks = 0;
        continue;
      }
      if (from < i) yield { first: first + from, lines: lines.slice(from, i) };
      from = i + 1;
      this.#blanks++;
    }
    if (from === 0) yield { first, lines };
    else if (from < lines.length) yield { first: first + from, lines: lines.slice(from) };
  }
}

function isBlank(line: string): boolean {
  return line === "" || (line.charCodeAt(0) <= SPACE && line.trim() === "");
}

/** UTF-16 text of mostly western characters has a NUL in every second byte. */
function looksLikeUtf16(chunk: Uint8Array): boolean {
  const length = Math.min(chunk.length, 1000) & ~1;
  const nuls = [0, 0];
  for (let i = 0; i < length; i++) if (chunk[i] === 0) nuls[i & 1]!++;
  return (
    length >= 4 && Math.max(nuls[0]!, nuls[1]!) >= 0.4 * (length / 2) && Math.min(nuls[0]!, nuls[1]!) === 0
  );
}

/** By halves: valid prefixes that end inside a character are told apart by stepping back to its start. */
function firstInvalidUtf8(buffer: Buffer): number {
  let [good, bad] = [0, buffer.length];
  while (bad - good > 1) {
    let middle = (good + bad) >> 1;
    while (middle > good && (buffer[middle]! & 0xc0) === 0x80) middle--;
    if (middle === good) break;
    if (isUtf8(buffer.subarray(good, middle))) good = middle;
    else bad = middle;
  }
  return good;
}
