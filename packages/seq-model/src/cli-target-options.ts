/** Options of `train` beyond those of `pretrain`: what is predicted, from what, and how it is judged. */
import { type CliContext, type OptionSpec, option, xError } from "@x/core/base";
import { listOf, numbersOf, type Study } from "./cli-study.ts";
import { given } from "./cli-train-options.ts";
import type { FineTuneOptions } from "./fine-tune.ts";
import type { TargetLossKind } from "./model-losses.ts";
import { sortedQuantiles } from "./quantiles.ts";
import { numericTarget } from "./targets.ts";

/** See above. */
export const TARGET_FLAGS: readonly OptionSpec[] = [
  option.number(
    "validation-size",
    "training samples (whole groups) that choose the epoch and calibrate intervals instead; 0 with --best-metric last",
    { range: { min: 0, max: 0.9 }, default: 0.15, value: "SHARE" },
  ),
  option.number(
    "coverage",
    "of conformal intervals of numbers, calibrated on the validation samples; nearly, since these choose the epoch too",
    { range: { min: 0, max: 1 }, default: 0.9, value: "SHARE" },
  ),
  option.flag("baselines", "also fit the simple models of `baseline` on the same split, with a verdict"),
  option.number("target-penalty", "weight of the target's loss; 1", { range: { min: 0 }, value: "X" }),
  option.text("loss-type", "of numbers; huber", {
    choices: ["huber", "mse", "mae", "asymmetric"],
    value: "NAME",
  }),
  option.text(
    "loss-config",
    `the loss of each of several columns, e.g. '{"age":"huber","mass":"mae"}'; others take --loss-type`,
    { value: "JSON" },
  ),
  option.number("over-penalty", "of --loss-type asymmetric: a prediction too large by one; 1", {
    range: { min: 0 },
    value: "X",
  }),
  option.number("under-penalty", "the same for one too small; 1", { range: { min: 0 }, value: "X" }),
  option.text("class-weights", "of classes in alphabetical order", { value: "X,X" }),
  option.text("quantiles", "predict these quantiles, e.g. 0.05,0.5,0.95", { value: "Q,Q" }),
  option.text("target-transform", "scale of numbers, fitted on the training samples; zscore", {
    choices: ["none", "minmax", "zscore", "zscore-category", "log-minmax", "log-zscore", "sqrt-zscore"],
    value: "NAME",
  }),
  option.text("transform-column", "categories of zscore-category", { value: "COLUMN" }),
  option.flag("normalize-targets", "(on) --no-normalize-targets is --target-transform none"),
  option.flag("bounded-targets", "a sigmoid on the outputs: with minmax; --unbounded-targets is the default"),
  option.flag("unbounded-targets", "no bound on the outputs (default)"),
  option.text("output-activation", "on the outputs; none", {
    choices: ["none", "relu", "softplus", "exp"],
    value: "NAME",
  }),
  option.flag("learnable-output-scale", "a learned factor and term on the outputs"),
  option.flag("target-layer-norm", "normalise what the head reads"),
  option.text("regressor-hidden-dims", "hidden layers of the head", { value: "N,N" }),
  option.number("regressor-dropout", "share of their units dropped; 0", {
    range: { min: 0, max: 0.95 },
    value: "X",
  }),
  option.flag("residual-regression-head", "a linear head beside the hidden layers"),
  option.text(
    "target-from",
    "what the head reads: the sample embedding (default), pooled ASV states, or both",
    { choices: ["embedding", "states", "both"], value: "NAME" },
  ),
  option.text("categorical-columns", "metadata that are input", { value: "COLUMN,COLUMN" }),
  option.text("categorical-fusion", "how they join the sample; concat", {
    choices: ["concat", "add", "gmu", "cross-attention"],
    value: "NAME",
  }),
  option.int("categorical-embed-dim", "width of their embeddings; 16", { range: { min: 1 }, value: "N" }),
  option.text("sample-weight-column", "weight of each sample in the losses", { value: "COLUMN" }),
  option.flag("count-prediction", "(off) learn to predict the share of each ASV beside the target"),
  option.flag(
    "freeze-base",
    "fine-tune head and target alone: the encoder stays as it is, without dropout, ASVs are embedded once, letters are not predicted (their weight is 0) and auxiliary losses are off",
  ),
  option.flag("freeze-asvs", "only the nucleotide level stays as it is: most of the speed, more freedom"),
  option.flag("skip-auxiliary-predictions", "no losses but that of the target"),
  option.flag("keep-auxiliary-predictions", "losses of counts and distances although the encoder is frozen"),
  option.flag("ridge-start", "(on) a linear head begins as ridge regression on the pretrained embeddings"),
  option.text(
    "best-metric",
    "what decides which epoch is kept; val_loss. mae and val_loss are better small, the others large",
    { choices: ["val_loss", "r2", "mae", "accuracy", "f1", "last"], value: "NAME" },
  ),
];

