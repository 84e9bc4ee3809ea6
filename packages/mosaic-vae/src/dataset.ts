/** Cells with any subset of modalities: what every reader gives and everything else takes. */
import { sha256Hex, tableFromColumns } from "@x/core";
import type { Table } from "apache-arrow";
import { type CsrBlock, checkCsr, denseToCsr, sliceRows } from "./csr.ts";
import { mosaicError } from "./errors.ts";

/** What a modality's numbers are: gene expression, open chromatin, surface proteins. */
export type ModalityKind = "rna" | "atac" | "adt";

/** Options of `Modality.rows`. */
export interface RowsOptions {
  /** Stops the read. */
  signal?: AbortSignal | undefined;
}

/** One matrix of cells × features, read by rows. */
export interface Modality {
  /** As registered: `rna`, `atac`, `adt` or a name of the user's. */
  readonly name: string;
  /** What its numbers are. */
  readonly kind: ModalityKind;
  /** Names of the columns, each once. */
  readonly features: readonly string[];
  /** 1 where the cell was measured. A measured cell may hold zeros only; an unmeasured row means nothing. */
  readonly available: Uint8Array;
  /** Rows [start, end); `ROW_RANGE` outside the cells. Numbers are as stored; `checkCounts` looks at them. */
  rows(start: number, end: number, options?: RowsOptions): Promise<CsrBlock>;
}

/** One modality of a registry. */
export interface RegisteredModality {
  /** Its name. */
  readonly name: string;
  /** Its kind. */
  readonly kind: string;
  /** Names of its columns, in the order in which a model takes them. */
  readonly features: readonly string[];
  /** SHA-256 of the names in order. */
  readonly hash: string;
}

/** Which features, in which order, and which batches: what a model remembers of the data it was trained on. */
export interface Registry {
  /** The modalities in the order of the data set. */
  readonly modalities: readonly RegisteredModality[];
  /** Names of the batches; a cell's batch is its place in this list. */
  readonly batches: readonly string[];
}

/** Cells, what is known of each, and their modalities. Dispose it to close the file behind. */
export interface MosaicDataset extends AsyncDisposable {
  /** Number of cells. */
  readonly cells: number;
  /** Name of each cell, each once. */
  readonly cellIds: readonly string[];
  /** One row a cell. */
  readonly obs: Table;
  /** Matrices by name. */
  readonly modalities: ReadonlyMap<string, Modality>;
  /** Features and batches. */
  readonly registry: Registry;
  /** Column of `obs` that holds the batch. */
  readonly batchKey?: string;
}

/** One modality in memory. */
export interface ModalityData {
  /** What its numbers are; needed unless its name is `rna`, `atac` or `adt`. */
  kind?: ModalityKind;
  /** Names of the columns. */
  features: readonly string[];
  /** Cells × features: row-major numbers, or rows compressed. Shared, not copied. */
  values: Float32Array | CsrBlock;
  /** 1 (or true) where the cell was measured; all by default. */
  available?: ArrayLike<number | boolean>;
}

/** What `mosaicDataset` makes a data set of. */
export interface MosaicData {
  /** Name of each cell. */
  cellIds: readonly string[];
  /** One row a cell; no columns by default. */
  obs?: Table;
  /** Matrices by name. */
  modalities: Readonly<Record<string, ModalityData>>;
  /** Column of `obs` that holds the batch; without it all cells are of one batch, `"all"`. */
  batchKey?: string | undefined;
  /** Keep cells that have no modality at all (they embed at the prior); refused by default. */
  allowEmpty?: boolean;
}

/**
 * A data set from matrices in memory. Errors: `DATASET_SHAPE` (numbers that do not fit cells × features),
 * `CSR_INDPTR`, `CSR_INDEX`, `DUP_SAMPLE`, `DUP_FEATURE`, `NO_MODALITY` (a cell without any), `MODALITY_UNKNOWN`
 * (a kind is needed), `OBS_COLUMN`.
 */
export function mosaicDataset(data: MosaicData): MosaicDataset {
  const cells = data.cellIds.length;
  const modalities = Object.entries(data.modalities).map(([name, m]): Modality => {
    const block = ArrayBuffer.isView(m.values)
      ? denseToCsr(m.values, cells, m.features.length, name)
      : m.values;
    if (block.rows !== cells || block.columns !== m.features.length) {
      const found = `${block.rows} × ${block.columns}`;
      const message = `${name} is ${found}, ${cells} cells × ${m.features.length} features were expected`;
      throw mosaicError("DATASET_SHAPE", message, { details: { modality: name } });
    }
    checkCsr(block, name);
    const available = Uint8Array.from({ length: cells }, (_, i) =>
      m.available === undefined || m.available[i] ? 1 : 0,
    );
    if (m.available !== undefined && m.available.length !== cells)
      throw mosaicError("DATASET_SHAPE", `${name}: available has ${m.available.length} of ${cells} cells`);
    return {
      name,
      kind: kindOf(name, m.kind),
      features: m.features,
      available,
      rows: async (start, end, options) => {
        options?.signal?.throwIfAborted();
        checkRows(start, end, cells, name);
        return sliceRows(block, start, end);
      },
    };
  });
  return assembleDataset({
    cellIds: data.cellIds,
    obs: data.obs,
    modalities,
    batchKey: data.batchKey,
    allowEmpty: data.allowEmpty ?? false,
  });
}

