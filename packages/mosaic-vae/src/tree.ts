/** What HDF5 files and zarr stores have in common: named groups of arrays, both with attributes. */

/** Numbers as stored; 8-bit integers also stand for booleans. */
export type Numbers =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/** What a read gives: numbers, texts, or the columns of a table of records. */
export type Values = Numbers | readonly string[];

/** What an attribute holds: one value, or several. */
export type Attribute = string | number | bigint | boolean | Values | null;

/** Attributes by name. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** What the elements of an array are. */
export type ElementKind = "number" | "boolean" | "string" | "record";

/** An array in the file. */
export interface ArrayNode {
  readonly type: "array";
  /** Its name from the root, e.g. `/obs/batch`. */
  readonly path: string;
  /** Lengths, slowest axis first; [] for a single value. */
  readonly shape: readonly number[];
  readonly element: ElementKind;
  /** How numbers are stored, e.g. `float32`, `int64`, `bool`; `string` for texts. */
  readonly dtype: string;
  /** Names of a record's fields. */
  readonly fields: readonly string[];
  /** Bytes of one element in memory; 8 for texts. */
  readonly elementBytes: number;
  /** Compression and other filters, by name. */
  readonly filters: readonly string[];
  attributes(): Promise<Attributes>;
  /** Elements [start, end) of the first axis, row-major; everything by default. */
  read(start?: number, end?: number, signal?: AbortSignal): Promise<Values>;
  /** One field of all records. */
  readField(name: string): Promise<Values>;
}

/** A group of arrays and groups. */
export interface GroupNode {
  readonly type: "group";
  readonly path: string;
  attributes(): Promise<Attributes>;
  /** Names in it, sorted. */
  children(): Promise<readonly string[]>;
  /** A child, or a path of children `a/b/c`; undefined where there is none. */
  get(path: string): Promise<GroupNode | ArrayNode | undefined>;
}

/** An open file or store. */
export interface Tree extends AsyncDisposable {
  /** Of the file, for messages. */
  readonly path: string;
  /** In words: `HDF5`, `zarr`. */
  readonly format: string;
  readonly root: GroupNode;
}

/** Is it a list of texts? */
export function isTexts(values: Values): values is readonly string[] {
  return Array.isArray(values);
}
