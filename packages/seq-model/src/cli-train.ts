import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type CliCommand,
  type CliContext,
  counted,
  memoryLimit,
  writeFileAtomic,
  xError,
} from "@x/core/base";
import { lossReportHtml, readHistory } from "@x/onnx-train";
import { baseline } from "./baseline.ts";
import { refuseAamOptions } from "./cli-aam-options.ts";
import { runOptions, tableOf, treeOf, treeOptions } from "./cli-inputs.ts";
import { checkFolder, REPORT, trackersOf, writeSamples } from "./cli-run-folder.ts";
import { numbersOf, STUDY_FLAGS, type Study, studyOf, tellUnknown } from "./cli-study.ts";
import {
  checkTrainOptions,
  headOptions,
  lossesByOutput,
  TARGET_FLAGS,
  targetOptions,
} from "./cli-target-options.ts";
import { given, modelOptions, NETWORK_FLAGS, trainingOptions } from "./cli-train-options.ts";
import { infiniteIntervals } from "./conformal.ts";
import { readDistances } from "./distance-files.ts";
import { encoderType } from "./encoder-types.ts";
import { seqError, seqFileError } from "./errors.ts";
import type { FeatureTable } from "./feature-table.ts";
import { fineTune } from "./fine-tune.ts";
import { calibrateIntervals, judge, type TestReport, testLines } from "./judge.ts";
import { MODEL_FILE } from "./model-file.ts";
import { formOf, type PretrainOptions, pretrain, type TrainedModel } from "./pretrain.ts";
import { readFasta } from "./read-fasta.ts";
import { type Metadata, readMetadata } from "./read-metadata.ts";
import { innerSplit } from "./search-training.ts";
import { SeqModel } from "./seq-model.ts";
import { limitSplit, readSplit, type Split, splitSamples } from "./split.ts";
import { numericTarget } from "./targets.ts";
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
    refuseAamOptions(context);
    const type = encoderType(String(context.options.encoder ?? "unifrac"));
    if (type.valuesFrom === "user" && context.options["encoder-values"] === undefined) {
      const message = `--encoder ${context.options.encoder} needs --encoder-values FILE`;
      throw xError("OPTION_MISSING", message, { usage: true, details: { option: "encoder-values" } });
    }
    const table = await tableOf(context);
    const common = await commonOptions(context, table, { split: await splitOf(context, table) });
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
    ...STUDY_FLAGS.filter(({ name }) => !NETWORK_FLAGS.some((flag) => flag.name === name)),
    ...TARGET_FLAGS,
  ],
  examples: [
    "seq-model train --table table.biom --metadata metadata.tsv --metadata-column age --pretrained-encoder pre --freeze-asvs --output-dir run",
    "seq-model train --table table.biom --tree tree.nwk --metadata metadata.tsv --column diet --classifier --output-dir run",
  ],
  async run(context) {
    refuseAamOptions(context);
    checkTrainOptions(context);
    const study = await studyOf(context);
    const { table, metadata, targets, split } = study;
    const inner = validationOf(context, study);
    const common = await commonOptions(context, table, { metadata, split: inner });
    const trained = await fineTune(table, {
      ...common.options,
      ...targetOptions(context, study),
      ...given({ tree: common.tree }),
    });
    const { sequences } = common.options;
    const judged = { table, targets, metadata, signal: context.signal, ...(sequences && { sequences }) };
    const model = await withIntervals(context, trained.model, { ...judged, samples: inner.test });
    const test = await judge(model, { ...judged, samples: split.test });
    await writeSamples(String(context.options["output-dir"]), split, context.signal);
    return finish(context, { ...trained, model }, common.trackers, {
      test,
      split: {
        how: split.how,
        train: inner.train.length,
        validation: inner.test.length,
        test: split.test.length,
      },
      ...(context.options.baselines === true && {
        baselines: await baselinesOf(context, study, common.tree),
      }),
    });
  },
};

/** Who chooses the epoch: some of the training samples, whole groups where groups repeat. Test samples choose nothing. */
function validationOf({ options, seed = 0 }: CliContext, { split, groups }: Study): Split {
  const share = Number(options["validation-size"]);
  if (share === 0) {
    if (options["best-metric"] === "last")
      return { ...split, test: [], how: `${split.how}, all of training` };
    throw xError(
      "OPTION_CHOICE",
      "--validation-size 0 leaves nobody to choose an epoch: add --best-metric last",
      {
        usage: true,
      },
    );
  }
  return innerSplit(split, { seed, share, ...(groups && { groups, groupName: String(options.group) }) });
}

