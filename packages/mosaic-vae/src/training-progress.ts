/** How far a training has come, and the checkpoints that it goes on from. */
import { join } from "node:path";
import { readSafetensors } from "@x/onnx-train";
import { mosaicError, mosaicFileError } from "./errors.ts";
import { saveModel } from "./model-file.ts";
import type { ModelState } from "./mosaic-vae.ts";
import type { EpochReport, TrainOptions } from "./train.ts";

/** What a checkpoint says besides the model. */
export interface Progress {
  epoch: number;
  best: number;
  bestEpoch: number;
  history: EpochReport[];
  /** Steps left out so far. */
  skipped: number;
  /** Of an epoch that was interrupted: applied steps and their sums, so that its means are those of the whole epoch. */
  partial?: { steps: number; sums: Record<string, number> } | undefined;
}

/** Had the validation not become better for `patience` epochs? */
export function stopped({ epoch, bestEpoch }: Progress, patience: number, modalities: number): boolean {
  return modalities > 0 && patience > 0 && epoch - bestEpoch >= patience;
}

/** Writes the last state of a run. */
export async function checkpoint(state: ModelState, out: string, progress: Progress): Promise<void> {
  const { best, history, ...rest } = progress;
  // Without the clock, so that a resumed run leaves the same bytes.
  const epochs = history.map(({ cellsPerSecond: _, ...epoch }) => epoch);
  await saveModel(state, join(out, "last.safetensors"), {
    progress: { ...rest, best: Number.isFinite(best) ? best : null, history: epochs },
  });
}

/** Takes over weights, moments, step and progress of the last checkpoint. */
export async function goOn(state: ModelState, options: TrainOptions, progress: Progress): Promise<void> {
  if (!options.out) throw mosaicError("CONFIG", "resume needs the folder of the run", { usage: true });
  const file = join(options.out, "last.safetensors");
  await state.trainer.load(file);
  const { metadata } = readSafetensors(file);
  const extra = JSON.parse(metadata.extra ?? "null") as { progress?: Progress } | null;
  if (!extra?.progress) throw mosaicFileError("MODEL_FORMAT", file, "holds no progress of a training");
  const { best, history, ...rest } = extra.progress;
  const finite = (x: number | null): number => x ?? Number.NaN; // JSON has no NaN
  const epochs = history.map((epoch) => ({
    ...epoch,
    validation: finite(epoch.validation),
    cellsPerSecond: Number.NaN,
  }));
  Object.assign(progress, rest, { best: best ?? Number.POSITIVE_INFINITY, history: epochs });
}

/** The weights of `best.safetensors`, as a flat vector. */
export async function bestOf(state: ModelState, out: string): Promise<Float32Array> {
  const { tensors } = readSafetensors(join(out, "best.safetensors"));
  const weights = await state.trainer.trainedWeights();
  for (const { name, offset } of state.trainer.plan.trained.places)
    weights.set(tensors.get(name)!.data as Float32Array, offset);
  return weights;
}
