import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CliCommand, type CliContext, memoryLimit, writeFileAtomic, xError } from "@x/core/base";
import { jsonlTracker, lossReportHtml, readHistory, tensorBoardTracker } from "@x/onnx-train";
import { tableOf, treeOf, treeOptions } from "./cli-inputs.ts";
import { given, modelOptions, NETWORK_FLAGS, trainingOptions } from "./cli-train-options.ts";
import { readDistances } from "./distance-files.ts";
import { seqError } from "./errors.ts";
import type { FeatureTable } from "./feature-table.ts";
import { type FineTuneOptions, fineTune } from "./fine-tune.ts";
import { joinMetadata } from "./join-metadata.ts";
import { MODEL_FILE } from "./model-file.ts";
import { formOf, type PretrainOptions, pretrain, type TrainedModel } from "./pretrain.ts";
import { sortedQuantiles } from "./quantiles.ts";
import { readFasta } from "./read-fasta.ts";
import { type Metadata, readMetadata } from "./read-metadata.ts";
import { SeqModel } from "./seq-model.ts";
import { limitSplit, readSplit, type Split, splitSamples } from "./split.ts";
import { classTarget, numericTarget } from "./targets.ts";
import { batchLengths } from "./training-data.ts";
import { planBatch } from "./training-memory.ts";
import { type TrainingOptions, trainingConfig } from "./training-options.ts";

/** `seq-model pretrain`. */
export const pretrainCommand: CliCommand = {
  name: "pretrain",
  summary: "teach an encoder distances of samples, the tree of ASVs and hidden letters",
  random: true,
  options: NETWORK_FLAGS,
  examples: [
    "seq-model pretrain --table table.biom --tree tree.nwk --output-dir pre --epochs 20",
    "seq-model pretrain --table table.biom --tree tree.nwk --output-dir pre --max-memory-gb 2 --auto-batch-size",
  ],
  async run(context) {
    const table = await tableOf(context);
    const common = await commonOptions(context, table, undefined);
    const trained = await pretrain(table, common.tree, common.options);
    return finish(context, trained, common.trackers);
  },
};

