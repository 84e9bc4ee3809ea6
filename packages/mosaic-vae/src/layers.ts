/** Encoders and decoders by name: what lies between the numbers of a modality and the embedding. */
import {
  add,
  type DenseParams,
  dense,
  denseParams,
  type Gaussian,
  layerNorm,
  matmul,
  type NormParams,
  normParams,
  type ParamSpec,
  param,
  relu,
  type Tensor,
} from "@x/onnx-train";
import { mosaicError } from "./errors.ts";

/** Weights by name, nested. */
export type Weights = { readonly [name: string]: Tensor | Weights };
/** Descriptions of weights by name, nested. */
export type Specs = { readonly [name: string]: ParamSpec | Specs };

/** What an encoder or decoder is made for. */
export interface BodySpec {
  /** Number of features of the modality. */
  readonly features: number;
  /** Dimensions of the embedding. */
  readonly latent: number;
  /** Widths of the hidden layers of encoders, in their order. */
  readonly hidden: readonly number[];
  /** Are hidden layers normalised? */
  readonly layerNorm: boolean;
  /** Share of hidden units that are dropped in training. */
  readonly dropout: number;
  /** Number of batches the decoder is told of; 0 where it is not. */
  readonly batches: number;
}

/** From the numbers of a modality to its Gaussian. Add one of your own with `encoders` of `MosaicVAE.create`. */
export interface Encoder {
  /** Its weights. */
  params(spec: BodySpec): Specs;
  /**
   * Mean and log σ² of the cells, [cells, latent] each, from [cells, features]; log σ² is clamped to ±10 afterwards.
   * `drop` is dropout at the configured rate, under a name of its own within the encoder.
   */
  encode(x: Tensor, weights: Weights, spec: BodySpec, drop: (name: string, h: Tensor) => Tensor): Gaussian;
}

/** From the embedding to the hidden layer that a likelihood reads. Add one of your own with `decoders` of `MosaicVAE.create`. */
export interface Decoder {
  /** Its weights. */
  params(spec: BodySpec): Specs;
  /** Width of what it gives. */
  width(spec: BodySpec): number;
  /** [cells, width] from [cells, latent]; `batch` is [cells, batches], rows sum to 1. */
  decode(z: Tensor, weights: Weights, spec: BodySpec, batch: Tensor): Tensor;
}

/** The encoders that come with the package. */
export const ENCODERS: Readonly<Record<string, Encoder>> = {
  dense: {
    params: (spec) => ({
      ...stackParams([spec.features, ...spec.hidden], spec.layerNorm),
      mean: denseParams(spec.hidden.at(-1)!, spec.latent),
      logVariance: denseParams(spec.hidden.at(-1)!, spec.latent),
    }),
    encode(x, p, spec, drop) {
      let h = x;
      spec.hidden.forEach((_, i) => {
        h = drop(`l${i + 1}`, hiddenLayer(h, p[`l${i + 1}`] as Weights));
      });
      return { mean: linear(h, p.mean as Weights), logVariance: linear(h, p.logVariance as Weights) };
    },
  },
};

/** The decoders that come with the package. */
export const DECODERS: Readonly<Record<string, Decoder>> = {
  dense: {
    params: (spec) => ({
      ...stackParams([spec.latent, ...[...spec.hidden].reverse()], spec.layerNorm),
      ...(spec.batches > 0 && { batch: param([spec.batches, spec.hidden.at(-1)!], "zeros") }),
    }),
    width: (spec) => spec.hidden[0]!,
    decode(z, p, spec, batch) {
      let h = z;
      spec.hidden.forEach((_, i) => {
        // The batch enters the first layer: a one-hot column of its input.
        const extra = i === 0 && spec.batches > 0 ? matmul(batch, p.batch as Tensor) : undefined;
        h = hiddenLayer(h, p[`l${i + 1}`] as Weights, extra);
      });
      return h;
    },
  },
};

/** One of `known` or `own` by name. `CONFIG` lists those there are. */
export function namedPart<T>(
  what: string,
  name: string,
  known: Readonly<Record<string, T>>,
  own: Readonly<Record<string, T>> = {},
): T {
  const all = { ...known, ...own };
  if (Object.hasOwn(all, name)) return all[name]!;
  throw mosaicError("CONFIG", `there is no ${what} ${name}; there are ${Object.keys(all).join(", ")}`, {
    usage: true,
    details: { [what]: name },
  });
}

interface LayerParams {
  readonly [name: string]: DenseParams | NormParams;
}

/** Hidden layers: dense, layer normalisation, ReLU. */
function stackParams(widths: readonly number[], norm: boolean): Specs {
  const layers: Record<string, LayerParams> = {};
  for (let i = 1; i < widths.length; i++)
    layers[`l${i}`] = {
      dense: denseParams(widths[i - 1]!, widths[i]!),
      ...(norm && { norm: normParams(widths[i]!) }),
    };
  return layers as Specs;
}

function hiddenLayer(h: Tensor, p: Weights, extra?: Tensor): Tensor {
  let y = linear(h, p.dense as Weights);
  if (extra) y = add(y, extra);
  if (p.norm) {
    const { scale, shift } = p.norm as Weights;
    y = layerNorm(y, scale as Tensor, shift as Tensor);
  }
  return relu(y);
}

function linear(h: Tensor, p: Weights): Tensor {
  return dense(h, { w: p.w as Tensor, b: p.b as Tensor });
}
