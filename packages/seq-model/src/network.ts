/** The network: nucleotides → ASVs → sample, with what is predicted and what is learned from. */
import {
  add,
  concat,
  type DenseParams,
  dense,
  div,
  exp,
  gather,
  graph,
  type InputSpec,
  log,
  type Model,
  type ModelResult,
  maximum,
  mean,
  mul,
  type ParamSpec,
  reshape,
  type StepContext,
  scope,
  sigmoid,
  split,
  sum,
  type Tensor,
  type TensorsOf,
} from "@x/onnx-train";
import { type AsvTensors, asvWidth, encodeAsvs } from "./asv-encoder.ts";
import { type Dropout, type PoolTensors, pool, powerPool, type StackParams, stack } from "./blocks.ts";
import { type CladeParams, cladeLoss, cladePool } from "./clade-pool.ts";
import { encoderType } from "./encoder-types.ts";
import { type FusionTensors, fuse, type HeadTensors, head } from "./heads.ts";
import type { ModelConfig } from "./model-interfaces.ts";
import {
  countLoss,
  kinLoss,
  pairDistances,
  pairLoss,
  scaledDistances,
  sharedDistances,
  type TargetLossConfig,
  targetLoss,
  weightedMean,
} from "./model-losses.ts";
import { type NetworkPart, networkParams } from "./network-params.ts";

/** Factors of the losses in the total; a loss of weight 0 is not computed. */
export interface LossWeights {
  /** Of the target. */
  readonly target: number;
  /** Of the counts. */
  readonly count: number;
  /** Of distances and numbers that the encoder learns. */
  readonly encoder: number;
  /** Of hidden letters. */
  readonly nucleotide: number;
  /** Of the distances of ASVs on the tree; 0 by default. */
  readonly phylogeny?: number;
  /** Of the memberships of ASVs in clades of the tree; 0 by default. */
  readonly clades?: number;
}

/** How a graph is built. */
export interface NetworkOptions {
  readonly part: NetworkPart;
  readonly weights: LossWeights;
  readonly loss: TargetLossConfig;
  /** ASVs worked on at a time; 0 takes all at once. */
  readonly chunk: number;
  /** Keep the products of a chunk's layers for the backward pass; true by default. */
  readonly keep?: boolean;
  /** Does the encoder stay as it is? It then drops nothing. */
  readonly frozen?: boolean;
}

type StackTensors = TensorsOf<StackParams>;

interface NetworkTensors {
  readonly asv: AsvTensors;
  readonly clades?: TensorsOf<CladeParams>;
  readonly sample: {
    readonly position?: Tensor;
    readonly count?: TensorsOf<DenseParams>;
    readonly countJoin?: TensorsOf<DenseParams>;
    readonly stack?: StackTensors;
    readonly encoder: {
      readonly stack?: StackTensors;
      readonly pool?: PoolTensors;
      readonly power?: Tensor;
      readonly logWeights?: Tensor;
      readonly scale?: Tensor;
      readonly own?: TensorsOf<DenseParams>;
    };
    readonly values?: TensorsOf<DenseParams>;
  };
  readonly counts?: { readonly stack?: StackTensors; readonly head: TensorsOf<DenseParams> };
  readonly target?: {
    readonly stack?: StackTensors;
    readonly pool?: PoolTensors;
    readonly power?: Tensor;
    readonly fusion?: FusionTensors;
    readonly head: HeadTensors;
  };
}

/** Inputs of a graph by name. Lengths: `asvs` different ASVs, `samples`, `slots` of a sample. */
function networkInputs(config: ModelConfig, { part, weights }: NetworkOptions): Record<string, InputSpec> {
  const letters = ["asvs", asvWidth(config)] as const;
  const slots = ["samples", "slots"] as const;
  const type = encoderType(config.encoder);
  const hidden = config.nucleotides && weights.nucleotide > 0;
  return {
    ...(part !== "samples" && {
      tokens: { shape: letters, dtype: "int64" as const },
      ...(hidden && { letters: { shape: letters, dtype: "int64" as const }, scored: letters }),
      ...(config.phylogeny &&
        (weights.phylogeny ?? 0) > 0 && {
          kinRows: { shape: ["kin"] as const, dtype: "int64" as const },
          kinDistances: ["kin", "kin"] as const,
        }),
      ...(part === "whole" &&
        config.clades > 0 &&
        (weights.clades ?? 0) > 0 && {
          cladeTargets: ["asvs", config.clades] as const,
          known: ["asvs"] as const,
        }),
    }),
    ...(part === "samples" && { asv: ["asvs", config.dim] as const, presence: slots }),
    ...(part !== "asvs" && {
      index: { shape: slots, dtype: "int64" as const },
      counts: slots,
      mask: slots,
      weight: ["samples"] as const,
      ...(config.samplePositions && { positions: { shape: ["slots"] as const, dtype: "int64" as const } }),
      ...(config.countPrediction && weights.count > 0 && { countTargets: slots }),
      ...(type.pairs !== undefined && weights.encoder > 0 && { distances: ["samples", "samples"] as const }),
      ...(type.values && weights.encoder > 0 && { encoderValues: ["samples", type.values] as const }),
      ...(config.categories.length > 0 && {
        categories: { shape: ["samples", config.categories.length] as const, dtype: "int64" as const },
      }),
      ...(config.outputs > 0 &&
        weights.target > 0 && { target: ["samples", config.classifier ? 1 : config.outputs] as const }),
    }),
  };
}

