/** From the letters of ASVs to one embedding each. */
import {
  add,
  cast,
  constant,
  type DenseParams,
  dense,
  denseParams,
  embedding,
  expand,
  flatten,
  greater,
  greaterOrEqual,
  type Keep,
  logSoftmax,
  mapChunks,
  max,
  mul,
  neg,
  oneHot,
  type ParamSpec,
  param,
  reshape,
  scope,
  slice,
  sum,
  type Tensor,
  type TensorsOf,
  type Tree,
  unflatten,
} from "@x/onnx-train";
import { type Dropout, type PoolParams, pool, poolOf, type StackParams, stack, stackOf } from "./blocks.ts";
import type { ModelConfig } from "./model-interfaces.ts";

/** Weights of the nucleotide level. */
export type AsvParams = {
  /** [patch × vocabulary, dim]. */
  readonly token: ParamSpec;
  /** [places, dim]. */
  readonly position: ParamSpec;
  readonly stack: StackParams;
  readonly pool: PoolParams;
  /** From the states of all places. */
  readonly readout?: DenseParams;
  /** Predicts hidden letters; left out where they are not predicted. */
  readonly letters?: DenseParams;
  /** Logarithm of the factor of squared distances that are distances on the tree. */
  readonly scale?: ParamSpec;
};

/** The same in a graph. */
export type AsvTensors = Omit<TensorsOf<AsvParams>, "letters" | "scale" | "readout"> & {
  readonly readout?: TensorsOf<DenseParams>;
  readonly letters?: TensorsOf<DenseParams>;
  readonly scale?: Tensor;
};

/** Letters of hidden places, their true values and what each counts. */
export interface HiddenLetters {
  /** True tokens, as `tokens`. */
  readonly letters: Tensor;
  /** Weight of each place in the loss, as `tokens`. */
  readonly scored: Tensor;
}

/** What the nucleotide level gives. */
export interface EncodedAsvs {
  /** [ASVs, dim]. */
  readonly embeddings: Tensor;
  /** Summed weighted cross-entropy of hidden letters, and summed weights of those that were found. */
  readonly sums?: { readonly loss: Tensor; readonly right: Tensor };
  /** [ASVs, letters, vocabulary]; only where the ASVs are not cut into chunks. */
  readonly logits?: Tensor;
}

/** Tokens of an ASV, START included, as a multiple of the patch. */
export function asvWidth({ maxLength, patch }: Pick<ModelConfig, "maxLength" | "patch">): number {
  return Math.ceil((maxLength + 1) / patch) * patch;
}

/** Weights of `encodeAsvs`. */
export function asvParams(config: ModelConfig): AsvParams {
  const { dim, patch, vocabulary, layers, nucleotides } = config;
  return {
    token: param([patch * vocabulary, dim], { normal: 1 / Math.sqrt(patch) }),
    position: param([asvWidth(config) / patch, dim], { normal: patch === 1 ? 1 : 0.5 }),
    stack: stackOf(config, layers.asv),
    pool: poolOf(dim),
    ...(config.asvReadout === "places" && { readout: denseParams((asvWidth(config) / patch) * dim, dim) }),
    ...(nucleotides && { letters: denseParams(dim, patch * vocabulary) }),
    ...(config.phylogeny && { scale: param([1], { values: [-1] }, false) }),
  };
}

/** Options of {@link encodeAsvs}. */
export interface EncodeOptions {
  readonly hidden?: HiddenLetters;
  readonly chunk?: number;
  /** Keep the products of layers for the backward pass; true. */
  readonly keep?: boolean;
  /**
   * Drops units of an ASV in all its places at once (Gal and Ghahramani 2016): noise is drawn for each ASV and unit, a
   * number of each place would cost more than the step.
   */
  readonly dropout?: Dropout;
}

/**
 * Embeds ASVs [n, width]: token and position embeddings, transformer layers, attention pooling. With `chunk` so many
 * ASVs are worked on at a time (n must be a multiple), and the backward pass computes them again, but for the products of
 * their layers where these are kept.
 */
