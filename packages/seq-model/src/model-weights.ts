/** Weights by path, moved between files, trainers and parts of the network. */
import { type KeyReport, readSafetensors, type Trainer, writeSafetensors } from "@x/onnx-train";
import type { WeightArray } from "./aam-weights.ts";

/** Weights by path. */
export type WeightMap = ReadonlyMap<string, WeightArray>;

/** The weights that a trainer has now. */
export async function weightsOf(trainer: Trainer): Promise<Map<string, WeightArray>> {
  return new Map(Object.entries(await trainer.weights()));
}

/** Puts weights into a trainer, by path; those it does not have are left out. Says what went where. */
export async function putWeights(trainer: Trainer, weights: WeightMap): Promise<KeyReport> {
  const state = await trainer.state();
  const matched: string[] = [];
  const missing: string[] = [];
  const mismatched: { name: string; found: readonly number[]; expected: readonly number[] }[] = [];
  const { trained, frozen } = trainer.plan;
  for (const [layout, vector] of [
    [trained, state.weights],
    [frozen, state.frozen],
  ] as const)
    for (const { name, spec, offset } of layout.places) {
      const found = weights.get(name);
      if (!found) missing.push(name);
      else if (String(found.shape) !== String(spec.shape))
        mismatched.push({ name, found: found.shape, expected: spec.shape });
      else {
        vector.set(found.data, offset);
        matched.push(name);
      }
    }
  await trainer.restore(state);
  const known = new Set([...trained.places, ...frozen.places].map((p) => p.name));
  return { matched, missing, mismatched, unexpected: [...weights.keys()].filter((name) => !known.has(name)) };
}

/** Writes weights as a safetensors file, atomically. */
export async function writeWeights(
  path: string,
  weights: WeightMap,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const tensors = new Map(
    [...weights].map(([name, { shape, data }]) => [name, { dtype: "float32" as const, shape, data }]),
  );
  await writeSafetensors(path, { tensors, metadata });
}

/** Reads weights of a safetensors file. */
export function readWeights(path: string): Map<string, WeightArray> {
  return new Map(
    [...readSafetensors(path).tensors].map(([name, { shape, data }]) => [
      name,
      { shape, data: data as Float32Array },
    ]),
  );
}
