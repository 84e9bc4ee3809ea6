import {
  accessSync,
  close,
  constants,
  write as fsWrite,
  fsync,
  linkSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";

import { throwIfAborted } from "./abort.ts";
import { fileError, fromSystemError, type XError } from "./errors.ts";
import { releaseTemp, removeQuietly, removeStaleTemps, tempPathFor, trackTemp } from "./temps.ts";

const writeFd = promisify(fsWrite);
const fsyncFd = promisify(fsync);
const closeFd = promisify(close);

/** Node refuses single reads and writes above 2^31 - 1 bytes. */
export const MAX_IO: number = 2 ** 30;

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

/** Where the bytes of a writer go. */
interface Target {
  tempPath: string;
  write(bytes: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  drop(): Promise<void>;
}

/**
 * Writes a file so that it is either complete or absent under its final name: temporary file in the same folder,
 * fsync, rename, fsync of the folder. Dispose without `commit` removes the temporary file. `-` is standard output;
 * devices and pipes are written straight through. Errors: `OUT_DIR`, `OUT_EXISTS`, `NOT_A_FILE`, `EACCES`, `ENOSPC`,
 * `EIO`, `EPIPE`; once a write has failed, every later call throws the same error.
 *
 * ```ts
 * await using out = atomicWriter("result.tsv");
 * await out.write("a\tb\n");
 * await out.commit();
 * ```
 */
export function atomicWriter(path: string, options: AtomicWriterOptions = {}): AtomicWriter {
  const target =
    path === "-" ? stdoutTarget() : isDevice(path) ? deviceTarget(path) : fileTarget(path, options);
  return new GatheringWriter(path, target, options.signal);
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
 * Refuses an output place before any computing: `OUT_DIR` when the folder of `path` (a file or a prefix) is missing,
 * is a file or cannot be written, `NOT_A_FILE` when `path` itself is a folder.
 */
export function checkOutputDir(path: string): void {
  if (path === "-" || isDevice(path)) return;
  const folder = dirname(resolve(path));
  const refuse = (why: string, cause?: unknown): never => {
    throw fileError("OUT_DIR", path, `cannot be written: the folder ${folder} ${why}`, { folder, cause });
  };
  try {
    if (!statSync(folder).isDirectory()) refuse("is a file");
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException;
    if (code === "ENOENT") refuse("does not exist; create it first", e);
    if (code === "ENOTDIR") refuse("is not a folder", e);
    if (code === "EACCES" || code === "EPERM" || code === "EROFS") refuse("is read-only for you", e);
    throw fromSystemError(e, path);
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw fileError("NOT_A_FILE", path, "this is a folder, the name of a file was expected");
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

function fileTarget(path: string, { overwrite = true }: AtomicWriterOptions): Target {
  checkOutputDir(path);
  const final = realPath(path);
  if (!overwrite) refuseExisting(path, final);
  removeStaleTemps(final);
  const tempPath = tempPathFor(final);
  let fd: number;
  try {
    fd = openSync(tempPath, "wx", 0o666);
  } catch (e) {
    throw fromSystemError(e, path);
  }
  trackTemp(tempPath);
  let open = true;
  const closeOnce = async (): Promise<void> => {
    if (!open) return;
    open = false;
    await closeFd(fd);
  };
  return {
    tempPath,
    write: (bytes) => writeAll(fd, bytes),
    async finish() {
      await fsyncFd(fd);
      await closeOnce();
      if (overwrite) renameSync(tempPath, final);
      else {
        linkSync(tempPath, final);
        removeQuietly(tempPath);
      }
      releaseTemp(tempPath);
      await syncFolder(dirname(final));
    },
    async drop() {
      await closeOnce().catch(() => {});
      removeQuietly(tempPath);
      releaseTemp(tempPath);
    },
  };
}

/** Opened at the first write, off the main thread: opening a pipe waits for its reader. */
function deviceTarget(path: string): Target {
  let handle: Awaited<ReturnType<typeof open>> | undefined;
  const close = async (): Promise<void> => {
    await handle?.close();
    handle = undefined;
  };
  return {
    tempPath: path,
    async write(bytes) {
      handle ??= await open(path, "w");
      await writeAll(handle.fd, bytes);
    },
    finish: close,
    drop: () => close().catch(() => {}),
  };
}

function stdoutTarget(): Target {
  const ignore = (): void => {};
  process.stdout.on("error", ignore); // the callback of write() reports it
  const off = async (): Promise<void> => void process.stdout.off("error", ignore);
  return {
    tempPath: "-",
    write: (bytes) => new Promise((done, fail) => process.stdout.write(bytes, (e) => (e ? fail(e) : done()))),
    finish: off,
    drop: async () => {},
  };
}

async function writeAll(fd: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await writeFd(fd, bytes, at, bytes.length - at, null);
    at += bytesWritten;
  }
}

/** Not every file system lets a folder be synced; the rename itself has been done by then. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const fd = openSync(folder, "r");
    try {
      await fsyncFd(fd);
    } finally {
      await closeFd(fd);
    }
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === "EIO") throw e;
  }
}

/** A link is followed, so that its target is replaced and the link stays. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === "ENOENT") return resolve(path);
    throw fromSystemError(e, path);
  }
}

function refuseExisting(path: string, final: string): void {
  if (!statSync(final, { throwIfNoEntry: false })) return;
  throw fileError("OUT_EXISTS", path, "exists already; remove it or allow overwriting");
}

function isDevice(path: string): boolean {
  if (/^\/(dev|proc\/self)\/(fd\/|stdout$|stderr$)/.test(path)) return true;
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && !stat.isFile() && !stat.isDirectory();
}
