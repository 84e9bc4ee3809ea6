import {
  RecordBatch,
  type RecordBatchFileReader,
  RecordBatchFileWriter,
  RecordBatchReader,
  RecordBatchStreamWriter,
  type Schema,
  Table,
  tableFromIPC,
  util,
} from "apache-arrow";

import { checkTable } from "./arrow-check.ts";
import { type ForeignBatch, type ForeignTable, rebuildBatch, rebuildTable } from "./arrow-foreign.ts";
import { checkArrowFile, checkArrowStream, isArrowFile } from "./arrow-messages.ts";
import { fileError, xError } from "./errors.ts";
import { type AtomicWriter, type AtomicWriterOptions, atomicWriter } from "./files.ts";
import { openInput } from "./input.ts";
import { type ColumnValues, vectorOf } from "./vectors.ts";

/** What functions that take Arrow data accept: a table of any apache-arrow copy, or IPC bytes (file or stream). */
export type TableLike = Table | Uint8Array;

/** True for a table of any copy of apache-arrow, told by its shape. */
export function isTable(x: unknown): x is Table {
  const t = x as Partial<ForeignTable> & { getChild?: unknown };
  return (
    typeof x === "object" &&
    x !== null &&
    Array.isArray(t.schema?.fields) &&
    Array.isArray(t.batches) &&
    typeof t.numRows === "number" &&
    typeof t.getChild === "function"
  );
}

/** True for a record batch of any copy of apache-arrow, told by its shape. */
export function isRecordBatch(x: unknown): x is RecordBatch {
  const b = x as Partial<ForeignBatch> & { batches?: unknown };
  return (
    typeof x === "object" &&
    x !== null &&
    Array.isArray(b.schema?.fields) &&
    b.batches === undefined &&
    typeof b.numRows === "number" &&
    Array.isArray(b.data?.children)
  );
}

/**
 * A table of our copy of apache-arrow from a table of any copy (its buffers are shared) or from IPC bytes. Passing a
 * foreign table straight to apache-arrow 21 would silently write 0 rows. Errors: `ARROW_ROWS`, `ARROW_TYPE`,
 * `NOT_ARROW` for anything else.
 */
export function fromForeign(x: unknown): Table {
  if (isOwn(Table, x)) return x;
  if (isTable(x)) return rebuildTable(x as unknown as ForeignTable);
  if (isRecordBatch(x)) return new Table([ownBatch(x)]);
  if (x instanceof Uint8Array) return fromIpc(x);
  throw xError("NOT_ARROW", "an Arrow table or IPC bytes were expected");
}

/** apache-arrow's own `instanceof` is true for newer foreign copies too, whose classes do not mix with ours. */
function isOwn<T>(type: abstract new (...args: never[]) => T, x: unknown): x is T {
  return Function.prototype[Symbol.hasInstance].call(type, x);
}

function ownBatch(batch: RecordBatch): RecordBatch {
  return isOwn(RecordBatch, batch) ? batch : rebuildBatch(batch as unknown as ForeignBatch);
}

/** A table from named columns; typed arrays are shared without a copy. `COLUMN_LENGTH` if they differ in length. */
export function tableFromColumns(columns: Readonly<Record<string, ColumnValues>>): Table {
  const vectors = Object.fromEntries(Object.entries(columns).map(([name, v]) => [name, vectorOf(v)]));
  const lengths = Object.values(vectors).map((v) => v.length);
  const odd = Object.keys(vectors).find((_, i) => lengths[i] !== lengths[0]);
  if (odd === undefined) return new Table(vectors);
  throw xError(
    "COLUMN_LENGTH",
    `column ${odd} has ${vectors[odd]!.length} rows, the first has ${lengths[0]}`,
  );
}

/** IPC bytes of a table or of batches, as a stream (the default) or a file. `ARROW_ROWS` if any row were lost. */
export function toIpc(
  input: Table | Iterable<RecordBatch>,
  format: "stream" | "file" = "stream",
): Uint8Array {
  const table = isTable(input) ? fromForeign(input) : undefined;
  const batches = table?.batches ?? [...(input as Iterable<RecordBatch>)].map(ownBatch);
  const schema = table?.schema ?? batches[0]?.schema;
  if (!schema) throw xError("ARROW_ROWS", "there are no batches, so there is no schema to write");
  const writer = format === "file" ? new RecordBatchFileWriter() : new RecordBatchStreamWriter();
  for (const batch of batches) checkSameSchema(schema, batch);
  const bytes = sameDictionaries(() =>
    writer.writeAll(new Table(schema, batches)).finish().toUint8Array(true),
  );
  const rows = batches.reduce((sum, batch) => sum + batch.numRows, 0);
  const written = tableFromIPC(bytes).numRows;
  if (written !== rows) throw rowsError(rows, written);
  return bytes;
}

