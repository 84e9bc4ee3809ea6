import { compile } from "@x/onnx-train";
import { type Bucket, TrainerSet } from "./buckets.ts";
import { buildNetwork } from "./network.ts";
import type { TrainingRun } from "./training.ts";
import { batchLengths } from "./training-data.ts";
import type { optimizerOf, TrainingConfig } from "./training-options.ts";

/** Is this weight in no training graph, because embeddings of ASVs are known? */
export function leftOut(name: string, { freeze }: TrainingConfig): boolean {
  return freeze !== "none" && name.startsWith("asv/");
}

/** Compiles the graph of every bucket. Warns of a precision that cannot be had: `PRECISION`. */
export async function compileTraining(
  { config, training, data, warn }: TrainingRun,
  groups: readonly Uint32Array[],
  { optimizer, threads }: { optimizer: ReturnType<typeof optimizerOf>["optimizer"]; threads: number },
): Promise<TrainerSet> {
  const { batchSize, epochs, seed, chunk, keep, freeze, losses, loss } = training;
  const whole = freeze === "none";
  const network = buildNetwork(config, {
    part: whole ? "whole" : "samples",
    weights: {
      ...losses,
      ...(!data.kin && { phylogeny: 0 }),
      ...(!data.clades && { clades: 0 }),
    },
    loss,
    chunk,
    keep,
    frozen: freeze === "base",
  });
  const frozen = (path: string): boolean =>
    (freeze === "base" && path.startsWith("sample/")) ||
    (!whole && path.startsWith("clades/")) ||
    (path.startsWith("asv/letters") && losses.nucleotide === 0);
  const buckets: Bucket[] = [];
  for (const train of groups) {
    const planned = batchLengths({ ...data, train }, config, { batchSize, epochs, seed });
    const cut = whole && chunk > 0 && planned.asvs > chunk;
    const asvs = cut ? Math.ceil(planned.asvs / chunk) * chunk : planned.asvs;
    const lengths = { asvs, slots: planned.slots, samples: Math.min(batchSize, train.length) };
    const trainer = await compile(network, {
      dims: { ...lengths, kin: data.kin?.size ?? 0 },
      optimizer,
      stepsPerCall: training.stepsPerCall,
      ...(training.precision && { precision: training.precision }),
      clip: training.clip,
      device: training.device,
      seed,
      threads,
      freeze: frozen,
      memory: whole ? "low" : "fast",
    });
    buckets.push({ train, trainer, lengths });
    const { used, asked, why } = trainer.precision;
    if (buckets.length === 1 && used !== asked && asked !== "auto")
      warn?.({
        code: "PRECISION",
        message: `computed in ${used}, not ${asked}: ${why}`,
        details: { used, asked },
      });
  }
  return new TrainerSet(buckets);
}
