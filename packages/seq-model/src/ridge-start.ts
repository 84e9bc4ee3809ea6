/** Where the training of a linear head begins: ridge regression on what the encoder says of the training samples. */
import type { WeightArray } from "./aam-weights.ts";
import type { CountRange } from "./feeds.ts";
import { headWidth } from "./heads.ts";
import { Inference } from "./inference.ts";
import { ofEncoder } from "./key-report.ts";
import { embeddingWidth } from "./model-config.ts";
import type { ModelConfig } from "./model-interfaces.ts";
import type { WeightMap } from "./model-weights.ts";
import { inverseDeviations, ridgeHead } from "./ridge-head.ts";
import { batchOf, inBatches, type TrainingData } from "./training-data.ts";
import type { TrainingConfig } from "./training-options.ts";

/** What {@link ridgeStart} looks at. */
export interface RidgeSource {
  readonly data: TrainingData;
  readonly config: ModelConfig;
  readonly training: TrainingConfig;
  readonly counts: CountRange;
  /** Of the table's samples: those of one group are left out together. */
  readonly groups?: readonly string[];
  readonly threads?: number | undefined;
}

/** Samples that a start looks at: its time grows with the cube of their number. */
const MOST = 3000;

/**
 * The head's first weights; none where the head is not linear in the sample embedding or the embedding is not learned
 * yet. Which part of the embedding counts how much is chosen by the error of samples (or groups) left out, among
 * training samples alone.
 */
export async function ridgeStart(
  weights: WeightMap,
  { data, config, training, counts, groups, threads = 1 }: RidgeSource,
): Promise<Map<string, WeightArray>> {
  const plain = config.head === "linear" && !config.targetLayerNorm && config.targetFrom === "embedding";
  if (!plain || config.classifier || config.bounded || config.outputActivation !== "none") return new Map();
  if (config.categories.length > 0 || ![...weights.keys()].every(ofEncoder)) return new Map();
  await using inference = await Inference.create({ ...config, nucleotides: false }, weights, {
    losses: { target: 0, count: 0, encoder: 0, nucleotide: 0 },
    loss: training.loss,
    counts,
    threads,
    device: training.device,
  });
  const { distances: _, kin: __, clades: ___, ...rest } = data;
  const every = Math.max(1, Math.ceil(data.train.length / MOST));
  const chosen = data.train.filter((_, i) => i % every === 0);
  const columns = embeddingWidth(config);
  const rows = new Float32Array(chosen.length * columns);
  let at = 0;
  for (const places of inBatches(chosen, training.batchSize)) {
    const batch = await batchOf(rest, places, config, { sampling: training.sampling, seed: training.seed });
    const { embedding } = await inference.compute(batch, ["embedding"]);
    rows.set(embedding!.data as Float32Array, at);
    at += places.length * columns;
  }
  const { outputs } = config;
  const y = Float64Array.from({ length: chosen.length * outputs }, (_, i) => {
    return data.targets![chosen[Math.floor(i / outputs)]! * outputs + (i % outputs)]!;
  });
  const names = new Map<string, number>();
  const numbers = groups && Array.from(chosen, (p) => numberOf(names, groups[p]!));
  const { w, b } = await ridgeHead(rows, y, chosen.length, {
    threads,
    schemes: schemesOf(rows, chosen.length, config),
    ...(numbers && { groups: numbers }),
  });
  // Every quantile of an output begins at its mean.
  const width = headWidth(config);
  const each = width / outputs;
  const spread = (from: Float32Array, height: number): Float32Array =>
    Float32Array.from({ length: height * width }, (_, i) => {
      return from[Math.floor(i / width) * outputs + Math.floor((i % width) / each)]!;
    });
  return new Map([
    ["target/head/out/w", { shape: [columns, width], data: spread(w, columns) }],
    ["target/head/out/b", { shape: [width], data: spread(b, 1) }],
  ]);
}

function numberOf(names: Map<string, number>, name: string): number {
  const known = names.get(name) ?? names.size;
  names.set(name, known);
  return known;
}

/**
 * Ways to weigh the numbers of an embedding: the shares of clades alone or beside presences, as they are; without clades
 * each number by its deviation.
 */
function schemesOf(rows: Float32Array, n: number, { clades }: ModelConfig): Float64Array[] {
  const columns = rows.length / n;
  if (clades === 0) return [inverseDeviations(rows, n)];
  const from = (least: number): Float64Array =>
    Float64Array.from({ length: columns }, (_, a) => (a >= least && a < 2 * clades ? 1 : 0));
  return [from(clades), from(0)];
}