/**
 * The network as a model for `compile`. Parts of its loss: `target`, `count`, `encoder`, `nucleotide`, `phylogeny`, `clades` (unweighted) and
 * `letters`, the share of hidden letters that were found. Outputs: `asv`, `embedding`, `distance`, `states`, `count`,
 * `prediction`, `raw` (log-probabilities of a classifier), `row` (what the head reads), `attention`, `values`, `logits`, as far as the part has them.
 */
export function buildNetwork(config: ModelConfig, options: NetworkOptions): Model {
  const inputs = networkInputs(config, options);
  const params = networkParams(config, options.part);
  return graph("seq", { inputs, params } as {
    inputs: Record<string, InputSpec>;
    params: Record<string, ParamSpec>;
  }).model((given, weights, context) =>
    networkResult(given as Record<string, Tensor>, weights as unknown as NetworkTensors, {
      config,
      options,
      context,
    }),
  );
}

interface Building {
  readonly config: ModelConfig;
  readonly options: NetworkOptions;
  readonly context: StepContext;
}

function networkResult(inputs: Record<string, Tensor>, p: NetworkTensors, b: Building): ModelResult {
  const { config, options } = b;
  const parts: Record<string, Tensor> = {};
  const outputs: Record<string, Tensor> = {};
  let asv = inputs.asv;
  if (options.part !== "samples") {
    const { letters, scored } = inputs;
    const hidden = letters && scored ? { letters, scored } : undefined;
    const made = encodeAsvs(p.asv, inputs.tokens!, config, {
      chunk: options.chunk,
      keep: options.keep ?? true,
      ...(hidden && { hidden }),
      ...(config.dropout > 0 && {
        dropout: (name: string, x: Tensor) => b.context.dropout(name, x, config.dropout),
      }),
    });
    asv = made.embeddings;
    outputs.asv = asv;
    if (made.logits) outputs.logits = made.logits;
    if (made.sums) {
      const total = maximum(sum(scored!), 1e-8);
      parts.nucleotide = div(made.sums.loss, total);
      parts.letters = div(made.sums.right, total);
    }
  }
  if (inputs.kinRows && p.asv.scale)
    parts.phylogeny = kinLoss(gather(asv!, inputs.kinRows), inputs.kinDistances!, p.asv.scale);
  if (inputs.cladeTargets && p.clades)
    parts.clades = cladeLoss(asv!, p.clades, inputs.cladeTargets, inputs.known!);
  if (options.part !== "asvs") samplePart(inputs, asv!, p, b, parts, outputs);
  const factors: Record<string, number> = { ...options.weights };
  const terms = Object.entries(parts).flatMap(([name, t]) => (factors[name] ? [mul(t, factors[name])] : []));
  const loss =
    terms.length > 0 ? terms.reduce((a, x) => add(a, x)) : mean(mul(Object.values(outputs)[0]!, 0));
  return { loss, parts, outputs };
}

