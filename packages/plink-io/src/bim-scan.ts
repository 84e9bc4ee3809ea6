import { openInput, parseStrictNumber, throwIfAborted } from "@x/core/base";
import { BimTable } from "./bim-table.ts";

const CHUNK = 1 << 22;
/** Bytes of `1 r 0 1 A C` and its end: no file has more lines than this allows. */
const LEAST_LINE = 12;
/** The strict reader refuses longer fields. */
const MAX_FIELD = 1 << 20;
const [NL, TAB, SPACE, PLUS, MINUS, POINT, ZERO, NINE] = [10, 9, 32, 43, 45, 46, 48, 57];
const INT32_MAX = 2147483647;

/**
 * Reads a plain .bim on its bytes: ASCII, six columns on every line, LF ends, all values good. Anything else (gzip, CRLF,
 * UTF-8 names, five columns, every fault) gives undefined: then the strict reader reads it again and says what is wrong.
 */
export async function scanBim(path: string, signal?: AbortSignal): Promise<BimTable | undefined> {
  await using file = openInput(path);
  const table = new BimTable(Math.floor(file.size / LEAST_LINE) + 1, file.size);
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK, file.size + 1));
  let [kept, position] = [0, 0];
  while (position < file.size) {
    throwIfAborted(signal);
    const length = Math.min(buffer.length - kept, file.size - position);
    // A line longer than the buffer.
    if (length === 0) return undefined;
    await file.readInto(buffer.subarray(kept, kept + length), position);
    position += length;
    let filled = kept + length;
    if (position === file.size && buffer[filled - 1] !== NL) {
      if (filled === buffer.length) return undefined;
      buffer[filled++] = NL;
    }
    const end = buffer.lastIndexOf(NL, filled - 1) + 1;
    if (!scanLines(buffer, end, table)) return undefined;
    buffer.copyWithin(0, end, filled);
    kept = filled - end;
  }
  file.check();
  return table.length === 0 ? undefined : table.finish();
}

/**
 * Appends the lines in `bytes[0, end)`; false at the first thing that is not plain. One function with plain variables:
 * this loop runs cold in most commands, and destructuring or a call a byte would double its time.
 */
function scanLines(bytes: Buffer, end: number, table: BimTable): boolean {
  const { chrom, cm, pos, a1, a2, ids, idEnds } = table;
  const starts = new Int32Array(6);
  const ends = new Int32Array(6);
  let row = table.length;
  let to = table.idStart(row);
  let chromStart = 0;
  let chromEnd = 0;
  let chromCode = -1;
  let at = 0;
  while (at < end) {
    let field = 0;
    let byte = bytes[at]!;
    while (byte !== NL) {
      if (byte === TAB || byte === SPACE) {
        byte = bytes[++at]!;
        continue;
      }
      if (field === 6) return false;
      starts[field] = at;
      while (byte > SPACE && byte < 127) byte = bytes[++at]!;
      if ((byte !== TAB && byte !== SPACE && byte !== NL) || at - starts[field]! > MAX_FIELD) return false;
      ends[field++] = at;
    }
    at++;
    if (field !== 6) return false;
    if (chromCode < 0 || !sameBytes(bytes, chromStart, chromEnd, starts[0]!, ends[0]!))
      chromCode = table.chromCode(bytes.toString("latin1", starts[0]!, ends[0]!));
    chromStart = starts[0]!;
    chromEnd = ends[0]!;
    chrom[row] = chromCode;
    const idEnd = ends[1]!;
    for (let k = starts[1]!; k < idEnd; k++) ids[to++] = bytes[k]!;
    idEnds[row] = to;
    const centimorgans = decimal(bytes, starts[2]!, ends[2]!);
    const position = wholeNumber(bytes, starts[3]!, ends[3]!);
    if (Number.isNaN(position) || Number.isNaN(centimorgans)) return false;
    cm[row] = centimorgans;
    pos[row] = position;
    a1[row] = allele(bytes, starts[4]!, ends[4]!, table);
    a2[row] = allele(bytes, starts[5]!, ends[5]!, table);
    table.length = ++row;
  }
  return true;
}

function sameBytes(bytes: Buffer, a: number, aEnd: number, b: number, bEnd: number): boolean {
  if (aEnd - a !== bEnd - b) return false;
  while (a < aEnd) if (bytes[a++] !== bytes[b++]) return false;
  return true;
}

function allele(bytes: Buffer, start: number, end: number, table: BimTable): number {
  return end - start === 1 ? bytes[start]! : table.alleleCode(bytes.toString("latin1", start, end));
}

/** A whole number that fits 32 bits, or NaN. */
function wholeNumber(bytes: Buffer, start: number, end: number): number {
  const sign = bytes[start]!;
  let at = sign === MINUS || sign === PLUS ? start + 1 : start;
  if (at === end || end - at > 10) return Number.NaN;
  let value = 0;
  for (; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  if (value > INT32_MAX) return Number.NaN;
  return sign === MINUS ? -value : value;
}

/**
 * A finite decimal, or NaN. Fast way for `12.345`: up to 15 digits and one point. Both whole numbers are exact in binary,
 * so that their quotient is the nearest number to the decimal, as Number() would give.
 */
function decimal(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  let scale = 0;
  let digits = 0;
  let at = start;
  for (; at < end && digits <= 15; at++) {
    const byte = bytes[at]!;
    if (byte === POINT && scale === 0) scale = 1;
    else if (byte >= ZERO && byte <= NINE) {
      value = value * 10 + (byte - ZERO);
      scale *= 10;
      digits++;
    } else break;
  }
  if (at === end && digits > 0 && digits <= 15) return scale > 1 ? value / scale : value;
  const slow = parseStrictNumber(bytes.toString("latin1", start, end));
  return slow === undefined || !Number.isFinite(slow) ? Number.NaN : slow;
}