/** `seq-model train`. */
export const trainCommand: CliCommand = {
  name: "train",
  summary: "train a predictor of a metadata column, from a pretrained encoder or from nothing",
  random: true,
  options: [
    ...NETWORK_FLAGS,
    {
      name: "metadata",
      aliases: ["-m"],
      type: "string",
      value: "FILE",
      help: "sample metadata",
      required: true,
    },
    {
      name: "metadata-column",
      aliases: ["--column"],
      type: "string",
      value: "COLUMN[,COLUMN]",
      help: "what to predict; several columns of numbers are predicted together",
      required: true,
    },
    { name: "classifier", type: "flag", help: "the column holds classes" },
    {
      name: "group",
      type: "string",
      value: "COLUMN",
      help: "keep samples of one group, e.g. a host, on one side",
    },
    {
      name: "drop-missing",
      type: "flag",
      help: "leave out samples without metadata or counts instead of an error",
    },
    {
      name: "target-penalty",
      type: "number",
      range: { min: 0 },
      value: "X",
      help: "weight of the target's loss; 1",
    },
    {
      name: "loss-type",
      type: "string",
      choices: ["huber", "mse", "mae", "asymmetric"],
      value: "NAME",
      help: "of numbers; huber",
    },
    {
      name: "over-penalty",
      type: "number",
      range: { min: 0 },
      value: "X",
      help: "of --loss-type asymmetric: a prediction too large by one; 1",
    },
    {
      name: "under-penalty",
      type: "number",
      range: { min: 0 },
      value: "X",
      help: "the same for one too small; 1",
    },
    { name: "class-weights", type: "string", value: "X,X", help: "of classes in alphabetical order" },
    { name: "quantiles", type: "string", value: "Q,Q", help: "predict these quantiles, e.g. 0.05,0.5,0.95" },
    {
      name: "target-transform",
      type: "string",
      choices: ["none", "minmax", "zscore", "zscore-category", "log-minmax", "log-zscore"],
      value: "NAME",
      help: "scale of numbers, fitted on the training samples; zscore",
    },
    { name: "transform-column", type: "string", value: "COLUMN", help: "categories of zscore-category" },
    {
      name: "normalize-targets",
      type: "flag",
      help: "(on) --no-normalize-targets is --target-transform none",
    },
    {
      name: "bounded-targets",
      type: "flag",
      help: "a sigmoid on the outputs: with minmax; --unbounded-targets is the default",
    },
    { name: "unbounded-targets", type: "flag", help: "no bound on the outputs (default)" },
    {
      name: "output-activation",
      type: "string",
      choices: ["none", "relu", "softplus", "exp"],
      value: "NAME",
      help: "on the outputs; none",
    },
    { name: "learnable-output-scale", type: "flag", help: "a learned factor and term on the outputs" },
    { name: "target-layer-norm", type: "flag", help: "normalise what the head reads" },
    { name: "regressor-hidden-dims", type: "string", value: "N,N", help: "hidden layers of the head" },
    {
      name: "regressor-dropout",
      type: "number",
      range: { min: 0, max: 0.95 },
      value: "X",
      help: "share of their units dropped; 0",
    },
    { name: "residual-regression-head", type: "flag", help: "a linear head beside the hidden layers" },
    {
      name: "target-from",
      type: "string",
      choices: ["embedding", "states", "both"],
      value: "NAME",
      help: "what the head reads: the sample embedding (default), pooled ASV states, or both",
    },
    { name: "categorical-columns", type: "string", value: "COLUMN,COLUMN", help: "metadata that are input" },
    {
      name: "categorical-fusion",
      type: "string",
      choices: ["concat", "add", "gmu", "cross-attention"],
      value: "NAME",
      help: "how they join the sample; concat",
    },
    {
      name: "categorical-embed-dim",
      type: "int",
      range: { min: 1 },
      value: "N",
      help: "width of their embeddings; 16",
    },
    {
      name: "sample-weight-column",
      type: "string",
      value: "COLUMN",
      help: "weight of each sample in the losses",
    },
    {
      name: "count-prediction",
      type: "flag",
      help: "(off) learn to predict the share of each ASV beside the target",
    },
    {
      name: "freeze-base",
      type: "flag",
      help: "fine-tune head and target alone: the encoder stays as it is, without dropout, ASVs are embedded once, letters are not predicted (their weight is 0) and auxiliary losses are off",
    },
    {
      name: "freeze-asvs",
      type: "flag",
      help: "only the nucleotide level stays as it is: most of the speed, more freedom",
    },
    { name: "skip-auxiliary-predictions", type: "flag", help: "no losses but that of the target" },
    {
      name: "keep-auxiliary-predictions",
      type: "flag",
      help: "losses of counts and distances although the encoder is frozen",
    },
    {
      name: "ridge-start",
      type: "flag",
      help: "(on) a linear head begins as ridge regression on the pretrained embeddings",
    },
    {
      name: "best-metric",
      type: "string",
      choices: ["val_loss", "r2", "mae", "accuracy", "f1", "last"],
      value: "NAME",
      help: "what decides which epoch is kept; val_loss. mae and val_loss are better small, the others large",
    },
  ],
  examples: [
    "seq-model train --table table.biom --metadata metadata.tsv --metadata-column age --pretrained-encoder pre --freeze-asvs --output-dir run",
    "seq-model train --table table.biom --tree tree.nwk --metadata metadata.tsv --column diet --classifier --output-dir run",
  ],
  async run(context) {
    const { options } = context;
    const missing = options["drop-missing"] === true ? "drop" : "error";
    const known = await readMetadata(String(options.metadata), { signal: context.signal });
    const whole = await tableOf(context);
    const chosen = options.split === undefined ? undefined : await readSplit(String(options.split));
    const named = chosen && new Set([...chosen.train, ...chosen.test]);
    const asked = named ? whole.select({ samples: whole.sampleIds.filter((id) => named.has(id)) }) : whole;
    const { table, metadata } = joinMetadata(asked, known, { missing, empty: missing });
    const common = await commonOptions(context, table, metadata);
    const trained = await fineTune(table, {
      ...common.options,
      ...targetOptions(context, metadata),
      ...given({ tree: common.tree }),
    });
    return finish(context, trained, common.trackers);
  },
};

/** What `train` has beyond `pretrain`. */
function targetOptions(
  { options }: CliContext,
  metadata: Metadata,
): Pick<FineTuneOptions, "target"> & Partial<FineTuneOptions> {
  const classifier = options.classifier === true;
  const names = listOf(options["metadata-column"]);
  const target = names.map((name) =>
    classifier ? classTarget(metadata, name) : numericTarget(metadata, name),
  );
  const column = options["transform-column"] === undefined ? undefined : String(options["transform-column"]);
  const categorical = listOf(options["categorical-columns"]);
  const weights = options["sample-weight-column"];
  const transform = options["normalize-targets"] === false ? "none" : options["target-transform"];
  return {
    target: classifier ? target[0]! : target,
    ...given({
      transform: transform as FineTuneOptions["transform"],
      groups: column === undefined ? undefined : metadata.column(column).values.map(String),
      groupColumn: column,
      categorical: categorical.length > 0 ? { metadata, columns: categorical } : undefined,
      sampleWeights: weights === undefined ? undefined : numericTarget(metadata, String(weights)).values,
      ridgeStart: options["ridge-start"] as boolean | undefined,
      keepAuxiliary: options["keep-auxiliary-predictions"] as boolean | undefined,
    }),
  };
}

