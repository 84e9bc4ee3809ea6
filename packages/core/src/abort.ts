import { xError } from "./errors.ts";

/** Throws the signal's reason when it has been aborted; does nothing without a signal. */
export function throwIfAborted(signal?: AbortSignal): void {
  if (signal?.aborted) throw abortError(signal);
}

/** What an aborted call rejects with: the signal's own reason, or `CANCELLED` where it has none. */
export function abortError(signal?: AbortSignal): unknown {
  return signal?.reason ?? xError("CANCELLED", "the call was cancelled");
}

/** True for what a cancelled call rejects with: this signal's reason, an `AbortError` or `CANCELLED`. */
export function isAbort(e: unknown, signal?: AbortSignal): boolean {
  if (signal?.aborted && e === signal.reason) return true;
  const { name, code } = (e ?? {}) as { name?: unknown; code?: unknown };
  return name === "AbortError" || code === "CANCELLED";
}
