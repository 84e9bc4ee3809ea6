/** What the verbs that read cells have in common. */
import type { CliContext, OptionSpec } from "@x/core/base";
import type { MosaicDataset } from "./dataset.ts";
import type { Places } from "./places.ts";
import { readCells } from "./read-cells.ts";

/** The file of cells. */
export const DATA_OPTION: OptionSpec = {
  name: "data",
  type: "string",
  value: "FILE",
  file: { role: "input" },
  help: "cells: .h5ad, .h5mu, 10x .h5, a zarr store or .arrow",
};

/** The trained model. */
export const MODEL_OPTION: OptionSpec = {
  name: "model",
  type: "string",
  value: "RUN",
  file: { role: "input" },
  help: "folder of a run, or its model.safetensors",
  required: true,
};

/** Where training and inference run. */
export const DEVICE_OPTION: OptionSpec = {
  name: "device",
  type: "string",
  value: "auto|cpu|cuda[:N]",
  help: "where to compute",
};

/** Opens cells with the places and the batch column of a configuration. */
export function openCells(
  context: CliContext,
  path: string,
  from: { modalities?: Readonly<Record<string, string>>; batchKey?: string } = {},
): Promise<MosaicDataset> {
  const places: Places | undefined = from.modalities;
  const batchKey = from.batchKey;
  return readCells(path, places, {
    ...(batchKey !== undefined && { batchKey }),
    signal: context.signal,
    warn: context.warn,
    ...(context.memoryLimit !== undefined && { memoryLimit: context.memoryLimit }),
  });
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
