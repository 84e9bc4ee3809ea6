/** The training loop: epochs with a validation, early stopping, checkpoints that a run goes on from to the same bytes. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type RunOptions, resolveThreads, type Warn } from "@x/core/base";
import { EMA, emaWeights, type RunTracker, type Step, type Trainer } from "@x/onnx-train";
import type { WeightArray } from "./aam-weights.ts";
import { bySize } from "./buckets.ts";
import { calibrate, SCALE, untouched } from "./calibrate.ts";
import { seqError } from "./errors.ts";
import { type Fingerprint, trainingFingerprint } from "./fingerprint.ts";
import { Inference } from "./inference.ts";
import type { MaskOptions } from "./letter-masks.ts";
import type { ModelConfig } from "./model-interfaces.ts";
import { putWeights, readWeights, type WeightMap, weightsOf } from "./model-weights.ts";
import type { TargetTransform } from "./target-transform.ts";
import { trainFeeds } from "./train-feeds.ts";
import { countRange, type TrainingData } from "./training-data.ts";
import { compileTraining, leftOut } from "./training-graphs.ts";
import { type BestMetric, optimizerOf, type TrainingConfig } from "./training-options.ts";
import { BEST, checkpoint, LAST, type Progress, readProgress, stopped } from "./training-progress.ts";
import { type Validation, validate } from "./validation.ts";

/** What goes into {@link trainNetwork}. */
export interface TrainingRun extends RunOptions {
  readonly config: ModelConfig;
  readonly training: TrainingConfig;
  readonly data: TrainingData;
  /** Of targets, for scores on their scale. */
  readonly transform?: TargetTransform;
  /** Weights to start from; others start at random. */
  readonly weights: WeightMap;
  /** Folder for checkpoints; nothing is written without it. */
  readonly out?: string;
  /** Go on from the folder's last checkpoint. */
  readonly resume?: boolean;
  /** Told the numbers of each epoch. */
  readonly trackers?: readonly RunTracker[];
  /** Receives warnings. */
  readonly warn?: Warn;
  /** Names of categories a sample, for transforms by category. */
  readonly groups?: readonly string[];
  /** What it learns from besides `data`: a run goes on only with the same. */
  readonly inputs?: Fingerprint;
}

/** Numbers of one epoch. */
export interface EpochReport {
  /** From 1; 0 is before training. */
  readonly epoch: number;
  /** Mean of the loss over the steps; NaN before training. */
  readonly loss: number;
  /** Means of its parts, unweighted. */
  readonly parts: Readonly<Record<string, number>>;
  /** Of the validation samples, at the weights after the epoch. */
  readonly validation: Validation;
}

/** What a training came to. */
export interface TrainingResult {
  /** Weights of the best epoch, or of the last one without validation samples. */
  readonly weights: Map<string, WeightArray>;
  /** Its number. */
  readonly bestEpoch: number;
  /** Had the validation not become better for `patience` epochs? */
  readonly stoppedEarly: boolean;
  /** Numbers of each epoch, the state before training first. */
  readonly history: readonly EpochReport[];
  /** Steps done. */
  readonly steps: number;
  /** Steps left out because something was not finite. */
  readonly skipped: number;
  /** Weights that were trained. */
  readonly trained: number;
  /** Weights that stayed as they were. */
  readonly frozen: number;
}

/** Steps in a row that may fail before a training is given up. */
const GIVE_UP = 10;
/** A masked loss under this teaches nothing any more. */
const EASY = 0.1;

