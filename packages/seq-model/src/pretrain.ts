/** Teaching an encoder what samples and their ASVs are like, from table and tree alone. */
import { checkOptions, type RunOptions, type Warn } from "@x/core/base";
import type { RunTracker } from "@x/onnx-train";
import type { WeightArray } from "./aam-weights.ts";
import { type BatchTargets, batchTargets, type EncoderTarget, fileTargets } from "./batch-targets.ts";
import { type Clades, cladesOf } from "./clades.ts";
import type { DistanceMatrix } from "./distance-matrix.ts";
import { faithPd } from "./diversity.ts";
import { encoderType } from "./encoder-types.ts";
import { seqError } from "./errors.ts";
import type { FeatureTable } from "./feature-table.ts";
import { type Fingerprint, hashOf, treeHash, weightsHash } from "./fingerprint.ts";
import { encoderLines, takeEncoder } from "./key-report.ts";
import { embeddingWidth, type ModelOptions, modelConfig } from "./model-config.ts";
import type { ModelFacts } from "./model-file.ts";
import type { ModelConfig } from "./model-interfaces.ts";
import type { WeightMap } from "./model-weights.ts";
import type { LossWeights } from "./network.ts";
import type { Sequences } from "./read-fasta.ts";
import type { Tree } from "./read-newick.ts";
import { SeqModel } from "./seq-model.ts";
import { type SequenceCache, sequenceCache } from "./sequence-batches.ts";
import { cacheProfile } from "./sequence-lengths.ts";
import { type Split, splitSamples } from "./split.ts";
import type { UnknownRule } from "./tokens.ts";
import { type TrainingResult, trainNetwork } from "./training.ts";
import { countRange, kinTargets, type TrainingData } from "./training-data.ts";
import { type TrainingOptions, trainingConfig } from "./training-options.ts";
import type { TreeOptions } from "./unifrac.ts";

/** What `pretrain` and `fineTune` have in common. */
export interface RunFolder extends RunOptions {
  /** Sequences by name, where the table's features are not named by them. */
  sequences?: Sequences;
  /** Letters other than A, C, G and T; a token of their own by default. */
  unknown?: UnknownRule;
  /** Folder for checkpoints; nothing is written without it. */
  out?: string;
  /** Go on from the folder's last checkpoint, to the same bytes as without the interruption. */
  resume?: boolean;
  /** Told the numbers of each epoch. */
  trackers?: readonly RunTracker[];
  /** Receives warnings. */
  warn?: Warn;
  /** Told lines for people: which keys were loaded, how much is frozen. */
  print?: (line: string) => void;
}

/** Options of {@link pretrain}. */
export interface PretrainOptions extends RunFolder, TreeOptions {
  /** Form of the network. */
  model?: ModelOptions;
  /** How it is trained. */
  training?: TrainingOptions;
  /** Samples to train on and to judge by; a fifth at random by default. */
  split?: Split;
  /** Distances computed elsewhere, instead of the tree's. */
  distances?: DistanceMatrix;
  /** Of an encoder type that learns numbers of the user's: one sample after another, in the table's order. */
  encoderValues?: ArrayLike<number>;
  /** An encoder to start from: its file, or its run's folder. */
  from?: SeqModel;
  /** Of generalised UniFrac; 0.5 by default. */
  alpha?: number;
}

/** A model and how it came about. */
export interface TrainedModel {
  /** The model of the best epoch. */
  readonly model: SeqModel;
  /** Numbers of its training. */
  readonly result: TrainingResult;
}

const PRETRAIN_OPTIONS = [
  ...[
    "model",
    "training",
    "split",
    "distances",
    "encoderValues",
    "from",
    "alpha",
    "missingTips",
    "missingLength",
  ],
  ...["sequences", "unknown", "out", "resume", "trackers", "warn", "print"],
  ...["signal", "onProgress", "threads", "seed", "memoryLimit"],
];

/**
 * Trains an encoder: distances of samples (or what else its type learns), distances of ASVs on the tree, and hidden
 * letters. Compositions are learned from training samples only. Sequences and tree are those of the whole table: letters
 * and clades of features that only other samples have are seen too (not who has them), as features that made-up communities
 * are drawn from and in the unit of distances on the tree; a table of the training samples' features alone avoids that. Errors: those of `unifrac` and `sequencesOf`, `TREE_NEEDED`,
 * `SPLIT_EMPTY`, `MODEL_KEYS`, `NOT_FINITE`.
 */
