/** Arrow tables as anndata's tables. */
import { DataType, type Dictionary, type Table, type Vector } from "apache-arrow";
import { mosaicError } from "./errors.ts";
import type { WriteType } from "./hdf5/encode.ts";
import type { Hdf5Writer, WriteAttribute } from "./hdf5/write.ts";

/** What anndata calls an encoding: its name and version. */
export function encoding(type: string, version: string): Record<string, WriteAttribute> {
  return { "encoding-type": type, "encoding-version": version };
}

/** Writes a list of texts. */
export function writeTexts(file: Hdf5Writer, path: string, texts: readonly string[]): Promise<void> {
  const attributes = encoding("string-array", "0.2.0");
  return file.array(path, { type: "text", shape: [texts.length], attributes }, texts);
}

/** Writes a table with the names of its rows. */
export async function writeDataframe(
  file: Hdf5Writer,
  path: string,
  index: readonly string[],
  table: Table | undefined,
): Promise<void> {
  const names = table?.schema.fields.map((f) => f.name) ?? [];
  const order: WriteAttribute =
    names.length > 0
      ? { type: "text", shape: [names.length], values: names }
      : { type: "float64", shape: [0], values: new Float64Array(0) };
  file.group(path, { ...encoding("dataframe", "0.2.0"), _index: "_index", "column-order": order });
  await writeTexts(file, `${path}/_index`, index);
  for (const name of names) {
    if (name.includes("/") || name === "_index")
      throw mosaicError(
        "OBS_COLUMN",
        `a column cannot be called ${JSON.stringify(name)} in an .h5ad file; rename it`,
      );
    await writeColumn(file, `${path}/${name}`, table!.getChild(name)!);
  }
}

async function writeColumn(file: Hdf5Writer, path: string, column: Vector): Promise<void> {
  const { type, length } = column;
  if (DataType.isDictionary(type)) {
    const [codes, levels] = dictionaryCodes(column);
    return writeCategorical(file, path, codes, levels, (type as Dictionary).isOrdered);
  }
  if (DataType.isUtf8(type)) {
    const texts = Array.from(column as Iterable<string | null>);
    if (!texts.includes(null)) return writeTexts(file, path, texts as string[]);
    // Texts with gaps: as categories they open in every version of anndata.
    const levels = [...new Set(texts.filter((t) => t !== null))].sort((a, b) => (a < b ? -1 : 1));
    const place = new Map<string | null, number>(levels.map((t, i) => [t, i]));
    return writeCategorical(
      file,
      path,
      texts.map((t) => place.get(t) ?? -1),
      levels,
      false,
    );
  }
  const values = Array.from(column as Iterable<number | bigint | boolean | null>);
  const nulls = values.some((v) => v === null);
  if (DataType.isBool(type)) {
    const bools = Uint8Array.from(values, (v) => (v ? 1 : 0));
    return nulls
      ? writeNullable(file, path, "nullable-boolean", "bool", bools, values)
      : file.array(path, { type: "bool", shape: [length], attributes: encoding("array", "0.2.0") }, bools);
  }
  if (DataType.isFloat(type)) {
    const single = type.precision === 1;
    const floats = values.map((v) => (v === null ? Number.NaN : Number(v)));
    const spec = {
      type: (single ? "float32" : "float64") as WriteType,
      shape: [length],
      attributes: encoding("array", "0.2.0"),
    };
    return file.array(path, spec, single ? Float32Array.from(floats) : Float64Array.from(floats));
  }
  if (!DataType.isInt(type))
    throw mosaicError("OBS_COLUMN", `column ${path} is ${type}, which has no place in an .h5ad file`);
  const kind = `${type.isSigned ? "int" : "uint"}${type.bitWidth}` as WriteType;
  const Array_ = type.ArrayType as Int32ArrayConstructor;
  const ints = Array_.from(values.map((v) => v ?? (type.bitWidth === 64 ? 0n : 0)) as number[]);
  return nulls
    ? writeNullable(file, path, "nullable-integer", kind, ints, values)
    : file.array(path, { type: kind, shape: [length], attributes: encoding("array", "0.2.0") }, ints);
}

async function writeNullable(
  file: Hdf5Writer,
  path: string,
  name: string,
  type: WriteType,
  data: ArrayBufferView,
  values: readonly unknown[],
): Promise<void> {
  file.group(path, encoding(name, "0.1.0"));
  const attributes = encoding("array", "0.2.0");
  const mask = Uint8Array.from(values, (v) => (v === null ? 1 : 0));
  await file.array(`${path}/values`, { type, shape: [values.length], attributes }, data);
  await file.array(`${path}/mask`, { type: "bool", shape: [values.length], attributes }, mask);
}

async function writeCategorical(
  file: Hdf5Writer,
  path: string,
  codes: readonly number[],
  levels: readonly string[] | readonly number[],
  ordered: boolean,
): Promise<void> {
  file.group(path, { ...encoding("categorical", "0.2.0"), ordered });
  const attributes = encoding("array", "0.2.0");
  const [type, data] =
    levels.length < 128
      ? (["int8", Int8Array.from(codes)] as const)
      : levels.length < 32768
        ? (["int16", Int16Array.from(codes)] as const)
        : (["int32", Int32Array.from(codes)] as const);
  await file.array(`${path}/codes`, { type, shape: [codes.length], attributes }, data);
  if (levels.every((level) => typeof level === "string"))
    return writeTexts(file, `${path}/categories`, levels);
  const numbers = levels as readonly number[];
  const whole = numbers.every(Number.isSafeInteger);
  const values = whole ? BigInt64Array.from(numbers, BigInt) : Float64Array.from(numbers);
  const spec = { type: (whole ? "int64" : "float64") as WriteType, shape: [levels.length], attributes };
  return file.array(`${path}/categories`, spec, values);
}

/** Codes into one list of levels; each chunk of a column may have a dictionary of its own. */
function dictionaryCodes(column: Vector): [codes: number[], levels: string[] | number[]] {
  const place = new Map<string | number, number>();
  const level = (value: unknown): number => {
    const key = typeof value === "bigint" ? Number(value) : (value as string | number);
    let code = place.get(key);
    if (code === undefined) {
      code = place.size;
      place.set(key, code);
    }
    return code;
  };
  for (const data of column.data) for (const value of data.dictionary ?? []) level(value);
  const codes = Array.from(column, (value) => (value === null ? -1 : level(value)));
  return [codes, [...place.keys()] as string[] | number[]];
}
