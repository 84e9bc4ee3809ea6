/** Options of `pretrain` and `train`, under AAM's names where AAM has one, and what they become. */
import { type CliContext, type OptionSpec, option } from "@x/core/base";
import { AAM_FLAGS } from "./cli-aam-options.ts";
import { TABLE_FLAGS, TREE_FLAGS } from "./cli-inputs.ts";
import { modelOption } from "./cli-run-folder.ts";
import { encoderTypes } from "./encoder-types.ts";
import { AAM_CONFIG, type ModelOptions } from "./model-config.ts";
import type { ModelConfig } from "./model-interfaces.ts";
import type { TrainingOptions } from "./training-options.ts";

const number = (name: string, help: string, range: { min?: number; max?: number } = { min: 0 }): OptionSpec =>
  option.number(name, help, { range, value: "X" });
const int = (name: string, help: string, min = 1): OptionSpec =>
  option.int(name, help, { range: { min }, value: "N" });
const flag = (name: string, help: string): OptionSpec => option.flag(name, help);
const choice = (name: string, choices: readonly string[], help: string): OptionSpec =>
  option.text(name, help, { choices, value: "NAME" });

/** AAM's metrics and the encoder types that learn them. */
const AAM_METRICS: Readonly<Record<string, string>> = {
  unifrac: "unifrac",
  weighted: "weighted",
  faith_pd: "faith-pd",
};

/** AAM's names of schedules. */
const AAM_SCHEDULES: Readonly<Record<string, TrainingOptions["schedule"] & string>> = {
  warmup_cosine: "cosine",
  onecycle: "one-cycle",
};

/** AAM's names of precisions. */
const AAM_PRECISIONS: Readonly<Record<string, NonNullable<TrainingOptions["precision"]>>> = {
  no: "float32",
  fp16: "float16",
  bf16: "bfloat16",
  auto: "auto",
};

