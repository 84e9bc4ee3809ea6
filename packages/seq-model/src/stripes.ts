import { readIpcFile, tableFromColumns, toIpc } from "@x/core";
import { checkOptions, type RunOptions, requireMemory, sha256Hex, writeFileAtomic } from "@x/core/base";
import { Schema, Table } from "apache-arrow";
import { DistanceMatrix } from "./distance-matrix.ts";
import { listIds, seqError, seqFileError } from "./errors.ts";
import type { FeatureTable } from "./feature-table.ts";
import { metricLabel, nativeMetric, TREE_METRICS } from "./metrics.ts";
import { fromStripes, stripeDistances } from "./native.ts";
import type { Tree } from "./read-newick.ts";
import { chosenSamples, nativeOptions, phylogeny, type UnifracOptions } from "./unifrac.ts";

/** Options of {@link unifracStripes}. */
export interface StripeOptions extends UnifracOptions {
  /** First stripe and the one after the last. */
  stripes: readonly [from: number, to: number];
}

/** A part of a distance matrix. */
export interface StripePart {
  /** All samples of the matrix. */
  readonly ids: readonly string[];
  /** As users write it. */
  readonly metric: string;
  /** First stripe. */
  readonly from: number;
  /** The one after the last. */
  readonly to: number;
  /** Stripe after stripe, a number a sample. */
  readonly values: Float64Array;
}

/** Stripes a matrix of so many samples has: ⌊n / 2⌋. */
export function stripeCount(samples: number): number {
  return Math.floor(samples / 2);
}

/**
 * A range of stripes of the matrix that {@link unifrac} makes: stripe t holds the pairs of sample k and k + t + 1, going
 * round (McDonald et al., Nature Methods 2018). Parts made anywhere merge to the same bytes. `STRIPES` outside the
 * range; other errors as {@link unifrac}.
 */
export async function unifracStripes(
  table: FeatureTable,
  tree: Tree,
  options: StripeOptions,
): Promise<StripePart> {
  const { stripes, ...rest } = options;
  const of = phylogeny(table, tree, rest);
  const metric = nativeMetric(options.metric, options, TREE_METRICS);
  const { ids, places } = chosenSamples(of, rest);
  const [from, to] = stripes;
  if (
    !(
      Number.isInteger(from) &&
      Number.isInteger(to) &&
      from >= 0 &&
      from < to &&
      to <= stripeCount(ids.length)
    )
  ) {
    const message = `stripes ${from}:${to} are no range of the ${stripeCount(ids.length)} stripes of ${ids.length} samples`;
    throw seqError("STRIPES", message);
  }
  const bytes = 24 * (to - from) * ids.length;
  requireMemory({ parts: [{ name: "stripes", bytes }], total: bytes }, { memoryLimit: options.memoryLimit });
  const values = await stripeDistances(of.source, metric, places, [from, to], nativeOptions(rest));
  return { ids, metric: metricLabel(metric), from, to, values };
}

/** Joins parts that cover all stripes. `STRIPES` when one is missing, stands twice, or belongs to another matrix. */
export function mergeStripes(parts: readonly StripePart[]): DistanceMatrix {
  const [first] = parts;
  if (!first) throw seqError("STRIPES", "there are no parts to merge");
  const who = (part: StripePart): string => sha256Hex(part.ids.join("\n"));
  const odd = parts.find((p) => p.metric !== first.metric || who(p) !== who(first));
  if (odd) {
    const message = `the parts belong to different matrices: ${first.metric} of ${listIds(first.ids)} against ${odd.metric} of ${listIds(odd.ids)}`;
    throw seqError("STRIPES", message);
  }
  const values = new Float64Array(parts.reduce((sum, p) => sum + p.values.length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part.values, at);
    at += part.values.length;
  }
  const [froms, tos] = [parts.map((p) => p.from), parts.map((p) => p.to)];
  const native = fromStripes(first.ids.length, Uint32Array.from(froms), Uint32Array.from(tos), values);
  return new DistanceMatrix(native, first.ids, first.metric);
}

const KIND = "seq-model stripes";

/** Writes a part as an Arrow file, atomically. */
export async function writeStripes(
  path: string,
  part: StripePart,
  options: Pick<RunOptions, "signal"> = {},
): Promise<void> {
  checkOptions(options, ["signal"], "writeStripes");
  const plain = tableFromColumns({ value: part.values });
  const facts = new Map([
    ["kind", KIND],
    ["metric", part.metric],
    ["from", String(part.from)],
    ["to", String(part.to)],
    ["ids", JSON.stringify(part.ids)],
  ]);
  const table = new Table(new Schema(plain.schema.fields, facts), plain.batches);
  await writeFileAtomic(path, toIpc(table, "file"), options);
}

/** Reads what {@link writeStripes} wrote. `STRIPES` for another Arrow file. */
export async function readStripes(path: string): Promise<StripePart> {
  const table = await readIpcFile(path);
  const facts = table.schema.metadata;
  if (facts.get("kind") !== KIND) throw seqFileError("STRIPES", path, "this Arrow file holds no stripes");
  return {
    ids: JSON.parse(facts.get("ids")!) as string[],
    metric: facts.get("metric")!,
    from: Number(facts.get("from")),
    to: Number(facts.get("to")),
    values: table.getChild("value")!.toArray() as Float64Array,
  };
}
