import { checkOptions } from "@x/core/base";
import { listIds, seqError } from "./errors.ts";
import type { FeatureTable } from "./feature-table.ts";
import { type Metadata, missingSamples } from "./read-metadata.ts";

/** Options of {@link joinMetadata}. */
export interface JoinMetadataOptions {
  /** Samples of the table that the metadata do not know: refuse (the default), or go on without them. */
  missing?: "error" | "drop";
  /** Samples without any counts: refuse (the default), or go on without them. */
  empty?: "error" | "drop";
}

/** A table and the metadata of the same samples in the same order, and who was left out. */
export interface Joined {
  /** Samples both have, in the table's order. */
  readonly table: FeatureTable;
  /** The same samples. */
  readonly metadata: Metadata;
  /** Samples only the table has. */
  readonly onlyInTable: readonly string[];
  /** Samples only the metadata have; never an error. */
  readonly onlyInMetadata: readonly string[];
  /** Samples of both without counts. */
  readonly empty: readonly string[];
}

/**
 * Brings table and metadata together by sample id. Errors: `METADATA_MISSING` lists samples without metadata,
 * `EMPTY_SAMPLE` those without counts, `EMPTY_TABLE` when nobody is left.
 */
export function joinMetadata(
  table: FeatureTable,
  metadata: Metadata,
  options: JoinMetadataOptions = {},
): Joined {
  checkOptions(options, ["missing", "empty"], "joinMetadata");
  const known = new Set(metadata.ids);
  const onlyInTable = table.sampleIds.filter((id) => !known.has(id));
  if (onlyInTable.length > 0 && options.missing !== "drop") {
    const advice = 'missing: "drop" (--drop-missing of train, search and baseline) goes on without them';
    throw missingSamples(onlyInTable, metadata.path, advice);
  }
  const both = table.sampleIds.filter((id) => known.has(id));
  const totals = table.totals();
  const empty = both.filter((id) => totals[table.sampleIndex(id)] === 0);
  if (empty.length > 0 && options.empty !== "drop") throw emptySamples(empty);
  const without = new Set(empty);
  const kept = both.filter((id) => !without.has(id));
  if (kept.length === 0) {
    const message = `${table.path} and ${metadata.path} have no sample in common: ${listIds(table.sampleIds)} against ${listIds(metadata.ids)}`;
    throw seqError("EMPTY_TABLE", message);
  }
  const has = new Set(table.sampleIds);
  return Object.freeze({
    table: table.select({ samples: kept }),
    metadata: metadata.select(kept),
    onlyInTable,
    onlyInMetadata: metadata.ids.filter((id) => !has.has(id)),
    empty,
  });
}

/** The error for samples without counts. */
export function emptySamples(samples: readonly string[]): Error {
  const message = `${samples.length} samples have no counts: ${listIds(samples)}; leave them out, or say what they count as (emptySamples: "keep"; --keep-empty, or --drop-missing leaves them out)`;
  return seqError("EMPTY_SAMPLE", message, { samples });
}
