/** What a trainer saves and how it is checked when it comes back. */
import { trainFileError } from "./errors.ts";
import type { Layout } from "./params.ts";
import { readSafetensors, type Stored, writeSafetensors } from "./safetensors.ts";

/** Version of what we store; a newer one is refused. */
const FORMAT = 1;

/** Everything that training needs to go on. */
export interface TrainState {
  /** Trained weights as one vector. */
  readonly weights: Float32Array;
  /** Frozen weights as one vector. */
  readonly frozen: Float32Array;
  /** By name. */
  readonly moments: Readonly<Record<string, Float32Array>>;
  /** Steps tried: the key of noise, shuffles and schedules. */
  readonly step: number;
  /** Steps that changed the weights. */
  readonly updates: number;
  /** Loss scale and good steps in a row. */
  readonly scaler: readonly [number, number];
  /** Of everything random. */
  readonly seed: number;
}

/** Words that say what a checkpoint belongs to. */
export interface CheckpointLabels {
  /** Its name. */
  readonly model: string;
  /** The optimiser's name. */
  readonly optimizer: string;
  /** JSON of the user's configuration. */
  readonly config: string;
  /** JSON of features, vocabularies and the like: must be the same to load. */
  readonly registry: string;
}

/** A tensor of another shape. */
export interface Misfit {
  /** Its path. */
  readonly name: string;
  /** Shape in the file. */
  readonly found: readonly number[];
  /** Shape in the model. */
  readonly expected: readonly number[];
}

/** How the tensors of a checkpoint fit a model. */
export interface KeyReport {
  /** Taken over. */
  readonly matched: readonly string[];
  /** In the model, not in the file. */
  readonly missing: readonly string[];
  /** In the file, not in the model. */
  readonly unexpected: readonly string[];
  /** In both, with different shapes. */
  readonly mismatched: readonly Misfit[];
}

/** `run/step-500` becomes `run/step-500.safetensors`. */
export function checkpointPath(path: string): string {
  return path.endsWith(".safetensors") ? path : `${path}.safetensors`;
}

/** Writes one file; returns its path. */
export async function saveCheckpoint(
  path: string,
  state: TrainState,
  { trained, frozen }: { trained: Layout; frozen: Layout },
  labels: CheckpointLabels & { readonly extra?: string },
): Promise<string> {
  const tensors = new Map<string, Stored>();
  const put = (prefix: string, { places }: Layout, vector: Float32Array): void => {
    for (const { name, spec, offset, size } of places)
      tensors.set(`${prefix}${name}`, {
        dtype: "float32",
        shape: spec.shape,
        data: vector.subarray(offset, offset + size),
      });
  };
  put("", trained, state.weights);
  put("", frozen, state.frozen);
  for (const [name, vector] of Object.entries(state.moments)) put(`${MOMENT}${name}/`, trained, vector);
  const metadata = {
    format: `x-onnx-train ${FORMAT}`,
    ...labels,
    step: String(state.step),
    updates: String(state.updates),
    scaler: JSON.stringify(state.scaler),
    seed: String(state.seed),
  };
  const file = checkpointPath(path);
  await writeSafetensors(file, { tensors, metadata });
  return file;
}

/** Moments stand under this prefix, which no weight can have: names hold no ":". */
const MOMENT = "optimizer:";

/** A checkpoint laid out for a model. */
export interface LoadedCheckpoint {
  readonly keys: KeyReport;
  readonly labels: CheckpointLabels;
  readonly step: number;
  readonly updates: number;
  readonly scaler: [number, number];
  readonly seed: number;
  /** Puts matched tensors into a flat vector; `prefix` picks moments. */
  fill(vector: Float32Array, layout: Layout, moment?: string): void;
  readonly hasMoments: (names: readonly string[]) => boolean;
}

/**
 * Reads a checkpoint and compares it with a model. `CHECKPOINT_FORMAT`, `CHECKPOINT_TRUNCATED`; `CHECKPOINT_VERSION` for
 * one of a newer version; `CHECKPOINT_REGISTRY` for one of other features, unless `registry` is undefined.
 */
export function loadCheckpoint(
  path: string,
  layouts: readonly Layout[],
  registry: string | undefined,
): LoadedCheckpoint {
  const file = checkpointPath(path);
  const { tensors, metadata } = readSafetensors(file);
  const version = /^x-onnx-train (\d+)$/.exec(metadata.format ?? "")?.[1];
  if (version === undefined)
    throw trainFileError("CHECKPOINT_FORMAT", file, "a safetensors file, but no checkpoint of this package");
  if (Number(version) > FORMAT)
    throw trainFileError(
      "CHECKPOINT_VERSION",
      file,
      `written by a newer version (format ${version}, this one reads up to ${FORMAT}); update @x/onnx-train`,
      { found: Number(version), expected: FORMAT },
    );
  if (registry !== undefined && metadata.registry !== registry)
    throw trainFileError("CHECKPOINT_REGISTRY", file, registryMessage(metadata.registry ?? "", registry));
  const { model = "", optimizer = "", config = "" } = metadata;
  return {
    keys: compareKeys(tensors, layouts),
    labels: { model, optimizer, config, registry: metadata.registry ?? "" },
    step: Number(metadata.step),
    updates: Number(metadata.updates),
    scaler: JSON.parse(metadata.scaler ?? "[65536,0]"),
    seed: Number(metadata.seed),
    hasMoments: (names) =>
      names.every((m) => layouts[0]!.places.every((p) => tensors.has(`${MOMENT}${m}/${p.name}`))),
    fill(vector, { places }, moment) {
      for (const { name, spec, offset, size } of places) {
        const found = tensors.get(moment === undefined ? name : `${MOMENT}${moment}/${name}`);
        if (found && String(found.shape) === String(spec.shape) && found.data.length === size)
          vector.set(found.data as Float32Array, offset);
      }
    },
  };
}

function registryMessage(found: string, expected: string): string {
  const show = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text) || "none";
  return `belongs to another registry of features: ${show(found)}, this model has ${show(expected)}`;
}

function compareKeys(tensors: ReadonlyMap<string, Stored>, layouts: readonly Layout[]): KeyReport {
  const matched: string[] = [];
  const missing: string[] = [];
  const mismatched: Misfit[] = [];
  const known = new Set<string>();
  for (const { name, spec } of layouts.flatMap((l) => l.places)) {
    known.add(name);
    const found = tensors.get(name);
    if (!found) missing.push(name);
    else if (String(found.shape) === String(spec.shape)) matched.push(name);
    else mismatched.push({ name, found: found.shape, expected: spec.shape });
  }
  const unexpected = [...tensors.keys()].filter((name) => !name.startsWith(MOMENT) && !known.has(name));
  return { matched, missing, unexpected, mismatched };
}

/** `CHECKPOINT_KEYS` with every name, unless all tensors fit. */
export function requireAllKeys(path: string, { missing, unexpected, mismatched }: KeyReport): void {
  const shapes = mismatched.map((m) => `${m.name} [${m.found}] instead of [${m.expected}]`);
  const parts = [
    missing.length > 0 && `missing: ${missing.join(", ")}`,
    unexpected.length > 0 && `unexpected: ${unexpected.join(", ")}`,
    shapes.length > 0 && `other shapes: ${shapes.join(", ")}`,
  ].filter(Boolean);
  if (parts.length > 0)
    throw trainFileError(
      "CHECKPOINT_KEYS",
      checkpointPath(path),
      `does not fit the model; ${parts.join("; ")}`,
      {
        missing,
        unexpected,
        mismatched,
      },
    );
}