/** Options of both verbs. */
export const NETWORK_FLAGS: readonly OptionSpec[] = [
  ...TABLE_FLAGS,
  ...TREE_FLAGS,
  option.input("sequences", "FASTA or .qza, where ids are no sequences"),
  option.input("unifrac-matrix", "distances to learn, instead of those of the tree"),
  option.text("output-dir", "folder of the run", { aliases: ["-o"], value: "FOLDER", required: true }),
  option.text(
    "resume-from",
    "go on with the run in this folder (= --output-dir), to the same bytes; other data or settings are refused",
    { value: "FOLDER" },
  ),
  option.flag("overwrite", "write over a finished run in --output-dir"),
  modelOption("pretrained-encoder", "start from this encoder; every key is accounted for"),
  option.input(
    "split",
    "table of sample_id and split (train, test); epochs are chosen by some of the training samples. Counts and labels of test samples are never learned from; sequences and tree of the whole table are used",
  ),
  number("test-size", "samples to judge by; 0.2", { min: 0, max: 0.99 }),
  choice("form", ["default", "aam"], "of the network: order-free, or as AAM builds it"),
  choice("encoder", encoderTypes(), "what the encoder learns; unifrac"),
  option.input(
    "encoder-values",
    "what --encoder taxonomy learns: a table of sample_id and 7 columns of numbers",
  ),
  choice("unifrac-metric", Object.keys(AAM_METRICS), "AAM's name for three of these"),
  int(
    "embedding-dim",
    "width of the network: most of memory and time; 64. Sample embeddings also hold presence and mass of --clades",
  ),
  int("attention-heads", "heads; 4"),
  option.text("attention-layers", "layers of all stacks, or of asv, sample, encoder, count, target", {
    value: "N[,N,N,N,N]",
  }),
  int(
    "ffn-ratio",
    "width of feed-forward layers over the embedding; 2 (AAM 4): less memory, a little less accuracy",
  ),
  int("patch", "letters that make one place of the nucleotide encoder; 6 (AAM 1): 36 times less attention"),
  int("max-bp", "letters of a sequence; 150"),
  int("token-limit", "ASVs of a sample; 1024"),
  choice("asv-sampling", ["abundance", "first", "random"], "which ASVs where a sample has more; abundance"),
  choice(
    "count-embedding-method",
    ["add", "concat", "film"],
    "how ln(count + 1) joins an ASV's embedding; film",
  ),
  int(
    "clades",
    "branches of the tree that embeddings tell apart, by presence and share; 2048, 0 for none",
    0,
  ),
  number("dropout", "share of units dropped in training, of letters and of samples' ASVs; 0", {
    min: 0,
    max: 0.95,
  }),
  flag("count-embedding", "(on) counts join embeddings; --no-count-embedding keeps them out"),
  flag("sample-positions", "ASVs know their slot: the order of the table then matters"),
  int("epochs", "passes over the training samples; 100"),
  int("batch-size", "samples a step; 8"),
  int("gradient-accumulation-steps", "steps that make one update; 1"),
  option.number(
    "max-memory-gb",
    "cut ASVs into chunks, then batches, to stay under it; the rest is accumulated",
    { range: { min: 0.1 }, value: "GB" },
  ),
  flag("auto-batch-size", "find the largest batch that memory allows, up to --batch-size"),
  number("max-memory-fraction", "share of this machine's memory that --auto-batch-size plans with; 0.8", {
    min: 0.01,
    max: 1,
  }),
  number("lr", "largest learning rate; 1e-3"),
  number("weight-decay", "of AdamW; 0.01"),
  number("warmup", "share of all steps in which the rate rises; 0.05", { min: 0, max: 1 }),
  int("warmup-steps", "the same in steps", 0),
  choice(
    "scheduler",
    ["cosine", "constant", "plateau", "one-cycle", ...Object.keys(AAM_SCHEDULES)],
    "how the rate goes on; cosine, which AAM calls warmup_cosine",
  ),
  choice("optimizer", ["adamw"], "AdamW; --weight-decay 0 makes it Adam"),
  choice(
    "mixed-precision",
    ["no", "fp16", "bf16", "auto"],
    "of matrix products in training; no. auto: bf16 on CUDA where that works",
  ),
  number("max-grad-norm", "largest norm of a gradient; 1, 0 leaves it"),
  number("ema", "decay of a moving average of the weights that is kept instead; 0", { min: 0, max: 1 }),
  int("patience", "epochs without a better validation after which training stops; 0 never", 0),
  number(
    "penalty",
    "weight of the encoder's loss; 1. Losses are summed by their weights: raise one whose unweighted value the log shows to be small",
  ),
  number("nuc-penalty", "weight of hidden letters; 1"),
  number("count-penalty", "weight of counts; 1"),
  number("phylogeny-penalty", "weight of the distances of ASVs on the tree; 1"),
  number("clade-penalty", "weight of the memberships of ASVs in clades of the tree; 1"),
  number(
    "synthetic-samples",
    "chance of a pretraining sample to be drawn from training samples, tips and clades instead; 0.5 with a tree",
    { min: 0, max: 1 },
  ),
  number("nuc-mask-ratio", "share of letters hidden; 0.15", { min: 0, max: 1 }),
  choice("nuc-mask-strategy", ["random", "span"], "hide letters one by one or in runs of 3 to 5"),
  number(
    "harder-mask-ratio",
    "share of letters hidden in spans once the loss of hidden letters is under 0.1",
    { min: 0, max: 1 },
  ),
  number("asv-dropout", "chance of an ASV to be left out of its sample in a step; 0", { min: 0, max: 1 }),
  flag("shuffle-asvs", "each sample's ASVs in a new order in each step; seen with --sample-positions alone"),
  number("rarefaction-noise", "share of a sample's reads that may be left out in a step; 0", {
    min: 0,
    max: 1,
  }),
  int(
    "asv-chunk-size",
    "ASVs worked on at a time; 32. About 800 places fit a processor's cache best: 4 to 8 ASVs at --patch 1",
    0,
  ),
  int("length-buckets", "groups of samples by number of ASVs, each padded for itself; 1"),
  flag(
    "gradient-checkpointing",
    "compute what is cheap of a chunk again in the backward pass (on): --no-gradient-checkpointing keeps everything in memory",
  ),
  option.text("device", "auto, cpu, cuda or cuda:N", { value: "NAME" }),
  ...AAM_FLAGS,
];

