/** Groups of cells that heads compare. */
import type { MosaicBatch } from "./batches.ts";
import type { GroupKind } from "./config.ts";
import { columnLevels, type MosaicDataset } from "./dataset.ts";

/** Names of the groups of a data set. */
export function groupNames(dataset: MosaicDataset, kind?: GroupKind): string[] {
  const { batches } = dataset.registry;
  if (kind === "batch" || (kind === undefined && batches.length > 1)) return [...batches];
  if (kind === "dataset")
    return dataset.obs.getChild("dataset") ? columnLevels(dataset.obs, "dataset") : ["all"];
  const names = [...dataset.modalities.keys()];
  const masks = [...dataset.modalities.values()].map((m) => m.available);
  const found = new Set<string>();
  for (let i = 0; i < dataset.cells; i++) found.add(names.filter((_, m) => masks[m]![i]).join("+"));
  return [...found].sort();
}

/** [cells × groups], one 1 a row; zeros for a cell of no known group. */
export function groupMatrix(
  batch: MosaicBatch,
  kind: GroupKind,
  groups: readonly string[],
): Float32Array {
  const out = new Float32Array(batch.rows.length * groups.length);
  const names = Object.keys(batch.modalities);
  for (let i = 0; i < batch.rows.length; i++) {
    const code =
      kind === "batch"
        ? batch.batch[i]!
        : kind === "dataset"
          ? batch.dataset[i]!
          : groups.indexOf(names.filter((name) => batch.modalities[name]!.mask[i]).join("+"));
    if (code >= 0 && code < groups.length) out[i * groups.length + code] = 1;
  }
  return out;
}
