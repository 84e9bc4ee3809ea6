import { basename } from "node:path";
import {
  atomicWriter,
  type CliContext,
  type OptionSpec,
  option,
  type RunOptions,
  writeDelimited,
  xError,
} from "@x/core/base";
import { listIds } from "./errors.ts";
import type { FeatureTable } from "./feature-table.ts";
import { rarefy } from "./rarefy.ts";
import { readBiom } from "./read-biom.ts";
import type { Sequences } from "./read-fasta.ts";
import { readNewick, type Tree } from "./read-newick.ts";
import type { SeqModel } from "./seq-model.ts";
import { cacheProfile, lengthFindings } from "./sequence-lengths.ts";
import type { TreeOptions } from "./unifrac.ts";

/** Options of commands that read a table. */
export const TABLE_FLAGS: readonly OptionSpec[] = [
  option.input("table", "feature table: BIOM 2.1 or 1.0, or .qza", { aliases: ["-i"], required: true }),
  option.int("rarefy-depth", "first draw so many counts of every sample (--seed)", {
    range: { min: 1 },
    value: "N",
  }),
];

/** Options of commands that read a tree. */
export const TREE_FLAGS: readonly OptionSpec[] = [
  option.input("tree", "rooted tree: Newick or .qza", { aliases: ["-t"] }),
  option.text("missing-tips", "features that the tree does not have", {
    choices: ["error", "drop"],
    default: "error",
    value: "HOW",
  }),
  option.number("missing-length", "what a branch without a length counts as; refused by default", {
    range: { min: 0 },
    value: "L",
  }),
  option.text("underscores", "what _ in a name of the tree is", {
    choices: ["keep", "space"],
    default: "keep",
    value: "HOW",
  }),
];

/** The options every library call takes. */
export function runOptions({ signal, onProgress, threads, memoryLimit }: CliContext): RunOptions {
  return {
    signal,
    onProgress,
    ...(threads === undefined ? {} : { threads }),
    ...(memoryLimit === undefined ? {} : { memoryLimit }),
  };
}

/** The table of `--table`, rarefied if asked. */
export async function tableOf(context: CliContext): Promise<FeatureTable> {
  const { options, signal, onProgress } = context;
  const table = await readBiom(String(options.table), { signal });
  if (options["rarefy-depth"] === undefined) return table;
  const depth = Number(options["rarefy-depth"]);
  const rarefied = await rarefy(table, { depth, signal, onProgress, seed: context.seed ?? 0 });
  if (rarefied.dropped.length > 0) {
    const message = `${rarefied.dropped.length} samples have fewer than ${depth} counts and were dropped`;
    context.warn({ code: "RAREFY_DROPPED", message, details: { samples: rarefied.dropped } });
  }
  return rarefied.table;
}

/** The tree of `--tree`. */
export function treeOf({ options, signal }: CliContext): Promise<Tree> {
  return readNewick(String(options.tree), { signal, underscores: options.underscores as "keep" | "space" });
}

/** What `--missing-tips drop` leaves out. */
export interface DroppedTips {
  /** How many features. */
  readonly features: number;
  /** Their share of all counts. */
  readonly share: number;
  /** Their names. */
  readonly ids: readonly string[];
}

/** Warns of features that `--missing-tips drop` leaves out; undefined where it leaves out none. */
export function tellDropped(context: CliContext, table: FeatureTable, tree: Tree): DroppedTips | undefined {
  if (context.options["missing-tips"] !== "drop") return undefined;
  const has = tree.has(table.featureIds);
  const ids = table.featureIds.filter((_, f) => !has[f]);
  if (ids.length === 0) return undefined;
  let [lost, all] = [0, 0];
  table.values.forEach((count, e) => {
    all += count;
    if (!has[table.indices[e]!]) lost += count;
  });
  const share = all > 0 ? lost / all : 0;
  const message = `${ids.length} of ${has.length} features have no tip and were left out, ${(100 * share).toPrecision(3)} % of the counts: ${listIds(ids)}`;
  context.warn({ code: "TIPS_DROPPED", message, details: { features: ids, share } });
  return { features: ids.length, share, ids };
}

/** How `--missing-tips` and `--missing-length` say to take it. */
export function treeOptions({ options }: CliContext): TreeOptions {
  return {
    missingTips: options["missing-tips"] as "error" | "drop",
    ...(options["missing-length"] === undefined ? {} : { missingLength: Number(options["missing-length"]) }),
  };
}

/** Warns where a model's samples were rarefied and these are not, or to another depth. */
export function warnOfDepth({ warn }: CliContext, model: SeqModel, table: FeatureTable): void {
  const depthOf = (history: readonly string[]): string | undefined =>
    history.map((line) => /^rarefied to (\d+)/.exec(line)?.[1]).findLast((depth) => depth !== undefined);
  const [learned, here] = [depthOf(model.facts.history), depthOf(table.history)];
  if (learned === undefined || learned === here) return;
  const message = `the model learned from samples rarefied to ${learned} counts, these are ${here === undefined ? "not rarefied" : `rarefied to ${here}`}: --rarefy-depth ${learned}`;
  warn({ code: "RAREFY_UNLIKE", message, details: { depth: Number(learned) } });
}

/** Warns where the sequences of a table are not those of a model: another region, or another trimming. */
export function warnOfLengths(
  { warn }: CliContext,
  model: SeqModel,
  table: FeatureTable,
  sequences: Sequences | undefined,
): void {
  const { lengths } = model.facts;
  const found = lengthFindings(
    cacheProfile(model.cache(table, sequences)),
    lengths ? { training: lengths } : {},
  );
  const { unseenShare, regions } = found;
  for (const message of found.warnings)
    warn({ code: "SEQUENCE_LENGTHS", message, details: { unseenShare, regions } });
}

/** Refuses names of outputs whose ending stands for another kind of file: `OPTION_CHOICE`. A name without any is fine. */
export function checkEndings(
  { options }: CliContext,
  kinds: Readonly<Record<string, readonly string[]>>,
): void {
  for (const [name, endings] of Object.entries(kinds)) {
    const path = options[name] === undefined ? "-" : String(options[name]);
    const ending = /\.([a-z0-9]+)$/i.exec(basename(path))?.[1]?.toLowerCase();
    if (ending === undefined || endings.includes(ending)) continue;
    const message = `--${name} ${path} is not named after what is written: ${endings.map((e) => `.${e}`).join(" or ")}`;
    throw xError("OPTION_CHOICE", message, { usage: true, details: { option: name, path } });
  }
}

/** Writes columns as a table with tabs, atomically; `-` is standard output. */
export async function writeTsv(
  path: string,
  columns: readonly { name: string; values: ArrayLike<unknown> }[],
  signal: AbortSignal,
): Promise<void> {
  await using out = atomicWriter(path, { signal });
  await writeDelimited(out, columns);
  await out.commit();
}