function listOf(value: unknown): string[] {
  return value === undefined
    ? []
    : String(value)
        .split(",")
        .map((s) => s.trim());
}

/** The form of the head. */
function headOptions({ options }: CliContext): Record<string, unknown> {
  if (options["bounded-targets"] === true && options["unbounded-targets"] === true)
    throw xError("OPTION_CHOICE", "--bounded-targets and --unbounded-targets contradict each other", {
      usage: true,
    });
  const hidden = listOf(options["regressor-hidden-dims"]).map(Number);
  const quantiles = listOf(options.quantiles).map(Number);
  const residual = options["residual-regression-head"] === true;
  return given({
    bounded: options["bounded-targets"] as boolean | undefined,
    outputActivation: options["output-activation"],
    learnableScale: options["learnable-output-scale"],
    targetLayerNorm: options["target-layer-norm"],
    hidden: hidden.length > 0 ? hidden : undefined,
    head: residual ? "residual" : hidden.length > 0 ? "mlp" : undefined,
    headDropout: options["regressor-dropout"],
    quantiles: quantiles.length > 0 ? sortedQuantiles(quantiles) : undefined,
    targetFrom: options["target-from"],
    fusion: options["categorical-fusion"],
    categoryDim: options["categorical-embed-dim"],
    countPrediction: options["count-prediction"],
  });
}

interface Common {
  readonly options: PretrainOptions;
  readonly tree: Awaited<ReturnType<typeof treeOf>> | undefined;
  readonly trackers: ReturnType<typeof trackersOf>;
}

async function commonOptions(
  context: CliContext,
  table: FeatureTable,
  metadata: Metadata | undefined,
): Promise<Common> {
  const { options, signal, seed } = context;
  const out = String(options["output-dir"]);
  const resume = options["resume-from"] !== undefined;
  if (resume && String(options["resume-from"]) !== out)
    throw xError(
      "OPTION_CHOICE",
      "--resume-from and --output-dir must name the same folder: a run goes on where it is",
      { usage: true },
    );
  mkdirSync(out, { recursive: true });
  const tree = options.tree === undefined ? undefined : await treeOf(context);
  const sequences =
    options.sequences === undefined ? undefined : await readFasta(String(options.sequences), { signal });
  const from =
    options["pretrained-encoder"] === undefined
      ? undefined
      : await SeqModel.load(String(options["pretrained-encoder"]));
  const model = { ...modelOptions(options), ...(metadata && headOptions(context)) };
  const split = await splitOf(context, table, metadata);
  const training = await sized(context, table, {
    split,
    training: trainingOf(context),
    form: formOf(table, given({ model, sequences, unknown: from?.facts.unknown }), from?.facts.config),
  });
  const distances =
    options["unifrac-matrix"] === undefined
      ? undefined
      : await readDistances(String(options["unifrac-matrix"]));
  const trackers = trackersOf(out, resume);
  return {
    tree,
    trackers,
    options: {
      ...treeOptions(context),
      ...given({
        sequences,
        from,
        distances,
        seed,
        threads: context.threads,
        memoryLimit: context.memoryLimit,
      }),
      model,
      training,
      split,
      out,
      resume: resume && existsSync(join(out, "last.safetensors")),
      signal,
      onProgress: context.onProgress,
      warn: context.warn,
      trackers,
      print: (line) => {
        if (!context.json) context.print(line);
      },
    },
  };
}

/** Options of the loop; `--skip-auxiliary-predictions` leaves the target alone. */
function trainingOf(context: CliContext): TrainingOptions {
  const { options, seed } = context;
  const training = trainingOptions(options, seed);
  const freeze = options["freeze-base"] === true ? "base" : options["freeze-asvs"] === true ? "asvs" : "none";
  const skip = options["skip-auxiliary-predictions"] === true;
  if (skip && options["keep-auxiliary-predictions"] === true)
    throw xError("OPTION_CHOICE", "--skip- and --keep-auxiliary-predictions contradict each other", {
      usage: true,
    });
  const weights = listOf(options["class-weights"]).map(Number);
  const loss = given({
    loss: options["loss-type"] as "huber" | undefined,
    overPenalty: options["over-penalty"] as number | undefined,
    underPenalty: options["under-penalty"] as number | undefined,
    classWeights: weights.length > 0 ? weights : undefined,
  });
  const off = { encoder: 0, count: 0, nucleotide: 0, phylogeny: 0 };
  return { ...training, freeze, loss, ...(skip && { losses: { ...training.losses, ...off } }) };
}

