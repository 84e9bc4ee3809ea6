import { availableParallelism } from "node:os";

import { type XError, xError } from "./errors.ts";

/** Bounds of a numeric option; both ends belong to it. */
export interface Range {
  /** Smallest value allowed. */
  min?: number;
  /** Largest value allowed. */
  max?: number;
  /** Only whole numbers. */
  integer?: boolean;
}

/** The number itself when it lies in the range, else `OPTION_RANGE` with the option's name and the bounds. */
export function checkRange(name: string, value: unknown, range: Range = {}): number {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, integer = false } = range;
  const good = typeof value === "number" && value >= min && value <= max;
  if (good && (!integer || Number.isSafeInteger(value))) return value;
  throw rangeError(name, typeof value === "string" ? JSON.stringify(value) : String(value), range);
}

/** `OPTION_RANGE` for a value shown as the user wrote it. */
export function rangeError(name: string, shown: string, range: Range): XError<"OPTION_RANGE"> {
  const { min, max, integer } = range;
  const what = integer ? "a whole number" : "a number";
  const bounds =
    min !== undefined && max !== undefined
      ? ` from ${min} to ${max}`
      : min !== undefined
        ? ` of at least ${min}`
        : max !== undefined
          ? ` of at most ${max}`
          : "";
  const details = { option: name, value: shown, ...range };
  return xError("OPTION_RANGE", `${name} must be ${what}${bounds}, got ${shown}`, { details, usage: true });
}

/**
 * Refuses options nobody knows: `UNKNOWN_OPTION` with the nearest name, so that `chunkSise: 10` does not pass
 * silently. Only own keys are looked at; `__proto__` and `constructor` are unknown names like any other.
 */
export function checkOptions(options: object | undefined, known: readonly string[], where = "options"): void {
  for (const name of Object.keys(options ?? {})) {
    if (!known.includes(name)) throw unknownOption(name, known, where);
  }
}

/** `UNKNOWN_OPTION` that names the nearest known option. */
export function unknownOption(
  name: string,
  known: readonly string[],
  where: string,
): XError<"UNKNOWN_OPTION"> {
  const near = nearestName(name, known);
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  const details = { option: name, nearest: near };
  return xError("UNKNOWN_OPTION", `${where} has no option ${name}${hint}`, { details, usage: true });
}

/** The known name with the fewest edits to `name` (a swap of neighbours is one), if it is near enough to be meant. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const edits = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  if (a.length > 64 || b.length > 64) return Number.POSITIVE_INFINITY;
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(above[j]! + 1, row[j - 1]! + 1, change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, before[j - 2]! + 1);
      }
      row.push(least);
    }
    [before, above] = [above, row];
  }
  return above[b.length]!;
}

/** The thread count of a call: `threads`, or all cores this process may use. `OPTION_RANGE` outside 1 to 1024. */
export function resolveThreads(threads?: number): number {
  if (threads === undefined) return availableParallelism();
  return checkRange("threads", threads, { min: 1, max: 1024, integer: true });
}
