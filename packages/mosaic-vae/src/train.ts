/** Training: epochs with a validation ELBO at fixed weights, early stopping, checkpoints that a run goes on from. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { RunOptions, Warn } from "@x/core/base";
import { adamW, type RunTracker, type Step } from "@x/onnx-train";
import { type BatchSource, batches } from "./batches.ts";
import { type BridgePartners, bridgePartners } from "./bridge.ts";
import type { MosaicDataset } from "./dataset.ts";
import { countNames, pick } from "./embed.ts";
import { mosaicError } from "./errors.ts";
import { findFacts } from "./facts.ts";
import { expertRounds, feedOf, stepRandom, tailLength } from "./feed.ts";
import { MODEL_FILE, saveModel } from "./model-file.ts";
import { compileNetwork, type ModelState } from "./mosaic-vae.ts";
import { BATCH_SIZE, RATE, usualEpochs } from "./plan.ts";
import { scheduleAt } from "./schedule.ts";
import { type Split, splitCells } from "./split.ts";
import { timeScale, trainFeeds } from "./train-feeds.ts";
import { bestOf, checkpoint, goOn, type Progress, stopped } from "./training-progress.ts";

/** Options of `train`. */
export interface TrainOptions extends RunOptions {
  /** Folder for checkpoints (`last`, `best`, `model`); nothing is written without it. */
  out?: string;
  /** Go on from the folder's `last.safetensors`. */
  resume?: boolean;
  /** Which cells train and which decide when to stop, instead of a random split. */
  split?: Split;
  /** Told the numbers of each epoch. */
  trackers?: readonly RunTracker[];
  /** Bytes to plan with. */
  memoryLimit?: number;
  /** Cells without any modality take part, at the prior; `NO_MODALITY` by default. */
  allowEmpty?: boolean;
  /** Receives warnings. */
  warn?: Warn;
  /** Weights that stay as they are, by path; for mapping. */
  freeze?: (path: string) => boolean;
}

/** Numbers of one epoch. */
export interface EpochReport {
  /** From 1. */
  readonly epoch: number;
  /** Mean over the steps of the loss and its parts, in nats a cell. */
  readonly loss: number;
  /** `kl`, `nll.rna`, `paired` and the heads, before their weights. */
  readonly parts: Readonly<Record<string, number>>;
  /** −ELBO a cell of the validation cells at final weights; NaN without validation cells. */
  readonly validation: number;
  /** Of wall-clock time; NaN for an epoch of before a resume. */
  readonly cellsPerSecond: number;
}

/** What a training did. */
export interface TrainReport {
  /** Epochs done. */
  readonly epochs: number;
  /** Epoch with the best validation ELBO; the weights are those after it. */
  readonly bestEpoch: number;
  /** −ELBO there. */
  readonly best: number;
  /** Had the validation ELBO not become better for `patience` epochs? */
  readonly stoppedEarly: boolean;
  /** Steps tried. */
  readonly steps: number;
  /** Steps left out because something was not finite. */
  readonly skipped: number;
  /** Numbers of each epoch. */
  readonly history: readonly EpochReport[];
}

/** Steps in a row that may fail before a training is given up. */
const GIVE_UP = 10;
const VALIDATION = 11n;
/** A call takes at most about so many bytes of input. */
const CALL_BYTES = 1.5e7;

