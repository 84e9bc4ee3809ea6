/** Forms of networks: defaults, AAM's, and what is refused. */
import { checkOptions, checkRange, xError } from "@x/core/base";
import { encoderType } from "./encoder-types.ts";
import type { ModelConfig } from "./model-interfaces.ts";
import { TOKENS } from "./tokens.ts";

/** What a configuration may leave out. */
export interface ModelOptions extends Partial<Omit<ModelConfig, "layers">> {
  /** Layers of some stacks. */
  readonly layers?: Partial<ModelConfig["layers"]>;
}

const DEFAULTS: ModelConfig = {
  dim: 64,
  heads: 4,
  layers: { asv: 2, sample: 0, encoder: 0, count: 0, target: 0 },
  ffnRatio: 2,
  dropout: 0,
  activation: "gelu",
  vocabulary: TOKENS.N! + 1,
  maxLength: 150,
  tokenLimit: 1024,
  patch: 6,
  samplePositions: false,
  countEmbedding: "film",
  countPooling: true,
  clades: 0,
  asvReadout: "places",
  poolNorm: false,
  poolHeads: 4,
  encoder: "unifrac",
  distance: "squared",
  pooling: "powers",
  targetFrom: "embedding",
  outputs: 0,
  classifier: false,
  quantiles: [],
  head: "linear",
  hidden: [],
  headDropout: 0,
  targetLayerNorm: false,
  bounded: false,
  outputActivation: "none",
  learnableScale: false,
  categories: [],
  categoryDim: 16,
  fusion: "concat",
  countPrediction: false,
  nucleotides: true,
  phylogeny: true,
};

/** The form of AAM's networks: slots have positions, distances are tanh(|a − b| / 10), the target is read from the states. */
export const AAM_CONFIG: ModelOptions = Object.freeze({
  dim: 128,
  layers: { asv: 4, sample: 4, encoder: 4, count: 4, target: 4 },
  ffnRatio: 4,
  vocabulary: 7,
  patch: 1,
  samplePositions: true,
  countEmbedding: "none",
  countPooling: false,
  poolNorm: true,
  poolHeads: 1,
  distance: "tanh",
  pooling: "attention",
  clades: 0,
  asvReadout: "attention",
  targetFrom: "states",
  targetLayerNorm: true,
  countPrediction: true,
  phylogeny: false,
} satisfies ModelOptions);

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  activation: ["gelu", "relu"],
  countEmbedding: ["none", "add", "concat", "film"],
  distance: ["tanh", "squared", "shared"],
  pooling: ["attention", "powers"],
  asvReadout: ["attention", "places"],
  targetFrom: ["states", "embedding", "both"],
  head: ["linear", "mlp", "residual"],
  outputActivation: ["none", "relu", "softplus", "exp"],
  fusion: ["concat", "add", "gmu", "cross-attention"],
};

const NUMBERS: Readonly<Record<string, readonly [number, number]>> = {
  dim: [1, 8192],
  heads: [1, 128],
  ffnRatio: [1, 16],
  vocabulary: [6, 64],
  maxLength: [1, 65534],
  tokenLimit: [1, 1e6],
  patch: [1, 64],
  poolHeads: [1, 128],
  clades: [0, 1e6],
  outputs: [0, 1e6],
  categoryDim: [1, 8192],
};

/**
 * A whole configuration from what is given and the defaults. `UNKNOWN_OPTION`, `OPTION_RANGE`, `OPTION_CHOICE` and
 * `ENCODER_TYPE` for what does not fit.
 */
export function modelConfig(options: ModelOptions = {}): ModelConfig {
  checkOptions(options, Object.keys(DEFAULTS), "the model");
  const layers = { ...DEFAULTS.layers, ...options.layers };
  checkOptions(layers, Object.keys(DEFAULTS.layers), "layers");
  const config: ModelConfig = { ...DEFAULTS, ...options, layers };
  for (const [name, [min, max]] of Object.entries(NUMBERS))
    checkRange(name, config[name as "dim"], { min, max, integer: true });
  for (const [name, depth] of Object.entries(layers))
    checkRange(`layers.${name}`, depth, { min: 0, max: 256, integer: true });
  for (const name of ["dropout", "headDropout"] as const)
    checkRange(name, config[name], { min: 0, max: 0.95 });
  for (const [name, known] of Object.entries(CHOICES)) {
    const word = config[name as "head"];
    if (!known.includes(word)) wrong(name, `one of ${known.join(", ")}`, word);
  }
  for (const [name, parts] of [
    ["heads", config.heads],
    ["poolHeads", config.poolHeads],
  ] as const)
    if (config.dim % parts !== 0) wrong(name, `a divisor of dim (${config.dim})`, parts);
  if (config.classifier && config.outputs < 2) wrong("outputs", "two classes or more", config.outputs);
  if (config.classifier && config.quantiles.length > 0)
    wrong("quantiles", "left out for classes", config.quantiles);
  encoderType(config.encoder);
  return Object.freeze(config);
}

/** Numbers of a sample embedding. */
export function embeddingWidth({ clades, dim }: Pick<ModelConfig, "clades" | "dim">): number {
  return 2 * clades + dim;
}

function wrong(option: string, wanted: string, found: unknown): never {
  const message = `${option} must be ${wanted}, got ${JSON.stringify(found)}`;
  throw xError("OPTION_CHOICE", message, { usage: true, details: { option } });
}
