/** Likelihoods by name: the last layer of a decoder, what it expects, and how to draw from it. */
import type { Random } from "@x/core/base";
import {
  add,
  bernoulliLogLik,
  bernoulliLogLikSum,
  dense,
  exp,
  gaussianLogLik,
  log,
  logSoftmax,
  matmul,
  mul,
  nbLogLik,
  nbMixtureLogLik,
  nbSharesSum,
  type Operand,
  type ParamSpec,
  param,
  poissonLogLik,
  reshape,
  sigmoid,
  softplus,
  sub,
  type Tensor,
  zinbLogLik,
} from "@x/onnx-train";
import type { InputTransform, ModelConfig } from "./config.ts";
import type { ModalityKind } from "./dataset.ts";
import { negativeBinomial, poisson } from "./draws.ts";
import { mosaicError } from "./errors.ts";

/** What the first values of a last layer may be taken from. */
export interface FirstValues {
  /** Mean of each feature over the measured cells. */
  readonly means: Float64Array;
}

/** What a last layer is made for. */
export interface HeadSpec {
  /** Number of features. */
  readonly features: number;
  /** Width of the layer before. */
  readonly hidden: number;
  /** Number of batches. */
  readonly batches: number;
  /** As configured. */
  readonly dispersion: NonNullable<ModelConfig["dispersion"]>;
  /** Left out where a model is loaded. */
  readonly first?: FirstValues | undefined;
}

/** What a last layer gets. */
export interface HeadInput {
  /** [cells, hidden]. */
  readonly hidden: Tensor;
  /** [cells, batches], rows sum to 1. */
  readonly batch: Tensor;
  /** [cells, 1], log of the library. */
  readonly logLibrary: Tensor;
}

/** What it gives. */
export interface Decoded {
  /** log p by element; `logChoose` as in `nbLogLik`. */
  logLik(x: Tensor, logChoose?: Operand): Tensor;
  /** Σ over features of `logLik(x, 0)`, [cells, 1], where there is a faster way to it. */
  kernelSum?(x: Tensor): Tensor;
  /** Expected value, [cells, features]. */
  readonly mean: Tensor;
  /** log θ where it is one number a feature, [features]: its log Γ terms can then be summed over cells. */
  readonly logTheta?: Tensor;
  /** What `draw` needs, [cells, features] or anything that broadcasts to it. */
  readonly parameters: Readonly<Record<string, Tensor>>;
}

/** A likelihood. Add one of your own with `likelihoods` of `MosaicVAE.create`. */
export interface Likelihood {
  /** Takes whole numbers of at least 0 only. */
  readonly counts: boolean;
  /** Numbers above 0 are taken as 1. */
  readonly binary: boolean;
  /** Its log p holds −log Γ(x + 1), which is left to the caller where `logChoose` is 0. */
  readonly factorial: boolean;
  /** What encoders of such a modality see by default. */
  readonly input: InputTransform;
  /** Names of the `parameters` it decodes. */
  readonly parameters: readonly string[];
  /** Weights of the last layer. */
  params(spec: HeadSpec): Readonly<Record<string, ParamSpec>>;
  /** The last layer. */
  decode(p: Readonly<Record<string, Tensor>>, input: HeadInput, spec: HeadSpec): Decoded;
  /** One number from the `parameters` of one cell and feature. */
  draw(parameters: Readonly<Record<string, number>>, random: Random): number;
}

const last = (hidden: number, features: number): ParamSpec =>
  param([hidden, features], { uniform: Math.sqrt(6 / (hidden + features)) });

/** Biases with which the decoder starts at the mean of the data. */
function bias(spec: HeadSpec, f: (mean: number) => number): ParamSpec {
  const { first, features } = spec;
  return param([features], first ? { values: Float64Array.from(first.means, f) } : "zeros", false);
}

const logMeans = (spec: HeadSpec): ParamSpec => {
  const total = spec.first?.means.reduce((a, b) => a + b, 0) || 1;
  return bias(spec, (mean) => Math.log(mean / total + 1e-3 / spec.features));
};

