import { rmSync } from "node:fs";
import { throwIfAborted } from "./abort.ts";
import { fileError, fromSystemError, type XError } from "./errors.ts";
import { MAX_IO, openTarget, type Target } from "./targets.ts";

export { checkOutputDir, checkRunPlace, MAX_IO } from "./targets.ts";

/** Small writes are gathered up to this size. */
const GATHER = 2 ** 18;

/** Options of `atomicWriter`. */
export interface AtomicWriterOptions {
  /** False refuses an existing file (`OUT_EXISTS`), also one that appears while writing. True by default. */
  overwrite?: boolean;
  /** Makes `write` and `commit` throw once aborted; dispose then removes the temporary file. */
  signal?: AbortSignal | undefined;
}

/** A file being written. Nothing stands under its final name before `commit`. */
export interface AtomicWriter extends AsyncDisposable {
  /** The final name; `-` for standard output. */
  readonly path: string;
  /** The temporary file; the path itself where there is none (standard output, devices). */
  readonly tempPath: string;
  /** Bytes written so far. */
  readonly bytes: number;
  /** Appends text as UTF-8, or bytes. Large arrays are not copied: leave them alone until the promise settles. */
  write(chunk: Uint8Array | string): Promise<void>;
  /** Flushes to the disk and moves the file to its final name. Errors of fsync and close count. */
  commit(): Promise<void>;
  /** Removes the temporary file unless committed. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Writes a file so that it is either complete or absent under its final name: temporary file in the same folder,
 * fsync, rename, fsync of the folder. Dispose without `commit` removes the temporary file. `-` is standard output;
 * devices and pipes are written straight through. Errors: `OUT_DIR`, `OUT_EXISTS`, `OUT_IS_INPUT`, `NOT_A_FILE`, `EACCES`, `ENOSPC`,
 * `EIO`, `EPIPE`; once a write has failed, every later call throws the same error.
 *
 * ```ts
 * await using out = atomicWriter("result.tsv");
 * await out.write("a\tb\n");
 * await out.commit();
 * ```
 */
export function atomicWriter(path: string, options: AtomicWriterOptions = {}): AtomicWriter {
  return new GatheringWriter(
    path,
    openTarget(path, options.overwrite ?? true, options.signal),
    options.signal,
  );
}

/** Writes one whole file atomically; see `atomicWriter`. */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | string,
  options?: AtomicWriterOptions,
): Promise<void> {
  await using writer = atomicWriter(path, options);
  await writer.write(data);
  await writer.commit();
}

/**
 * The files of one run: all of them appear under their final names at the end, or none. Dispose without `commit` removes
 * the temporary files.
 *
 * ```ts
 * await using files = new OutputFiles({ signal });
 * await files.open("x.tsv").write(text);
 * await files.open("x.log").write(log);
 * await files.commit();
 * ```
 */
export class OutputFiles implements AsyncDisposable {
  readonly #writers: AtomicWriter[] = [];
  readonly #options: AtomicWriterOptions;

  constructor(options: AtomicWriterOptions = {}) {
    this.#options = options;
  }

  /** Begins a file of the set; its `commit` is left to the set. Errors as `atomicWriter`. */
  open(path: string): AtomicWriter {
    const writer = atomicWriter(path, this.#options);
    this.#writers.push(writer);
    return writer;
  }

  /**
   * Commits all in order and returns their paths. When one fails, those already under their final names are taken away
   * again.
   */
  async commit(): Promise<string[]> {
    const done: string[] = [];
    try {
      for (const writer of this.#writers) {
        await writer.commit();
        if (writer.tempPath !== writer.path) done.push(writer.path);
      }
    } catch (error) {
      for (const path of done) rmSync(path, { force: true });
      throw error;
    }
    return this.#writers.map((writer) => writer.path);
  }

  /** Removes what is not committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const writer of this.#writers) await writer[Symbol.asyncDispose]();
  }
}

class GatheringWriter implements AtomicWriter {
  readonly path: string;
  bytes = 0;
  readonly #target: Target;
  readonly #signal: AbortSignal | undefined;
  #text = "";
  #tail: Promise<void> = Promise.resolve();
  #failure: XError | undefined;
  #done = false;

  constructor(path: string, target: Target, signal: AbortSignal | undefined) {
    this.path = path;
    this.#target = target;
    this.#signal = signal;
  }

  get tempPath(): string {
    return this.#target.tempPath;
  }

  write(chunk: Uint8Array | string): Promise<void> {
    if (typeof chunk === "string" && !this.#failure && !this.#done && !this.#signal?.aborted) {
      this.#text += chunk;
      return this.#text.length < GATHER ? this.#tail : this.#enqueue();
    }
    return this.#enqueue(chunk as Uint8Array);
  }

  async commit(): Promise<void> {
    await this.#enqueue();
    this.#done = true;
    try {
      await this.#target.finish();
    } catch (e) {
      this.#done = false;
      throw this.#fail(e);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#done) return;
    this.#done = true;
    await this.#tail.catch(() => {});
    await this.#target.drop();
  }

  /** Writes the gathered text, then the chunk, after everything that is already under way. */
  #enqueue(chunk?: Uint8Array): Promise<void> {
    const text = this.#text;
    this.#text = "";
    const run = this.#tail.then(async () => {
      if (this.#failure) throw this.#failure;
      throwIfAborted(this.#signal);
      if (this.#done) throw fileError("WRITER_CLOSED", this.path, "was written to after commit or dispose");
      try {
        if (text !== "") await this.#put(Buffer.from(text));
        if (chunk !== undefined) await this.#put(chunk);
      } catch (e) {
        throw this.#fail(e);
      }
    });
    this.#tail = run;
    run.catch(() => {}); // whoever awaits write() or commit() sees it; nobody else must crash
    return run;
  }

  async #put(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += MAX_IO) {
      throwIfAborted(this.#signal);
      await this.#target.write(bytes.subarray(at, at + MAX_IO));
    }
    this.bytes += bytes.length;
  }

  #fail(e: unknown): unknown {
    if (this.#signal?.aborted && e === this.#signal.reason) return e;
    this.#failure ??= fromSystemError(e, this.path);
    return this.#failure;
  }
}
