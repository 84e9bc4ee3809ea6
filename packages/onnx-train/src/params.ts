/** Weights: their shapes, how they begin, and where they lie in the flat vector that is trained. */
import { Random, sha256Hex } from "@x/core/base";
import { shapeError, showShape, sizeOf } from "./graph.ts";

/** How weights begin. */
export type Init =
  | "zeros"
  | "ones"
  | {
      /** Standard deviation. */
      readonly normal: number;
    }
  | {
      /** Largest size. */
      readonly uniform: number;
    }
  | {
      /** These numbers, row-major. */
      readonly values: ArrayLike<number>;
    };

/** A weight tensor of a model. */
export interface ParamSpec {
  /** Fixed lengths. */
  readonly shape: readonly number[];
  /** First values. */
  readonly init: Init;
  /** Does weight decay pull at it? True for tensors of two axes and more by default. */
  readonly decay: boolean;
}

/** Describes one weight tensor; Glorot uniform (Glorot and Bengio 2010) for two axes and more, else zeros, by default. */
export function param(
  shape: readonly number[],
  init: Init = shape.length < 2 ? "zeros" : { uniform: Math.sqrt(6 / (shape.at(-2)! + shape.at(-1)!)) },
  decay: boolean = shape.length >= 2,
): ParamSpec {
  const size = sizeOf(shape);
  if (typeof init === "object" && "values" in init && init.values.length !== size)
    shapeError("param", `${init.values.length} first values for ${showShape(shape)}`);
  return { shape, init, decay };
}

/** Weights of `dense`. */
export type DenseParams = {
  /** [inputs, outputs]. */
  readonly w: ParamSpec;
  /** [outputs]. */
  readonly b: ParamSpec;
};

/** Weights of `layerNorm`. */
export type NormParams = {
  /** Factors. */
  readonly scale: ParamSpec;
  /** Terms. */
  readonly shift: ParamSpec;
};

/** Weights of `dense`: w [inputs, outputs] and b [outputs]. */
export function denseParams(inputs: number, outputs: number): DenseParams {
  return { w: param([inputs, outputs]), b: param([outputs]) };
}

/** Weights of `layerNorm`: scale 1, shift 0. */
export function normParams(width: number): NormParams {
  return { scale: param([width], "ones", false), shift: param([width], "zeros", false) };
}

/** The same weights for `depth` layers, as `scanLayers` takes them. */
export function stackParams<T>(depth: number, layer: T): T {
  const stack = (node: unknown): unknown => {
    const spec = node as ParamSpec;
    if (Array.isArray(spec.shape)) return { ...spec, shape: [depth, ...spec.shape] };
    return Object.fromEntries(Object.entries(node as object).map(([name, value]) => [name, stack(value)]));
  };
  return stack(layer) as T;
}

/** One weight tensor and its place in a flat vector. */
export interface Placed {
  readonly name: string;
  readonly spec: ParamSpec;
  readonly offset: number;
  readonly size: number;
}

/** A run of a flat vector that the training graph holds as one tensor. */
export interface Piece {
  readonly offset: number;
  /** The last piece of many weights ends in zeros that fill its last block. */
  readonly size: number;
  /** [size], or [blocks, numbers of a block] where there are many. */
  readonly shape: readonly number[];
  /** The weights in it: one large tensor, or all the small ones. */
  readonly places: readonly Placed[];
  /** The first numbers up to here are subject to weight decay. */
  readonly decayed: number;
}

/** A flat vector of weights. */
export interface Layout {
  readonly places: readonly Placed[];
  readonly size: number;
  readonly pieces: readonly Piece[];
  /** The first numbers up to here are subject to weight decay. */
  readonly decayed: number;
}

/** Weights of a block: with moments and all between about a megabyte, which a processor keeps at hand. */
const BLOCK = 1 << 15;
/** Tensors of so many weights are pieces of their own: cutting them out of a longer vector and joining their gradients to one would be passes over memory. */
const LARGE = 4 * BLOCK;

/** Places weights one after the other: large tensors, then small ones, of those the ones with decay first. */
export function layout(specs: readonly (readonly [string, ParamSpec])[]): Layout {
  const blocks = ([, s]: readonly [string, ParamSpec]): number =>
    s.decay && sizeOf(s.shape) >= LARGE ? evenBlocks(sizeOf(s.shape)) : 0;
  const large = specs.filter((s) => blocks(s) > 0);
  const small = specs.filter((s) => blocks(s) === 0);
  const ordered = [...large, ...small.filter(([, s]) => s.decay), ...small.filter(([, s]) => !s.decay)];
  let offset = 0;
  let decayed = 0;
  const places = ordered.map(([name, spec]) => {
    const place = { name, spec, offset, size: sizeOf(spec.shape) };
    offset += place.size;
    if (spec.decay) decayed = offset;
    return place;
  });
  const pieces: Piece[] = places.slice(0, large.length).map((place, i) => {
    const count = blocks(large[i]!);
    const { size } = place;
    return { offset: place.offset, size, shape: [count, size / count], places: [place], decayed: size };
  });
  const rest = places.slice(large.length);
  if (rest.length > 0) {
    const start = rest[0]!.offset;
    const length = offset - start;
    const count = Math.ceil(length / BLOCK);
    const shape = count > 1 ? [count, BLOCK] : [length];
    const size = count > 1 ? count * BLOCK : length;
    pieces.push({ offset: start, size, shape, places: rest, decayed: Math.max(0, decayed - start) });
    offset = start + size;
  }
  return { places, size: offset, pieces, decayed };
}

/** How many equal blocks of about the usual size make this many weights; 0 where none do. */
function evenBlocks(size: number): number {
  let best = 0;
  for (let n = Math.ceil(size / (2 * BLOCK)); n <= (2 * size) / BLOCK; n++)
    if (size % n === 0 && Math.abs(Math.log(size / n / BLOCK)) < Math.abs(Math.log(size / best / BLOCK)))
      best = n;
  return best;
}

/** First values of a flat vector; each tensor has its own random stream, so a model may grow without changing the others. */
export function initialValues({ places, size }: Layout, seed: number): Float32Array {
  const values = new Float32Array(size);
  for (const { name, spec, offset, size: n } of places) {
    const { init } = spec;
    if (init === "zeros") continue;
    if (init === "ones") {
      values.fill(1, offset, offset + n);
      continue;
    }
    if ("values" in init) {
      values.set(init.values, offset);
      continue;
    }
    const random = new Random(seed, BigInt(`0x${sha256Hex(`param ${name}`).slice(0, 16)}`));
    for (let i = 0; i < n; i++)
      values[offset + i] =
        "normal" in init ? init.normal * random.normal() : init.uniform * (2 * random.uniform() - 1);
  }
  return values;
}