/** What readers hand over. */
export interface DatasetParts {
  cellIds: readonly string[];
  obs: Table | undefined;
  modalities: readonly Modality[];
  batchKey: string | undefined;
  allowEmpty: boolean;
  /** Names the file in messages. */
  path?: string;
  close?(): PromiseLike<void>;
}

/** Checks what all readers must check and puts the data set together. */
export function assembleDataset(parts: DatasetParts): MosaicDataset {
  const { cellIds, modalities, batchKey } = parts;
  const where = parts.path === undefined ? "" : `${parts.path}: `;
  refuseTwice(cellIds, "DUP_SAMPLE", `${where}cell`);
  for (const m of modalities) refuseTwice(m.features, "DUP_FEATURE", `${where}${m.name}: feature`);
  if (!parts.allowEmpty) refuseEmptyCells(cellIds, modalities, where);
  const obs = parts.obs ?? tableFromColumns({});
  if (obs.numCols > 0 && obs.numRows !== cellIds.length) {
    const message = `${where}obs has ${obs.numRows} rows for ${cellIds.length} cells`;
    throw mosaicError("DATASET_SHAPE", message);
  }
  const registry: Registry = {
    modalities: modalities.map(({ name, kind, features }) => ({
      name,
      kind,
      features,
      hash: featureHash(features),
    })),
    batches: batchKey === undefined ? ["all"] : columnLevels(obs, batchKey),
  };
  return {
    cells: cellIds.length,
    cellIds,
    obs,
    modalities: new Map(modalities.map((m) => [m.name, m])),
    registry,
    ...(batchKey === undefined ? {} : { batchKey }),
    async [Symbol.asyncDispose]() {
      await parts.close?.();
    },
  };
}

/** SHA-256 of feature names in their order. */
export function featureHash(features: readonly string[]): string {
  return sha256Hex(features.join("\n"));
}

/** The kind a name stands for, unless it is given. `MODALITY_UNKNOWN` where neither says it. */
export function kindOf(name: string, kind?: ModalityKind): ModalityKind {
  if (kind !== undefined) return kind;
  if (name === "rna" || name === "atac" || name === "adt") return name;
  const message = `${name} is no name we know (rna, atac, adt): give its kind`;
  throw mosaicError("MODALITY_UNKNOWN", message, { details: { modality: name }, usage: true });
}

/** `ROW_RANGE` unless 0 ≤ start ≤ end ≤ cells. */
export function checkRows(start: number, end: number, cells: number, name: string): void {
  const whole = Number.isSafeInteger(start) && Number.isSafeInteger(end);
  if (whole && start >= 0 && start <= end && end <= cells) return;
  const message = `${name}: rows ${start} to ${end} were asked for, there are ${cells}`;
  throw mosaicError("ROW_RANGE", message, { details: { start, end, cells } });
}

/** The different texts of a column, sorted; missing is left out. */
export function columnLevels(obs: Table, name: string): string[] {
  return [...new Set(columnTexts(obs, name).filter((v) => v !== null))].sort((a, b) => (a < b ? -1 : 1));
}

/** A column of `obs` as texts; null where missing. `OBS_COLUMN` lists the columns there are. */
export function columnTexts(obs: Table, name: string): (string | null)[] {
  const column = obs.getChild(name);
  if (!column) {
    const names = obs.schema.fields.map((f) => f.name).join(", ");
    const message = `obs has no column ${name}; it has: ${names || "none"}`;
    throw mosaicError("OBS_COLUMN", message, { details: { column: name }, usage: true });
  }
  return Array.from({ length: obs.numRows }, (_, i) => {
    const value: unknown = column.get(i);
    return value === null || value === undefined || Number.isNaN(value) ? null : String(value);
  });
}

/** A column of `obs` as numbers; NaN for what is missing or no number. Error: OBS_COLUMN. */
export function columnNumbers(obs: Table, name: string): Float64Array {
  const texts = columnTexts(obs, name);
  return Float64Array.from(texts, (text) =>
    text === null || text.trim() === "" ? Number.NaN : Number(text),
  );
}

function refuseTwice(names: readonly string[], code: "DUP_SAMPLE" | "DUP_FEATURE", what: string): void {
  const first = new Map<string, number>();
  for (const [i, name] of names.entries()) {
    const before = first.get(name);
    if (before !== undefined) {
      const message = `${what} ${JSON.stringify(name)} is there twice, in places ${before + 1} and ${i + 1}`;
      throw mosaicError(code, message, { details: { name, first: before, second: i } });
    }
    first.set(name, i);
  }
}

function refuseEmptyCells(cellIds: readonly string[], modalities: readonly Modality[], where: string): void {
  const empty = cellIds.flatMap((id, i) => (modalities.some((m) => m.available[i]) ? [] : [id]));
  if (empty.length === 0) return;
  const shown = empty.slice(0, 3).join(", ") + (empty.length > 3 ? ", …" : "");
  const names = modalities.map((m) => m.name).join(", ") || "none was read";
  const message = `${where}${empty.length} of ${cellIds.length} cells have no modality (${names}): ${shown}; drop them or allow them (allowEmpty, --allow-empty)`;
  throw mosaicError("NO_MODALITY", message, { details: { cells: empty.length, first: empty[0] } });
}
