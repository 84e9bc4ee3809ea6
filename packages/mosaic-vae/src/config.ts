/** What a model is and how it is trained: one typed object, checked by name and range before anything is read. */
import { checkOptions, checkRange } from "@x/core/base";
import { mosaicError } from "./errors.ts";
import type { Places } from "./places.ts";
import { checkSchedule, type WeightSchedule } from "./schedule.ts";

/** How the posteriors of a cell's modalities become one. */
export type FusionKind = "poe" | "moe" | "average";

/** What an encoder sees of the numbers of a modality. */
export type InputTransform = "log1p" | "normalized" | "binary" | "clr" | "none";

/** One modality of a model. What is left out follows from its kind. */
export interface ModalityConfig {
  /** `nb`, `zinb`, `poisson`, `bernoulli`, `nb-mixture`, `gaussian`, or one of your own. */
  likelihood?: string;
  /** `log1p` of counts; `normalized` is ln(1 + v · 10⁴ / library); `clr`; `binary`; `none`. */
  input?: InputTransform;
  /** `dense`, or one of your own. */
  encoder?: string;
  /** `dense`, or one of your own. */
  decoder?: string;
  /** Weight of its likelihood in the loss; 1 is the probabilistic one, 0.3 that of ATAC by default: many peaks that say little. */
  weight?: WeightSchedule;
  /** Factor on the precision of its expert in a product: a number, or `learned` with the other weights; 1, of ATAC 0.25. */
  expertWeight?: number | "learned";
}

/** The network. */
export interface ModelConfig {
  /** Dimensions of the embedding; 20. */
  latent?: number;
  /** Widths of the hidden layers of encoders, and in reverse of decoders; [128]. */
  hidden?: readonly number[];
  /** Share of hidden units dropped in encoders; 0.1. */
  dropout?: number;
  /** Normalise hidden layers; true. */
  layerNorm?: boolean;
  /** `poe` (product of experts with the prior), `moe` (mixture) or `average` (learned weights). */
  fusion?: FusionKind;
  /** Of count likelihoods: one θ a `gene`, a gene and batch (`gene-batch`), or a gene and cell (`gene-cell`). */
  dispersion?: "gene" | "gene-batch" | "gene-cell";
  /** Decoders know the batch; true. Encoders never do, so cells of a new batch can be embedded. */
  batchCovariate?: boolean;
  /** By name of modality. */
  modalities?: Readonly<Record<string, ModalityConfig>>;
}

/** A head that pulls groups of cells together. */
export interface HeadConfig {
  /** Weight in the loss, over the epochs; 1. */
  weight?: WeightSchedule;
  /** Regularisation of `sinkhorn` and `gw` relative to the mean cost; 0.05. */
  epsilon?: number;
}

/** Heads by name. */
export interface HeadsConfig {
  /** Maximum mean discrepancy between groups. */
  mmd?: HeadConfig;
  /** Debiased Sinkhorn divergence between groups. */
  sinkhorn?: HeadConfig;
  /** Entropic Gromov–Wasserstein between groups. */
  gw?: HeadConfig;
  /** Covariances of groups. */
  coral?: HeadConfig;
  /** A classifier of the group that the encoders mislead. */
  adversarial?: HeadConfig;
  /** Neighbours stay close. */
  laplacian?: HeadConfig & {
    /** Neighbours; 15. */
    k?: number;
  };
  /** The embedding predicts the time of a cell, where there is one. */
  temporal?: HeadConfig;
  /** Pairs of cells from a provider are pulled together. */
  bridge?: HeadConfig & {
    /** `mnn` (mutual neighbours), `seeded` (pairs of cell ids), `dictionary` or `linear` (maps learned on paired cells). */
    provider?: "mnn" | "seeded" | "dictionary" | "linear";
    /** Neighbours looked at; 20. */
    k?: number;
    /** Pairs of cell ids for `seeded`. */
    pairs?: readonly (readonly [string, string])[];
  };
}

/** What makes a group of cells. */
export type GroupKind = "batch" | "dataset" | "pattern";

/** The loss. */
export interface LossConfig {
  /** Weight of KL(q ‖ prior); by default from 0 to 0.2 over three epochs. 1 is the probabilistic one. */
  beta?: WeightSchedule;
  /** How the posteriors of one cell's modalities are drawn together: Jeffreys divergence, or distance of means. */
  paired?: {
    /** `jeffreys` by default. */
    kind?: "jeffreys" | "means" | "none";
    /** 0.5. */
    weight?: WeightSchedule;
  };
  /** Probability that the encoder does not see one of a cell's modalities in a step; at least one is left. */
  modalityDropout?: number;
  /** Heads on the fused embedding; none by default. */
  heads?: HeadsConfig;
  /** What makes a group of cells for the heads: `batch`, `dataset`, or `pattern` (which modalities a cell has). */
  groups?: GroupKind;
}

