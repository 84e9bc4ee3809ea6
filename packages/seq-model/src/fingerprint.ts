/** What a training or a search learned from, as short texts: so that no folder goes on with something else. */
import { createHash } from "node:crypto";
import { sha256Hex } from "@x/core/base";
import { seqFileError } from "./errors.ts";
import type { FeatureTable } from "./feature-table.ts";
import type { WeightMap } from "./model-weights.ts";
import type { Sequences } from "./read-fasta.ts";
import type { Tree } from "./read-newick.ts";
import type { TrainingData } from "./training-data.ts";
import type { TrainingConfig } from "./training-options.ts";

/** A text for each thing, by the name that a message calls it. */
export type Fingerprint = Readonly<Record<string, string>>;

/** Of typed arrays and texts, one after another. */
export function hashOf(
  ...parts: readonly (ArrayBufferView | string | readonly string[] | undefined)[]
): string {
  const hash = createHash("sha256");
  for (const part of parts)
    hash.update(ArrayBuffer.isView(part) ? bytesOf(part) : JSON.stringify(part ?? null)).update("\0");
  return hash.digest("hex").slice(0, 32);
}

const bytesOf = (part: ArrayBufferView): Uint8Array =>
  new Uint8Array(part.buffer, part.byteOffset, part.byteLength);

/** Names and counts of a table. */
export function tableHash({ sampleIds, featureIds, indptr, indices, values }: FeatureTable): string {
  return hashOf(sampleIds, featureIds, indptr, indices, values);
}

/** Names and letters. */
export const sequencesHash = ({ ids, sequences }: Sequences): string => hashOf(ids, sequences);

/** Shape, lengths and names. */
export function treeHash(tree: Tree): string {
  const names = Array.from({ length: tree.nodes }, (_, node) => tree.name(node));
  return hashOf(tree.parents(), tree.lengths(), names);
}

/** Names and values. */
export function weightsHash(weights: WeightMap): string {
  const names = [...weights.keys()].sort();
  return hashOf(names, ...names.map((name) => Float32Array.from(weights.get(name)!.data)));
}

/** What a run that goes on must have in common with its beginning; more epochs, or another device, it may have. */
export function trainingFingerprint(
  data: TrainingData,
  config: object,
  { epochs: _, device: __, ...training }: TrainingConfig,
  more: Fingerprint = {},
): Fingerprint {
  const idsOf = (places: Uint32Array): string =>
    sha256Hex(JSON.stringify(Array.from(places, (p) => data.table.sampleIds[p]))).slice(0, 32);
  const { table, cache, targets, categories, sampleWeights, encoderValues } = data;
  return {
    table: tableHash(table),
    sequences: hashOf(cache.table.tokens, cache.rowOf),
    "training samples": idsOf(data.train),
    "validation samples": idsOf(data.valid),
    ...more,
    ...(targets && { "target values": hashOf(targets) }),
    ...(categories && { "categorical columns": hashOf(categories) }),
    ...(sampleWeights && { "sample weights": hashOf(sampleWeights) }),
    ...(encoderValues && { "encoder values": hashOf(encoderValues) }),
    ...flat("", training),
    ...flat("model ", config),
  };
}

function flat(prefix: string, values: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [`${prefix}${name}`, JSON.stringify(value)]),
  );
}

/** `RESUME` where a run was begun with something else than it is to go on with. */
export function checkSameRun(path: string, begun: Fingerprint | undefined, now: Fingerprint): void {
  if (!begun) throw seqFileError("RESUME", path, "does not say what its run was begun with; begin it again");
  const differing = [...new Set([...Object.keys(begun), ...Object.keys(now)])].filter(
    (name) => begun[name] !== now[name],
  );
  if (differing.length === 0) return;
  const shown = differing.slice(0, 5).map((name) => {
    const short = [begun[name], now[name]].every((text) => (text ?? "").length < 30);
    return short ? `${name} (${begun[name] ?? "none"}, now ${now[name] ?? "none"})` : name;
  });
  const more = differing.length > 5 ? ` and ${differing.length - 5} more` : "";
  const message = `the run was begun with other ${shown.join(", ")}${more}; go on with the same, or take another folder`;
  throw seqFileError("RESUME", path, message, { fields: differing });
}
