/** A trained model as ONNX files: embedding, and decoding of one modality. */
import { type Exported, exportOnnx } from "@x/onnx-train";
import type { InputTransform } from "./config.ts";
import { checkNames } from "./embed.ts";
import type { ModelState } from "./mosaic-vae.ts";
import type { NetworkPlan } from "./plan.ts";

/** Options of `MosaicVAE.exportOnnx`. */
export interface ExportOptions {
  /** Modality to decode too: its expected values become an output. */
  decode?: string;
}

/** What the file itself makes of `x.<m>` before its encoder. */
function inputOf({ modalities }: NetworkPlan, name: string): InputTransform {
  const { binary, input } = modalities.find((m) => m.name === name)!;
  return binary && input === "none" ? "binary" : input;
}

/**
 * Writes the model for onnxruntime in Node, browsers or Python: inputs `x.<m>`, `seen.<m>` (0 or 1), and to decode also
 * `noise` (0 for the mean), `batch` and `library.<m>`; outputs `mean` and `logVariance` of the fused posterior, cells as
 * open length. `x.<m>` takes the numbers of the file as they are, counts of peaks too: what is made of them (`input` in
 * the metadata, beside the names of the features) is part of the graph. Compared with the model before it is written (`EXPORT_MISMATCH`).
 */
export async function exportModel(
  state: ModelState,
  path: string,
  { decode }: ExportOptions = {},
): Promise<Exported> {
  const { plan, registry, trainer } = state;
  if (decode !== undefined) checkNames(state, [decode]);
  const outputs = ["mean", "logVariance", ...(decode === undefined ? [] : [`expected.${decode}`])];
  const cells = 2;
  const check: Record<string, Float32Array> = {
    noise: new Float32Array(cells * plan.latent),
    batch: new Float32Array(cells * plan.batches).fill(1 / plan.batches),
  };
  if (plan.fusion === "moe") check.choice = new Float32Array(cells * plan.modalities.length).fill(0);
  const ones = (): Float32Array => new Float32Array(cells).fill(1);
  for (const m of plan.modalities) {
    check[`x.${m.name}`] = Float32Array.from({ length: cells * m.features }, (_, i) =>
      m.counts ? (i % 3) * (i % 2) * 2 : (i % 7) - 3,
    );
    check[`mask.${m.name}`] = ones();
    check[`seen.${m.name}`] = ones();
    check[`library.${m.name}`] = new Float32Array(cells).fill(1000);
  }
  const features = registry.modalities.map(({ name, kind, features: names }) => ({
    name,
    kind,
    features: names,
    input: inputOf(plan, name),
  }));
  return exportOnnx(trainer, path, {
    outputs,
    check,
    metadata: { modalities: JSON.stringify(features), batches: JSON.stringify(registry.batches) },
  });
}
