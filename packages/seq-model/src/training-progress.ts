/** How far a training has come, and the checkpoints that it goes on from. */
import { join } from "node:path";
import { type PlateauState, readSafetensors, type Trainer } from "@x/onnx-train";
import { seqError, seqFileError } from "./errors.ts";
import { checkSameRun, type Fingerprint } from "./fingerprint.ts";
import { type WeightMap, writeWeights } from "./model-weights.ts";
import type { EpochReport, TrainingRun } from "./training.ts";

/** Files of a run's folder. */
export const LAST = "last.safetensors";
export const BEST = "best.safetensors";

/** What a checkpoint says besides the weights. */
export interface Progress {
  epoch: number;
  best: number;
  bestEpoch: number;
  history: EpochReport[];
  plateau: PlateauState | null;
  harder: boolean;
}

/** Had the validation not become better for `patience` epochs? */
export function stopped({ epoch, bestEpoch }: Progress, patience: number): boolean {
  return patience > 0 && epoch - bestEpoch >= patience;
}

/** Writes the weights of the best epoch, then the state of the trainer. */
export async function checkpoint(
  { out }: TrainingRun,
  trainer: Trainer,
  { progress, best, inputs }: { progress: Progress; best: WeightMap; inputs: Fingerprint },
): Promise<void> {
  await writeWeights(join(out!, BEST), best);
  const shown = { ...progress, best: Number.isFinite(progress.best) ? progress.best : null };
  await trainer.save(join(out!, LAST), { extra: { progress: shown, inputs } });
}

/** How far the run in a folder has come. */
export function readProgress({ out }: TrainingRun, inputs: Fingerprint): Progress {
  if (!out) throw seqError("RESUME", "to resume, the folder of the run is needed");
  const file = join(out, LAST);
  const text = readSafetensors(file).metadata.extra ?? "null";
  const extra = JSON.parse(text) as { progress?: Progress; inputs?: Fingerprint } | null;
  if (!extra?.progress) throw seqFileError("RESUME", file, "holds no progress of a training");
  checkSameRun(file, extra.inputs, inputs);
  const history = extra.progress.history.map(({ validation, ...epoch }) => ({
    ...epoch,
    loss: number(epoch.loss),
    parts: numbers(epoch.parts),
    validation: {
      loss: number(validation.loss),
      parts: numbers(validation.parts),
      scores: numbers(validation.scores),
    },
  }));
  return { ...extra.progress, history, best: extra.progress.best ?? Number.POSITIVE_INFINITY };
}

/** JSON has no NaN. */
function number(value: number | null): number {
  return value ?? Number.NaN;
}

function numbers(values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, number(value)]));
}