/** The model with intervals, where there are numbers to predict and samples to calibrate on. */
async function withIntervals(
  { options, threads, warn }: CliContext,
  model: SeqModel,
  judged: Parameters<typeof calibrateIntervals>[1],
): Promise<SeqModel> {
  const { target } = model.facts;
  const coverage = Number(options.coverage);
  if (!target || model.classes.length > 0 || judged.samples.length === 0 || coverage === 0) return model;
  const conformal = await calibrateIntervals(model, judged, coverage);
  const endless = infiniteIntervals(conformal);
  if (endless) warn(endless);
  await model[Symbol.asyncDispose]();
  return new SeqModel(
    { ...model.facts, target: { ...target, conformal } },
    model.weights,
    given({ threads }),
  );
}

async function baselinesOf(
  context: CliContext,
  { table, target, split }: Study,
  tree: Common["tree"],
): Promise<unknown> {
  const { results, verdict } = await baseline(table, target, split, {
    ...runOptions(context),
    seed: context.seed ?? 0,
    ...given({ tree }),
  });
  if (!context.json) context.print(`simple models of ${target.name}: ${verdict}`);
  return { results: results.map(({ predictions: _, ...rest }) => rest), verdict };
}

interface Common {
  readonly options: PretrainOptions;
  readonly tree: Awaited<ReturnType<typeof treeOf>> | undefined;
  readonly trackers: ReturnType<typeof trackersOf>;
}

