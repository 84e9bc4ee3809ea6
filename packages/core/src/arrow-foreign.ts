/** Tables of other copies of apache-arrow, taken over by their shape, without copying their buffers. */
import {
  Binary,
  Bool,
  Data,
  type DataType,
  Date_,
  Decimal,
  Dictionary,
  Duration,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float,
  Int,
  type Int32,
  Interval,
  LargeBinary,
  LargeUtf8,
  List,
  Map_,
  Null,
  RecordBatch,
  Schema,
  Struct,
  Table,
  Time,
  Timestamp,
  Type,
  Utf8,
  Vector,
} from "apache-arrow";

import { xError } from "./errors.ts";

/** What every version since 12 has in common. */
interface ForeignField {
  name: string;
  nullable: boolean;
  metadata?: Map<string, string>;
  type: ForeignType;
}

interface ForeignType {
  typeId: number;
  bitWidth: number;
  isSigned: boolean;
  precision: number;
  scale: number;
  unit: number;
  timezone?: string | null;
  byteWidth: number;
  listSize: number;
  keysSorted: boolean;
  children: readonly ForeignField[];
  indices: ForeignType;
  dictionary: ForeignType;
  id: number;
  isOrdered: boolean;
}

interface ForeignData {
  type: ForeignType;
  offset: number;
  length: number;
  nullCount: number;
  values?: unknown;
  nullBitmap?: unknown;
  valueOffsets?: unknown;
  children: readonly ForeignData[];
  dictionary?: { data: readonly ForeignData[] };
}

/** A record batch of any copy. */
export interface ForeignBatch {
  schema: ForeignSchema;
  numRows: number;
  data: ForeignData;
}

interface ForeignSchema {
  fields: readonly ForeignField[];
  metadata?: Map<string, string>;
}

/** A table of any copy. */
export interface ForeignTable {
  schema: ForeignSchema;
  numRows: number;
  batches: readonly ForeignBatch[];
}

/** The same table made of our copy's classes; buffers are shared. `ARROW_ROWS` if a row went missing on the way. */
export function rebuildTable(table: ForeignTable): Table {
  const schema = rebuildSchema(table.schema);
  const ours = new Table(
    schema,
    table.batches.map((batch) => rebuildBatch(batch, schema)),
  );
  if (ours.numRows === table.numRows) return ours;
  const message = `a table of another apache-arrow copy has ${table.numRows} rows, ${ours.numRows} arrived`;
  throw xError("ARROW_ROWS", `${message}; pass IPC bytes instead`);
}

/** The same batch made of our copy's classes; buffers are shared. */
export function rebuildBatch(batch: ForeignBatch, schema: Schema = rebuildSchema(batch.schema)): RecordBatch {
  const children = batch.data.children.map((child, i) => rebuildData(child, schema.fields[i]!.type));
  const data = new Data(new Struct(schema.fields), 0, batch.numRows, 0, undefined, children);
  return new RecordBatch(schema, data as Data<Struct>);
}

function rebuildSchema(schema: ForeignSchema): Schema {
  return new Schema(schema.fields.map(rebuildField), new Map(schema.metadata ?? []));
}

function rebuildField(field: ForeignField): Field {
  return new Field(field.name, rebuildType(field.type), field.nullable, new Map(field.metadata ?? []));
}

function rebuildData(data: ForeignData, type: DataType): Data {
  const children = data.children.map((child, i) => rebuildData(child, type.children[i]!.type));
  const dictionary =
    type instanceof Dictionary
      ? new Vector(data.dictionary!.data.map((chunk) => rebuildChunk(chunk, type.dictionary)))
      : undefined;
  // The order of BufferType: offsets, values, validity.
  const buffers = [data.valueOffsets, data.values, data.nullBitmap] as never;
  return new Data(type, data.offset, data.length, data.nullCount, buffers, children, dictionary);
}

/** Batches share dictionaries, and writers tell a new one by identity. */
const chunks = new WeakMap<ForeignData, Data>();

function rebuildChunk(chunk: ForeignData, type: DataType): Data {
  const known = chunks.get(chunk);
  if (known) return known;
  const data = rebuildData(chunk, type);
  chunks.set(chunk, data);
  return data;
}

/** Type ids are fixed by the Arrow format, so they mean the same in every version. */
function rebuildType(t: ForeignType): DataType {
  const child = (): Field => rebuildField(t.children[0]!);
  switch (t.typeId) {
    case Type.Null:
      return new Null();
    case Type.Bool:
      return new Bool();
    case Type.Int:
      return new Int(t.isSigned, t.bitWidth as 8);
    case Type.Float:
      return new Float(t.precision);
    case Type.Binary:
      return new Binary();
    case Type.LargeBinary:
      return new LargeBinary();
    case Type.Utf8:
      return new Utf8();
    case Type.LargeUtf8:
      return new LargeUtf8();
    case Type.Decimal:
      return new Decimal(t.scale, t.precision, t.bitWidth);
    case Type.Date:
      return new Date_(t.unit);
    case Type.Time:
      return new Time(t.unit, t.bitWidth as 32);
    case Type.Timestamp:
      return new Timestamp(t.unit, t.timezone);
    case Type.Interval:
      return new Interval(t.unit);
    case Type.Duration:
      return new Duration(t.unit);
    case Type.FixedSizeBinary:
      return new FixedSizeBinary(t.byteWidth);
    case Type.List:
      return new List(child());
    case Type.FixedSizeList:
      return new FixedSizeList(t.listSize, child());
    case Type.Struct:
      return new Struct(t.children.map(rebuildField));
    case Type.Map:
      return new Map_(child() as Field<Struct<{ key: DataType; value: DataType }>>, t.keysSorted);
    case Type.Dictionary:
      return new Dictionary(rebuildType(t.dictionary), rebuildType(t.indices) as Int32, t.id, t.isOrdered);
    default: {
      const message = `a column of type ${String(t)} of another apache-arrow copy cannot be taken over; pass IPC bytes`;
      throw xError("ARROW_TYPE", message);
    }
  }
}
