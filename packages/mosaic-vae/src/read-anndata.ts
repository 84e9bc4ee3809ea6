/** Modalities of an anndata tree, in HDF5 or zarr, as a data set. */
import type { Warn } from "@x/core/base";
import type { Table } from "apache-arrow";
import { type CsrBlock, mapColumns, stackRows } from "./csr.ts";
import { type Dataframe, readDataframe, schemaError } from "./dataframe.ts";
import {
  assembleDataset,
  checkRows,
  columnTexts,
  kindOf,
  type Modality,
  type ModalityKind,
  type MosaicDataset,
} from "./dataset.ts";
import { mosaicError, mosaicFileError } from "./errors.ts";
import { type Matrix, openMatrix } from "./matrix.ts";
import { asTexts } from "./numbers.ts";
import { findPlaces, fullPlaces, nameLists, type Place, type Places } from "./places.ts";
import type { Tree } from "./tree.ts";

/** Options of all readers. */
export interface ReadOptions {
  /** Column of `obs` that holds the batch. */
  batchKey?: string;
  /** Keep cells that have no modality at all (they embed at the prior); `NO_MODALITY` by default. */
  allowEmpty?: boolean;
  /** Bytes this reader may plan with: matrices stored by columns are turned in bands of a quarter of it. */
  memoryLimit?: number;
  /** Stops the reading of what is read at once (names, tables). */
  signal?: AbortSignal;
  /** Receives what was left out or renamed. */
  warn?: Warn;
}

/** A matrix placed among the cells of a data set. */
export interface Placed {
  readonly name: string;
  readonly kind: ModalityKind;
  readonly matrix: Matrix;
  /** Names of the columns that belong to it. */
  readonly features: readonly string[];
  readonly available: Uint8Array;
  /** Row of the matrix of each cell, −1 where it has none; undefined where rows are cells. */
  readonly rowOf?: Int32Array;
}

/** The data set of a tree that was read as anndata; the tree is closed with it, or at once when this fails. */
export async function readAnndata(
  tree: Tree,
  places: Places | undefined,
  options: ReadOptions,
): Promise<MosaicDataset> {
  try {
    const warn = options.warn ?? (() => {});
    const { obs, table } = await readCells(tree, warn);
    const names = new FeatureNames(tree, warn);
    const wanted =
      places ??
      (await findPlaces(tree.root, await names.featureTypes("var"), (name) => anyMeasured(table, name)));
    const modalities: Modality[] = [];
    for (const [name, place] of fullPlaces(wanted)) {
      const matrix = await openAt(tree, place.at, options.memoryLimit);
      if (matrix.rows !== obs.index.length) {
        const message = `${place.at} has ${matrix.rows} rows for ${obs.index.length} cells`;
        throw mosaicFileError("DATASET_SHAPE", tree.path, message, { object: place.at });
      }
      const columns = await names.selection(place);
      const all = await names.of(name, place, matrix);
      const features = columns ? Array.from(columns, (j) => all[j]!) : all;
      const available = availability(table, name, place, matrix.rows);
      modalities.push(
        placedModality({ name, kind: kindOf(name, place.kind), matrix, features, available }, columns),
      );
    }
    if (modalities.length === 0)
      throw schemaError(
        tree,
        "no modality was found: there is neither X, layers/counts nor a matrix in obsm that we know by name; say where they are",
      );
    warnUnmeasured(modalities, tree.path, warn);
    return assembleDataset({
      cellIds: obs.index,
      obs: table,
      modalities,
      batchKey: options.batchKey,
      allowEmpty: options.allowEmpty ?? false,
      path: tree.path,
      close: () => tree[Symbol.asyncDispose](),
    });
  } catch (e) {
    await tree[Symbol.asyncDispose]();
    throw e;
  }
}

/** The table of cells; `H5AD_SCHEMA` for a file that is no anndata. */
async function readCells(tree: Tree, warn: Warn): Promise<{ obs: Dataframe; table: Table }> {
  const children = await tree.root.children();
  const missing = ["obs", "var"].filter((name) => !children.includes(name));
  if (missing.length > 0) {
    const found = children.slice(0, 8).join(", ") || "nothing";
    throw schemaError(
      tree,
      `this is ${tree.format} but no anndata: it has no ${missing.join(" and no ")}; there is ${found}`,
    );
  }
  for (const name of ["layers", "obsm"]) {
    const node = await tree.root.get(name);
    if (node?.type === "group") await node.children(); // refuses links out of the file
  }
  const obs = await readDataframe({ tree, warn }, (await tree.root.get("obs"))!);
  return { obs, table: obs.table };
}

