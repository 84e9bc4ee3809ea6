/** One line on a terminal that is rewritten as training goes on. */
import type { ProgressStream } from "@x/core/base";
import type { RunTracker } from "./tracker.ts";

/** Options of `liveLine`. */
export interface LiveLineOptions {
  /** Steps in all; with it the line tells the time left. */
  readonly total?: number;
  /** Steps of an epoch; with it the line tells the epoch. */
  readonly epochSteps?: number;
  /** Rows of a batch; with it the line tells rows instead of steps a second. */
  readonly batch?: number;
  /** What a row is called. */
  readonly unit?: string;
  /** Nothing is written unless it is a terminal; stderr by default. */
  readonly stream?: ProgressStream;
}

/** `epoch 3 · step 1,200/5,000 · loss 0.4312 · kl 0.021 · 12,300 cells/s · 1:23 left`, at most ten times a second. */
export function liveLine(options: LiveLineOptions = {}): RunTracker {
  const { stream = process.stderr } = options;
  let last = Number.NEGATIVE_INFINITY;
  let start: { step: number; seconds: number } | undefined;
  return {
    log(step, values, seconds) {
      start ??= { step, seconds };
      if (!stream.isTTY || seconds - last < 0.1) return;
      last = seconds;
      const line = lineText(step, values, {
        ...options,
        elapsed: seconds - start.seconds,
        done: step - start.step,
      });
      stream.write(`\r\x1b[K${line.slice(0, (stream.columns ?? 80) - 1)}`);
    },
    close() {
      if (last > 0) stream.write("\r\x1b[K");
    },
  };
}

/** The text of the line. */
export function lineText(
  step: number,
  values: Readonly<Record<string, number>>,
  options: LiveLineOptions & { elapsed: number; done: number },
): string {
  const { total, epochSteps, batch, unit = "rows", elapsed, done } = options;
  const count = (n: number): string => Math.round(n).toLocaleString("en-US");
  const words: string[] = [];
  if (epochSteps) words.push(`epoch ${Math.floor(step / epochSteps) + 1}`);
  words.push(total ? `step ${count(step + 1)}/${count(total)}` : `step ${count(step + 1)}`);
  words.push(`loss ${Number(values.loss).toPrecision(4)}`);
  for (const [name, value] of Object.entries(values))
    if (name.startsWith("part/")) words.push(`${name.slice(5)} ${value.toPrecision(3)}`);
  const rate = values.stepsPerSecond ?? 0;
  words.push(batch ? `${count(rate * batch)} ${unit}/s` : `${rate.toPrecision(3)} steps/s`);
  if (total && done > 0) {
    const left = Math.round((elapsed / done) * (total - step - 1));
    words.push(`${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} left`);
  }
  return words.join(" · ");
}
