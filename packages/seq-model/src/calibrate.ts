/** The first scale of learned distances. */
import type { Trainer } from "@x/onnx-train";
import type { Inference } from "./inference.ts";
import { putWeights, type WeightMap, weightsOf } from "./model-weights.ts";
import type { TrainingRun } from "./training.ts";
import { batchOf, epochBatches } from "./training-data.ts";

/** The factor of squared distances. */
export const SCALE = "sample/encoder/scale";

/** Brings distances to the scale of those to be learned: the line through those of a first batch. */
export async function calibrate(
  { config, training, data }: TrainingRun,
  trainer: Trainer,
  inference: Inference,
): Promise<void> {
  if (!data.distances || config.distance !== "squared" || training.losses.encoder === 0) return;
  const weights = await weightsOf(trainer);
  await inference.set(new Map([...inference.weights, ...weights]));
  const places = epochBatches(data, Math.max(8, training.batchSize), { seed: training.seed, epoch: 0 })[0]!;
  const { kin: _, clades: __, ...rest } = data;
  const batch = await batchOf(rest, places, config, { sampling: training.sampling, seed: training.seed });
  const { distance } = await inference.compute(batch, ["distance"]);
  const [x, y] = [distance!.data as Float32Array, batch.distances!];
  const n = places.length;
  const pairs = Array.from({ length: n * n }, (_, i) => i).filter((i) => i % (n + 1) !== 0);
  const mean = (of: (i: number) => number): number => pairs.reduce((sum, i) => sum + of(i), 0) / pairs.length;
  const [mx, my] = [mean((i) => x[i]!), mean((i) => y[i]!)];
  const [spread, joint] = [mean((i) => (x[i]! - mx) ** 2), mean((i) => (x[i]! - mx) * (y[i]! - my))];
  if (!(spread > 0)) return;
  const slope = Math.max(joint / spread, 0.1 * Math.sqrt(mean((i) => (y[i]! - my) ** 2) / spread), 1e-6);
  weights.set(SCALE, { shape: [1], data: Float32Array.of(Math.log(slope)) });
  weights.set("sample/encoder/own/b", { shape: [1], data: Float32Array.of((my - slope * mx) / 2) });
  await putWeights(trainer, weights);
}

/** Were distances never learned? */
export function untouched(weights: WeightMap): boolean {
  return weights.get(SCALE)?.data[0] === 0 && weights.get("sample/encoder/own/b")?.data[0] === 0;
}
