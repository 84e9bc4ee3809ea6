import { readDataframe, schemaError } from "./dataframe.ts";
import { assembleDataset, kindOf, type Modality, type MosaicDataset } from "./dataset.ts";
import { mosaicFileError } from "./errors.ts";
import { openHdf5 } from "./hdf5/open.ts";
import { attributeNumbers, toFloat64 } from "./numbers.ts";
import { fullPlaces, mudataKind, type Place, type Places } from "./places.ts";
import {
  availability,
  FeatureNames,
  openAt,
  placedModality,
  type ReadOptions,
  warnUnmeasured,
} from "./read-anndata.ts";
import type { Tree } from "./tree.ts";

/**
 * Opens an `.h5mu` file (MuData): every modality has its own cells, the data set has all of them, and a cell lacks a
 * modality where the file's `obsmap` has no row for it. Modalities called `rna`, `gex`, `atac`, `adt`, `prot` … are
 * found; others need a place: `{ mine: { at: "mod/mine/X", kind: "rna" } }`. Errors as `readH5ad`.
 */
export async function readH5mu(
  path: string,
  places?: Places,
  options: ReadOptions = {},
): Promise<MosaicDataset> {
  const tree = await openHdf5(path);
  try {
    const warn = options.warn ?? (() => {});
    const context = { tree, warn };
    const [mod, obsNode] = [await tree.root.get("mod"), await tree.root.get("obs")];
    if (mod?.type !== "group" || !obsNode)
      throw schemaError(tree, "this is no MuData: it has no mod or no obs");
    if (attributeNumbers((await tree.root.attributes()).axis)?.[0] === 1)
      throw schemaError(tree, "the modalities share their features, not their cells (axis 1)");
    const obs = await readDataframe(context, obsNode);
    const wanted = places ?? (await foundPlaces(tree, await mod.children(), options));
    const names = new FeatureNames(tree, warn);
    const modalities: Modality[] = [];
    for (const [name, place] of fullPlaces(wanted)) {
      const matrix = await openAt(tree, place.at, options.memoryLimit);
      const part = /^\/?mod\/([^/]+)\//.exec(place.at)?.[1];
      const rowOf = part === undefined ? undefined : await rowsOf(tree, part, obs.index, matrix.rows);
      const measured = availability(obs.table, name, place, obs.index.length);
      const available = rowOf ? measured.map((flag, i) => (rowOf[i]! >= 0 ? flag : 0)) : measured;
      const features = await names.of(name, place, matrix);
      const kind = kindOf(name, place.kind);
      modalities.push(
        placedModality({ name, kind, matrix, features, available, ...(rowOf ? { rowOf } : {}) }),
      );
    }
    warnUnmeasured(modalities, path, warn);
    return assembleDataset({
      cellIds: obs.index,
      obs: obs.table,
      modalities,
      batchKey: options.batchKey,
      allowEmpty: options.allowEmpty ?? false,
      path,
      close: () => tree[Symbol.asyncDispose](),
    });
  } catch (e) {
    await tree[Symbol.asyncDispose]();
    throw e;
  }
}

async function foundPlaces(tree: Tree, children: readonly string[], options: ReadOptions): Promise<Places> {
  const places: Record<string, Place> = {};
  for (const child of children) {
    const kind = mudataKind(child);
    if (kind !== undefined && places[kind] === undefined) {
      const counts = await tree.root.get(`mod/${child}/layers/counts`);
      places[kind] = { at: `mod/${child}/${counts ? "layers/counts" : "X"}` };
      continue;
    }
    const message = `${tree.path}: modality ${child} has a name we do not know and was left out; give its place and kind`;
    options.warn?.({ code: "MODALITY_UNKNOWN", message, details: { modality: child } });
  }
  if (Object.keys(places).length > 0) return places;
  throw mosaicFileError(
    "MODALITY_UNKNOWN",
    tree.path,
    `none of its modalities (${children.join(", ")}) has a name we know; say which is what: { rna: "mod/${children[0]}/X" }`,
  );
}

/** Row in the modality of each cell, by `obsmap` (rows from 1, 0 = none), else by name. */
async function rowsOf(tree: Tree, part: string, cells: readonly string[], rows: number): Promise<Int32Array> {
  const map = await tree.root.get(`obsmap/${part}`);
  if (map?.type === "array" && map.shape[0] === cells.length) {
    const from1 = toFloat64(await map.read(), map.path);
    if (from1.length === cells.length && from1.every((row) => row >= 0 && row <= rows))
      return Int32Array.from(from1, (row) => row - 1);
    throw mosaicFileError("DATASET_SHAPE", tree.path, `obsmap/${part} points to rows that are not there`);
  }
  const node = await tree.root.get(`mod/${part}/obs`);
  if (!node) throw schemaError(tree, `mod/${part} has no obs`);
  const { index } = await readDataframe({ tree, warn: () => {} }, node);
  const at = new Map(index.map((name, i) => [name, i]));
  return Int32Array.from(cells, (name) => at.get(name) ?? -1);
}