/** Weights of log θ. */
function dispersionParams(spec: HeadSpec): Record<string, ParamSpec> {
  const { features, batches, hidden, dispersion } = spec;
  if (dispersion === "gene") return { theta: param([features], "zeros", false) };
  if (dispersion === "gene-batch") return { theta: param([batches, features], "zeros", false) };
  return { theta: last(hidden, features) };
}

/** log θ: [features] or [cells, features]. */
function logThetaOf(p: Readonly<Record<string, Tensor>>, input: HeadInput, spec: HeadSpec): Tensor {
  if (spec.dispersion === "gene") return p.theta!;
  return matmul(spec.dispersion === "gene-batch" ? input.batch : input.hidden, p.theta!);
}

/** Negative binomials over shares of the library: `nb`, or `zinb` with extra zeros. */
function negativeBinomials(inflated: boolean): Likelihood {
  return {
    counts: true,
    binary: false,
    factorial: true,
    input: "normalized",
    parameters: inflated ? ["mean", "theta", "zero"] : ["mean", "theta"],
    params: (spec) => ({
      w: last(spec.hidden, spec.features),
      b: logMeans(spec),
      ...dispersionParams(spec),
      ...(inflated && {
        gate: last(spec.hidden, spec.features),
        gateBias: param([spec.features], { values: new Float32Array(spec.features).fill(-2) }, false),
      }),
    }),
    decode(p, input, spec) {
      const logits = dense(input.hidden, { w: p.w!, b: p.b! });
      const logMean = add(logSoftmax(logits), input.logLibrary);
      const logDispersion = logThetaOf(p, input, spec);
      const mean = exp(logMean);
      const theta = exp(logDispersion);
      const shared = spec.dispersion === "gene" ? { logTheta: logDispersion } : {};
      if (!inflated)
        return {
          logLik: (x, logChoose) => nbLogLik(x, { logMean, logDispersion, ...choose(logChoose) }),
          ...(spec.dispersion === "gene" && {
            kernelSum: (x: Tensor) => nbSharesSum(x, { logits, logLibrary: input.logLibrary, logDispersion }),
          }),
          mean,
          ...shared,
          parameters: { mean, theta },
        };
      const gate = dense(input.hidden, { w: p.gate!, b: p.gateBias! });
      return {
        logLik: (x, logChoose) => zinbLogLik(x, { gate, logMean, logDispersion, ...choose(logChoose) }),
        mean: mul(mean, sigmoid(mul(gate, -1))),
        ...shared,
        parameters: { mean, theta, zero: sigmoid(gate) },
      };
    },
    draw: ({ mean, theta, zero }, random) =>
      zero !== undefined && random.uniform() < zero ? 0 : negativeBinomial(random, mean!, theta!),
  };
}

const choose = (logChoose: Operand | undefined): { logChoose?: Operand } =>
  logChoose === undefined ? {} : { logChoose };

/** log(1 + log(1 + eˣ)): log of how far the foreground lies above the background. */
const rise = (x: Tensor): Tensor => log(add(softplus(x), 1));

