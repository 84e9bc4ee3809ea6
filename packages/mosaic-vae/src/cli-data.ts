/** What the verbs that read cells have in common. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { type CliContext, isXError, type OptionSpec, option, protectInputs } from "@x/core/base";
import type { MosaicDataset } from "./dataset.ts";
import { MODEL_FILE } from "./model-file.ts";
import type { Places } from "./places.ts";
import { readCells } from "./read-cells.ts";

/** The file of cells. */
export const DATA_OPTION: OptionSpec = option.input(
  "data",
  "cells: .h5ad, .h5mu, 10x .h5, a zarr store or .arrow",
);

/** The trained model. */
export const MODEL_OPTION: OptionSpec = option.input("model", "folder of a run, or its model.safetensors", {
  value: "RUN",
  required: true,
});

/** Where training and inference run. */
export const DEVICE_OPTION: OptionSpec = option.text("device", "where to compute", {
  value: "auto|cpu|cuda[:N]",
});

/** Cells without any modality. */
export const EMPTY_OPTION: OptionSpec = option.flag(
  "allow-empty",
  "cells without any of the modalities are no error",
);

/** Where modalities lie. */
export const PLACE_OPTIONS: readonly OptionSpec[] = [
  option.text("rna", "where RNA lies, e.g. X or layers/counts; found by itself", { value: "PLACE" }),
  option.text("atac", "where ATAC lies, e.g. obsm/X_atac", { value: "PLACE" }),
  option.text("adt", "where ADT lies, e.g. obsm/protein_expression", { value: "PLACE" }),
];

/** The places named on the command line; undefined where none is. */
export function givenPlaces({ options }: CliContext): Places | undefined {
  const named = PLACE_OPTIONS.filter(({ name }) => options[name] !== undefined);
  return named.length > 0
    ? Object.fromEntries(named.map(({ name }) => [name, String(options[name])]))
    : undefined;
}

/** Was `--allow-empty` given? */
export function emptyAllowed({ options }: CliContext): { allowEmpty?: boolean } {
  return options["allow-empty"] === true ? { allowEmpty: true } : {};
}

/** What is read beside the files that are named: the model in its folder, the data of a configuration. */
export function protectModel(path: string): void {
  protectInputs([existsSync(path) && statSync(path).isDirectory() ? join(path, MODEL_FILE) : path]);
}

/** Opens cells with the places and the batch column of a configuration. */
export function openCells(
  context: CliContext,
  path: string,
  from: { modalities?: Places; batchKey?: string } = {},
): Promise<MosaicDataset> {
  const { batchKey } = from;
  return readCells(path, givenPlaces(context) ?? from.modalities, {
    ...(batchKey !== undefined && { batchKey }),
    ...emptyAllowed(context),
    signal: context.signal,
    warn: context.warn,
    ...(context.memoryLimit !== undefined && { memoryLimit: context.memoryLimit }),
  });
}

/** The same for a trained model, which takes cells whose batch nobody knows. */
export async function openNewCells(
  context: CliContext,
  path: string,
  from: { modalities?: Places; batchKey?: string } = {},
): Promise<MosaicDataset> {
  try {
    return await openCells(context, path, from);
  } catch (e) {
    if (!isXError(e) || e.code !== "OBS_COLUMN" || e.details?.column !== from.batchKey) throw e;
    const message = `${path}: obs has no column ${from.batchKey}, which names the batch; all cells are taken for cells of an unknown batch`;
    context.warn({ code: "BATCH_UNKNOWN", message, details: { column: from.batchKey } });
    const { batchKey: _, ...rest } = from;
    return await openCells(context, path, rest);
  }
}

/** The options that all calls of a model share. */
export function shared(context: CliContext): {
  signal: AbortSignal;
  onProgress: CliContext["onProgress"];
  warn: CliContext["warn"];
  memoryLimit?: number;
  threads?: number;
} {
  const { signal, onProgress, warn, memoryLimit, threads } = context;
  return {
    signal,
    onProgress,
    warn,
    ...(memoryLimit !== undefined && { memoryLimit }),
    ...(threads !== undefined && { threads }),
  };
}