function samplePart(
  inputs: Record<string, Tensor>,
  asv: Tensor,
  p: NetworkTensors,
  { config, options, context }: Building,
  parts: Record<string, Tensor>,
  outputs: Record<string, Tensor>,
): void {
  const { mask, counts, weight } = inputs as { mask: Tensor; counts: Tensor; weight: Tensor };
  const drop =
    (stackName: string): Dropout =>
    (name, x) =>
      options.frozen && (stackName === "sample" || stackName === "encoder")
        ? x
        : context.dropout(`${stackName}.${name}`, x, config.dropout);
  const logCounts = log(add(counts, 1));
  const states = sampleStates(inputs, asv, p.sample, logCounts, config, drop("sample"));
  outputs.states = states;
  const through = (name: string, x: Tensor, s?: StackTensors): Tensor =>
    s ? scope(name, () => stack(x, s, mask, config, drop(name))) : x;
  const biasOf = (power?: Tensor): Tensor | undefined =>
    power && mul(reshape(logCounts, [...logCounts.shape, 1]), power);

  const { encoder } = p.sample;
  const top = through("encoder", states, encoder.stack);
  const pooled = encoder.pool
    ? pool(top, encoder.pool, mask, biasOf(encoder.power))
    : powerPool(top, encoder.power!, mask, counts);
  const there = thereOf(inputs);
  const row = p.clades
    ? concat([cladePool(asv, p.clades, { index: inputs.index!, mask, there, counts }), pooled.row])
    : pooled.row;
  outputs.embedding = row;
  const type = encoderType(config.encoder);
  const encoderLosses: Tensor[] = [];
  if (type.pairs !== undefined) {
    const raw =
      config.distance === "shared"
        ? sharedDistances(row, encoder.logWeights!)
        : pairDistances(row, encoder.logWeights);
    outputs.distance = encoder.own ? scaledDistances(raw, encoder.scale!, dense(row, encoder.own)) : raw;
    if (inputs.distances) encoderLosses.push(pairLoss(outputs.distance, inputs.distances, weight));
  }
  if (p.sample.values) {
    const raw = dense(row, p.sample.values);
    outputs.values = type.activation === "sigmoid" ? sigmoid(raw) : raw;
    if (inputs.encoderValues) {
      const d = add(outputs.values, mul(inputs.encoderValues, -1));
      encoderLosses.push(weightedMean(mean(mul(d, d), [1]), weight));
    }
  }
  if (encoderLosses.length > 0) parts.encoder = encoderLosses.reduce((a, x) => add(a, x));

  if (p.counts) {
    const raw = dense(through("count", states, p.counts.stack), p.counts.head);
    outputs.count = sigmoid(reshape(raw, mask.shape));
    if (inputs.countTargets) {
      const each = mul(mask, reshape(weight, [weight.shape[0]!, 1]));
      parts.count = countLoss(outputs.count, inputs.countTargets, each);
    }
  }
  let attention = pooled.weights;
  if (p.target) {
    let read = row;
    if (p.target.pool) {
      const own = pool(
        through("target", states, p.target.stack),
        p.target.pool,
        mask,
        biasOf(p.target.power),
      );
      read = config.targetFrom === "both" ? concat([own.row, row]) : own.row;
      attention = own.weights;
    }
    if (p.target.fusion) read = fuse(read, inputs.categories!, p.target.fusion, config);
    const drops: Dropout = (name, x) => context.dropout(`head.${name}`, x, config.headDropout);
    const said = head(read, p.target.head, config, drops);
    outputs.row = read;
    outputs.raw = said;
    outputs.prediction = config.classifier ? exp(said) : said;
    if (inputs.target) parts.target = targetLoss(said, inputs.target, weight, config, options.loss);
  }
  outputs.attention = mul(mean(attention, [2]), mask);
}

/** 1 where a slot holds an ASV, less where it is to be looked away from. */
function thereOf({ mask, presence }: Record<string, Tensor>): Tensor {
  return presence ? mul(mask!, presence) : mask!;
}

function sampleStates(
  inputs: Record<string, Tensor>,
  asv: Tensor,
  p: NetworkTensors["sample"],
  logCounts: Tensor,
  config: ModelConfig,
  dropout: Dropout,
): Tensor {
  const mask = inputs.mask!;
  const [samples, slots] = mask.shape as [number, number];
  let x = mul(gather(asv, inputs.index!), reshape(thereOf(inputs), [samples, slots, 1]));
  const { dim } = config;
  if (p.count) {
    const c = dense(reshape(logCounts, [samples, slots, 1]), p.count);
    if (config.countEmbedding === "add") x = add(x, c);
    else if (config.countEmbedding === "concat") x = dense(concat([x, c]), p.countJoin!);
    else {
      const [s, t] = split(c, [dim, dim]) as [Tensor, Tensor];
      x = add(mul(x, add(s, 1)), t);
    }
  }
  if (p.position) {
    x = add(x, reshape(gather(p.position, inputs.positions!), [1, slots, dim]));
  }
  const states = p.stack ? scope("sample", () => stack(x, p.stack!, mask, config, dropout)) : x;
  return mul(states, reshape(mask, [samples, slots, 1]));
}
