/** anndata's tables (`obs`, `var`) in every encoding it has used, as Arrow. */
import { dictionaryVector, numericVector, utf8Vector, vectorOf } from "@x/core";
import type { Warn } from "@x/core/base";
import { Dictionary, Int32, makeData, Table, Vector } from "apache-arrow";
import { mosaicFileError } from "./errors.ts";
import { asTexts, attributeText, attributeTexts } from "./numbers.ts";
import { type ArrayNode, type GroupNode, isTexts, type Numbers, type Tree, type Values } from "./tree.ts";

/** A table and the names of its rows. */
export interface Dataframe {
  readonly index: readonly string[];
  readonly table: Table;
}

/** What reading a table needs besides where it is. */
export interface DataframeContext {
  readonly tree: Tree;
  readonly warn: Warn;
}

/**
 * Reads the table at a node: a group of columns, or (before anndata 0.7) one array of records. Columns of kinds that
 * Arrow has no place for are left out with the warning `OBS_COLUMN`.
 */
export async function readDataframe(
  { tree, warn }: DataframeContext,
  node: GroupNode | ArrayNode,
): Promise<Dataframe> {
  if (node.type === "array") return readRecords(tree, node);
  const attributes = await node.attributes();
  const children = await node.children();
  const indexName = attributeText(attributes._index) ?? ["_index", "index"].find((n) => children.includes(n));
  const indexNode = indexName === undefined ? undefined : await node.get(indexName);
  if (indexNode === undefined) throw schemaError(tree, `${node.path} has no index`);
  const index = asTexts(
    indexNode.type === "array" ? await indexNode.read() : await readNullableTexts(tree, indexNode),
  );
  const order = attributeTexts(attributes["column-order"]) ?? children;
  const legacy = await node.get("__categories");
  const columns: Record<string, Vector> = {};
  for (const name of order) {
    if (name === indexName || name === "__categories") continue;
    const column = await node.get(name);
    if (!column) throw schemaError(tree, `${node.path} has no column ${name}, which its column-order names`);
    const categories = legacy?.type === "group" ? await legacy.get(name) : undefined;
    const vector =
      column.type === "group"
        ? await readGroupColumn(tree, column, index.length)
        : categories?.type === "array"
          ? categorical(
              await readRows(tree, column, index.length),
              await categories.read(),
              await isOrdered(categories),
            )
          : column.element === "record" || column.shape.length !== 1
            ? undefined
            : plainColumn(column, await readRows(tree, column, index.length));
    if (vector) columns[name] = vector;
    else
      warn({
        code: "OBS_COLUMN",
        message: `${tree.path}: ${column.path} is no column of numbers, texts or categories; it was left out`,
        details: { column: column.path },
      });
  }
  return { index, table: new Table(columns) };
}

/** All values of a column; `DATASET_SHAPE` unless it has as many as the index. */
async function readRows(tree: Tree, node: ArrayNode, rows: number): Promise<Values> {
  if (node.shape.length === 1 && node.shape[0] === rows) return node.read();
  const message = `${node.path} has ${node.shape.join(" × ")} values for ${rows} rows`;
  throw mosaicFileError("DATASET_SHAPE", tree.path, message, { object: node.path });
}

async function isOrdered(node: GroupNode | ArrayNode): Promise<boolean> {
  return Boolean((await node.attributes()).ordered);
}

async function readGroupColumn(tree: Tree, group: GroupNode, rows: number): Promise<Vector | undefined> {
  const part = async (name: string): Promise<ArrayNode | undefined> => {
    const node = await group.get(name);
    return node?.type === "array" ? node : undefined;
  };
  const [codes, categories] = [await part("codes"), await group.get("categories")];
  if (codes && categories) {
    const levels =
      categories.type === "array" ? await categories.read() : await readNullableTexts(tree, categories);
    return categorical(await readRows(tree, codes, rows), levels, await isOrdered(group));
  }
  const [values, mask] = [await part("values"), await part("mask")];
  if (!values || !mask) return undefined;
  const [data, nulls] = [await readRows(tree, values, rows), (await readRows(tree, mask, rows)) as Numbers];
  if (isTexts(data)) return utf8Vector(data.map((text, i) => (nulls[i] ? null : text)));
  if (values.element === "boolean")
    return vectorOf(Array.from(data as Int8Array, (v, i) => (nulls[i] ? null : Boolean(v))));
  return numericVector(data, nulls as Uint8Array);
}

/** pandas' newer text columns: values and a mask. */
async function readNullableTexts(tree: Tree, group: GroupNode): Promise<string[]> {
  const [values, mask] = [await group.get("values"), await group.get("mask")];
  if (values?.type === "array") {
    const missing = mask?.type === "array" ? await mask.read() : [];
    const first = Array.from(missing as ArrayLike<unknown>, Number).indexOf(1);
    if (first >= 0)
      throw schemaError(tree, `${group.path} has no text in place ${first + 1}, and names need one`);
    return asTexts(await values.read());
  }
  throw schemaError(tree, `${group.path} is no list of texts`);
}

function plainColumn(node: ArrayNode, values: Values): Vector {
  if (isTexts(values)) return utf8Vector(values);
  if (node.element === "boolean") return vectorOf(Array.from(values as Int8Array, Boolean));
  return numericVector(values);
}

/** Codes into categories; negative codes are missing. */
function categorical(codes: Values, categories: Values, ordered: boolean): Vector {
  const keys = Int32Array.from(codes as Int32Array, Number);
  const nulls = Uint8Array.from(keys, (key) => (key < 0 || key >= categories.length ? 1 : 0));
  const dictionary = isTexts(categories) ? utf8Vector(categories) : numericVector(categories);
  const type = new Dictionary(dictionary.type, new Int32(), null, ordered);
  const flags = numericVector(new Int8Array(keys.length), nulls).data[0]!;
  return new Vector([
    makeData({
      type,
      length: keys.length,
      nullCount: flags.nullCount,
      nullBitmap: flags.nullCount > 0 ? flags.nullBitmap : null,
      data: keys.map((key) => Math.max(0, key)),
      dictionary,
    } as never),
  ]);
}

/** Before anndata 0.7 a table was one array of records, and categories lay in `uns/<column>_categories`. */
async function readRecords(tree: Tree, node: ArrayNode): Promise<Dataframe> {
  const indexName = ["index", "_index"].find((name) => node.fields.includes(name)) ?? node.fields[0];
  if (indexName === undefined) throw schemaError(tree, `${node.path} is neither a table nor records`);
  const columns: Record<string, Vector> = {};
  for (const name of node.fields) {
    if (name === indexName) continue;
    const values = await node.readField(name);
    const levels = await tree.root.get(`uns/${name}_categories`);
    if (levels?.type === "array" && levels.shape.length === 1 && !isTexts(values))
      columns[name] = categorical(values, await levels.read(), false);
    else columns[name] = isTexts(values) ? dictionaryVector(values) : numericVector(values);
  }
  return { index: asTexts(await node.readField(indexName)), table: new Table(columns) };
}

/** `H5AD_SCHEMA`: a file that can be read, but is not what it should be. */
export function schemaError(tree: Tree, message: string): Error {
  return mosaicFileError("H5AD_SCHEMA", tree.path, message);
}
