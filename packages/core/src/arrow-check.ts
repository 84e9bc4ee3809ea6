/**
 * What an Arrow reader must check before anybody follows an offset: apache-arrow clamps buffers that reach past the
 * file and reads on, so a damaged file would give wrong values instead of an error.
 */
import { type Data, type RecordBatch, type Table, Type } from "apache-arrow";

import { fileError } from "./errors.ts";

/** Types of one fixed-width value: bytes are `length × stride × element`. */
const FIXED: ReadonlySet<number> = new Set([
  Type.Int,
  Type.Float,
  Type.Decimal,
  Type.Date,
  Type.Time,
  Type.Timestamp,
  Type.Interval,
  Type.Duration,
  Type.FixedSizeBinary,
]);

/** Types that point into their values or their child by offsets. */
const OFFSETS: ReadonlySet<number> = new Set([
  Type.Binary,
  Type.LargeBinary,
  Type.Utf8,
  Type.LargeUtf8,
  Type.List,
  Type.LargeList,
  Type.Map,
]);

/**
 * Refuses tables whose buffers do not hold what their lengths say: `ARROW_OFFSETS` names the column. `bytes` is the
 * size of the whole: no column has more than eight rows a byte, also where a type takes no bytes at all.
 */
export function checkTable(table: Table, path: string, bytes: number): void {
  table.batches.forEach((batch, index) => {
    for (const [i, field] of table.schema.fields.entries()) {
      const data = batch.data.children[i];
      const refuse: Refuse = (why) => {
        const message = `column ${field.name} of batch ${index} is damaged: ${why}`;
        throw fileError("ARROW_OFFSETS", path, message, { name: field.name, batch: index });
      };
      if (!data || data.length !== rowsOf(batch))
        refuse(`${data?.length} rows, the batch has ${rowsOf(batch)}`);
      else checkData(data, refuse, 8 * bytes);
    }
  });
}

type Refuse = (why: string) => never;

function rowsOf(batch: RecordBatch): number {
  return batch.data.length;
}

/** Checks one array and its children. IPC arrays start at offset 0. */
function checkData(data: Data, refuse: Refuse, most: number): void {
  const { length, typeId } = data;
  if (!(length >= 0 && length <= most)) refuse(`it claims ${length} rows`);
  if (!(data.stride >= 0)) refuse(`its values are said to take ${data.stride} bytes`);
  const bitmap = data.nullBitmap?.byteLength ?? 0;
  if (bitmap > 0 && bitmap < Math.ceil(length / 8)) refuse("its validity bitmap is too short");
  const values = data.values as { length: number; byteLength: number } | undefined;
  if (typeId === Type.Null) return;
  if (typeId === Type.Bool) {
    if ((values?.byteLength ?? 0) < Math.ceil(length / 8)) refuse("its values are cut short");
  } else if (typeId === Type.Dictionary) checkDictionary(data, refuse, most);
  else if (FIXED.has(typeId)) {
    if ((values?.length ?? 0) < length * data.stride) refuse("its values are cut short");
  } else if (OFFSETS.has(typeId)) checkOffsets(data, refuse);
  else if (typeId === Type.FixedSizeList) {
    if ((data.children[0]?.length ?? 0) < presentRows(data) * data.stride) refuse("its lists are cut short");
  } else if (typeId === Type.Struct) {
    if (data.children.some((child) => child.length < length)) refuse("its fields are cut short");
  } else refuse(`its type ${data.type} is not supported`);
  for (const child of data.children) checkData(child, refuse, most);
}

/** Rows up to the last one that is not null: apache-arrow leaves out the values of nulls at the end of lists. */
function presentRows(data: Data): number {
  let rows = data.length;
  const bitmap = data.nullBitmap;
  if (!bitmap || bitmap.length === 0) return rows;
  while (rows > 0 && !((bitmap[(rows - 1) >> 3]! >> ((rows - 1) & 7)) & 1)) rows--;
  return rows;
}

function checkOffsets(data: Data, refuse: Refuse): void {
  const offsets = data.valueOffsets as Int32Array | BigInt64Array;
  const { length } = data;
  if (length === 0) return;
  if (offsets.length < length + 1) refuse("its offsets are cut short");
  const end = data.children.length > 0 ? data.children[0]!.length : (data.values as Uint8Array).length;
  let before = Number(offsets[0]);
  if (before < 0) refuse("its first offset is negative");
  for (let i = 1; i <= length; i++) {
    const offset = Number(offsets[i]);
    if (offset < before) refuse(`offset ${i} is smaller than the one before`);
    before = offset;
  }
  if (before > end) refuse(`offset ${before} points past its ${end} values`);
}

function checkDictionary(data: Data, refuse: Refuse, most: number): void {
  const keys = data.values as Int32Array | BigInt64Array;
  if (keys.length < data.length) refuse("its keys are cut short");
  const size = data.dictionary?.length ?? 0;
  const bitmap = data.nullBitmap;
  for (let i = 0; i < data.length; i++) {
    const key = Number(keys[i]);
    if (key >= 0 && key < size) continue;
    const isNull = bitmap && bitmap.length > 0 && ((bitmap[i >> 3]! >> (i & 7)) & 1) === 0;
    if (!isNull) refuse(`key ${key} of row ${i} is outside its dictionary of ${size}`);
  }
  for (const chunk of data.dictionary?.data ?? []) checkData(chunk, refuse, most);
}