/** Trains a model in place. */
export async function trainModel(
  state: ModelState,
  dataset: MosaicDataset,
  options: TrainOptions = {},
): Promise<TrainReport> {
  const { config, plan, registry } = state;
  const { train = {} } = config;
  const seed = train.seed ?? 0;
  if (options.out) mkdirSync(options.out, { recursive: true });
  const split =
    options.split ??
    splitCells(
      dataset,
      train.splitColumn ? { column: train.splitColumn } : { valid: train.validation ?? 0.1, seed },
    );
  const batchSize = Math.min(train.batchSize ?? BATCH_SIZE, split.train.length);
  if (batchSize < 1) throw mosaicError("SPLIT", "no cell is left to train on", { usage: true });
  const common = {
    registry,
    counts: countNames(state),
    batchSize,
    seed,
    ...pick(options),
    allowEmpty: options.allowEmpty ?? false,
  };
  const source = await batches(dataset, {
    ...common,
    split: split.train,
    shuffle: true,
    dropLast: true,
  });
  const valid =
    split.valid.length > 0 ? await batches(dataset, { ...common, split: split.valid }) : undefined;
  state.libraries = Object.fromEntries(
    plan.modalities.map((m) => [m.name, [...source.medianLibrary(m.name)]]),
  );
  const facts = await findFacts(
    dataset,
    split.train,
    plan.modalities.find((m) => m.tally > 0)?.tally ?? 0,
    options,
  );
  state.means = Object.fromEntries(
    plan.modalities.map((m) => {
      const found = facts[m.name];
      return [m.name, Array.from((m.binary ? found?.shares : found?.logMeans) ?? [], sixDigits)];
    }),
  );
  const tails = Object.fromEntries(
    plan.modalities.map((m) => [
      m.name,
      m.tally > 0 ? tailLength(facts[m.name]?.large ?? new Int32Array(1), batchSize) : 0,
    ]),
  );
  const perEpoch = source.batchesPerEpoch;
  const epochs = train.epochs ?? usualEpochs(perEpoch);
  await recompile(state, { batchSize, tails, perEpoch, epochs, freeze: options.freeze });
  const progress: Progress = {
    epoch: 0,
    best: Number.POSITIVE_INFINITY,
    bestEpoch: 0,
    history: [],
    skipped: 0,
  };
  if (options.resume) await goOn(state, options, progress);
  // Those of now where nothing was better yet.
  let bestWeights = options.resume && progress.bestEpoch > 0 ? await bestOf(state, options.out!) : undefined;
  const times = timeScale(dataset);
  if (plan.heads.temporal && times.known === 0)
    throw mosaicError("OBS_COLUMN", "loss.heads.temporal needs a column time of numbers in obs", {
      usage: true,
    });
  const patience = train.patience ?? 30;
  const streak = { failed: 0 };
  let partners: BridgePartners | undefined;
  let stoppedEarly = stopped(progress, patience, plan.modalities.length);
  const every = train.checkpointEvery ?? 5;

  while (progress.epoch < epochs && !stoppedEarly) {
    const { epoch } = progress;
    if (plan.heads.bridge && (epoch % every === 0 || !partners))
      partners = await bridgePartners(state, dataset, split.train, options);
    const from = state.trainer.step - epoch * perEpoch;
    const sums = new Map(Object.entries(progress.partial?.sums ?? {}));
    let steps = progress.partial?.steps ?? 0;
    progress.partial = undefined;
    const take = (step: Step): void => {
      if (!step.applied) progress.skipped++;
      else {
        steps++;
        for (const [name, value] of [["loss", step.loss] as const, ...Object.entries(step.parts)])
          sums.set(name, (sums.get(name) ?? 0) + value);
      }
    };
    const begun = performance.now();
    const feeds = trainFeeds(state, source, { epoch, from, perEpoch, seed, tails, partners, times });
    try {
      for await (const step of state.trainer.run(feeds, options.signal ? { signal: options.signal } : {})) {
        take(step);
        watch(step, streak);
        options.onProgress?.({ stage: "train", done: step.step + 1, total: epochs * perEpoch });
      }
    } catch (e) {
      // An interrupted run leaves what it needs to go on, in the middle of an epoch too.
      if (options.out && options.signal?.aborted) {
        for (const step of await state.trainer.unreported()) take(step);
        progress.partial = { steps, sums: Object.fromEntries(sums) };
        await checkpoint(state, options.out, progress);
      }
      throw e;
    }
    const mean = (name: string): number => (sums.get(name) ?? Number.NaN) / Math.max(1, steps);
    const validation = valid ? await validate(state, valid, seed) : Number.NaN;
    const report: EpochReport = {
      epoch: epoch + 1,
      loss: mean("loss"),
      parts: Object.fromEntries([...sums.keys()].filter((n) => n !== "loss").map((n) => [n, mean(n)])),
      validation,
      cellsPerSecond: (1000 * (perEpoch - from) * batchSize) / (performance.now() - begun),
    };
    progress.history.push(report);
    progress.epoch = epoch + 1;
    const better = validation < progress.best - (train.minDelta ?? 0);
    if (better || Number.isNaN(validation)) {
      progress.best = validation;
      progress.bestEpoch = epoch + 1;
      // Without validation the last ones are the best ones.
      bestWeights = valid && (await state.trainer.trainedWeights());
      if (options.out) await saveModel(state, join(options.out, "best.safetensors"));
    }
    for (const tracker of options.trackers ?? [])
      await tracker.log(epoch + 1, numbersOf(report), Date.now() / 1000);
    stoppedEarly = stopped(progress, patience, plan.modalities.length);
    if (options.out && (progress.epoch % every === 0 || progress.epoch === epochs || stoppedEarly))
      await checkpoint(state, options.out, progress);
  }
  if (bestWeights) await state.trainer.restoreWeights(bestWeights);
  if (options.out) await saveModel(state, join(options.out, MODEL_FILE));
  return {
    epochs: progress.epoch,
    bestEpoch: progress.bestEpoch,
    best: progress.best,
    stoppedEarly,
    steps: state.trainer.step,
    skipped: progress.skipped,
    history: progress.history,
  };
}