/** Opens the matrix at a path; `H5AD_SCHEMA` where there is none. */
export async function openAt(tree: Tree, at: string, memoryLimit: number | undefined): Promise<Matrix> {
  const node = await tree.root.get(at);
  if (node) return openMatrix(tree, node, memoryLimit);
  const folder = at.includes("/") ? at.slice(0, at.lastIndexOf("/")) : "";
  const parent = await tree.root.get(folder);
  const there = parent?.type === "group" ? (await parent.children()).join(", ") : "";
  throw schemaError(tree, `there is no ${at}${there ? `; ${folder || "the file"} has ${there}` : ""}`);
}

/** 1 where a cell was measured, by the column the place names or `has_<name>`. */
export function availability(obs: Table, name: string, place: Place, cells: number): Uint8Array {
  const column = place.available ?? (obs.getChild(`has_${name}`) ? `has_${name}` : undefined);
  if (column === undefined) return new Uint8Array(cells).fill(1);
  return Uint8Array.from(columnTexts(obs, column), (text, row) => {
    if (text === null || /^(false|f|no|n|0(\.0*)?|)$/i.test(text)) return 0;
    if (/^(true|t|yes|y|1(\.0*)?)$/i.test(text)) return 1;
    const message = `obs column ${column} says ${JSON.stringify(text)} of cell ${row + 1}; true, yes, y, t, 1 is measured, false, no, n, f, 0 or nothing is not`;
    throw mosaicError("OBS_COLUMN", message, { details: { column, row, value: text } });
  });
}

/** `MODALITY_EMPTY` for a modality that no cell has. */
export function warnUnmeasured(modalities: readonly Modality[], path: string, warn: Warn): void {
  for (const { name, available } of modalities)
    if (available.length > 0 && !available.includes(1)) {
      const message = `${path}: no cell has ${name}, says its column of obs`;
      warn({ code: "MODALITY_EMPTY", message, details: { modality: name } });
    }
}

/** Does `obs/has_<name>` say that any cell was measured? Undefined where there is no such column. */
function anyMeasured(obs: Table, name: string): boolean | undefined {
  if (!obs.getChild(`has_${name}`)) return undefined;
  return availability(obs, name, { at: "" }, obs.numRows).some((flag) => flag === 1);
}

/** Names of features, read once for each table. */
export class FeatureNames {
  readonly #tree: Tree;
  readonly #warn: Warn;
  readonly #tables = new Map<string, Promise<Dataframe | undefined>>();

  constructor(tree: Tree, warn: Warn) {
    this.#tree = tree;
    this.#warn = warn;
  }