export async function pretrain(
  table: FeatureTable,
  tree: Tree | undefined,
  options: PretrainOptions = {},
): Promise<TrainedModel> {
  checkOptions(options, PRETRAIN_OPTIONS, "pretrain");
  const {
    split = splitSamples(table.sampleIds, { seed: options.seed ?? 0 }),
    unknown = "token",
    from,
  } = options;
  const train = table.sampleIndices(split.train);
  const { config, cache, clades } = formOf(
    table,
    { ...options, train, ...(tree && { tree }) },
    from?.facts.config,
  );
  const training = trainingConfig(
    { ...options.training, seed: options.training?.seed ?? options.seed ?? 0 },
    // Memberships in clades say what distances of ASVs would.
    { losses: { target: 0, ...(clades && { phylogeny: 0 }) }, synthetic: clades ? 0.5 : 0 },
  );
  const learned = await encoderData(table, tree, { cache, config, weights: training.losses, options, train });
  const known = !learned.encoderValues && (!learned.distances || learned.distances.again !== undefined);
  const data: TrainingData = {
    table,
    cache,
    train,
    valid: table.sampleIndices(split.test),
    ...learned,
    ...cladeData(clades, training.losses, from !== undefined),
    ...(clades && known && training.synthetic > 0 && { synthetic: { share: training.synthetic, clades } }),
  };
  const weights = from ? taken(from, config, options.print) : cladeStart(clades, config);
  const inputs = inputsOf(options, tree);
  const result = await trainNetwork({ ...runOf(options), inputs, config, training, data, weights });
  const facts: ModelFacts = {
    config,
    training,
    counts: countRange(data),
    unknown,
    categories: [],
    lengths: cacheProfile(cache),
    history: table.history,
  };
  return { model: new SeqModel(facts, result.weights, threadsOf(options)), result };
}

/** What {@link formOf} looks at. @internal */
export type FormSource = Pick<
  PretrainOptions,
  "model" | "sequences" | "unknown" | "warn" | keyof TreeOptions
> & {
  /** Tree whose clades the network tells apart. */
  readonly tree?: Tree;
  /** Places of the training samples. */
  readonly train: Uint32Array;
};

/** The form of a network for a table, the table's sequences as its tokens, and the clades of its tree. @internal */
export function formOf(
  table: FeatureTable,
  { model = {}, sequences, unknown = "token", tree, train, missingLength, warn }: FormSource,
  base?: ModelConfig,
): { config: ModelConfig; cache: SequenceCache; clades?: Clades } {
  const wanted = modelConfig({
    ...base,
    ...model,
    ...(base && { layers: { ...base.layers, ...model.layers } }),
  });
  const cache = sequenceCache(table, sequences, { maxLength: wanted.maxLength, unknown });
  const most = base ? base.clades : (model.clades ?? CLADES);
  const without = tree && most > 0 ? tree.has(table.featureIds).filter((has) => !has).length : 0;
  if (without > 0)
    warn?.({
      code: "CLADES_TIPS",
      message: `${without} features have no tip in the tree: embeddings hold no clades; leave these features out of the table`,
      details: { features: without },
    });
  const onTree = tree && most > 0 && without === 0;
  const clades = onTree
    ? cladesOf(table, cache, { tree, train, most, ...(missingLength !== undefined && { missingLength }) })
    : undefined;
  if (base) return { config: wanted, cache, ...(clades && { clades }) };
  const config = modelConfig({
    ...wanted,
    // No place for letters that no sequence has.
    maxLength: model.maxLength ?? Math.min(wanted.maxLength, cache.table.width - 1),
    clades: clades?.size ?? 0,
    distance: model.distance ?? (clades?.size ? "shared" : wanted.distance),
  });
  return { config, cache, ...(clades?.size && { clades }) };
}

/** Clades at most unless said otherwise: all those of 1,024 ASVs. */
const CLADES = 2048;
/** What numbers that a distance does not rest on begin with: logarithm of a factor. */
const FAINT = -4;

/**
 * Memberships to be learned. An encoder that is there has clades of its own, in an order that another table need not
 * give: it learns them from distances alone. @internal
 */
export function cladeData(
  clades: Clades | undefined,
  { clades: weight = 0 }: LossWeights,
  started: boolean,
): Pick<TrainingData, "clades"> {
  return clades && weight > 0 && !started ? { clades } : {};
}

/** What the tree says about clades before anything is learned: how rare each is and how long its branch. @internal */
export function cladeStart(clades: Clades | undefined, config: ModelConfig): Map<string, WeightArray> {
  if (!clades || config.clades === 0) return new Map();
  const { size, lengths, shares } = clades;
  const onPresence = ["unweighted", "jaccard"].includes(encoderType(config.encoder).pairs ?? "");
  const weights = new Float32Array(embeddingWidth(config)).fill(FAINT);
  lengths.forEach((l, k) => {
    const own = 0.5 * Math.log(Math.max(l, 1e-6));
    weights[k] = own + (onPresence ? 0 : FAINT);
    weights[size + k] = own + (onPresence ? FAINT : 0);
  });
  const rare = Float32Array.from(shares, (s) => Math.log((s + 1e-4) / (1 - s + 1e-4)));
  return new Map([
    ["clades/out/b", { shape: [size], data: rare }],
    ...(config.distance === "tanh"
      ? []
      : ([["sample/encoder/logWeights", { shape: [weights.length], data: weights }]] as const)),
  ]);
}

