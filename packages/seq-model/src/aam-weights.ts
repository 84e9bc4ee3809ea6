/** Weights of AAM's torch models under the names and in the layout of this network. */
import { xError } from "@x/core/base";

/** A tensor of weights. */
export interface WeightArray {
  /** Lengths. */
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array;
}

const PLACES: readonly (readonly [RegExp, string])[] = [
  [/^base_model\.sample_encoder\.asv_encoder\.token_embedding\.weight$/, "asv/token"],
  [
    /^base_model\.sample_encoder\.asv_encoder\.position_embedding\.position_embedding\.weight$/,
    "asv/position",
  ],
  [/^base_model\.sample_encoder\.asv_encoder\.transformer\./, "asv/stack/"],
  [/^base_model\.sample_encoder\.asv_encoder\.attention_pooling\./, "asv/pool/"],
  [/^base_model\.sample_encoder\.asv_encoder\.nucleotide_head\./, "asv/letters/"],
  [/^base_model\.sample_encoder\.sample_position_embedding\.position_embedding\.weight$/, "sample/position"],
  [/^base_model\.sample_encoder\.sample_transformer\./, "sample/stack/"],
  [/^base_model\.sample_encoder\.count_(?:embed|film)\./, "sample/count/"],
  [/^base_model\.sample_encoder\.count_proj\./, "sample/countJoin/"],
  [/^base_model\.encoder_transformer\./, "sample/encoder/stack/"],
  [/^base_model\.attention_pooling\./, "sample/encoder/pool/"],
  [/^base_model\.output_head\./, "sample/values/"],
  [/^count_encoder\./, "counts/stack/"],
  [/^count_head\./, "counts/head/"],
  [/^target_encoder\./, "target/stack/"],
  [/^target_pooling\./, "target/pool/"],
  [/^target_norm\./, "target/head/norm/"],
  [/^target_head\./, "target/head/out/"],
];

const INNER: readonly (readonly [RegExp, string])[] = [
  [/encoder\.layers\.(\d+)\./, "layers/l$1/"],
  [/self_attn\.in_proj_weight$/, "qkv/w"],
  [/self_attn\.in_proj_bias$/, "qkv/b"],
  [/self_attn\.out_proj\./, "out/"],
  [/linear1\./, "up/"],
  [/linear2\./, "down/"],
  [/norm(\d?)\.weight$/, "norm$1/scale"],
  [/norm(\d?)\.bias$/, "norm$1/shift"],
  [/norm\/weight$/, "norm/scale"],
  [/norm\/bias$/, "norm/shift"],
  [/query\.weight$/, "query"],
  [/\/weight$/, "/w"],
  [/\/bias$/, "/b"],
];

/** AAM's name of a weight as a path of this network. Prefixes of wrappers (`module.`, `_orig_mod.`) are taken off. `AAM_KEYS`. */
export function aamPath(name: string): string {
  const bare = name.replace(/^(?:module\.|_orig_mod\.)+/, "");
  for (const [start, place] of PLACES) {
    if (!start.test(bare)) continue;
    let path = bare.replace(start, place);
    for (const [from, to] of INNER) path = path.replace(from, to);
    return path;
  }
  throw xError("AAM_KEYS", `${name} is no weight of a model of AAM that this network has a place for`, {
    details: { name },
  });
}

/** Weights of a model of AAM: matrices turned over, names changed. */
export function aamWeights(weights: Readonly<Record<string, WeightArray>>): Map<string, WeightArray> {
  return new Map(
    Object.entries(weights).map(([name, { shape, data }]) => {
      const path = aamPath(name);
      const table = path === "asv/token" || path.endsWith("/position");
      return [path, shape.length === 2 && !table ? turned(shape, data) : { shape, data }];
    }),
  );
}

function turned([rows, columns]: readonly number[], data: Float32Array): WeightArray {
  const out = new Float32Array(data.length);
  for (let r = 0; r < rows!; r++)
    for (let c = 0; c < columns!; c++) out[c * rows! + r] = data[r * columns! + c]!;
  return { shape: [columns!, rows!], data: out };
}
