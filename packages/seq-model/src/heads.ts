/** What is predicted from a sample: heads over its row, with categorical metadata joined in. */
import {
  add,
  attention,
  concat,
  constant,
  type DenseParams,
  dense,
  denseParams,
  embedding,
  exp,
  gather,
  gelu,
  layerNorm,
  logSoftmax,
  mul,
  type NormParams,
  normParams,
  type ParamSpec,
  param,
  relu,
  reshape,
  sigmoid,
  softplus,
  split,
  sub,
  type Tensor,
  type TensorsOf,
  tanh,
} from "@x/onnx-train";
import type { Dropout } from "./blocks.ts";
import type { ModelConfig } from "./model-interfaces.ts";

/** Weights of a head. */
export type HeadParams = {
  readonly norm?: NormParams;
  /** Hidden layers by name. */
  readonly hidden: { readonly [layer: string]: DenseParams };
  /** From the last hidden layer, or from the row where there is none. */
  readonly out: DenseParams;
  /** Of a residual head: from the row. */
  readonly skip?: DenseParams;
  /** Learned factor and term. */
  readonly scale?: NormParams;
};

/** The same in a graph. */
export type HeadTensors = {
  readonly norm?: TensorsOf<NormParams>;
  readonly hidden: { readonly [layer: string]: TensorsOf<DenseParams> };
  readonly out: TensorsOf<DenseParams>;
  readonly skip?: TensorsOf<DenseParams>;
  readonly scale?: TensorsOf<NormParams>;
};

/** Numbers a sample that a head gives. */
export function headWidth({ outputs, classifier, quantiles }: ModelConfig): number {
  return classifier ? outputs : outputs * Math.max(1, quantiles.length);
}

/** Weights of `head` on rows of this width. */
export function headParams(config: ModelConfig, width: number): HeadParams {
  const out = headWidth(config);
  const hidden = config.head === "linear" ? [] : config.hidden;
  const widths = [width, ...hidden];
  return {
    ...(config.targetLayerNorm && { norm: normParams(width) }),
    hidden: Object.fromEntries(hidden.map((w, i) => [`h${i}`, denseParams(widths[i]!, w)])),
    out: denseParams(widths.at(-1)!, out),
    ...(config.head === "residual" && { skip: denseParams(width, out) }),
    ...(config.learnableScale && { scale: normParams(out) }),
  };
}

/** Rows [B, width] to numbers; of a classifier log-probabilities. Layers are Xavier-uniform, biases begin at 0. */
export function head(row: Tensor, p: HeadTensors, config: ModelConfig, dropout: Dropout): Tensor {
  const x = p.norm ? layerNorm(row, p.norm.scale, p.norm.shift) : row;
  let at = x;
  for (const [name, layer] of Object.entries(p.hidden)) at = dropout(name, relu(dense(at, layer)));
  let out = dense(at, p.out);
  if (p.skip) out = add(out, dense(x, p.skip));
  if (p.scale) out = add(mul(out, p.scale.scale), p.scale.shift);
  if (config.classifier) return logSoftmax(out);
  if (config.bounded) return sigmoid(out);
  if (config.outputActivation === "relu") return relu(out);
  if (config.outputActivation === "softplus") return softplus(out);
  return config.outputActivation === "exp" ? exp(out) : out;
}

/** Weights that join categorical metadata to a row. */
export type FusionParams = {
  /** One table of levels a column. */
  readonly columns: { readonly [column: string]: ParamSpec };
  /** From a row of clades to one as wide as the network: joining is square in the width. */
  readonly narrow?: DenseParams;
  /** concat, add: from the categories (and the row) to the row. */
  readonly join?: DenseParams;
  /** gmu: the gate; cross-attention: queries. */
  readonly gate?: DenseParams;
  /** gmu: from the row; cross-attention: keys and values. */
  readonly other?: DenseParams;
};

/** The same in a graph. */
export type FusionTensors = {
  readonly columns: { readonly [column: string]: Tensor };
  readonly narrow?: TensorsOf<DenseParams>;
  readonly join?: TensorsOf<DenseParams>;
  readonly gate?: TensorsOf<DenseParams>;
  readonly other?: TensorsOf<DenseParams>;
};

/** Width of what comes out of `fuse`. */
export function fusedWidth({ categories, clades, dim }: ModelConfig, width: number): number {
  return categories.length > 0 && clades > 0 ? dim : width;
}

/** Weights of `fuse` for rows of this width; undefined without categorical metadata. */
export function fusionParams(config: ModelConfig, from: number): FusionParams | undefined {
  const { categories, categoryDim, fusion } = config;
  if (categories.length === 0) return undefined;
  const width = fusedWidth(config, from);
  const each = fusion === "cross-attention" ? width : categoryDim;
  const columns = Object.fromEntries(categories.map((n, i) => [`c${i}`, param([n, each], { normal: 0.1 })]));
  const narrow = width === from ? {} : { narrow: denseParams(from, width) };
  const all = each * categories.length;
  if (fusion === "concat") return { columns, ...narrow, join: denseParams(width + all, width) };
  if (fusion === "add") return { columns, ...narrow, join: denseParams(all, width) };
  if (fusion === "gmu")
    return {
      columns,
      ...narrow,
      join: denseParams(all, width),
      gate: denseParams(width + all, width),
      other: denseParams(width, width),
    };
  return { columns, ...narrow, gate: denseParams(width, width), other: denseParams(width, 2 * width) };
}

/**
 * Joins categories [B, columns] to rows [B, width]: `concat` and `add` as named; `gmu` is the gated unit of Arevalo et al.
 * (2017), z tanh(row) + (1 − z) tanh(categories); in `cross-attention` the row looks at the columns.
 */
export function fuse(whole: Tensor, codes: Tensor, p: FusionTensors, config: ModelConfig): Tensor {
  const row = p.narrow ? dense(whole, p.narrow) : whole;
  const width = row.shape[1] as number;
  const columns = Object.values(p.columns).map((table, i) =>
    embedding(table, gather(codes, constant(i, [], "int64"), 1)),
  );
  if (config.fusion === "cross-attention") {
    const places = columns.map((t) => reshape(t, [t.shape[0]!, 1, width]));
    const [keys, values] = split(dense(concat(places, 1), p.other!), [width, width]) as [Tensor, Tensor];
    const query = reshape(dense(row, p.gate!), [row.shape[0]!, 1, width]);
    const seen = attention(query, keys, values, { heads: width % config.heads === 0 ? config.heads : 1 });
    return add(row, reshape(seen, [row.shape[0]!, width]));
  }
  const all = concat(columns);
  if (config.fusion === "concat") return dense(gelu(concat([row, all])), p.join!);
  if (config.fusion === "add") return add(row, dense(all, p.join!));
  const z = sigmoid(dense(concat([row, all]), p.gate!));
  return add(mul(z, tanh(dense(row, p.other!))), mul(sub(1, z), tanh(dense(all, p.join!))));
}