/**
 * A table from IPC bytes, stream or file, checked before it is read; buffers are views of the bytes. Errors:
 * `ARROW_FOOTER`, `ARROW_TRUNCATED` (a stream without its end), `ARROW_OFFSETS` (a column points outside its buffers),
 * `ARROW_COMPRESSED`, `ARROW_INVALID` (anything else). int64 columns stay BigInt.
 */
export function fromIpc(bytes: Uint8Array, path = "IPC bytes"): Table {
  if (isArrowFile(bytes)) checkArrowFile(bytes, path);
  else checkArrowStream(bytes, path);
  const table = readTableOf(bytes, path);
  checkTable(table, path, bytes.length);
  return table;
}

function readTableOf(bytes: Uint8Array, path: string): Table {
  try {
    const reader = RecordBatchReader.from(bytes).open();
    const { schema } = reader;
    const batches = [...reader];
    const listed = isArrowFile(bytes) ? (reader as unknown as RecordBatchFileReader).numRecordBatches : 0;
    if (batches.length >= listed) return new Table(schema, batches);
    throw new Error(`${listed} batches are listed, ${batches.length} are there`);
  } catch (e) {
    const { message } = e as Error;
    const compressed = /compress|codec/i.test(message);
    const why = compressed ? "is compressed; write it uncompressed" : `is damaged: ${message}`;
    throw fileError(compressed ? "ARROW_COMPRESSED" : "ARROW_INVALID", path, `the Arrow data ${why}`, {
      cause: e,
    });
  }
}

/** Reads an Arrow IPC file; checks and errors as `fromIpc`, and those of the file system. */
export async function readIpcFile(path: string): Promise<Table> {
  await using file = openInput(path);
  const bytes = await file.read(0, file.size);
  checkArrowFile(bytes, path);
  return fromIpc(bytes, path);
}

/** Writes batches to an Arrow IPC file, atomically and one batch at a time; returns the number of rows. */
export async function writeIpcFile(
  path: string,
  input: Table | Iterable<RecordBatch> | AsyncIterable<RecordBatch>,
  options: AtomicWriterOptions & { schema?: Schema } = {},
): Promise<number> {
  await using out = atomicWriter(path, options);
  const rows = await writeIpc(out, input, options);
  await out.commit();
  return rows;
}

/**
 * Writes an Arrow IPC file into an open writer and leaves the commit to the caller: for files that belong to a set.
 * Errors as `writeIpcFile`.
 */
export async function writeIpc(
  out: AtomicWriter,
  input: Table | Iterable<RecordBatch> | AsyncIterable<RecordBatch>,
  options: { schema?: Schema } = {},
): Promise<number> {
  const writer = new CollectingWriter();
  const table = isTable(input) ? fromForeign(input) : undefined;
  let schema = table?.schema ?? options.schema;
  let rows = 0;
  for await (const any of table?.batches ?? (input as AsyncIterable<RecordBatch>)) {
    const batch = ownBatch(any);
    schema ??= batch.schema;
    checkSameSchema(schema, batch);
    sameDictionaries(() => writer.write(batch));
    rows += batch.numRows;
    for (const chunk of writer.take()) await out.write(chunk);
  }
  if (!schema) throw xError("ARROW_ROWS", "there are no batches, so there is no schema to write");
  if (rows === 0) writer.write(new Table(schema));
  writer.finish();
  for (const chunk of writer.take()) await out.write(chunk);
  return rows;
}

/** Hands out its bytes after each batch, so that a long stream is never held in memory. */
class CollectingWriter extends RecordBatchFileWriter {
  #chunks: Uint8Array[] = [];

  take(): Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks;
  }

  protected override _write(chunk: ArrayBufferView): this {
    if (!this._started || chunk.byteLength === 0) return this;
    this.#chunks.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this._position += chunk.byteLength;
    return this;
  }
}

/** An Arrow file holds each dictionary once; streams may replace it. */
function sameDictionaries<T>(write: () => T): T {
  try {
    return write();
  } catch (e) {
    if (!/replacement dictionar/.test((e as Error).message)) throw e;
    const message = "the batches of an Arrow file must share the dictionary of each column";
    throw xError("ARROW_DICTIONARY", `${message}: make one vector and slice it, or write a stream`, {
      cause: e,
    });
  }
}

/** apache-arrow closes the stream silently at a batch of another schema; rows after it would be lost. */
function checkSameSchema(schema: Schema, batch: RecordBatch): void {
  if (util.compareSchemas(schema, batch.schema)) return;
  throw xError("ARROW_ROWS", `a batch has other columns than the first: ${batch.schema}, first: ${schema}`);
}

function rowsError(expected: number, found: number): Error {
  return xError("ARROW_ROWS", `${found} rows were written, ${expected} expected`, {
    details: { expected, found },
  });
}