/** The likelihoods that come with the package. */
export const LIKELIHOODS: Readonly<Record<string, Likelihood>> = {
  nb: negativeBinomials(false),
  zinb: negativeBinomials(true),
  poisson: {
    counts: true,
    binary: false,
    factorial: true,
    input: "normalized",
    parameters: ["mean"],
    params: (spec) => ({ w: last(spec.hidden, spec.features), b: logMeans(spec) }),
    decode(p, { hidden, logLibrary }) {
      const logRate = add(logSoftmax(dense(hidden, { w: p.w!, b: p.b! })), logLibrary);
      const mean = exp(logRate);
      return {
        logLik: (x, logFactorial) =>
          poissonLogLik(x, logRate, logFactorial === undefined ? {} : { logFactorial }),
        mean,
        parameters: { mean },
      };
    },
    draw: ({ mean }, random) => poisson(random, mean!),
  },
  bernoulli: {
    counts: true,
    binary: true,
    factorial: false,
    input: "binary",
    parameters: ["mean"],
    params: (spec) => ({
      w: last(spec.hidden, spec.features),
      b: bias(spec, (mean) => Math.log((mean + 1e-4) / (1 - Math.min(mean, 1) + 1e-4))),
    }),
    decode(p, { hidden }) {
      const logit = dense(hidden, { w: p.w!, b: p.b! });
      const mean = sigmoid(logit);
      return {
        logLik: (x) => bernoulliLogLik(x, logit),
        kernelSum: (x) => bernoulliLogLikSum(x, logit),
        mean,
        parameters: { mean },
      };
    },
    draw: ({ mean }, random) => (random.uniform() < mean! ? 1 : 0),
  },
  "nb-mixture": {
    counts: true,
    binary: false,
    factorial: true,
    input: "log1p",
    parameters: ["background", "foreground", "share", "theta"],
    params: (spec) => ({
      w: last(spec.hidden, spec.features),
      b: bias(spec, (mean) => Math.log(mean / 2 + 1e-2)),
      rise: last(spec.hidden, spec.features),
      riseBias: param([spec.features], { values: new Float32Array(spec.features).fill(3) }, false),
      gate: last(spec.hidden, spec.features),
      gateBias: param([spec.features], "zeros", false),
      ...dispersionParams(spec),
    }),
    decode(p, input, spec) {
      const { hidden } = input;
      const logBackground = dense(hidden, { w: p.w!, b: p.b! });
      const logForeground = add(logBackground, rise(dense(hidden, { w: p.rise!, b: p.riseBias! })));
      const gate = dense(hidden, { w: p.gate!, b: p.gateBias! });
      const logDispersion = logThetaOf(p, input, spec);
      const [background, foreground, share] = [exp(logBackground), exp(logForeground), sigmoid(gate)];
      const mean = add(mul(share, background), mul(sub(1, share), foreground));
      return {
        logLik: (x, logChoose) =>
          nbMixtureLogLik(x, { logBackground, logForeground, logDispersion, gate, ...choose(logChoose) }),
        mean,
        ...(spec.dispersion === "gene" && { logTheta: logDispersion }),
        parameters: { background, foreground, share, theta: exp(logDispersion) },
      };
    },
    draw: ({ background, foreground, share, theta }, random) =>
      negativeBinomial(random, random.uniform() < share! ? background! : foreground!, theta!),
  },
  gaussian: {
    counts: false,
    binary: false,
    factorial: false,
    input: "none",
    parameters: ["mean", "variance"],
    params: (spec) => ({
      w: last(spec.hidden, spec.features),
      b: bias(spec, (mean) => mean),
      variance: param([spec.features], "zeros", false),
    }),
    decode(p, { hidden }) {
      const mean = dense(hidden, { w: p.w!, b: p.b! });
      const logVariance = reshape(p.variance!, [1, p.variance!.shape[0]!]);
      return {
        logLik: (x) => gaussianLogLik(x, { mean, logVariance }),
        mean,
        parameters: { mean, variance: exp(logVariance) },
      };
    },
    draw: ({ mean, variance }, random) => mean! + Math.sqrt(variance!) * random.normal(),
  },
};

/** What a kind is modelled as; ADT as a mixture where it is counts, else as Gaussian. */
export function defaultLikelihood(kind: ModalityKind, counts: boolean): string {
  if (kind === "rna") return "nb";
  if (kind === "atac") return "bernoulli";
  return counts ? "nb-mixture" : "gaussian";
}

/** A likelihood by name. `LIKELIHOOD` lists those there are. */
export function likelihoodOf(name: string, own: Readonly<Record<string, Likelihood>> = {}): Likelihood {
  const all = { ...LIKELIHOODS, ...own };
  if (Object.hasOwn(all, name)) return all[name]!;
  throw mosaicError(
    "LIKELIHOOD",
    `there is no likelihood ${name}; there are ${Object.keys(all).join(", ")}`,
    {
      usage: true,
      details: { likelihood: name },
    },
  );
}