/** What a baseline needs; more would only make the file longer. */
const sixDigits = (x: number): number => Number(x.toPrecision(6));

/** A trainer for this data in place of the one there was, with the same weights. */
async function recompile(
  state: ModelState,
  given: {
    batchSize: number;
    tails: Readonly<Record<string, number>>;
    perEpoch: number;
    epochs: number;
    freeze: ((path: string) => boolean) | undefined;
  },
): Promise<void> {
  const { plan, config } = state;
  const { train = {} } = config;
  const { batchSize, tails, perEpoch, epochs } = given;
  const rate = train.learningRate ?? RATE;
  const total = epochs * perEpoch;
  const lr =
    train.rateSchedule === "constant"
      ? rate
      : (step: number) => rate * (0.01 + 0.495 * (1 + Math.cos((Math.PI * Math.min(step, total)) / total)));
  const at = (schedule: Parameters<typeof scheduleAt>[0]) => (step: number) =>
    scheduleAt(schedule, step / perEpoch);
  const schedules: Record<string, (step: number) => number> = {
    beta: at(plan.beta),
    paired: at(plan.pairedWeight),
  };
  for (const m of plan.modalities) schedules[`weight.${m.name}`] = at(m.weight);
  for (const [name, head] of Object.entries(plan.heads)) schedules[`head.${name}`] = at(head?.weight ?? 1);
  const width = plan.modalities.reduce((n, m) => n + m.features * (1 + m.tally / batchSize), 0);
  const fits = Math.floor(CALL_BYTES / (4 * width * batchSize));
  const weights = await state.trainer.weights();
  // Not both at once: moments and sessions are most of what a training holds.
  await state.trainer[Symbol.asyncDispose]();
  const trainer = await compileNetwork(state, {
    batchSize,
    tails,
    schedules,
    options: {
      optimizer: adamW({ lr, weightDecay: train.weightDecay ?? 0 }),
      stepsPerCall: train.stepsPerCall ?? Math.max(1, Math.min(20, fits)),
      ...(given.freeze && { freeze: given.freeze }),
    },
  });
  state.trainer = trainer;
  const fresh = await trainer.state();
  const { trained, frozen } = trainer.plan;
  for (const [layout, vector] of [
    [trained, fresh.weights],
    [frozen, fresh.frozen],
  ] as const)
    for (const { name, offset } of layout.places) vector.set(weights[name]!.data, offset);
  // Moments of nothing are zeros.
  await trainer.restore({ ...fresh, moments: {} });
}

/** Gives up after too many steps that are not finite, naming the modality. */
function watch(step: Step, streak: { failed: number }): void {
  streak.failed = step.applied ? 0 : streak.failed + 1;
  if (streak.failed < GIVE_UP) return;
  const names = step.notFinite.map((name) => name.replace(/^nll\./, ""));
  const where = names.length > 0 ? `in ${names.join(", ")}` : "in the gradient";
  const message = `${GIVE_UP} steps in a row were not finite, ${where} (step ${step.step}): a smaller learningRate, or raw counts instead of normalised values?`;
  throw mosaicError("NOT_FINITE", message, { details: { step: step.step, parts: step.notFinite } });
}

/** −ELBO a cell at final weights: one sample, of each expert of a mixture, with the same noise in every epoch. */
async function validate(state: ModelState, valid: BatchSource, seed: number): Promise<number> {
  const { plan } = state;
  const names = plan.modalities.map((m) => `logLik.${m.name}`);
  let total = 0;
  let index = 0;
  for await (const batch of valid.epoch(0)) {
    const { noise } = stepRandom(seed + Number(VALIDATION), index++, batch.rows.length, plan.latent);
    const experts = expertRounds(batch, { plan });
    for (let round = 0; round < experts.rounds; round++) {
      const feed = feedOf(batch, { plan, noise, expert: experts.expert(round) });
      const found = await state.trainer.compute(feed, ["kl", ...names]);
      const sum = (name: string): number =>
        (found[name]!.data as Float32Array).reduce((a, b, i) => a + b * experts.share(round, i), 0);
      total += plan.finalBeta * sum("kl");
      for (const m of plan.modalities) total -= m.finalWeight * sum(`logLik.${m.name}`);
    }
  }
  return total / valid.cells;
}

function numbersOf({ loss, parts, validation, cellsPerSecond }: EpochReport): Record<string, number> {
  const named = Object.fromEntries(Object.entries(parts).map(([name, value]) => [`part/${name}`, value]));
  return { loss, ...named, validation, cellsPerSecond };
}