export function encodeAsvs(
  p: AsvTensors,
  tokens: Tensor,
  config: ModelConfig,
  { hidden, chunk = 0, keep = true, dropout }: EncodeOptions = {},
): EncodedAsvs {
  const n = tokens.shape[0]!;
  const drops = dropout && typeof n === "number" ? dropMasks(n, config, dropout) : [];
  if (chunk <= 0 || typeof n !== "number" || n <= chunk) {
    const made = encodeChunk(p, tokens, config, { hidden, drops });
    return {
      embeddings: made[0]!,
      ...(hidden && { sums: { loss: made[1]!, right: made[2]! }, logits: made[3]! }),
    };
  }
  const cut = (t: Tensor): Tensor => reshape(t, [n / chunk, chunk, t.shape[1]!]);
  const scanned = [tokens, ...(hidden ? [hidden.letters, hidden.scored] : []), ...drops].map(cut);
  const made = mapChunks(
    ([part, ...rest], shared, mark) => {
      const [letters, scored] = hidden ? rest.splice(0, 2) : [];
      const own = letters && scored && { letters, scored };
      const given = { hidden: own, drops: rest, keep: keep ? mark : undefined };
      return encodeChunk(unflatten(p, shared), part!, config, given).slice(0, 3);
    },
    scanned,
    flatten<Tensor>(p as Tree<Tensor>).map(([, t]) => t),
  );
  const embeddings = reshape(made[0]!, [n, config.dim]);
  return { embeddings, ...(hidden && { sums: { loss: sum(made[1]!), right: sum(made[2]!) } }) };
}

/** For each place in the stack that drops units: 0, or the factor of what stays, [ASVs, dim]. */
function dropMasks(n: number, { dim, layers }: ModelConfig, dropout: Dropout): Tensor[] {
  const ones = expand(constant(1), [n, dim]);
  return Array.from({ length: layers.asv }, (_, i) =>
    DROPPED.map((what) => dropout(`asv.l${i}.${what}`, ones)),
  ).flat();
}

/** What of a layer drops units, in the order in which `stack` asks. */
const DROPPED = ["attention", "ffn"] as const;

function encodeChunk(
  p: AsvTensors,
  tokens: Tensor,
  config: ModelConfig,
  given: {
    hidden: HiddenLetters | undefined;
    drops: readonly Tensor[];
    keep?: Keep | undefined;
  },
): Tensor[] {
  const { patch, vocabulary } = config;
  const { hidden, drops, keep } = given;
  const [n, width] = tokens.shape as [number, number];
  const places = width / patch;
  const known = cast(greater(tokens, constant(0, [], "int64")), "float32");
  const mask = patch === 1 ? known : max(reshape(known, [n, places, patch]), [2]);
  const tokenStates =
    patch === 1
      ? embedding(p.token, tokens)
      : dense(reshape(oneHot(tokens, vocabulary), [n, places, patch * vocabulary]), { w: p.token });
  const x = add(tokenStates, slice(p.position, 0, 0, places));
  let asked = 0;
  const drop: Dropout = (_, t) => {
    const factors = drops[asked++];
    return factors ? mul(t, reshape(factors, [n, 1, config.dim])) : t;
  };
  const states = scope("asv", () => stack(x, p.stack, mask, config, drop, keep));
  const { row } = scope("asv/pool", () => pool(states, p.pool, mask));
  const seen = p.readout && reshape(mul(states, reshape(mask, [n, places, 1])), [n, places * config.dim]);
  // A row of padding alone embeds to zeros.
  const embeddings = mul(seen ? add(row, dense(seen, p.readout!)) : row, max(mask, [1], true));
  if (!hidden || !p.letters) return [embeddings];
  const logits = reshape(dense(states, p.letters), [n, width, vocabulary]);
  const truth = oneHot(hidden.letters, vocabulary);
  const entropy = neg(sum(mul(logSoftmax(logits), truth), [2]));
  const found = cast(greaterOrEqual(sum(mul(logits, truth), [2]), max(logits, [2])), "float32");
  return [embeddings, sum(mul(entropy, hidden.scored)), sum(mul(found, hidden.scored)), logits];
}