/** Trains a network. Errors: `NOT_FINITE`, `RESUME`, `MODEL_FORMAT` and those of batches. */
export async function trainNetwork(run: TrainingRun): Promise<TrainingResult> {
  const { config, training, data, signal, out } = run;
  if (out) mkdirSync(out, { recursive: true });
  const { batchSize, epochs } = training;
  const inputs = out ? trainingFingerprint(data, config, training, run.inputs) : {};
  const earlier = run.resume ? readProgress(run, inputs) : undefined;
  const groups = bySize(data, training);
  const perEpoch = groups.reduce((n, group) => n + Math.ceil(group.length / batchSize), 0);
  const { optimizer, plateau } = optimizerOf(training, epochs * perEpoch, earlier?.plateau);
  const counts = countRange(data);
  const threads = resolveThreads(run.threads);
  await using inference = await Inference.create(config, run.weights, {
    losses: training.losses,
    loss: training.loss,
    counts,
    threads,
    device: training.device,
  });
  await using trainers = await compileTraining(run, groups, { optimizer, threads });
  const fit = await putWeights(trainers.trainer, run.weights);
  if (!earlier && (fit.missing.includes(SCALE) || untouched(run.weights)))
    await calibrate(run, trainers.trainer, inference);
  const progress: Progress = {
    epoch: 0,
    best: Number.POSITIVE_INFINITY,
    bestEpoch: 0,
    history: [],
    plateau: null,
    harder: false,
  };
  let best: Map<string, WeightArray> | undefined;
  if (earlier) {
    Object.assign(progress, earlier);
    await trainers.trainer.load(join(out!, LAST));
    best = readWeights(join(out!, BEST));
  }
  const current = async (): Promise<Map<string, WeightArray>> => {
    const weights = new Map(run.weights);
    for (const [name, value] of await averaged(trainers.trainer, training.ema)) weights.set(name, value);
    return weights;
  };
  const judge = async (loss: number, parts: Record<string, number>): Promise<EpochReport> => {
    const weights = await current();
    await inference.set(weights);
    const mask = maskNow(training, progress);
    const context = {
      config,
      training,
      transform: run.transform,
      mask,
      ...(run.groups && { groups: run.groups }),
    };
    const validation =
      data.valid.length > 0
        ? await validate(inference, data, data.valid, context)
        : { loss: Number.NaN, parts: {}, scores: {} };
    const report = { epoch: progress.epoch, loss, parts, validation };
    const value = training.bestMetric === "last" ? Number.NaN : scoreOf(validation, training.bestMetric);
    if (value < progress.best || Number.isNaN(value) || !best) {
      progress.best = value;
      progress.bestEpoch = progress.epoch;
      best = weights;
    }
    return report;
  };
  if (progress.history.length === 0) progress.history.push(await judge(Number.NaN, {}));

  let skipped = 0;
  let failed = 0;
  let stoppedEarly = stopped(progress, training.patience);
  while (progress.epoch < epochs && !stoppedEarly) {
    const sums = new Map<string, number>();
    let done = 0;
    let first = progress.epoch * perEpoch;
    for (const bucket of trainers.order(training.seed, progress.epoch)) {
      const trainer = await trainers.use(bucket);
      const feeds = trainFeeds(run, {
        epoch: progress.epoch,
        first,
        bucket,
        inference,
        mask: maskNow(training, progress),
      });
      for await (const step of trainer.run(feeds, signal ? { signal } : {})) {
        failed = step.applied ? 0 : failed + 1;
        if (failed >= GIVE_UP) throw notFinite(step);
        if (step.applied) {
          done++;
          for (const [name, value] of [["loss", step.loss] as const, ...Object.entries(step.parts)])
            sums.set(name, (sums.get(name) ?? 0) + value);
        } else skipped++;
        run.onProgress?.({ stage: "train", done: step.step + 1, total: epochs * perEpoch });
      }
      first += Math.ceil(bucket.train.length / batchSize);
    }
    progress.epoch++;
    const mean = (name: string): number => (sums.get(name) ?? Number.NaN) / Math.max(1, done);
    const names = [...sums.keys()].filter((n) => n !== "loss");
    const report = await judge(mean("loss"), Object.fromEntries(names.map((n) => [n, mean(n)])));
    progress.history.push(report);
    watchMask(run, progress, report);
    if (plateau) {
      plateau.tell(scoreOf(report.validation, training.bestMetric));
      progress.plateau = plateau.state();
    }
    for (const tracker of run.trackers ?? [])
      await tracker.log(progress.epoch, numbersOf(report, training), Date.now() / 1000);
    stoppedEarly = stopped(progress, training.patience);
    if (out) await checkpoint(run, trainers.trainer, { progress, best: best!, inputs });
  }
  const { trainer } = trainers;
  const { frozen } = trainer.plan;
  return {
    weights: best ?? (await current()),
    bestEpoch: progress.bestEpoch,
    stoppedEarly,
    history: progress.history,
    steps: trainer.step,
    skipped,
    trained: trainer.size,
    frozen:
      frozen.places.reduce((n, { size }) => n + size, 0) +
      [...run.weights].reduce((n, [name, w]) => n + (leftOut(name, training) ? w.data.length : 0), 0),
  };
}

