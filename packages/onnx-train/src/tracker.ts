/** Where the numbers of a run go. Implement `RunTracker` to send them to a service of your own. */
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { fromSystemError } from "@x/core/base";
import type { Step } from "./trainer.ts";

/** Takes the numbers of a run. */
export interface RunTracker {
  /** Numbers of a step by name (`loss`, `part/kl`); `seconds` is the time since 1970. */
  log(step: number, values: Readonly<Record<string, number>>, seconds: number): void | Promise<void>;
  /** The run is over. */
  close(): void | Promise<void>;
}

/** Options of `track`. */
export interface TrackOptions {
  /** Where the numbers go. */
  readonly trackers: readonly RunTracker[];
  /** Every how many steps; 1. The last step before a break is not special: nothing is averaged. */
  readonly every?: number;
  /** The clock, in seconds since 1970. */
  readonly now?: () => number;
}

/**
 * Passes the steps of `trainer.run` on and tells the trackers about them; closes the trackers at the end, however it
 * comes.
 */
export async function* track(
  steps: AsyncIterable<Step>,
  { trackers, every = 1, now = () => Date.now() / 1000 }: TrackOptions,
): AsyncGenerator<Step> {
  try {
    for await (const step of steps) {
      if (step.step % every === 0)
        for (const tracker of trackers) await tracker.log(step.step, stepValues(step), now());
      yield step;
    }
  } finally {
    for (const tracker of trackers) await tracker.close();
  }
}

function stepValues(step: Step): Record<string, number> {
  const values: Record<string, number> = { loss: step.loss };
  for (const [name, value] of Object.entries(step.parts)) values[`part/${name}`] = value;
  return {
    ...values,
    gradientNorm: step.gradientNorm,
    applied: step.applied ? 1 : 0,
    stepsPerSecond: step.stepsPerSecond,
  };
}

/** An append-only file that survives being cut: each piece is whole when its `write` is over. */
export class AppendFile {
  readonly path: string;
  #fd: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  write(data: string | Uint8Array): void {
    try {
      this.#fd ??= openSync(this.path, "a");
      writeSync(this.#fd, typeof data === "string" ? Buffer.from(data) : data);
    } catch (e) {
      throw fromSystemError(e, this.path);
    }
  }

  close(): void {
    if (this.#fd === undefined) return;
    fsyncSync(this.#fd);
    closeSync(this.#fd);
    this.#fd = undefined;
  }
}

/** One line of JSON a step, appended to a file: `{"step":0,"seconds":…,"loss":…}`; not-finite numbers are null. */
export function jsonlTracker(path: string): RunTracker {
  const file = new AppendFile(path);
  return {
    log(step, values, seconds) {
      file.write(`${JSON.stringify({ step, seconds, ...values })}\n`);
    },
    close: () => file.close(),
  };
}