/** What `train` has beyond `pretrain`. */
export function targetOptions(
  { options }: CliContext,
  { metadata, targets, target, groups }: Study,
): Pick<FineTuneOptions, "target"> & Partial<FineTuneOptions> {
  const classifier = options.classifier === true;
  const column = options["transform-column"] === undefined ? undefined : String(options["transform-column"]);
  const categorical = listOf(options["categorical-columns"]);
  const weights = options["sample-weight-column"];
  const transform = options["normalize-targets"] === false ? "none" : options["target-transform"];
  return {
    target: classifier ? target : targets,
    ...given({
      transform: transform as FineTuneOptions["transform"],
      leaveOut: groups && [...groups.values()],
      groups: column === undefined ? undefined : metadata.column(column).values.map(String),
      groupColumn: column,
      categorical: categorical.length > 0 ? { metadata, columns: categorical } : undefined,
      sampleWeights: weights === undefined ? undefined : numericTarget(metadata, String(weights)).values,
      ridgeStart: options["ridge-start"] as boolean | undefined,
      keepAuxiliary: options["keep-auxiliary-predictions"] as boolean | undefined,
    }),
  };
}

/** The form of the head. */
export function headOptions({ options }: CliContext): Record<string, unknown> {
  if (options["bounded-targets"] === true && options["unbounded-targets"] === true)
    throw xError("OPTION_CHOICE", "--bounded-targets and --unbounded-targets contradict each other", {
      usage: true,
    });
  const hidden = numbersOf(options["regressor-hidden-dims"]);
  const quantiles = numbersOf(options.quantiles);
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

const LOSSES: readonly string[] = ["huber", "mse", "mae", "asymmetric"];

/** `--loss-config`: one loss a column, in the order of the columns. */
export function lossesByOutput(options: CliContext["options"]): TargetLossKind[] | undefined {
  if (options["loss-config"] === undefined) return undefined;
  const text = String(options["loss-config"]);
  const names = listOf(options["metadata-column"]);
  const wrong = (why: string): never => {
    const message = `--loss-config ${text}: ${why}; it is JSON that gives columns one of ${LOSSES.join(", ")}`;
    throw xError("OPTION_CHOICE", message, { usage: true, details: { option: "loss-config" } });
  };
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return wrong("no JSON");
  }
  if (typeof given !== "object" || given === null || Array.isArray(given)) return wrong("no object");
  const known = new Map(Object.entries(given));
  for (const [name, loss] of known) {
    if (!names.includes(name)) return wrong(`${name} is no column that is predicted`);
    if (!LOSSES.includes(loss)) return wrong(`there is no loss ${loss}`);
  }
  return names.map((name) => (known.get(name) ?? options["loss-type"] ?? "huber") as TargetLossKind);
}

/** Options that would have no effect are refused before anything is read. */
export function checkTrainOptions({ options }: CliContext): void {
  const refuse = (message: string, option: string): never => {
    throw xError("OPTION_CHOICE", message, { usage: true, details: { option } });
  };
  for (const name of ["freeze-base", "freeze-asvs"])
    if (options[name] === true && options["pretrained-encoder"] === undefined)
      refuse(
        `--${name} needs --pretrained-encoder: weights that nothing taught would stay as they are`,
        name,
      );
  const metric = String(options["best-metric"] ?? "val_loss");
  const classes = options.classifier === true;
  if (classes ? ["r2", "mae"].includes(metric) : ["accuracy", "f1"].includes(metric))
    refuse(
      `--best-metric ${metric} is of ${classes ? "numbers; with --classifier there are accuracy, f1" : "classes (--classifier); numbers have r2, mae"}, val_loss, last`,
      "best-metric",
    );
}