/** The weights to be judged and kept: their moving average where there is one. */
async function averaged(trainer: Trainer, ema: number): Promise<Map<string, WeightArray>> {
  const weights = await weightsOf(trainer);
  const { updates, moments } = await trainer.state();
  if (ema === 0 || updates === 0) return weights;
  const vector = emaWeights(moments[EMA]!, ema, updates);
  for (const { name, spec, offset, size } of trainer.plan.trained.places)
    weights.set(name, { shape: spec.shape, data: vector.slice(offset, offset + size) });
  return weights;
}

function maskNow({ mask, harderMask }: TrainingConfig, { harder }: Progress): MaskOptions {
  return harder && harderMask ? harderMask : mask;
}

function watchMask(
  { training, warn }: TrainingRun,
  progress: Progress,
  { epoch, validation, parts }: EpochReport,
): void {
  const loss = validation.parts.nucleotide ?? parts.nucleotide;
  if (loss === undefined || loss >= EASY || progress.harder) return;
  progress.harder = true;
  const { harderMask } = training;
  const after = harderMask
    ? `the mask is now ${harderMask.strategy}, ${harderMask.ratio}`
    : "a larger --nuc-mask-ratio or --nuc-mask-strategy span would teach more";
  const message = `the loss of hidden letters is ${loss.toFixed(4)} after epoch ${epoch}: too easy to learn from; ${after}`;
  warn?.({ code: "MASK_EASY", message, details: { epoch, loss } });
}

/** Smaller is better. */
function scoreOf({ loss, scores }: Validation, metric: BestMetric): number {
  if (metric === "val-loss") return loss;
  const value = scores[metric] ?? Number.NaN;
  return metric === "mae" ? value : -value;
}

function notFinite(step: Step): Error {
  const where = step.notFinite.length > 0 ? `in ${step.notFinite.join(", ")}` : "in the gradient";
  const message = `${GIVE_UP} steps in a row were not finite, ${where} (step ${step.step}): a smaller learning rate?`;
  return seqError("NOT_FINITE", message, { step: step.step, parts: step.notFinite });
}

/** An epoch as flat numbers: losses unweighted and weighted, scores. */
function numbersOf(
  { loss, parts, validation }: EpochReport,
  { losses }: TrainingConfig,
): Record<string, number> {
  const factors: Record<string, number> = { ...losses };
  const out: Record<string, number> = { loss, "valid/loss": validation.loss };
  for (const [name, value] of Object.entries(parts)) {
    out[`loss/${name}`] = value;
    if (factors[name] !== undefined) out[`weighted/${name}`] = value * factors[name];
  }
  for (const [name, value] of Object.entries(validation.parts)) out[`valid/${name}`] = value;
  for (const [name, value] of Object.entries(validation.scores)) out[`valid/${name}`] = value;
  return Object.fromEntries(Object.entries(out).filter(([, value]) => Number.isFinite(value)));
}
