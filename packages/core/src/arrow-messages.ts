/**
 * Checks Arrow IPC bytes message by message before apache-arrow reads them: footer, blocks, metadata and the place of
 * every buffer. Format: https://arrow.apache.org/docs/format/Columnar.html, "Serialization and IPC".
 */
import { fileError } from "./errors.ts";
import { FlatBuffer, type TableShape } from "./flatbuffer.ts";

const keyValue: TableShape = { 0: { kind: "text" }, 1: { kind: "text" } };
const metadata = { kind: "tables", of: () => keyValue } as const;
const empty = (): TableShape => ({});
/** Only two types point further: the time zone of a timestamp, the ids of a union. */
const types: Readonly<Record<number, () => TableShape>> = {
  10: () => ({ 1: { kind: "text" } }),
  14: () => ({ 1: { kind: "vector", bytes: 4 } }),
};
const encoding: TableShape = { 1: { kind: "table", of: empty } };
const field: TableShape = {
  0: { kind: "text" },
  3: { kind: "union", tag: 2, of: types },
  4: { kind: "table", of: () => encoding },
  5: { kind: "tables", of: () => field },
  6: metadata,
};
const schema: TableShape = {
  1: { kind: "tables", of: () => field },
  2: metadata,
  3: { kind: "vector", bytes: 8 },
};
const recordBatch: TableShape = {
  1: { kind: "vector", bytes: 16 },
  2: { kind: "vector", bytes: 16 },
  3: { kind: "table", of: empty },
  4: { kind: "vector", bytes: 8 },
};
const dictionaryBatch: TableShape = { 1: { kind: "table", of: () => recordBatch } };
const HEADER = { schema: 1, dictionaryBatch: 2, recordBatch: 3 } as const;
const message: TableShape = {
  2: {
    kind: "union",
    tag: 1,
    of: { 1: () => schema, 2: () => dictionaryBatch, 3: () => recordBatch },
  },
  4: metadata,
};
const blocks = { kind: "vector", bytes: 24 } as const;
const footer: TableShape = { 1: { kind: "table", of: () => schema }, 2: blocks, 3: blocks, 4: metadata };

/** Which list of the footer holds which kind of message. */
const FOOTER_BLOCKS = [
  [2, HEADER.dictionaryBatch],
  [3, HEADER.recordBatch],
] as const;

const MAGIC = "ARROW1";

/** True when the bytes begin like an Arrow file (not a stream). */
export function isArrowFile(bytes: Uint8Array): boolean {
  return text(bytes, 0) === MAGIC;
}

/** Checks the bytes of an Arrow file. `ARROW_FOOTER`, `ARROW_OFFSETS`, `ARROW_INVALID`. */
export function checkArrowFile(bytes: Uint8Array, path: string): void {
  const refuse = (why: string, cause?: unknown): never => {
    throw fileError("ARROW_FOOTER", path, `this is no complete Arrow file: ${why}`, { cause });
  };
  if (!isArrowFile(bytes)) refuse(`it does not begin with ${MAGIC}`);
  // Magic and padding (8), messages, end mark, footer, its length (4), magic (6).
  if (bytes.length < 18 || text(bytes, bytes.length - 6) !== MAGIC) {
    refuse(`it does not end with ${MAGIC}: it was cut in transfer or is still being written`);
  }
  const view = viewOf(bytes);
  const length = view.getInt32(bytes.length - 10, true);
  const end = bytes.length - 10 - length;
  if (length <= 0 || end < 8) refuse(`its footer claims ${length} bytes`);
  const places: [offset: number, kind: number][] = [];
  try {
    const table = new FlatBuffer(bytes.subarray(end, end + length));
    table.check(table.root, footer);
    // A block: offset, metadata length (32 bits and padding), body length.
    for (const [slot, kind] of FOOTER_BLOCKS) {
      for (const [offset] of table.structs(table.root, slot, 3)) places.push([offset!, kind]);
    }
  } catch (e) {
    refuse(`its footer is damaged (${(e as Error).message})`, e);
  }
  for (const [place, kind] of places) {
    if (!(place >= 8 && place < end)) refuse(`a batch is said to begin at byte ${place}`);
    checkMessage(bytes.subarray(0, end), place, [kind], path);
  }
}