/** What an encoder learns of the samples. @internal */
export async function encoderData(
  table: FeatureTable,
  tree: Tree | undefined,
  given: {
    cache: SequenceCache;
    config: ModelConfig;
    weights: LossWeights;
    options: PretrainOptions;
    /** Places of the training samples. */
    train: Uint32Array;
  },
): Promise<Pick<TrainingData, "distances" | "encoderValues" | "kin">> {
  const { cache, config, weights, options, train } = given;
  const type = encoderType(config.encoder);
  const { threads, missingTips, missingLength, signal } = options;
  const onTree = {
    ...(threads === undefined ? {} : { threads }),
    ...(missingTips ? { missingTips } : {}),
    ...(missingLength === undefined ? {} : { missingLength }),
  };
  const known =
    tree && missingTips === "drop" ? tree.has(table.featureIds).every(Boolean) : tree !== undefined;
  const kin =
    tree && known && config.phylogeny && (weights.phylogeny ?? 0) > 0
      ? await kinTargets(table, cache, { tree, ...onTree })
      : undefined;
  if (weights.encoder === 0) return kin ? { kin } : {};
  let distances: BatchTargets | undefined;
  if (options.distances) distances = fileTargets(table, options.distances);
  else if (type.pairs !== undefined)
    distances = batchTargets(table, {
      metric: type.pairs as EncoderTarget,
      ...onTree,
      ...(tree && { tree }),
      ...(signal && { signal }),
      ...(type.pairs === "generalized" && { alpha: options.alpha ?? 0.5 }),
    });
  let encoderValues: Float32Array | undefined;
  if (type.values) {
    const values = options.encoderValues ?? faithOf(table, tree, type.valuesFrom, { train, ...onTree });
    const wanted = table.sampleIds.length * type.values;
    if (values.length !== wanted)
      throw seqError("TARGET_SAMPLES", `${values.length} encoder values, ${wanted} were expected`);
    encoderValues = Float32Array.from(values);
  }
  return { ...(kin && { kin }), ...(distances && { distances }), ...(encoderValues && { encoderValues }) };
}

function faithOf(
  table: FeatureTable,
  tree: Tree | undefined,
  from: "faith-pd" | "user" | undefined,
  { train, ...onTree }: TreeOptions & { train: Uint32Array },
): Float64Array {
  if (from === "user")
    throw seqError("TARGET_SAMPLES", "this encoder type needs values: give encoderValues (--encoder-values)");
  if (!tree) throw seqError("TREE_NEEDED", "Faith PD needs a tree of the table's features");
  const { missingTips, missingLength } = onTree;
  const { values } = faithPd(table, tree, {
    ...(missingTips && { missingTips }),
    ...(missingLength === undefined ? {} : { missingLength }),
  });
  // In units of the largest training sample: no other one decides what is learned.
  const largest = train.reduce((most, p) => Math.max(most, values[p]!), 0) || 1;
  return values.map((v) => v / largest);
}

/** The weights of a pretrained encoder, and lines about them. @internal */
export function taken(from: SeqModel, config: ModelConfig, print?: (line: string) => void): WeightMap {
  const found = takeEncoder(from.weights, config, "the encoder");
  for (const line of encoderLines(found.report)) print?.(line);
  return found.taken;
}

/** What a training takes over from the options of a run. @internal */
export function runOf(
  options: RunFolder,
): Pick<RunFolder, "signal" | "onProgress" | "threads" | "out" | "resume" | "trackers" | "warn"> {
  const { signal, onProgress, threads, out, resume, trackers, warn } = options;
  return {
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
    ...(threads === undefined ? {} : { threads }),
    ...(out === undefined ? {} : { out }),
    ...(resume === undefined ? {} : { resume }),
    ...(trackers && { trackers }),
    ...(warn && { warn }),
  };
}

/** What a run learns from besides its data: only the same can go on. @internal */
export function inputsOf(
  { from, distances, alpha, missingTips, missingLength, out }: PretrainOptions,
  tree: Tree | undefined,
): Fingerprint {
  if (out === undefined) return {};
  return {
    encoder: from ? weightsHash(from.weights) : "none",
    tree: tree ? treeHash(tree) : "none",
    "tree options": JSON.stringify([missingTips ?? "error", missingLength ?? null, alpha ?? null]),
    distances: distances ? hashOf(distances.ids, distances.toArray()) : "none",
  };
}

/** @internal */
export function threadsOf({ threads }: RunOptions): { threads?: number } {
  return threads === undefined ? {} : { threads };
}