type Given = CliContext["options"];

const numberOf = (options: Given, name: string): number | undefined =>
  options[name] === undefined ? undefined : Number(options[name]);

/** Keys whose value is not undefined. */
export function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined)) as never;
}

/** The form of the network that the options ask for. */
export function modelOptions(options: Given): ModelOptions {
  const n = (name: string): number | undefined => numberOf(options, name);
  const base = options.form === "aam" ? AAM_CONFIG : {};
  const method = options["count-embedding-method"] as ModelConfig["countEmbedding"] | undefined;
  const embedded =
    options["count-embedding"] === false
      ? "none"
      : (method ?? (options["count-embedding"] ? "film" : undefined));
  return {
    ...base,
    ...given({
      encoder:
        (options.encoder as string | undefined) ?? AAM_METRICS[String(options["unifrac-metric"] ?? "")],
      dim: n("embedding-dim"),
      heads: n("attention-heads"),
      ffnRatio: n("ffn-ratio"),
      patch: n("patch"),
      maxLength: n("max-bp"),
      tokenLimit: n("token-limit"),
      layers: layersOf(options["attention-layers"] as string | undefined),
      samplePositions: options["sample-positions"] as boolean | undefined,
      countEmbedding: embedded,
      clades: n("clades"),
      dropout: n("dropout"),
      distance: options.encoder === "aitchison" ? ("squared" as const) : undefined,
    }),
  };
}

function layersOf(text: string | undefined): ModelConfig["layers"] | undefined {
  if (text === undefined) return undefined;
  const depths = text.split(",").map(Number);
  const at = (i: number): number => depths[depths.length === 1 ? 0 : i] ?? 0;
  return { asv: at(0), sample: at(1), encoder: at(2), count: at(3), target: at(4) };
}

/** The training that the options ask for. */
export function trainingOptions(options: Given, seed: number | undefined): TrainingOptions {
  const n = (name: string): number | undefined => numberOf(options, name);
  const harder = n("harder-mask-ratio");
  return given({
    epochs: n("epochs"),
    batchSize: n("batch-size"),
    accumulate: n("gradient-accumulation-steps"),
    learningRate: n("lr"),
    weightDecay: n("weight-decay"),
    warmup: n("warmup"),
    schedule: (AAM_SCHEDULES[String(options.scheduler)] ?? options.scheduler) as TrainingOptions["schedule"],
    precision: AAM_PRECISIONS[String(options["mixed-precision"])],
    clip: n("max-grad-norm"),
    ema: n("ema"),
    patience: n("patience"),
    bestMetric: (options["best-metric"] as string | undefined)?.replace(
      "_",
      "-",
    ) as TrainingOptions["bestMetric"],
    losses: given({
      target: n("target-penalty"),
      encoder: n("penalty"),
      nucleotide: options["freeze-base"] === true ? 0 : n("nuc-penalty"),
      count: n("count-penalty"),
      phylogeny: n("phylogeny-penalty"),
      clades: n("clade-penalty"),
    }),
    mask: given({
      ratio: n("nuc-mask-ratio"),
      strategy: options["nuc-mask-strategy"] as "random" | "span" | undefined,
    }),
    harderMask: harder === undefined ? undefined : { ratio: harder, strategy: "span" as const },
    variation: given({
      asvDropout: n("asv-dropout"),
      rarefactionNoise: n("rarefaction-noise"),
      shuffleAsvs: options["shuffle-asvs"] as boolean | undefined,
    }),
    synthetic: n("synthetic-samples"),
    sampling: options["asv-sampling"] as TrainingOptions["sampling"],
    chunk: options["gradient-checkpointing"] === false ? 0 : n("asv-chunk-size"),
    lengthBuckets: n("length-buckets"),
    device: options.device as string | undefined,
    seed,
  }) as TrainingOptions;
}
