import { fromForeign, isTable } from "@x/core";
import { nearestName } from "@x/core/base";
import type { Table, Vector } from "apache-arrow";
import { gamError } from "../errors.ts";

/** Numbers; NaN is missing. */
export interface NumberColumn {
  /** Tells the two kinds apart. */
  readonly kind: "number";
  /** One a row. */
  readonly values: Float64Array;
}

/** Categories: `levels[codes[i]]` is the value of row i, code −1 is missing. */
export interface FactorColumn {
  /** Tells the two kinds apart. */
  readonly kind: "factor";
  /** The categories, in order. */
  readonly levels: readonly string[];
  /** Place of each row's level; −1 missing. */
  readonly codes: Int32Array;
}

/** A column as models read it. */
export type Column = NumberColumn | FactorColumn;

/** Values of one column: numbers (NaN, null or undefined missing), texts or booleans (null or undefined missing). */
export type PlainColumn = ArrayLike<number | string | boolean | bigint | null | undefined>;

/** Where data come from: an Arrow table of any apache-arrow copy, plain columns by name (all of one length), or `readData`. */
export type DataLike = Table | DataSet | Readonly<Record<string, PlainColumn>>;

/** Columns by name, converted when first asked for. */
export interface DataSet {
  /** Names of the columns. */
  readonly names: readonly string[];
  /** Number of rows. */
  readonly rows: number;
  /** `UNKNOWN_COLUMN` names the nearest one. */
  column(name: string): Column;
}

/** Texts a table may use for a missing value. */
const COLLATOR = new Intl.Collator("en", { numeric: false, sensitivity: "variant" });

/** Opens data for a model. `COLUMN_LENGTH`, `COLUMN_TYPE`. */
export function openData(data: DataLike): DataSet {
  if (isDataSet(data)) return data;
  if (isTable(data)) return openTable(fromForeign(data));
  const plain = data as Readonly<Record<string, PlainColumn>>;
  const names = Object.keys(plain);
  const rows = names.length === 0 ? 0 : plain[names[0]!]!.length;
  const odd = names.find((n) => plain[n]!.length !== rows);
  if (odd !== undefined)
    throw gamError("COLUMN_LENGTH", `column ${odd} has ${plain[odd]!.length} rows, ${names[0]} has ${rows}`);
  return cached(names, rows, (name) => plainColumn(name, plain[name]!));
}

const DATA_SET = Symbol("data set");

function isDataSet(x: unknown): x is DataSet {
  return typeof x === "object" && x !== null && DATA_SET in x;
}

function cached(names: readonly string[], rows: number, read: (name: string) => Column): DataSet {
  const done = new Map<string, Column>();
  const known = new Set(names);
  const set: DataSet & { [DATA_SET]: true } = {
    [DATA_SET]: true,
    names,
    rows,
    column(name) {
      if (!known.has(name)) throw unknownColumn(name, names);
      let column = done.get(name);
      if (!column) {
        column = read(name);
        done.set(name, column);
      }
      return column;
    },
  };
  return set;
}

function unknownColumn(name: string, names: readonly string[]): Error {
  const near = nearestName(name, names);
  const hint = near === undefined ? "." : `; did you mean ${near}?`;
  const list = `There are: ${names.slice(0, 20).join(", ")}${names.length > 20 ? ", …" : ""}`;
  const there = names.length > 0 ? list : "They have no columns at all.";
  return gamError("UNKNOWN_COLUMN", `the data have no column ${name}${hint} ${there}`, {
    details: { column: name, nearest: near },
  });
}

function openTable(table: Table): DataSet {
  const names = table.schema.fields.map((f) => f.name);
  return cached(names, table.numRows, (name) => vectorColumn(name, table.getChild(name)!));
}

function vectorColumn(name: string, vector: Vector): Column {
  const type = String(vector.type);
  if (/^(Float64|Float32|U?int(8|16|32))$/i.test(type)) {
    const values = new Float64Array(vector.length);
    let at = 0;
    for (const piece of vector.data) {
      values.set(piece.values.subarray(0, piece.length), at);
      if (piece.nullCount > 0)
        for (let i = 0; i < piece.length; i++) if (!piece.getValid(i)) values[at + i] = Number.NaN;
      at += piece.length;
    }
    return { kind: "number", values };
  }
  return plainColumn(name, vector.toArray().length === vector.length ? [...vector] : []);
}

