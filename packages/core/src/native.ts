import { abortError, throwIfAborted } from "./abort.ts";
import { isXError, type XError, xError } from "./errors.ts";
import type { OnProgress } from "./progress.ts";

/** The native side of one long call: a cancel flag and progress counters. */
export interface NativeJob {
  /** Makes the kernel stop at its next look. */
  cancel(): void;
  /** Units of work done. */
  readonly done: number;
  /** Units of work in all; 0 while unknown. */
  readonly total: number;
}

/** Options of `runNative`. */
export interface NativeRunOptions {
  /** Cancels the job. */
  signal?: AbortSignal | undefined;
  /** Receives the job's counters. */
  onProgress?: OnProgress | undefined;
  /** Name of the stage in progress reports. */
  stage?: string | undefined;
}

const POLL_MS = 100;

/**
 * Runs one native call: makes its `Job`, cancels it when the signal aborts, reports its counters at most ten times a
 * second and turns its failure into an `XError`. After an abort it waits until the kernel has let go (so that arrays
 * lent to it may be written again), then rejects with the signal's reason.
 */
export async function runNative<J extends NativeJob, T>(
  Job: new () => J,
  start: (job: J) => Promise<T>,
  options: NativeRunOptions = {},
): Promise<T> {
  const { signal, onProgress, stage = "working" } = options;
  throwIfAborted(signal);
  const job = new Job();
  const cancel = (): void => job.cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  let last = -1;
  let thrown: { error: unknown } | undefined;
  const report = (): void => {
    const { done, total } = job;
    if (done === last || total === 0 || thrown) return;
    last = done;
    try {
      onProgress?.({ stage, done, total });
    } catch (error) {
      thrown = { error }; // from a timer it would end the process
      cancel();
    }
  };
  const timer = onProgress && setInterval(report, POLL_MS);
  try {
    const result = await start(job);
    throwIfAborted(signal);
    report();
    if (thrown) throw thrown;
    return result;
  } catch (e) {
    if (signal?.aborted) throw abortError(signal);
    if (thrown) throw thrown.error;
    throw fromNative(e);
  } finally {
    clearInterval(timer);
    signal?.removeEventListener("abort", cancel);
  }
}

/**
 * The `XError` in a native failure `code|message|{json}`. Other errors that a native call throws (wrong argument
 * types, a caught panic) become `NATIVE` with the original as cause; an `XError` comes back unchanged.
 */
export function fromNative(e: unknown): XError {
  if (isXError(e)) return e;
  const text = e instanceof Error ? e.message : String(e);
  const match = /^([A-Z][A-Z0-9_]*)\|([\s\S]*)\|(\{[^{}]*\})$/.exec(text);
  if (!match) return xError("NATIVE", text, { cause: e });
  return xError(match[1]!, match[2]!, { details: parseDetails(match[3]!), cause: e });
}

/** Rust prints NaN and infinities as `NaN`, `inf` and `-inf`, which JSON does not know: they become null. */
function parseDetails(json: string): Record<string, unknown> {
  try {
    return JSON.parse(json.replace(/:(NaN|-?inf)(?=[,}])/g, ":null"));
  } catch {
    return { raw: json };
  }
}
