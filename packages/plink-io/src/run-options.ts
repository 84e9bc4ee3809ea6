import { checkOptions, checkRange } from "@x/core/base";
import type { RunningOptions } from "./types.ts";

/** Names of {@link RunningOptions}. */
const RUN = ["signal", "onProgress", "threads", "memoryLimit"];

/** Names of SelectOptions. */
export const SELECT_OPTIONS: readonly string[] = ["range", "ids", "chrom", "region", "rows", "samples"];

/** Names of WriteOptions without those every function has. */
export const WRITE_OPTIONS: readonly string[] = ["overwrite"];

/**
 * Refuses what `where` has no use for; the shared options are always known.
 *
 * @throws XError UNKNOWN_OPTION, OPTION_RANGE.
 */
export function checkRunning(options: RunningOptions, own: readonly string[], where: string): void {
  checkOptions(options, [...own, ...RUN], where);
  if (options.memoryLimit !== undefined) checkRange("memoryLimit", options.memoryLimit, { min: 1 });
}

/** Options for work done on the way, whose caller reports the progress of the whole. */
export function silently({ signal, threads, memoryLimit }: RunningOptions): RunningOptions {
  return {
    ...(signal && { signal }),
    ...(threads !== undefined && { threads }),
    ...(memoryLimit !== undefined && { memoryLimit }),
  };
}