/** Checks the bytes of an Arrow stream. `ARROW_TRUNCATED`, `ARROW_OFFSETS`, `ARROW_INVALID`. */
export function checkArrowStream(bytes: Uint8Array, path: string): void {
  let at: number | undefined = 0;
  while (at !== undefined) {
    if (at + 4 > bytes.length) {
      const why = at === 0 ? "this is no Arrow data" : "the Arrow stream has no end mark: it was cut";
      throw fileError("ARROW_TRUNCATED", path, why, { byte: at });
    }
    const kinds = at === 0 ? [HEADER.schema] : [HEADER.dictionaryBatch, HEADER.recordBatch];
    at = checkMessage(bytes, at, kinds, path);
  }
}

/**
 * Checks one message of these kinds and says where the next one begins; undefined at the end mark. (A message of
 * another kind than the footer says would make apache-arrow read it again and again.)
 */
function checkMessage(
  bytes: Uint8Array,
  start: number,
  kinds: readonly number[],
  path: string,
): number | undefined {
  const refuse = (why: string, cause?: unknown): never => {
    throw fileError("ARROW_INVALID", path, `the Arrow message is damaged: ${why}`, { byte: start, cause });
  };
  const cut = (end: number): void => {
    if (end <= bytes.length) return;
    throw fileError("ARROW_TRUNCATED", path, `a message ends at byte ${end}, there are ${bytes.length}`, {
      byte: start,
    });
  };
  const view = viewOf(bytes);
  cut(start + 4);
  let at = start + 4;
  let length = view.getInt32(start, true);
  if (length === -1) {
    cut(start + 8);
    length = view.getInt32(start + 4, true);
    at += 4;
  }
  if (length === 0) return undefined;
  if (length < 0) refuse(`its metadata claims ${length} bytes`);
  cut(at + length);
  try {
    const table = new FlatBuffer(bytes.subarray(at, at + length));
    table.check(table.root, message);
    if (!kinds.includes(table.uint8(table.root, 1))) refuse("it is of another kind than its place");
    const body = table.int64(table.root, 3);
    if (!(body >= 0)) refuse(`its body claims ${body} bytes`);
    cut(at + length + body);
    checkBatch(table, body, 8 * bytes.length, path);
    return at + length + body;
  } catch (e) {
    if (e instanceof RangeError) refuse(e.message, e);
    throw e;
  }
}

/**
 * Every buffer of a batch lies inside the body of its message, and no column claims more than `most` rows: a reader
 * makes validity bitmaps of that length.
 */
function checkBatch(table: FlatBuffer, body: number, most: number, path: string): void {
  const header = table.table(table.root, 2);
  const kind = table.uint8(table.root, 1);
  if (kind === HEADER.schema) return;
  const batch = kind === HEADER.dictionaryBatch && header !== undefined ? table.table(header, 1) : header;
  if (batch === undefined) return;
  const refuse = (why: string): never => {
    throw fileError("ARROW_OFFSETS", path, `the Arrow data is damaged: ${why}`);
  };
  const lengths = [table.int64(batch, 0), ...table.structs(batch, 1, 2).map((node) => node[0]!)];
  const odd = lengths.find((rows) => !(rows >= 0 && rows <= most));
  if (odd !== undefined) refuse(`a column claims ${odd} rows`);
  for (const [index, [offset, length]] of table.structs(batch, 2, 2).entries()) {
    const end = offset! + length!;
    if (offset! >= 0 && length! >= 0 && end <= body) continue;
    refuse(`buffer ${index} claims bytes ${offset} to ${end} of a body of ${body}`);
  }
}

function text(bytes: Uint8Array, at: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1", at, at + MAGIC.length);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
