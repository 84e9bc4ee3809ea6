/** Teaching a network to predict something of samples, from a pretrained encoder or from nothing. */
import { checkOptions, xError } from "@x/core/base";
import { type CategoryColumn, encodeCategories, fitCategories } from "./categories.ts";
import { seqError } from "./errors.ts";
import type { FeatureTable } from "./feature-table.ts";
import { frozenLine } from "./key-report.ts";
import type { ModelFacts, TargetFacts } from "./model-file.ts";
import {
  cladeData,
  cladeStart,
  encoderData,
  formOf,
  inputsOf,
  type PretrainOptions,
  runOf,
  type TrainedModel,
  taken,
  threadsOf,
} from "./pretrain.ts";
import type { Metadata } from "./read-metadata.ts";
import type { Tree } from "./read-newick.ts";
import { ridgeStart } from "./ridge-start.ts";
import { SeqModel } from "./seq-model.ts";
import { cacheProfile } from "./sequence-lengths.ts";
import { type Split, splitSamples } from "./split.ts";
import { applyTargetTransform, fitTargetTransform, type TargetTransformKind } from "./target-transform.ts";
import type { Target } from "./targets.ts";
import { trainNetwork } from "./training.ts";
import { countRange, type TrainingData } from "./training-data.ts";
import { type TrainingConfig, trainingConfig } from "./training-options.ts";

/** Columns of metadata that a network takes as input. */
export interface CategoricalInput {
  /** Of the table's samples, in its order. */
  metadata: Metadata;
  /** Names of its columns. */
  columns: readonly string[];
}

/** Options of {@link fineTune}. */
export interface FineTuneOptions extends PretrainOptions {
  /** What is predicted: columns of numbers, or one of classes, of the table's samples in its order. */
  target: Target | readonly Target[];
  /** Samples to train on, and to judge the epochs by; a fifth at random by default. */
  split?: Split;
  /** Tree for losses of the encoder; without one these are off. */
  tree?: Tree;
  /** Scale of numbers; `zscore` by default, fitted on the training samples. */
  transform?: TargetTransformKind;
  /** Of `zscore-category`: a category a sample. */
  groups?: readonly string[];
  /** Name of that column. */
  groupColumn?: string;
  /** Metadata of the table's samples in its order, and the columns of it that are input. */
  categorical?: CategoricalInput;
  /** Weight of each sample in the losses. `SAMPLE_WEIGHTS` unless finite and not negative. */
  sampleWeights?: ArrayLike<number>;
  /** Does a linear head begin as ridge regression on the encoder's embeddings? True by default. */
  ridgeStart?: boolean;
  /** Group of each of the table's samples, e.g. its host: ridge regression then leaves out whole groups, not samples. */
  leaveOut?: readonly string[];
  /** Keep the losses of counts, distances and letters although the encoder is frozen. */
  keepAuxiliary?: boolean;
}

const OPTIONS = [
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
  ...["signal", "onProgress", "threads", "seed", "memoryLimit", "tree"],
  ...[
    "target",
    "transform",
    "groups",
    "groupColumn",
    "categorical",
    "sampleWeights",
    "ridgeStart",
    "leaveOut",
    "keepAuxiliary",
  ],
];

/**
 * Trains a network to predict. From an encoder (`from`) it takes every weight that fits, accounted for by name. A frozen
 * encoder (`freeze`) runs without dropout and its ASVs are embedded once; the losses that belong to it are then off
 * (`keepAuxiliary` keeps them). Errors: those of `pretrain`, `TARGET_TRANSFORM`, `SAMPLE_WEIGHTS`, `CLASS_WEIGHTS`.
 */
export async function fineTune(table: FeatureTable, options: FineTuneOptions): Promise<TrainedModel> {
  checkOptions(options, OPTIONS, "fineTune");
  const { from, print, unknown = from?.facts.unknown ?? "token" } = options;
  const split = options.split ?? splitSamples(table.sampleIds, { seed: options.seed ?? 0 });
  const train = table.sampleIndices(split.train);
  const valid = table.sampleIndices(split.test);
  const targets: readonly Target[] = Array.isArray(options.target)
    ? options.target
    : [options.target as Target];
  const classes = targets[0]?.classes ?? [];
  const inputs = categoryInputs(options, split);
  const { config, cache, clades } = formOf(
    table,
    {
      ...options,
      unknown,
      train,
      model: {
        ...options.model,
        outputs: classes.length > 0 ? classes.length : targets.length,
        classifier: classes.length > 0,
        categories: inputs.columns.map(({ levels }) => levels.length + 1),
      },
    },
    from?.facts.config,
  );
  // As in pretraining: memberships in clades say what distances of ASVs would.
  const auxiliary =
    options.tree || options.distances
      ? { ...(config.clades > 0 && { phylogeny: 0 }) }
      : { encoder: 0, phylogeny: 0, clades: 0 };
  const training = withoutAuxiliary(
    trainingConfig(
      { ...options.training, seed: options.training?.seed ?? options.seed ?? 0 },
      { losses: auxiliary },
    ),
    options.keepAuxiliary === true,
  );
  checkClassWeights(training, classes);
  const { facts: target, values } = targetValues(targets, { table, train, options, width: config.outputs });
  const data: TrainingData = {
    table,
    cache,
    train,
    valid,
    targets: values,
    ...(inputs.codes && { categories: inputs.codes }),
    ...(options.sampleWeights && { sampleWeights: checkedWeights(options.sampleWeights, table) }),
    ...(await encoderData(table, options.tree, { cache, config, weights: training.losses, options, train })),
    ...cladeData(clades, training.losses, from !== undefined),
  };
  const counts = countRange(data);
  const start = new Map(from ? taken(from, config, print) : cladeStart(clades, config));
  if (options.ridgeStart !== false && from) {
    const source = { data, config, training, counts, threads: options.threads };
    const head = await ridgeStart(start, {
      ...source,
      ...(options.leaveOut && { groups: options.leaveOut }),
    });
    for (const [name, value] of head) start.set(name, value);
  }
  const result = await trainNetwork({
    ...runOf(options),
    inputs: {
      "target columns": target.names.join(", "),
      transform: JSON.stringify(target.transform),
      ...inputsOf(options, options.tree),
    },
    config,
    training,
    data,
    weights: start,
    transform: target.transform,
    ...(options.groups && { groups: options.groups }),
  });
  print?.(frozenLine(result));
  const facts: ModelFacts = {
    config,
    training,
    counts,
    unknown,
    categories: inputs.columns,
    target,
    lengths: cacheProfile(cache),
    history: table.history,
  };
  return { model: new SeqModel(facts, result.weights, threadsOf(options)), result };
}

