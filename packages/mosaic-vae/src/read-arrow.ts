import { fromForeign, readIpcFile, type TableLike } from "@x/core";
import { DataType, type Table } from "apache-arrow";
import { type CsrBlock, denseToCsr, gatherRows } from "./csr.ts";
import { kindOf, type ModalityKind, type MosaicDataset, mosaicDataset } from "./dataset.ts";
import { mosaicError } from "./errors.ts";
import type { ReadOptions } from "./read-anndata.ts";

/** An Arrow table of cells and what its numbers are. */
export interface ArrowTable {
  /** A table, IPC bytes, or the path of an Arrow file. */
  data: TableLike | string;
  /** What its numbers are. */
  kind: ModalityKind;
}

/** One modality as Arrow; its kind is needed unless its name is `rna`, `atac` or `adt`. */
export type ArrowModality = TableLike | string | ArrowTable;

/** Options of `readArrow`. */
export interface ReadArrowOptions extends ReadOptions {
  /** What is known of each cell; its first text column names the cells. */
  obs?: TableLike | string;
}

/**
 * Cells from Arrow tables, one a modality, one row a cell, the first text column naming it. Either every other numeric
 * column is a feature (null is 0), or `indices: List<Int32>` and `values: List<Float32>` hold the row sparsely and the
 * schema's metadata `features` lists the names as JSON. The data set has all cells of all tables (and of `obs`, in its
 * order first); a cell lacks a modality whose table does not have it. Errors: `DATASET_SHAPE`, `DUP_SAMPLE`,
 * `NO_MODALITY`, `CSR_INDEX`, and those of reading Arrow files. Matrices lie in memory.
 */
export async function readArrow(
  modalities: Readonly<Record<string, ArrowModality>>,
  options: ReadArrowOptions = {},
): Promise<MosaicDataset> {
  const parts: { name: string; kind: ModalityKind; ids: string[]; features: string[]; block: CsrBlock }[] =
    [];
  for (const [name, given] of Object.entries(modalities)) {
    const wrapped = typeof given === "object" && "kind" in given && "data" in given;
    const table = await asTable(wrapped ? given.data : (given as TableLike | string));
    const kind = kindOf(name, wrapped ? given.kind : undefined);
    parts.push({ name, kind, ...readMatrix(name, table) });
  }
  const obs = options.obs === undefined ? undefined : await asTable(options.obs);
  const known = obs ? cellNames("obs", obs).ids : [];
  const place = new Map(known.map((id, i) => [id, i]));
  for (const { ids } of parts) for (const id of ids) if (!place.has(id)) place.set(id, place.size);
  if (obs && place.size > known.length) {
    const extra = [...place.keys()].slice(known.length);
    const message = `${extra.length} cells are in a modality but not in obs: ${extra.slice(0, 3).join(", ")}`;
    throw mosaicError("DATASET_SHAPE", message, { details: { cells: extra.length } });
  }
  if (new Set(known).size !== known.length) refuseTwice("obs", known);
  return mosaicDataset({
    cellIds: [...place.keys()],
    ...(obs ? { obs } : {}),
    batchKey: options.batchKey,
    allowEmpty: options.allowEmpty ?? false,
    modalities: Object.fromEntries(
      parts.map(({ name, kind, ids, features, block }) => {
        // One more row, empty, for the cells that are not in this table.
        const rowOf = new Int32Array(place.size).fill(ids.length);
        ids.forEach((id, row) => {
          rowOf[place.get(id)!] = row;
        });
        const padded = {
          ...block,
          rows: ids.length + 1,
          indptr: Int32Array.of(...block.indptr, block.indices.length),
        };
        const available = Uint8Array.from(rowOf, (row) => (row < ids.length ? 1 : 0));
        return [name, { kind, features, values: gatherRows(padded, rowOf), available }];
      }),
    ),
  });
}

function asTable(data: TableLike | string): Promise<Table> | Table {
  return typeof data === "string" ? readIpcFile(data) : fromForeign(data);
}

function cellNames(name: string, table: Table): { ids: string[]; column: string } {
  const isText = (type: DataType): boolean =>
    DataType.isUtf8(type) || (DataType.isDictionary(type) && DataType.isUtf8(type.dictionary));
  const field = table.schema.fields.find((f) => isText(f.type));
  if (!field) throw mosaicError("DATASET_SHAPE", `${name} has no text column that names its cells`);
  return { ids: Array.from(table.getChild(field.name)!, String), column: field.name };
}

function refuseTwice(name: string, ids: readonly string[]): never {
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  throw mosaicError("DUP_SAMPLE", `${name} has cell ${twice} twice`, { details: { name: twice } });
}

function readMatrix(name: string, table: Table): { ids: string[]; features: string[]; block: CsrBlock } {
  const { ids, column } = cellNames(name, table);
  if (new Set(ids).size !== ids.length) refuseTwice(name, ids);
  const [indices, values] = [table.getChild("indices"), table.getChild("values")];
  const listed = table.schema.metadata.get("features");
  if (indices && values && listed !== undefined) {
    const features = JSON.parse(listed) as string[];
    const indptr = new Int32Array(ids.length + 1);
    const rows = ids.map((_, i) => ({ at: indices.get(i), of: values.get(i) }));
    rows.forEach(({ at, of }, i) => {
      if (at?.length !== of?.length)
        throw mosaicError("CSR_INDPTR", `${name}: row ${i + 1} has unequal lists`);
      indptr[i + 1] = indptr[i]! + (at?.length ?? 0);
    });
    const block: CsrBlock = {
      rows: ids.length,
      columns: features.length,
      indptr,
      indices: Int32Array.from(rows.flatMap(({ at }) => Array.from(at ?? [], Number))),
      values: Float32Array.from(rows.flatMap(({ of }) => Array.from(of ?? [], Number))),
    };
    return { ids, features, block };
  }
  const fields = table.schema.fields.filter(
    (f) => f.name !== column && (DataType.isInt(f.type) || DataType.isFloat(f.type)),
  );
  const dense = new Float32Array(ids.length * fields.length);
  fields.forEach((field, j) => {
    let row = 0;
    for (const value of table.getChild(field.name)!) dense[row++ * fields.length + j] = Number(value ?? 0);
  });
  const block = denseToCsr(dense, ids.length, fields.length, name);
  return { ids, features: fields.map((f) => f.name), block };
}