  #table(path: string): Promise<Dataframe | undefined> {
    let table = this.#tables.get(path);
    if (!table) {
      table = this.#tree.root
        .get(path)
        .then((node) => node && readDataframe({ tree: this.#tree, warn: this.#warn }, node));
      this.#tables.set(path, table);
    }
    return table;
  }

  /** `feature_types` of a table of features; [] where it has none. */
  async featureTypes(path: string): Promise<readonly string[]> {
    const table = (await this.#table(path))?.table;
    const name = ["feature_types", "feature_type", "modality"].find((n) => table?.getChild(n));
    return table && name !== undefined ? columnTexts(table, name).map((v) => v ?? "") : [];
  }

  /** Names of a matrix's columns, each once. */
  async of(name: string, place: Place, matrix: Matrix): Promise<readonly string[]> {
    const names = await this.#find(name, place, matrix);
    if (names.length !== matrix.columns) {
      const message = `${place.at} has ${matrix.columns} columns, ${place.features ?? "its table"} names ${names.length}`;
      throw mosaicFileError("DATASET_SHAPE", this.#tree.path, message, { object: place.at });
    }
    return makeUnique(names, `${this.#tree.path}: ${name}`, this.#warn);
  }

  async #find(name: string, place: Place, matrix: Matrix): Promise<readonly string[]> {
    const { at } = place;
    if (place.features !== undefined) {
      const list = await this.#list(place.features);
      if (list) return list;
      throw schemaError(this.#tree, `there is no list of names at ${place.features}`);
    }
    if (matrix.names) return matrix.names;
    if (!/(^|\/)obsm\//.test(at)) {
      const table = await this.#table(tableOf(at));
      if (table) return table.index;
    } else
      for (const path of nameLists(name, at)) {
        const list = await this.#list(path);
        if (list?.length === matrix.columns) return list;
      }
    this.#warn({
      code: "FEATURE_NAMES",
      message: `${this.#tree.path}: ${at} has no names for its columns; they are called ${name}_1 to ${name}_${matrix.columns}`,
      details: { modality: name, at },
    });
    return Array.from({ length: matrix.columns }, (_, i) => `${name}_${i + 1}`);
  }

  async #list(path: string): Promise<string[] | undefined> {
    const node = await this.#tree.root.get(path);
    if (node?.type === "array" && node.shape.length === 1) return asTexts(await node.read());
    return node?.type === "group" ? [...((await this.#table(path))?.index ?? [])] : undefined;
  }

  /** Which columns of the matrix belong to the place, for places that take one type of features. */
  async selection(place: Place): Promise<Int32Array | undefined> {
    if (place.featureType === undefined) return undefined;
    const types = await this.featureTypes(tableOf(place.at));
    return Int32Array.from(types.flatMap((type, i) => (type === place.featureType ? [i] : [])));
  }
}

/** The table that names the columns of `X`, `layers/…` and `raw/X`, beside the matrix. */
function tableOf(at: string): string {
  return at.replace(/(^|\/)(layers\/[^/]+|X)$/, "$1var");
}

/** Repeated names get `-1`, `-2` … as anndata's own `make_unique` does; the warning `DUP_FEATURE` counts them. */
export function makeUnique(names: readonly string[], where: string, warn: Warn): readonly string[] {
  const taken = new Set(names);
  if (taken.size === names.length) return names;
  const seen = new Map<string, number>();
  const unique = names.map((name) => {
    let count = seen.get(name);
    if (count === undefined) {
      seen.set(name, 0);
      return name;
    }
    let next: string;
    do next = `${name}-${++count}`;
    while (taken.has(next));
    taken.add(next);
    seen.set(name, count);
    return next;
  });
  warn({
    code: "DUP_FEATURE",
    message: `${where}: ${names.length - new Set(names).size} features share their name with an earlier one; -1, -2 … were added`,
    details: { repeated: names.length - new Set(names).size },
  });
  return unique;
}

/** A modality that reads from its file: all columns of its matrix, or some. */
export function placedModality(p: Placed, columns?: Int32Array): Modality {
  const cells = p.available.length;
  return {
    name: p.name,
    kind: p.kind,
    features: p.features,
    available: p.available,
    async rows(start, end, options) {
      checkRows(start, end, cells, p.name);
      const block = p.rowOf
        ? await readScattered(p.matrix, p.rowOf.subarray(start, end), options?.signal)
        : await p.matrix.read(start, end, options?.signal);
      return columns ? selectColumns(block, columns) : block;
    },
  };
}

/** Rows of a matrix in another order; −1 gives an empty row. Rows that lie together are read together. */
async function readScattered(matrix: Matrix, rows: Int32Array, signal?: AbortSignal): Promise<CsrBlock> {
  const parts: CsrBlock[] = [];
  for (let i = 0; i < rows.length; ) {
    let j = i + 1;
    if (rows[i]! < 0) {
      while (j < rows.length && rows[j]! < 0) j++;
      const empty = { rows: j - i, columns: matrix.columns, indptr: new Int32Array(j - i + 1) };
      parts.push({ ...empty, indices: new Int32Array(0), values: new Float32Array(0) });
    } else {
      while (j < rows.length && rows[j] === rows[j - 1]! + 1) j++;
      parts.push(await matrix.read(rows[i]!, rows[j - 1]! + 1, signal));
    }
    i = j;
  }
  return stackRows(parts, matrix.columns);
}

/** Some columns of a block, in increasing order. */
function selectColumns(block: CsrBlock, columns: Int32Array): CsrBlock {
  const to = new Int32Array(block.columns).fill(-1);
  columns.forEach((column, j) => {
    to[column] = j;
  });
  return mapColumns(block, to, columns.length);
}