/** A column from plain values: numbers stay numbers, booleans are the factor FALSE/TRUE, texts a factor. */
export function plainColumn(name: string, given: PlainColumn): Column {
  if (given instanceof Float64Array) return { kind: "number", values: given };
  if (ArrayBuffer.isView(given))
    return { kind: "number", values: Float64Array.from(given as ArrayLike<number>, Number) };
  const kinds = new Set<string>();
  for (let i = 0; i < given.length; i++) {
    const v = given[i];
    if (v !== null && v !== undefined) kinds.add(typeof v);
  }
  const only = [...kinds];
  if (only.every((k) => k === "number" || k === "bigint"))
    return {
      kind: "number",
      values: Float64Array.from(given as ArrayLike<number>, (v) => (v == null ? Number.NaN : Number(v))),
    };
  if (only.length > 1 || !["string", "boolean"].includes(only[0]!))
    throw gamError(
      "COLUMN_TYPE",
      `column ${name} holds ${only.join(" and ")} values; numbers, texts or booleans are expected`,
      {
        details: { column: name },
      },
    );
  const texts = Array.from(given as ArrayLike<unknown>, (v) =>
    v == null ? null : typeof v === "boolean" ? String(v).toUpperCase() : String(v),
  );
  return factorOf(texts, only[0] === "boolean" ? ["FALSE", "TRUE"] : undefined);
}

/**
 * A factor of texts (null missing). Levels are sorted (numbers by value, texts as a dictionary of English sorts them,
 * which is what R does) unless given; a text that is no given level becomes missing here.
 */
export function factorOf(texts: readonly (string | null)[], given?: readonly string[]): FactorColumn {
  const levels = given ?? sortLevels([...new Set(texts.filter((t) => t !== null))]);
  const code = new Map(levels.map((l, i) => [l, i]));
  return {
    kind: "factor",
    levels,
    codes: Int32Array.from(texts, (t) => (t === null ? -1 : (code.get(t) ?? -1))),
  };
}

function sortLevels(levels: string[]): string[] {
  const numeric = levels.every((l) => l.trim() !== "" && Number.isFinite(Number(l)));
  return levels.sort(
    numeric ? (a, b) => Number(a) - Number(b) : (a, b) => COLLATOR.compare(a, b) || (a < b ? -1 : 1),
  );
}

/** The same factor over other levels; codes of values outside them are −1 and counted. */
export function recode(
  column: FactorColumn,
  levels: readonly string[],
): { column: FactorColumn; unseen: string[] } {
  const code = new Map(levels.map((l, i) => [l, i]));
  const to = Int32Array.from(column.levels, (l) => code.get(l) ?? -1);
  const used = new Set<number>();
  const codes = column.codes.map((c) => {
    if (c < 0) return -1;
    if (to[c]! < 0) used.add(c);
    return to[c]!;
  });
  return {
    column: { kind: "factor", levels, codes },
    unseen: [...used].sort((a, b) => a - b).map((c) => column.levels[c]!),
  };
}

/** The texts of a factor's rows, null where missing. */
export function factorTexts(column: FactorColumn): (string | null)[] {
  return Array.from(column.codes, (c) => (c < 0 ? null : column.levels[c]!));
}

/** The listed rows of a column. */
export function takeRows(column: Column, rows: Uint32Array): Column {
  if (column.kind === "number") return { kind: "number", values: pick(column.values, rows) };
  return { ...column, codes: pick(column.codes, rows) };
}

/** All rows in their order are the values themselves: nobody writes to a column. */
function pick<T extends Float64Array | Int32Array>(values: T, rows: Uint32Array): T {
  let same = 0;
  while (same < rows.length && rows[same] === same) same++;
  if (same === values.length && same === rows.length) return values;
  const taken = (
    values instanceof Float64Array ? new Float64Array(rows.length) : new Int32Array(rows.length)
  ) as T;
  for (let i = 0; i < rows.length; i++) taken[i] = values[rows[i]!]!;
  return taken;
}

/** A data set of columns that are converted already. */
export function dataSetOf(columns: ReadonlyMap<string, Column>, rows: number): DataSet {
  return cached([...columns.keys()], rows, (name) => columns.get(name)!);
}

/** The listed rows of every column of a data set. */
export function subsetData(data: DataSet, rows: Uint32Array): DataSet {
  return cached(data.names, rows.length, (name) => takeRows(data.column(name), rows));
}
