import { checkRange } from "@x/core/base";
import { lmmError } from "../errors.ts";

/** Which part of a run this is. */
export interface Shard {
  /** From 1. */
  readonly index: number;
  /** Of how many. */
  readonly count: number;
}

/** Shards begin at multiples of this .bim row, whatever their number. */
const ALIGN = 256;

/** `3/8` as a shard. @throws OPTION_RANGE for anything that is not i/N with 1 ≤ i ≤ N. */
export function parseShard(text: string): Shard {
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (index >= 1 && index <= count) return checkShard({ index, count });
  throw lmmError("OPTION_RANGE", `--shard must be i/N with i from 1 to N, such as 3/8, "${text}" given.`, {
    usage: true,
    details: { option: "shard", value: text },
  });
}

/** @throws OPTION_RANGE unless 1 ≤ index ≤ count. */
export function checkShard({ index, count }: Shard): Shard {
  checkRange("shard.count", count, { min: 1, max: 100_000, integer: true });
  checkRange("shard.index", index, { min: 1, max: count, integer: true });
  return { index, count };
}

/** The .bim rows of a shard, half-open; a study of few variants has shards without any. */
export function shardRange(variants: number, { index, count }: Shard): readonly [from: number, to: number] {
  const blocks = Math.ceil(variants / ALIGN);
  const start = (i: number): number => Math.min(variants, Math.floor((blocks * i) / count) * ALIGN);
  return [start(index - 1), start(index)];
}

/** Name of a shard's file. */
export function shardPath(out: string, { index, count }: Shard): string {
  return `${out}.shard-${index}-of-${count}`;
}
