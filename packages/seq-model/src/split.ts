import {
  type ByteSource,
  checkOptions,
  checkRange,
  nearestName,
  Random,
  readTable,
  sourceName,
} from "@x/core/base";
import { duplicates, listIds, seqError, seqFileError } from "./errors.ts";

/** Who a model learns from and who it is judged by. */
export interface Split {
  /** Names of samples. */
  readonly train: readonly string[];
  /** Names of samples. */
  readonly test: readonly string[];
  /** How it came about, for reports. */
  readonly how: string;
}

/** Options of {@link splitSamples}. */
export interface SplitOptions {
  /** Share of the samples to test on, 0.2 by default. */
  testSize?: number;
  /** A group a sample, e.g. its host: no group is on both sides when any repeats. */
  groups?: readonly string[];
  /** Name of the groups, for reports. */
  groupName?: string;
  /** Seed of the shuffle, 0 by default. */
  seed?: number;
}

/**
 * Splits samples at random; by groups where `groups` are given and any of them repeats, since samples of one host are
 * alike and a model could pass by remembering them. `SPLIT_EMPTY` when a side would have nobody.
 */
export function splitSamples(ids: readonly string[], options: SplitOptions = {}): Split {
  checkOptions(options, ["testSize", "groups", "groupName", "seed"], "splitSamples");
  const share = checkRange("testSize", options.testSize ?? 0.2, { min: 0, max: 1 });
  const { groups, groupName = "group", seed = 0 } = options;
  if (share === 1) throw seqError("SPLIT_EMPTY", "testSize 1 leaves nobody to learn from", { side: "train" });
  if (groups && groups.length !== ids.length) {
    throw seqError("SPLIT_SAMPLES", `${groups.length} groups for ${ids.length} samples`);
  }
  const repeats = groups !== undefined && new Set(groups).size < groups.length;
  const unitOf = repeats ? groups : ids;
  const sizes = new Map<string, number>();
  for (const unit of unitOf) sizes.set(unit, (sizes.get(unit) ?? 0) + 1);
  const wanted = share * ids.length;
  const tested = new Set<string>();
  let count = 0;
  for (const unit of new Random(seed, 0x73706c69).shuffle([...sizes.keys()])) {
    const size = sizes.get(unit)!;
    // A group that overshoots by more than it would leave missing stays in training.
    if (count + size - wanted > wanted - count || tested.size === sizes.size - 1) continue;
    tested.add(unit);
    count += size;
  }
  const side = (test: boolean): string[] => ids.filter((_, at) => tested.has(unitOf[at]!) === test);
  const how = `${repeats ? `by ${groupName}` : "at random"}, ${share} to test, seed ${seed}`;
  return checkSplit({ train: side(false), test: side(true), how }, "the split");
}

/**
 * Reads a split from a table with the columns `sample_id` and `split` (`train`, `test`; other words leave a sample out,
 * unless they seem to be these misspelt: `SPLIT_WORD`). `SPLIT_EMPTY`, `SPLIT_SAMPLES` (samples on both sides, or named more than once) and the errors of text tables.
 */
export async function readSplit(source: ByteSource): Promise<Split> {
  const path = sourceName(source);
  const table = await readTable(source, { header: true, delimiter: "tab" });
  const [ids, words] = [table.columns[0] ?? [], table.column("split")];
  refuseTwice(ids, path);
  words.forEach((word, row) => {
    if (word === "train" || word === "test") return;
    const near = nearestName(word.trim(), ["train", "test", "training", "testing"]);
    if (near === undefined) return;
    const message = `${JSON.stringify(word)} is not a side of the split; did you mean ${near.replace("ing", "")}? There are train and test; e.g. "out" leaves a sample out`;
    throw seqFileError("SPLIT_WORD", path, message, { line: table.lineOf(row), word });
  });
  const side = (word: string): string[] => ids.filter((_, row) => words[row] === word);
  return checkSplit({ train: side("train"), test: side("test"), how: path }, path);
}

/** Only samples that are there, in their order. `SPLIT_SAMPLES` lists samples of a side that are on both. */
export function limitSplit(split: Split, ids: readonly string[]): Split {
  const there = new Set(ids);
  const keep = (side: readonly string[]): string[] => side.filter((id) => there.has(id));
  return checkSplit({ train: keep(split.train), test: keep(split.test), how: split.how }, split.how);
}

function refuseTwice(ids: readonly string[], path: string): void {
  const twice = duplicates(ids);
  if (twice.length === 0) return;
  const message = `${twice.length} samples stand more than once: ${listIds(twice)}; each belongs to one side, once`;
  throw seqFileError("SPLIT_SAMPLES", path, message, { samples: twice });
}

function checkSplit(split: Split, path: string): Split {
  for (const side of ["train", "test"] as const) {
    if (split[side].length > 0) continue;
    const message = `the ${side} side has no samples (train ${split.train.length}, test ${split.test.length})`;
    throw seqFileError("SPLIT_EMPTY", path, message, { side });
  }
  const train = new Set(split.train);
  const both = split.test.filter((id) => train.has(id));
  if (both.length === 0) {
    refuseTwice([...split.train, ...split.test], path);
    return Object.freeze(split);
  }
  throw seqFileError("SPLIT_SAMPLES", path, `samples are on both sides: ${listIds(both)}`, { samples: both });
}
