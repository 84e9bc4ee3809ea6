/** How a network is trained: defaults, and what is refused. */
import { checkOptions, checkRange, xError } from "@x/core/base";
import {
  accumulate,
  adamW,
  type Optimizer,
  oneCycle,
  Plateau,
  type PlateauState,
  type Precision,
  type Schedule,
  warmupCosine,
  withEma,
} from "@x/onnx-train";
import type { MaskOptions } from "./letter-masks.ts";
import type { TargetLossConfig } from "./model-losses.ts";
import type { LossWeights } from "./network.ts";
import type { Variation } from "./training-data.ts";

/** Which weights stay as they are: none, those of the nucleotide level, or all but those of counts and target. */
export type Freeze = "none" | "asvs" | "base";

/** How the learning rate goes. */
export type RateSchedule = "cosine" | "constant" | "plateau" | "one-cycle";

/** Settings of a training; stored beside the model. */
export interface TrainingConfig {
  /** Passes over the training samples. */
  readonly epochs: number;
  /** Samples a step. */
  readonly batchSize: number;
  /** Largest learning rate. */
  readonly learningRate: number;
  /** Decoupled weight decay. */
  readonly weightDecay: number;
  /** Share of all steps in which the rate rises from 0. */
  readonly warmup: number;
  /** How it goes on. */
  readonly schedule: RateSchedule;
  /** Largest norm of a gradient; 0 leaves it. */
  readonly clip: number;
  /** Decay of a moving average of the weights, which is what is judged and kept; 0 for none. */
  readonly ema: number;
  /** Batches whose gradients make one update. */
  readonly accumulate: number;
  /** Epochs without a better validation after which training stops; 0 never stops. */
  readonly patience: number;
  /** What decides which epoch is kept. `val-loss` by default. */
  readonly bestMetric: BestMetric;
  /** Factors of the losses. */
  readonly losses: LossWeights;
  /** Of the target. */
  readonly loss: TargetLossConfig;
  /** Of masked autoencoding; ratio 0 hides nothing. */
  readonly mask: MaskOptions;
  /** What the mask becomes once its validation loss is under 0.1: too easy to teach anything. */
  readonly harderMask?: MaskOptions;
  /** Of matrix products in training: float32 by default, `auto` is bfloat16 on CUDA where that works. Judged in float32. */
  readonly precision?: Precision | "auto";
  /** Variation of training samples. */
  readonly variation: Variation;
  /**
   * Chance of a sample of a pretraining batch to be a community that nobody took: a training sample thinned, a mixture of
   * two, random features, or those of random clades. Needs a tree and no targets.
   */
  readonly synthetic: number;
  /** ASVs of a sample that has more than the limit. */
  readonly sampling: "abundance" | "first" | "random";
  /** Which weights stay as they are. */
  readonly freeze: Freeze;
  /** ASVs worked on at a time, to be computed again in the backward pass; 0 keeps everything. */
  readonly chunk: number;
  /** Keep the products of a chunk's layers for the backward pass; without, they are computed again, in much less memory. */
  readonly keep: boolean;
  /** Graphs for samples of about one size each, so that small ones are not padded to the largest; 1 pads all alike. */
  readonly lengthBuckets: number;
  /** Steps in one call of onnxruntime. */
  readonly stepsPerCall: number;
  /** Of everything random. */
  readonly seed: number;
  /** `auto`, `cpu`, `cuda`, `cuda:N`. */
  readonly device: string;
}

/** What decides which epoch is kept; the direction follows from it. `last` asks no one. */
export type BestMetric = "val-loss" | "r2" | "mae" | "accuracy" | "f1" | "last";

/** What a training configuration may leave out. */
export interface TrainingOptions
  extends Partial<Omit<TrainingConfig, "losses" | "loss" | "mask" | "variation">> {
  /** Factors of some losses. */
  readonly losses?: Partial<LossWeights>;
  /** Of the target. */
  readonly loss?: Partial<TargetLossConfig>;
  /** Of masked autoencoding. */
  readonly mask?: Partial<MaskOptions>;
  /** Variation of training samples. */
  readonly variation?: Variation;
}

