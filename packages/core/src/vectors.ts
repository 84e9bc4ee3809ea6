import {
  Bool,
  type Data,
  type DataType,
  Dictionary,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  makeData,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
  Vector,
} from "apache-arrow";

import { xError } from "./errors.ts";

/** Typed arrays that Arrow stores as they are. */
export type NumericArray =
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/** What a table column can be made of. null is missing; NaN in a typed array stays a value. */
export type ColumnValues =
  | NumericArray
  | readonly (string | null)[]
  | readonly (number | null)[]
  | readonly (boolean | null)[]
  | Vector;

/** Offsets of Utf8 columns are 32-bit. */
const MAX_UTF8 = 2 ** 31 - 1;

const NUMERIC = new Map<unknown, DataType>([
  [Int8Array, new Int8()],
  [Int16Array, new Int16()],
  [Int32Array, new Int32()],
  [BigInt64Array, new Int64()],
  [Uint8Array, new Uint8()],
  [Uint16Array, new Uint16()],
  [Uint32Array, new Uint32()],
  [BigUint64Array, new Uint64()],
  [Float32Array, new Float32()],
  [Float64Array, new Float64()],
]);

/**
 * A column: typed arrays are shared without a copy, numbers become Float64, booleans Bool, texts Utf8; an array of
 * nulls only becomes Float64. `COLUMN_TYPE` for anything else.
 */
export function vectorOf(values: ColumnValues): Vector {
  if (values instanceof Vector) return values;
  if (ArrayBuffer.isView(values)) return numericVector(values as NumericArray);
  const first = (values as readonly unknown[]).find((v) => v !== null);
  if (typeof first === "string") return utf8Vector(values as readonly (string | null)[]);
  if (typeof first === "boolean") return boolVector(values as readonly (boolean | null)[]);
  if (first === undefined || typeof first === "number")
    return float64Vector(values as readonly (number | null)[]);
  throw xError("COLUMN_TYPE", `a column cannot be made of values like ${typeof first}`);
}

/** A numeric column that shares the array's memory; `nulls` marks missing rows with 1. */
export function numericVector(values: NumericArray, nulls?: ArrayLike<number | boolean>): Vector {
  const kind = [...NUMERIC.keys()].find((c) => values instanceof (c as typeof Int8Array));
  return new Vector([numericData(NUMERIC.get(kind)!, values, nulls)]);
}

/** Array data that shares the values' memory. */
export function numericData(type: DataType, data: NumericArray, nulls?: ArrayLike<number | boolean>): Data {
  const validity = nulls && validityBitmap(nulls);
  const nullCount = validity?.nullCount ?? 0;
  const nullBitmap = nullCount > 0 ? validity!.bitmap : null;
  return makeData({ type, length: data.length, nullCount, nullBitmap, data } as never);
}

/** A Float64 column from numbers and nulls. */
export function float64Vector(values: readonly (number | null)[]): Vector<Float64> {
  const data = Float64Array.from(values, (v) => v ?? Number.NaN);
  const nulls = values.map((v) => v === null);
  return new Vector([numericData(new Float64(), data, nulls) as Data<Float64>]);
}

function boolVector(values: readonly (boolean | null)[]): Vector<Bool> {
  const data = new Uint8Array(Math.ceil(values.length / 8));
  values.forEach((v, i) => {
    if (v) data[i >> 3]! |= 1 << (i & 7);
  });
  const { bitmap, nullCount } = validityBitmap(values.map((v) => v === null));
  const nullBitmap = nullCount > 0 ? bitmap : null;
  return new Vector([makeData({ type: new Bool(), length: values.length, nullCount, nullBitmap, data })]);
}

/** A Utf8 column; all texts are encoded in one go. `ARROW_LIMIT` above 2 GiB of text. */
export function utf8Vector(values: readonly (string | null)[]): Vector<Utf8> {
  return new Vector([utf8Data(values)]);
}

function utf8Data(values: readonly (string | null)[]): Data<Utf8> {
  const offsets = new Int32Array(values.length + 1);
  let total = 0;
  let nullCount = 0;
  for (let i = 0; i < values.length; i++) {
    const text = values[i]!;
    if (text === null) nullCount++;
    else total += Buffer.byteLength(text);
    if (total > MAX_UTF8)
      throw xError("ARROW_LIMIT", "one text column holds at most 2 GiB; split it into batches");
    offsets[i + 1] = total;
  }
  const data = Buffer.from(new ArrayBuffer(total));
  // Joined in pieces: one string holds at most 2^29 characters.
  for (let from = 0; from < values.length; from += 65536) {
    data.write(values.slice(from, from + 65536).join(""), offsets[from]!); // join prints null as nothing
  }
  const nullBitmap = nullCount > 0 ? validityBitmap(values.map((v) => v === null)).bitmap : null;
  return makeData({
    type: new Utf8(),
    length: values.length,
    nullCount,
    nullBitmap,
    valueOffsets: offsets,
    data,
  });
}

/** A dictionary column: each distinct text once, in order of first appearance, and a 32-bit key a row. */
export function dictionaryVector(
  values: readonly (string | null)[],
  type: Dictionary<Utf8, Int32> = new Dictionary(new Utf8(), new Int32()),
): Vector<Dictionary<Utf8, Int32>> {
  const keyOf = new Map<string, number>();
  const keys = new Int32Array(values.length);
  let nulls: boolean[] | undefined;
  for (let i = 0; i < values.length; i++) {
    const text = values[i]!;
    if (text === null) {
      nulls ??= values.map((v) => v === null);
      continue;
    }
    let key = keyOf.get(text);
    if (key === undefined) {
      key = keyOf.size;
      keyOf.set(text, key);
    }
    keys[i] = key;
  }
  const validity = nulls && validityBitmap(nulls);
  const data = makeData({
    type,
    length: keys.length,
    nullCount: validity?.nullCount ?? 0,
    nullBitmap: validity?.bitmap ?? null,
    data: keys,
    dictionary: utf8Vector([...keyOf.keys()]),
  });
  return new Vector([data]);
}

/** Arrow's bitmap (1 = present) from flags (1 or true = missing). */
function validityBitmap(nulls: ArrayLike<number | boolean>): { bitmap: Uint8Array; nullCount: number } {
  const bitmap = new Uint8Array(Math.ceil(nulls.length / 8));
  let nullCount = 0;
  for (let i = 0; i < nulls.length; i++) {
    if (nulls[i]) nullCount++;
    else bitmap[i >> 3]! |= 1 << (i & 7);
  }
  return { bitmap, nullCount };
}
