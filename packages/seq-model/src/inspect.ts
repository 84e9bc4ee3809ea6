import { isXError } from "@x/core/base";
import { listIds } from "./errors.ts";
import type { FeatureTable } from "./feature-table.ts";
import { type Sequences, sequencesOf } from "./read-fasta.ts";
import type { Metadata } from "./read-metadata.ts";
import type { Tree } from "./read-newick.ts";
import { type LengthProfile, lengthFindings, lengthProfile } from "./sequence-lengths.ts";

/** What may go with a table. */
export interface InspectWith {
  /** Its tree. */
  tree?: Tree;
  /** Its sequences. */
  sequences?: Sequences;
  /** Its samples' metadata. */
  metadata?: Metadata;
}

/** What a table is like, and what does not go with it. */
export interface Inspection {
  /** Samples. */
  readonly samples: number;
  /** Features. */
  readonly features: number;
  /** Share of samples × features that is not 0. */
  readonly density: number;
  /** Smallest, middle and largest sum of a sample's counts. */
  readonly depth: readonly [least: number, median: number, most: number];
  /** Samples without counts. */
  readonly emptySamples: readonly string[];
  /** Features that no tip of the tree has. */
  readonly missingTips: readonly string[];
  /** Features without a sequence. */
  readonly missingSequences: readonly string[];
  /** Different lengths of the sequences, shortest first; groups far apart hint at mixed regions and are told in `lines`. */
  readonly sequenceLengths: readonly number[];
  /** Samples without metadata. */
  readonly missingMetadata: readonly string[];
  /** The same for people to read. */
  readonly lines: readonly string[];
}

/** Looks at a table and at what goes with it; nothing here is an error. */
export function inspectTable(
  table: FeatureTable,
  { tree, sequences, metadata }: InspectWith = {},
): Inspection {
  const totals = table.totals();
  const sorted = totals.toSorted();
  const depth = [sorted[0] ?? 0, sorted[sorted.length >> 1] ?? 0, sorted.at(-1) ?? 0] as const;
  const [samples, features] = [table.sampleIds.length, table.featureIds.length];
  const has = tree?.has(table.featureIds);
  const known = new Set(metadata?.ids);
  const { missing, profile } = sequenceFacts(table, sequences);
  const lengths = Object.keys(profile).map(Number);
  const found = {
    samples,
    features,
    density: table.nnz / Math.max(1, samples * features),
    depth,
    emptySamples: table.sampleIds.filter((_, s) => totals[s] === 0),
    missingTips: has ? table.featureIds.filter((_, f) => !has[f]) : [],
    missingSequences: missing,
    sequenceLengths: lengths,
    missingMetadata: metadata ? table.sampleIds.filter((id) => !known.has(id)) : [],
  };
  const problem = (what: string, ids: readonly string[]): string[] =>
    ids.length === 0 ? [] : [`${ids.length} ${what}: ${listIds(ids)}`];
  const range =
    lengths.length > 1
      ? [`sequences of ${lengths.length} lengths, ${lengths[0]} to ${lengths.at(-1)} bp`]
      : [];
  const regions = [...range, ...lengthFindings(profile).warnings];
  const lines = [
    `${samples} samples × ${features} features, ${(100 * found.density).toFixed(1)} % not 0`,
    `counts a sample: ${depth[0]} to ${depth[2]}, median ${depth[1]}`,
    ...(tree ? [`tree: ${tree.tips} tips, ${tree.nodes} nodes`] : []),
    ...(metadata
      ? [`metadata: ${metadata.ids.length} samples, columns ${[...metadata.columns.keys()].join(", ")}`]
      : []),
    ...problem("samples without counts", found.emptySamples),
    ...problem("features without a tip", found.missingTips),
    ...problem("features without a sequence", missing),
    ...(sequences && missing.length === 0 ? [`sequences: all ${features} features have one`] : []),
    ...regions,
    ...problem("samples without metadata", found.missingMetadata),
  ];
  return Object.freeze({ ...found, lines });
}

function sequenceFacts(
  table: FeatureTable,
  sequences: Sequences | undefined,
): { missing: readonly string[]; profile: LengthProfile } {
  try {
    return { missing: [], profile: lengthProfile(sequencesOf(table, sequences)) };
  } catch (e) {
    if (!isXError(e, "SEQUENCE_MISSING")) throw e;
    if (!sequences) return { missing: [], profile: {} };
    return { missing: e.details.features as string[], profile: lengthProfile(sequences.sequences) };
  }
}