const DEFAULTS: TrainingConfig = {
  epochs: 100,
  batchSize: 8,
  learningRate: 1e-3,
  weightDecay: 0.01,
  warmup: 0.05,
  schedule: "cosine",
  clip: 1,
  ema: 0,
  accumulate: 1,
  patience: 0,
  bestMetric: "val-loss",
  losses: { target: 1, count: 1, encoder: 1, nucleotide: 1, phylogeny: 1, clades: 1 },
  loss: { loss: "huber", overPenalty: 1, underPenalty: 1 },
  mask: { ratio: 0.15, strategy: "random" },
  variation: {},
  synthetic: 0,
  sampling: "abundance",
  freeze: "none",
  chunk: 32,
  keep: true,
  lengthBuckets: 1,
  stepsPerCall: 1,
  seed: 0,
  device: "auto",
};

const NUMBERS: Readonly<Record<string, readonly [least: number, most: number, whole: boolean]>> = {
  epochs: [1, 1e6, true],
  batchSize: [1, 1e5, true],
  learningRate: [0, 10, false],
  weightDecay: [0, 10, false],
  warmup: [0, 1, false],
  clip: [0, 1e9, false],
  ema: [0, 0.999999, false],
  accumulate: [1, 1e4, true],
  patience: [0, 1e6, true],
  chunk: [0, 1e6, true],
  lengthBuckets: [1, 64, true],
  synthetic: [0, 1, false],
  stepsPerCall: [1, 1e4, true],
};

/** A whole configuration. `UNKNOWN_OPTION`, `OPTION_RANGE`, `OPTION_CHOICE`. */
export function trainingConfig(
  options: TrainingOptions = {},
  defaults: TrainingOptions = {},
): TrainingConfig {
  checkOptions(options, [...Object.keys(DEFAULTS), "harderMask", "precision"], "the training");
  const base = merged(DEFAULTS, defaults);
  const config = merged(base, options);
  for (const [name, [min, max, integer]] of Object.entries(NUMBERS))
    checkRange(name, config[name as "epochs"], { min, max, integer });
  for (const [name, weight] of Object.entries(config.losses))
    checkRange(`losses.${name}`, weight, { min: 0 });
  checkRange("mask.ratio", config.mask.ratio, { min: 0, max: 1 });
  const choices: readonly (readonly [string, string, readonly string[]])[] = [
    ["schedule", config.schedule, ["cosine", "constant", "plateau", "one-cycle"]],
    ["freeze", config.freeze, ["none", "asvs", "base"]],
    ["sampling", config.sampling, ["abundance", "first", "random"]],
    ["precision", config.precision ?? "float32", ["float32", "float16", "bfloat16", "auto"]],
    ["mask.strategy", config.mask.strategy, ["random", "span"]],
    ["bestMetric", config.bestMetric, ["val-loss", "r2", "mae", "accuracy", "f1", "last"]],
  ];
  for (const [name, word, known] of choices)
    if (!known.includes(word)) {
      const message = `${name} must be one of ${known.join(", ")}, got ${JSON.stringify(word)}`;
      throw xError("OPTION_CHOICE", message, { usage: true, details: { option: name } });
    }
  return config;
}

function merged(base: TrainingConfig, options: TrainingOptions): TrainingConfig {
  const { losses, loss, mask, variation, ...rest } = options;
  return {
    ...base,
    ...rest,
    losses: { ...base.losses, ...losses },
    loss: { ...base.loss, ...loss },
    mask: { ...base.mask, ...mask },
    variation: { ...base.variation, ...variation },
  };
}

/** The optimiser, and the plateau that its rate listens to. */
export function optimizerOf(
  config: TrainingConfig,
  steps: number,
  state?: PlateauState | null,
): { optimizer: Optimizer; plateau?: Plateau } {
  const { learningRate: peak, weightDecay, ema } = config;
  const warmup = Math.max(1, Math.round(config.warmup * steps));
  const plateau = config.schedule === "plateau" ? new Plateau(peak, state ? { state } : {}) : undefined;
  const rise = (step: number): number => Math.min(1, (step + 1) / warmup);
  const lr: Schedule =
    config.schedule === "cosine"
      ? warmupCosine(peak, { warmup, total: steps })
      : config.schedule === "one-cycle"
        ? oneCycle(peak, { total: Math.max(2, steps) })
        : (step) => rise(step) * (plateau ? plateau.rate() : peak);
  const inner = accumulate(adamW({ lr, weightDecay }), config.accumulate);
  return { optimizer: ema > 0 ? withEma(inner, ema) : inner, ...(plateau && { plateau }) };
}