async function commonOptions(
  context: CliContext,
  table: FeatureTable,
  { metadata, split }: { metadata?: Metadata; split: Split },
): Promise<Common> {
  const { options, signal, seed } = context;
  const out = String(options["output-dir"]);
  const resume = options["resume-from"] !== undefined;
  checkFolder(context, out, resume);
  if (resume && String(options["resume-from"]) !== out)
    throw xError(
      "OPTION_CHOICE",
      "--resume-from and --output-dir must name the same folder: a run goes on where it is",
      { usage: true },
    );
  const tree = options.tree === undefined ? undefined : await treeOf(context);
  const sequences =
    options.sequences === undefined ? undefined : await readFasta(String(options.sequences), { signal });
  const from =
    options["pretrained-encoder"] === undefined
      ? undefined
      : await SeqModel.load(String(options["pretrained-encoder"]));
  const model = { ...modelOptions(options), ...(metadata && headOptions(context)) };
  const training = await sized(context, table, {
    split,
    synthetic: metadata === undefined && tree !== undefined,
    training: trainingOf(context),
    form: formOf(
      table,
      {
        ...given({ model, sequences, unknown: from?.facts.unknown, tree }),
        ...treeOptions(context),
        train: table.sampleIndices(split.train),
      },
      from?.facts.config,
    ),
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
        encoderValues: await encoderValuesOf(context, table),
        seed,
        threads: context.threads,
        memoryLimit: context.memoryLimit,
      }),
      model,
      training,
      split,
      out,
      resume,
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

/** `--encoder-values`: the numbers of each sample that an encoder learns, in the table's order. */
async function encoderValuesOf(
  { options, signal }: CliContext,
  table: FeatureTable,
): Promise<Float64Array | undefined> {
  const path = options["encoder-values"];
  if (path === undefined) return undefined;
  const { values: wanted = 0, valuesFrom } = encoderType(String(options.encoder ?? "unifrac"));
  if (valuesFrom !== "user")
    throw xError("OPTION_CHOICE", "--encoder-values goes with --encoder taxonomy", {
      usage: true,
      details: { option: "encoder-values" },
    });
  const metadata = (await readMetadata(String(path), { signal })).select(table.sampleIds);
  const columns = [...metadata.columns.keys()].map((name) => numericTarget(metadata, name).values);
  if (columns.length !== wanted) {
    const message = `${columns.length} columns of numbers beside the sample ids; --encoder ${options.encoder} learns ${wanted}`;
    throw seqFileError("TARGET_SAMPLES", String(path), message);
  }
  return Float64Array.from({ length: table.sampleIds.length * wanted }, (_, i) => {
    return columns[i % wanted]![Math.floor(i / wanted)]!;
  });
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
  const weights = numbersOf(options["class-weights"]);
  const loss = given({
    loss: lossesByOutput(options) ?? (options["loss-type"] as "huber" | undefined),
    overPenalty: options["over-penalty"] as number | undefined,
    underPenalty: options["under-penalty"] as number | undefined,
    classWeights: weights.length > 0 ? weights : undefined,
  });
  const off = { encoder: 0, count: 0, nucleotide: 0, phylogeny: 0, clades: 0 };
  return { ...training, freeze, loss, ...(skip && { losses: { ...training.losses, ...off } }) };
}

/** Batch and chunks that memory allows, where that was asked for. */
async function sized(
  { options, print, json, ...context }: CliContext,
  table: FeatureTable,
  given: { split: Split; training: TrainingOptions; form: ReturnType<typeof formOf>; synthetic: boolean },
): Promise<TrainingOptions> {
  const { training } = given;
  const gigabytes = options["max-memory-gb"];
  if (gigabytes === undefined && options["auto-batch-size"] !== true) return training;
  const limit =
    gigabytes === undefined
      ? Number(options["max-memory-fraction"] ?? 0.8) *
        memoryLimit({ memoryLimit: context.memoryLimit }).bytes
      : Number(gigabytes) * 1e9;
  const { config, cache } = given.form;
  const whole = trainingConfig(training);
  const data = { table, cache, train: table.sampleIndices(given.split.train), valid: new Uint32Array(0) };
  const planned = batchLengths(data, config, { ...whole, epochs: 1 });
  const { slots } = planned;
  // Communities may hold any ASVs.
  const drawn = given.synthetic && training.synthetic !== 0;
  const asvs = drawn ? Math.min(whole.batchSize * slots, cache.table.lengths.length) : planned.asvs;
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

/** Who an encoder learns from and who chooses its epoch; the test samples of a split that is given do neither. */
async function splitOf(context: CliContext, table: FeatureTable): Promise<Split> {
  const { options, seed = 0 } = context;
  if (options.split !== undefined) {
    const read = await readSplit(String(options.split));
    tellUnknown(context, read, table.sampleIds);
    return innerSplit(limitSplit(read, table.sampleIds), { seed, share: 0.15 });
  }
  return splitSamples(table.sampleIds, {
    seed,
    ...given({ testSize: options["test-size"] as number | undefined }),
  });
}

/** Writes what a run leaves behind: the model, its report and the samples of both sides. */
async function finish(
  context: CliContext,
  { model, result }: TrainedModel,
  trackers: Common["trackers"],
  more: { readonly test?: TestReport; readonly split?: unknown; readonly baselines?: unknown } = {},
): Promise<unknown> {
  const out = String(context.options["output-dir"]);
  for (const tracker of trackers) await tracker.close();
  await using _ = model;
  await model.save(join(out, MODEL_FILE));
  const best = result.history.find(({ epoch }) => epoch === result.bestEpoch);
  if (!best) throw seqError("RESUME", `no epoch ${result.bestEpoch} in the history`);
  const { history, weights: _weights, ...numbers } = result;
  const report = { ...numbers, validation: best.validation, before: history[0]!.validation, ...more };
  await writeFileAtomic(join(out, REPORT), `${JSON.stringify(report, null, 2)}\n`);
  const lines = join(out, "history.jsonl");
  if (existsSync(lines) && readFileSync(lines, "utf8") !== "")
    await writeFileAtomic(
      join(out, "losses.html"),
      lossReportHtml(readHistory(lines), {
        title: "seq-model training",
        unit: "epoch",
        facts: { "best epoch": String(result.bestEpoch) },
      }),
    );
  if (!context.json) {
    const end = result.stoppedEarly ? "stopped early" : "done";
    context.print(
      `${end} after ${counted(history.at(-1)!.epoch, "epoch")}, ${counted(result.steps, "step")}; best epoch ${result.bestEpoch}`,
    );
    const shown = Object.entries({ ...best.validation.parts, ...best.validation.scores });
    context.print(
      `validation: ${shown.map(([name, value]) => `${name} ${value.toPrecision(4)}`).join(", ")}`,
    );
    for (const line of more.test ? testLines(more.test) : []) context.print(line);
    context.print(`the model is ${join(out, MODEL_FILE)}`);
  }
  return { out, ...report };
}
