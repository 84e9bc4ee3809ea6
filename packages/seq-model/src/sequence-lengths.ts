import { checkOptions } from "@x/core/base";
import type { SequenceCache } from "./sequence-batches.ts";

/** How many different sequences there are of each length: plain data that goes into a model's file. */
export type LengthProfile = Readonly<Record<string, number>>;

/** Lengths near each other. */
export interface LengthGroup {
  /** The shortest. */
  readonly from: number;
  /** The longest. */
  readonly to: number;
  /** Share of all sequences. */
  readonly share: number;
}

/** What is odd about the lengths of sequences. */
export interface LengthFindings {
  /** Share of the sequences whose length training did not see. */
  readonly unseenShare: number;
  /** Lengths that training did not see, shortest first. */
  readonly unseenLengths: readonly number[];
  /** Groups of lengths far apart, each at least a twentieth of the sequences: one a region or trimming. */
  readonly regions: readonly LengthGroup[];
  /** A sentence each; none where all is well. */
  readonly warnings: readonly string[];
}

/** Lengths of sequences. */
export function lengthProfile(sequences: readonly string[]): LengthProfile {
  const counts = new Map<number, number>();
  for (const { length } of sequences) counts.set(length, (counts.get(length) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => a - b));
}

/** Lengths of a table's different sequences as a model sees them: cut at its longest. */
export function cacheProfile({ table }: SequenceCache): LengthProfile {
  const counts: Record<string, number> = {};
  for (const tokens of table.lengths) counts[tokens - 1] = (counts[tokens - 1] ?? 0) + 1;
  return counts;
}

/** Two lengths further apart than this share of the longer are not the same region with a few insertions. */
const GAP = 0.08;
/** Smaller groups are stray sequences. */
const SHARE = 0.05;
/** Above it, new lengths are worth a word. */
const UNSEEN = 0.1;

/**
 * Looks for mixed regions (several groups of lengths) and, given the profile of the training table, for lengths the model
 * never saw. A model that reads sequences cannot know that a shorter read is the same organism.
 */
export function lengthFindings(
  profile: LengthProfile,
  options: { training?: LengthProfile } = {},
): LengthFindings {
  checkOptions(options, ["training"], "lengthFindings");
  const entries = Object.entries(profile).map(([length, count]) => [Number(length), count] as const);
  const total = entries.reduce((sum, [, count]) => sum + count, 0);
  const groups: { from: number; to: number; share: number }[] = [];
  for (const [length, count] of entries.sort(([a], [b]) => a - b)) {
    const last = groups.at(-1);
    if (last && length - last.to <= GAP * length) {
      last.to = length;
      last.share += count / total;
    } else groups.push({ from: length, to: length, share: count / total });
  }
  const regions = groups.filter(({ share }) => share >= SHARE);
  const { training } = options;
  const unseen = training ? entries.filter(([length]) => !Object.hasOwn(training, length)) : [];
  const unseenShare = unseen.reduce((sum, [, count]) => sum + count, 0) / Math.max(1, total);
  const shown = regions.map(({ from, to, share }) => {
    return `${from === to ? from : `${from}–${to}`} bp (${(100 * share).toFixed(0)} %)`;
  });
  const warnings: string[] = [];
  if (regions.length > 1)
    warnings.push(
      `sequences of ${regions.length} groups of lengths: ${shown.join(", ")}; mixed regions or trimmings?`,
    );
  if (unseenShare > UNSEEN) {
    const seen = Object.keys(training!).map(Number);
    const range = `${Math.min(...seen)} to ${Math.max(...seen)} bp`;
    warnings.push(
      `${(100 * unseenShare).toFixed(0)} % of the sequences have a length that training did not see (${range}): predictions are not to be trusted`,
    );
  }
  return { unseenShare, unseenLengths: unseen.map(([length]) => length), regions, warnings };
}
