/** From embeddings of samples to distances, outside of a graph. */
import { embeddingWidth } from "./model-config.ts";
import type { ModelConfig } from "./model-interfaces.ts";
import type { WeightMap } from "./model-weights.ts";

/** The distance the network reads off two embeddings, in a matrix of embeddings; the same as in its graphs. */
export function distanceBetween(
  all: Float32Array,
  config: ModelConfig,
  weights: WeightMap,
): (i: number, j: number) => number {
  const { distance } = config;
  const width = embeddingWidth(config);
  const factor = Math.exp(weights.get("sample/encoder/scale")?.data[0] ?? 0);
  const slope = weights.get("sample/encoder/own/w")?.data;
  const term = weights.get("sample/encoder/own/b")?.data[0] ?? 0;
  const own = Float64Array.from({ length: all.length / width }, (_, i) => {
    let sum = term;
    for (let d = 0; d < width; d++) sum += (slope?.[d] ?? 0) * all[i * width + d]!;
    return sum;
  });
  const logWeights = weights.get("sample/encoder/logWeights")?.data;
  const squares = Float64Array.from(logWeights ?? [], (w) => Math.exp(2 * w));
  const product = (i: number, j: number): number => {
    let sum = 0;
    for (let d = 0; d < width; d++) sum += squares[d]! * all[i * width + d]! * all[j * width + d]!;
    return sum;
  };
  const norms = distance === "shared" ? own.map((_, i) => product(i, i)) : undefined;
  return (i, j) => {
    if (norms) {
      const both = norms[i]! + norms[j]!;
      const same = product(i, j);
      return (both - 2 * same) / (both - same + 1e-8);
    }
    let apart = 0;
    for (let d = 0; d < width; d++)
      apart += (squares[d] ?? 1) * (all[i * width + d]! - all[j * width + d]!) ** 2;
    if (distance === "tanh") return Math.tanh(Math.sqrt(apart) / 10);
    return (factor * apart) / width + own[i]! + own[j]!;
  };
}
