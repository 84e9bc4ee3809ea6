/** How far a stage is. `total` is 0 while it is unknown; the unit is the stage's own (variants, tiles, bytes). */
export interface Progress {
  /** What is being done. */
  stage: string;
  /** Units done. */
  done: number;
  /** Units in all; 0 while unknown. */
  total: number;
}

/** Called at most ten times a second from the main thread. */
export type OnProgress = (progress: Progress) => void;

/** The options that mean the same in every function of every package. */
export interface RunOptions {
  /** Cancels the call; it rejects with the signal's reason within 2 s. */
  signal?: AbortSignal;
  /** Receives progress reports. */
  onProgress?: OnProgress;
  /** Worker threads; all cores this process may use by default. Results do not depend on it. */
  threads?: number;
  /** Seed of everything random; 0 by default. */
  seed?: number;
  /** Bytes this call may plan with, below what the machine offers. */
  memoryLimit?: number;
}

/** The part of a terminal stream that the progress line needs. */
export interface ProgressStream {
  /** Nothing is written unless true. */
  isTTY?: boolean;
  /** Width; 80 where unknown. */
  columns?: number;
  /** Takes text and control codes. */
  write(text: string): unknown;
}

/**
 * A progress line for terminals: `stage 41% 12,300/30,000 0:42 left`, rewritten in place at most ten times a second.
 * Writes nothing where the stream is not a terminal. Dispose it to clear the line.
 */
export function terminalProgress(stream: ProgressStream = process.stderr): OnProgress & Disposable {
  let last = 0;
  let shown = false;
  let stage = "";
  let started = 0;

  const show = (p: Progress): void => {
    if (!stream.isTTY) return;
    const now = performance.now();
    const complete = p.total > 0 && p.done >= p.total;
    if (p.stage !== stage) {
      stage = p.stage;
      started = now;
    } else if (now - last < 100 && !complete) return;
    last = now;
    shown = true;
    stream.write(`\r\x1b[K${progressText(p, now - started).slice(0, (stream.columns ?? 80) - 1)}`);
  };
  const clear = (): void => {
    if (shown) stream.write("\r\x1b[K");
    shown = false;
  };
  return Object.assign(show, { [Symbol.dispose]: clear });
}

/** The line for one progress report after `elapsedMs` of its stage. */
export function progressText(p: Progress, elapsedMs: number): string {
  const count = p.done.toLocaleString("en-US");
  if (!(p.total > 0)) return `${p.stage} ${count}`;
  const percent = Math.min(100, Math.floor((100 * p.done) / p.total));
  const text = `${p.stage} ${percent}% ${count}/${p.total.toLocaleString("en-US")}`;
  if (p.done <= 0 || p.done >= p.total || elapsedMs < 1000) return text;
  const seconds = Math.round(((elapsedMs / 1000) * (p.total - p.done)) / p.done);
  return `${text} ${clock(seconds)} left`;
}

function clock(seconds: number): string {
  const two = (x: number): string => String(x).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
