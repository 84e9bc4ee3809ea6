/** From a model to a trainer. */
import { checkOptions, checkRange, resolveThreads, unknownOption } from "@x/core/base";
import { choosePrecision, createSession, missingCuda } from "./device.ts";
import { trainError } from "./errors.ts";
import type { Precision } from "./graph.ts";
import { bind, type Model } from "./model.ts";
import { adamW, type Optimizer, type Schedule } from "./optimizer.ts";
import { initialValues } from "./params.ts";
import { encodeModel } from "./proto.ts";
import { toModel } from "./to-model.ts";
import { layouts, trainGraph } from "./train-graph.ts";
import { type NumberArray, Trainer } from "./trainer.ts";

/** Options of `compile`. */
export interface CompileOptions {
  /** AdamW with its defaults by default. */
  readonly optimizer?: Optimizer;
  /** The lengths that input shapes name: `{ batch: 128 }`. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Steps in one call of onnxruntime; 10 by default. More is faster for small models; a call cannot be interrupted. */
  readonly stepsPerCall?: number;
  /** `auto` (CUDA where it works, else CPU), `cpu`, `cuda` or `cuda:N`. */
  readonly device?: string;
  /** Of matrix products; everything else is float32. `auto` is bfloat16 on CUDA where that works. Default float32. */
  readonly precision?: Precision | "auto";
  /** Largest norm of a gradient; larger ones are shortened. 0 (default) leaves them. */
  readonly clip?: number;
  /** Which weights stay as they are: asked for each path such as `enc/h/w`. */
  readonly freeze?: (path: string) => boolean;
  /** Numbers a model asks for with `schedule(name)`. */
  readonly schedules?: Readonly<Record<string, Schedule>>;
  /** Inputs whose rows all stay in the session; batches then hold `rows`. */
  readonly resident?: Readonly<Record<string, NumberArray>>;
  /** Stored in checkpoints for whoever reads them. */
  readonly config?: unknown;
  /** What the weights belong to (features, vocabularies): a checkpoint with another one is refused. */
  readonly registry?: unknown;
  /** Of first weights, noise and dropout; 0. */
  readonly seed?: number;
  /** Threads inside an operator; all cores by default. Results do not depend on it. */
  readonly threads?: number;
  /** `low` gives memory back between operators, for large models. */
  readonly memory?: "fast" | "low";
  /** Writes onnxruntime's profile to files with this prefix when the trainer is closed. */
  readonly profile?: string;
}

const OPTIONS = [
  "optimizer",
  "dims",
  "stepsPerCall",
  "device",
  "precision",
  "clip",
  "freeze",
  "schedules",
  "resident",
  "config",
  "registry",
  "seed",
  "threads",
  "memory",
  "profile",
];

/**
 * Builds the training graph of a model, makes a session for it and sets the first weights. Errors: `GRAPH_SHAPE` and
 * the like for a model that does not fit together, `DEVICE_UNKNOWN`, `DEVICE_UNAVAILABLE`, `RUNTIME_MISSING`.
 */
export async function compile(model: Model, options: CompileOptions = {}): Promise<Trainer> {
  checkOptions(options, OPTIONS, "compile");
  const {
    optimizer = adamW(),
    dims = {},
    device = "auto",
    seed = 0,
    schedules = {},
    memory = "fast",
  } = options;
  const stepsPerCall = checkRange("stepsPerCall", options.stepsPerCall ?? 10, {
    min: 1,
    max: 1e6,
    integer: true,
  });
  const clip = checkRange("clip", options.clip ?? 0, { min: 0 });
  const threads = resolveThreads(options.threads);
  checkRange("seed", seed, { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true });
  for (const { shape } of Object.values(model.inputs)) bind(shape, dims);
  const { trained, frozen } = layouts(model, options.freeze ?? (() => false));
  if (trained.size === 0)
    throw trainError("GRAPH_SHAPE", `${model.name} has no weights to train`, { usage: true });
  const likely = device === "auto" && missingCuda() !== undefined ? "cpu" : device;
  const precision = await choosePrecision(options.precision ?? "float32", likely);
  const resident = options.resident ?? {};
  const steps = trainGraph({
    model,
    dims,
    optimizer,
    clip,
    precision: precision.used,
    trained,
    frozen,
    // A GPU wants few large operators; a processor wants its numbers in the cache.
    inBlocks: likely === "cpu",
    resident,
  });
  for (const name of steps.schedules)
    if (!Object.hasOwn(schedules, name))
      throw unknownOption(`schedule ${name}`, Object.keys(schedules), "schedules");
  const bytes = encodeModel(toModel(steps.graph));
  const made = await createSession(bytes, device, { threads, memory, profile: options.profile });
  const labels = {
    model: model.name,
    optimizer: optimizer.name,
    config: JSON.stringify(options.config ?? null),
    registry: JSON.stringify(options.registry ?? null),
  };
  const profile = options.profile !== undefined;
  const plan = {
    model,
    optimizer,
    steps,
    trained,
    frozen,
    schedules,
    labels,
    stepsPerCall,
    threads,
    memory,
    profile,
  };
  const trainer = new Trainer(plan, made.session, { device: made.device, precision });
  await trainer.restore({
    weights: initialValues(trained, seed),
    frozen: initialValues(frozen, seed),
    moments: {},
    step: 0,
    updates: 0,
    scaler: [precision.used === "float16" ? 65536 : 1, 0],
    seed,
  });
  return trainer;
}