/** The training. */
export interface TrainConfig {
  /** Passes over the cells; as many as make about 1,750 steps, from 10 to 100, by default. */
  epochs?: number;
  /** Cells a step; 64. */
  batchSize?: number;
  /** Learning rate of AdamW; 4e-3. */
  learningRate?: number;
  /** `constant` or `cosine` down to a hundredth; cosine. */
  rateSchedule?: "constant" | "cosine";
  /** Decoupled weight decay; 0. */
  weightDecay?: number;
  /** Largest norm of the gradient; 50. */
  clip?: number;
  /** Share of the cells kept for validation; 0.1. */
  validation?: number;
  /** Column of `obs` that names the part (`train`, `valid`, `test`) instead. */
  splitColumn?: string;
  /** Epochs without a better validation ELBO after which training stops; 0 never stops. 30. */
  patience?: number;
  /** What counts as better, in nats a cell; 0. */
  minDelta?: number;
  /** Epochs between checkpoints; 5. */
  checkpointEvery?: number;
  /** Steps in one call of onnxruntime; chosen by size. */
  stepsPerCall?: number;
  /** Precision of matrix products. */
  precision?: "float32" | "float16" | "bfloat16" | "auto";
  /** `auto`, `cpu`, `cuda`, `cuda:N`. */
  device?: string;
  /** Of everything random; 0. */
  seed?: number;
}

/** Where the numbers come from; for the command line. */
export interface DataConfig {
  /** The file. */
  path?: string;
  /** Column of `obs` with the batch. */
  batchKey?: string;
  /** Place of each modality in the file: `layers/counts`, or a `Place` as readers take it. */
  modalities?: Places;
}

/** Everything about a model and its training. */
export interface MosaicConfig {
  /** Where the numbers come from. */
  data?: DataConfig;
  /** The network. */
  model?: ModelConfig;
  /** The loss. */
  loss?: LossConfig;
  /** The training. */
  train?: TrainConfig;
}

const HEAD_KEYS: Readonly<Record<keyof HeadsConfig, readonly string[]>> = {
  mmd: ["weight"],
  sinkhorn: ["weight", "epsilon"],
  gw: ["weight", "epsilon"],
  coral: ["weight"],
  adversarial: ["weight"],
  laplacian: ["weight", "k"],
  temporal: ["weight"],
  bridge: ["weight", "provider", "k", "pairs"],
};

/**
 * Refuses a configuration with an unknown key (`UNKNOWN_OPTION`, with the nearest right name), a number out of range
 * (`OPTION_RANGE`) or a word that is none of those allowed (`CONFIG`). Returns it.
 */
export function checkConfig(config: MosaicConfig): MosaicConfig {
  section("the configuration", config, ["data", "model", "loss", "train"]);
  const { data = {}, model = {}, loss = {}, train = {} } = config;
  section("data", data, ["path", "batchKey", "modalities"]);
  text("data.path", data.path);
  text("data.batchKey", data.batchKey);
  for (const [name, place] of Object.entries(section("data.modalities", data.modalities ?? {}))) {
    if (typeof place === "string") continue;
    const at = `data.modalities.${name}`;
    section(at, place, ["at", "kind", "features", "available", "featureType"]);
    if (place.at === undefined) wrong(`${at}.at`, "the matrix, e.g. layers/counts");
    for (const [key, value] of Object.entries(place)) text(`${at}.${key}`, value);
    word(`${at}.kind`, place.kind, ["rna", "atac", "adt"]);
  }
  section("model", model, [
    "latent",
    "hidden",
    "dropout",
    "layerNorm",
    "fusion",
    "dispersion",
    "batchCovariate",
    "modalities",
  ]);
  range("model.latent", model.latent, 1, 4096);
  if (model.hidden !== undefined) {
    if (!Array.isArray(model.hidden) || model.hidden.length === 0)
      wrong("model.hidden", "a list of at least one width");
    for (const width of model.hidden) range("model.hidden", width, 1, 65536);
  }
  real("model.dropout", model.dropout, 0, 0.95);
  word("model.fusion", model.fusion, ["poe", "moe", "average"]);
  word("model.dispersion", model.dispersion, ["gene", "gene-batch", "gene-cell"]);
  flag("model.layerNorm", model.layerNorm);
  flag("model.batchCovariate", model.batchCovariate);
  for (const [name, m] of Object.entries(section("model.modalities", model.modalities ?? {}))) {
    const at = `model.modalities.${name}`;
    section(at, m as object, ["likelihood", "input", "encoder", "decoder", "weight", "expertWeight"]);
    const { likelihood, input, encoder, decoder, weight, expertWeight } = m as ModalityConfig;
    for (const [key, name] of Object.entries({ likelihood, encoder, decoder })) text(`${at}.${key}`, name);
    word(`${at}.input`, input, ["log1p", "normalized", "binary", "clr", "none"]);
    if (weight !== undefined) checkSchedule(`${at}.weight`, weight);
    if (expertWeight !== "learned") real(`${at}.expertWeight`, expertWeight, 0, 1e3);
  }
  checkLoss(loss);
  checkTrain(train);
  return config;
}

