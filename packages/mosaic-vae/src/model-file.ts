/** A model on disk: one safetensors file whose metadata hold configuration, registry and plan. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { readSafetensors } from "@x/onnx-train";
import { checkConfig, type MosaicConfig } from "./config.ts";
import type { Registry } from "./dataset.ts";
import { mosaicFileError } from "./errors.ts";
import type { ModelState } from "./mosaic-vae.ts";
import type { NetworkPlan } from "./plan.ts";

/** The file of a run folder that holds the trained model. */
export const MODEL_FILE = "model.safetensors";
/** Of what we store beside the weights; a newer one is refused. */
const FORMAT = 1;

/** What a file holds besides weights. */
export interface SavedModel {
  readonly config: MosaicConfig;
  readonly registry: Registry;
  readonly plan: NetworkPlan;
  readonly libraries: Readonly<Record<string, readonly number[]>>;
  /** Of each feature over the training cells: mean of ln(1 + v), or share above 0 of a binary modality. */
  readonly means?: Readonly<Record<string, readonly number[]>>;
}

/** Reads the metadata of a model. */
export function loadModel(path: string): { file: string; saved: SavedModel; extra: Record<string, unknown> } {
  const folder = existsSync(path) && statSync(path).isDirectory();
  const file = folder ? join(path, MODEL_FILE) : path;
  const { tensors, metadata } = readSafetensors(file);
  let saved: unknown;
  let extra: unknown;
  try {
    saved = JSON.parse(metadata.config ?? "null");
    extra = JSON.parse(metadata.extra ?? "null");
  } catch {
    saved = undefined;
  }
  const known = saved as Partial<SavedModel> | null | undefined;
  if (metadata.model !== "mosaic" || !known?.plan || !known.registry || !known.config)
    throw mosaicFileError("MODEL_FORMAT", file, "a safetensors file, but no model of this package");
  const wrong = misshapen(known as SavedModel);
  if (wrong !== undefined)
    throw mosaicFileError("MODEL_FORMAT", file, `a model of this package, but damaged: ${wrong}`);
  for (const [name, { data }] of tensors)
    if (!name.startsWith("optimizer:") && !(data as Float32Array).every(Number.isFinite))
      throw mosaicFileError("MODEL_FORMAT", file, `the weights ${name} are not finite numbers`);
  const found = Number((extra as { format?: number } | null)?.format ?? FORMAT);
  if (found > FORMAT)
    throw mosaicFileError(
      "MODEL_FORMAT",
      file,
      `written by a newer version (format ${found}, this one reads up to ${FORMAT}); update @x/mosaic-vae`,
    );
  return { file, saved: known as SavedModel, extra: (extra ?? {}) as Record<string, unknown> };
}

/** What of the metadata no model can have; undefined for a sound one. */
function misshapen({ config, plan, registry }: SavedModel): string | undefined {
  const list = (value: unknown): value is readonly unknown[] => Array.isArray(value);
  const texts = (value: unknown): boolean => list(value) && value.every((v) => typeof v === "string");
  const whole = (value: unknown, most: number): boolean =>
    Number.isSafeInteger(value) && Number(value) > 0 && Number(value) <= most;
  try {
    checkConfig(config);
  } catch (e) {
    return (e as Error).message;
  }
  if (!list(registry.modalities) || !texts(registry.batches)) return "the registry lists nothing";
  if (!list(plan.modalities) || plan.modalities.length !== registry.modalities.length)
    return "the plan has other modalities than the registry";
  if (
    !whole(plan.latent, 4096) ||
    !list(plan.hidden) ||
    plan.hidden.length === 0 ||
    !plan.hidden.every((w) => whole(w, 65536))
  )
    return "the plan has no proper widths";
  if (typeof plan.heads !== "object" || plan.heads === null || plan.batches !== registry.batches.length)
    return "the plan does not fit the registry";
  for (const [i, m] of registry.modalities.entries()) {
    const planned = plan.modalities[i];
    if (!m || !texts(m.features) || planned?.name !== m.name || planned.features !== m.features.length)
      return `modality ${i + 1} of the plan is not that of the registry`;
  }
  return undefined;
}

/** Writes a model; `extra` is kept beside it. */
export async function saveModel(
  state: ModelState,
  path: string,
  extra: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const { config, registry, plan, libraries, means } = state;
  const saved: SavedModel = { config, registry, plan, libraries, means };
  return state.trainer.save(path, { config: saved, extra: { format: FORMAT, ...extra } });
}