/** Batch and chunks that memory allows, where that was asked for. */
async function sized(
  { options, print, json, ...context }: CliContext,
  table: FeatureTable,
  given: { split: Split; training: TrainingOptions; form: ReturnType<typeof formOf> },
): Promise<TrainingOptions> {
  const { training } = given;
  const gigabytes = options["max-memory-gb"];
  if (gigabytes === undefined && options["auto-batch-size"] !== true) return training;
  const limit =
    gigabytes === undefined
      ? 0.8 * memoryLimit({ memoryLimit: context.memoryLimit }).bytes
      : Number(gigabytes) * 1e9;
  const { config, cache } = given.form;
  const whole = trainingConfig(training);
  const data = { table, cache, train: table.sampleIndices(given.split.train), valid: new Uint32Array(0) };
  const { asvs, slots } = batchLengths(data, config, { ...whole, epochs: 1 });
  const asvsPerSample = Math.ceil(asvs / whole.batchSize);
  const plan = planBatch(config, {
    wanted: whole.batchSize,
    asvsPerSample: Math.max(slots, asvsPerSample),
    asvs,
    slots,
    chunk: whole.chunk,
    keep: whole.keep,
    limit,
  });
  const { batchSize, chunk, keep } = plan;
  const accumulate = plan.accumulate * whole.accumulate;
  if (!json)
    print(
      `${batchSize} samples a step, ${chunk} ASVs at a time${keep ? "" : ", computed twice"}, ${accumulate} steps an update: about ${(plan.bytes / 1e9).toFixed(2)} GB`,
    );
  return { ...training, batchSize, chunk, keep, accumulate };
}

async function splitOf(
  { options, seed = 0 }: CliContext,
  table: FeatureTable,
  metadata: Metadata | undefined,
): Promise<Split> {
  if (options.split !== undefined) return limitSplit(await readSplit(String(options.split)), table.sampleIds);
  const group = options.group === undefined ? undefined : String(options.group);
  const groups = group === undefined ? undefined : metadata?.column(group).values.map(String);
  return splitSamples(table.sampleIds, {
    seed,
    ...given({ testSize: options["test-size"] as number | undefined, groups, groupName: group }),
  });
}

function trackersOf(
  out: string,
  resume: boolean,
): (ReturnType<typeof jsonlTracker> | ReturnType<typeof tensorBoardTracker>)[] {
  const history = join(out, "history.jsonl");
  if (!resume) writeFileSync(history, "");
  return [jsonlTracker(history), tensorBoardTracker(out)];
}

/** Writes what a run leaves behind: the model, its report and the samples of both sides. */
async function finish(
  context: CliContext,
  { model, result }: TrainedModel,
  trackers: Common["trackers"],
): Promise<unknown> {
  const out = String(context.options["output-dir"]);
  for (const tracker of trackers) await tracker.close();
  await using _ = model;
  await model.save(join(out, MODEL_FILE));
  const best = result.history.find(({ epoch }) => epoch === result.bestEpoch);
  if (!best) throw seqError("RESUME", `no epoch ${result.bestEpoch} in the history`);
  const { history, weights: _weights, ...numbers } = result;
  const report = { ...numbers, validation: best.validation, before: history[0]!.validation };
  await writeFileAtomic(join(out, "metrics.json"), `${JSON.stringify(report, null, 2)}\n`);
  const lines = join(out, "history.jsonl");
  if (readFileSync(lines, "utf8") !== "")
    await writeFileAtomic(
      join(out, "losses.html"),
      lossReportHtml(readHistory(lines), {
        title: "seq-model training (by epoch)",
        facts: { "best epoch": String(result.bestEpoch) },
      }),
    );
  if (!context.json) {
    const end = result.stoppedEarly ? "stopped early" : "done";
    context.print(
      `${end} after ${history.at(-1)!.epoch} epochs, ${result.steps} steps; best epoch ${result.bestEpoch}`,
    );
    const shown = Object.entries({ ...best.validation.parts, ...best.validation.scores });
    context.print(
      `validation: ${shown.map(([name, value]) => `${name} ${value.toPrecision(4)}`).join(", ")}`,
    );
    context.print(`the model is ${join(out, MODEL_FILE)}`);
  }
  return { out, ...report };
}