function checkLoss(loss: LossConfig): void {
  section("loss", loss, ["beta", "paired", "modalityDropout", "heads", "groups"]);
  word("loss.groups", loss.groups, ["batch", "dataset", "pattern"]);
  if (loss.beta !== undefined) checkSchedule("loss.beta", loss.beta);
  const { paired = {} } = loss;
  section("loss.paired", paired, ["kind", "weight"]);
  word("loss.paired.kind", paired.kind, ["jeffreys", "means", "none"]);
  if (paired.weight !== undefined) checkSchedule("loss.paired.weight", paired.weight);
  real("loss.modalityDropout", loss.modalityDropout, 0, 0.95);
  for (const [name, head] of Object.entries(
    section("loss.heads", loss.heads ?? {}, Object.keys(HEAD_KEYS)),
  )) {
    const at = `loss.heads.${name}`;
    section(at, head as object, HEAD_KEYS[name as keyof HeadsConfig]);
    const h = head as HeadConfig & { k?: number; provider?: string };
    if (h.weight !== undefined) checkSchedule(`${at}.weight`, h.weight);
    word(`${at}.provider`, h.provider, ["mnn", "seeded", "dictionary", "linear"]);
    const { pairs } = h as { pairs?: unknown };
    const pair = (p: unknown): boolean =>
      Array.isArray(p) && p.length === 2 && p.every((id) => typeof id === "string");
    if (pairs !== undefined && !(Array.isArray(pairs) && pairs.every(pair)))
      wrong(`${at}.pairs`, "a list of pairs of cell ids");
    if (h.provider === "seeded" && !(pairs as unknown[] | undefined)?.length)
      wrong(`${at}.pairs`, "given for the provider seeded");
    real(`${at}.epsilon`, h.epsilon, 1e-3, 10);
    range(`${at}.k`, h.k, 1, 1000);
  }
}

function checkTrain(train: TrainConfig): void {
  section("train", train, [
    "epochs",
    "batchSize",
    "learningRate",
    "rateSchedule",
    "weightDecay",
    "clip",
    "validation",
    "splitColumn",
    "patience",
    "minDelta",
    "checkpointEvery",
    "stepsPerCall",
    "precision",
    "device",
    "seed",
  ]);
  text("train.splitColumn", train.splitColumn);
  text("train.device", train.device);
  range("train.epochs", train.epochs, 1, 1e6);
  range("train.batchSize", train.batchSize, 1, 1e6);
  real("train.learningRate", train.learningRate, 1e-9, 10);
  word("train.rateSchedule", train.rateSchedule, ["constant", "cosine"]);
  real("train.weightDecay", train.weightDecay, 0, 10);
  real("train.clip", train.clip, 0, 1e9);
  real("train.validation", train.validation, 0, 0.9);
  range("train.patience", train.patience, 0, 1e6);
  real("train.minDelta", train.minDelta, 0, 1e9);
  range("train.checkpointEvery", train.checkpointEvery, 1, 1e6);
  range("train.stepsPerCall", train.stepsPerCall, 1, 1000);
  word("train.precision", train.precision, ["float32", "float16", "bfloat16", "auto"]);
  range("train.seed", train.seed, 0, Number.MAX_SAFE_INTEGER);
}

function section<T extends object>(name: string, value: T, known?: readonly string[]): T {
  if (typeof value !== "object" || value === null || Array.isArray(value)) wrong(name, "a group of settings");
  if (known) checkOptions(value, known, name);
  return value;
}

function text(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "string") wrong(name, "a name", value);
}

function range(name: string, value: number | undefined, min: number, max: number): void {
  if (value !== undefined) checkRange(name, value, { min, max, integer: true });
}

function real(name: string, value: number | undefined, min: number, max: number): void {
  if (value !== undefined) checkRange(name, value, { min, max });
}

function flag(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "boolean") wrong(name, "true or false");
}

function word(name: string, value: string | undefined, known: readonly string[]): void {
  if (value !== undefined && !known.includes(value)) wrong(name, `one of ${known.join(", ")}`, value);
}

function wrong(name: string, wanted: string, found?: unknown): never {
  const got = found === undefined ? "" : `, got ${JSON.stringify(found)}`;
  throw mosaicError("CONFIG", `${name} must be ${wanted}${got}`, { usage: true, details: { option: name } });
}