/** A frozen encoder learns nothing: its losses are off, and letters always, since no letter is looked at. */
function withoutAuxiliary(training: TrainingConfig, keep: boolean): TrainingConfig {
  if (training.freeze === "none") return training;
  const { losses } = training;
  const off = { ...losses, nucleotide: 0, phylogeny: 0, clades: 0 };
  return { ...training, losses: keep ? off : { ...off, count: 0, encoder: 0 } };
}

function categoryInputs(
  { categorical, warn }: FineTuneOptions,
  split: Split,
): { columns: readonly CategoryColumn[]; codes?: Int32Array } {
  if (!categorical || categorical.columns.length === 0) return { columns: [] };
  const { metadata, columns: names } = categorical;
  const columns = fitCategories(metadata.select([...split.train]), names);
  const { codes, unseen } = encodeCategories(columns, metadata);
  for (const [name, levels] of Object.entries(unseen))
    warn?.({
      code: "CATEGORY_UNSEEN",
      message: `${name}: ${levels.join(", ")} are not in the training samples; they count as unknown`,
      details: { name, levels },
    });
  return { columns, codes };
}

function targetValues(
  targets: readonly Target[],
  given: { table: FeatureTable; train: Uint32Array; options: FineTuneOptions; width: number },
): { facts: TargetFacts; values: Float32Array } {
  const { table, train, options } = given;
  const n = table.sampleIds.length;
  const names = targets.map(({ name }) => name);
  const outputs = targets.length;
  for (const { name, values, classes } of targets) {
    if (values.length !== n)
      throw seqError("TARGET_SAMPLES", `${name} has ${values.length} values for ${n} samples`);
    if (classes.length > 0 && outputs > 1)
      throw seqError("TARGET_CLASSES", `${name} holds classes; several targets are numbers`);
  }
  const flat = Float64Array.from(
    { length: n * outputs },
    (_, i) => targets[i % outputs]!.values[Math.floor(i / outputs)]!,
  );
  const kind = targets[0]!.classes.length > 0 ? "none" : (options.transform ?? "zscore");
  const ofTraining = Float64Array.from({ length: train.length * outputs }, (_, i) => {
    return flat[train[Math.floor(i / outputs)]! * outputs + (i % outputs)]!;
  });
  const { groups } = options;
  const transform = fitTargetTransform(kind, ofTraining, {
    outputs,
    ...(groups && { categories: Array.from(train, (p) => groups[p]!) }),
  });
  const values = applyTargetTransform(transform, flat, groups ? { categories: groups } : {});
  const facts: TargetFacts = {
    names,
    classes: targets[0]!.classes,
    transform,
    ...(options.groupColumn !== undefined && { transformColumn: options.groupColumn }),
  };
  return { facts, values: Float32Array.from(values) };
}

function checkClassWeights({ loss: { classWeights } }: TrainingConfig, classes: readonly string[]): void {
  if (!classWeights) return;
  const good = classWeights.every((w) => Number.isFinite(w) && w >= 0) && classWeights.some((w) => w > 0);
  if (good && classWeights.length === classes.length) return;
  const wanted =
    classes.length > 0
      ? `there must be ${classes.length} numbers of at least 0, not all 0, for ${classes.join(", ")}, in this order`
      : "numbers that are predicted have no classes";
  const message = `class weights are ${classWeights.join(", ")}; ${wanted}`;
  throw xError("CLASS_WEIGHTS", message, { usage: true, details: { classes } });
}

function checkedWeights(weights: ArrayLike<number>, table: FeatureTable): Float32Array {
  const bad = table.sampleIds.filter((_, i) => !(Number.isFinite(weights[i]) && weights[i]! >= 0));
  if (weights.length === table.sampleIds.length && bad.length === 0) return Float32Array.from(weights);
  const message = `sample weights must be numbers of at least 0, one for each of ${table.sampleIds.length} samples; ${bad.length} are not`;
  throw seqError("SAMPLE_WEIGHTS", message, { samples: bad });
}
