import { type BigIntStats, close, constants, read as fsRead, fstatSync, openSync, statSync } from "node:fs";
import { promisify } from "node:util";

import { fileError, fromSystemError } from "./errors.ts";
import { MAX_IO } from "./files.ts";

const readFd = promisify(fsRead);
const closeFd = promisify(close);

/** A regular file opened for reads at any position. */
export interface InputFile extends AsyncDisposable {
  /** As given. */
  readonly path: string;
  /** Bytes, as they were when the file was opened. */
  readonly size: number;
  /** Exactly `length` bytes from `position`; `FILE_RANGE` outside the file, `INPUT_CHANGED` if it shrank meanwhile. */
  read(position: number, length: number): Promise<Uint8Array>;
  /** Fills `target` from `position`; same errors. */
  readInto(target: Uint8Array, position: number): Promise<void>;
  /** Throws `INPUT_CHANGED` when size, modification time or inode differ from when the file was opened. */
  check(): void;
  /** Waits for the reads under way, then closes; a second call does nothing. */
  close(): Promise<void>;
}

/**
 * Opens a regular file and remembers what it is. Errors: `ENOENT`, `EACCES`, `ELOOP`, `NOT_A_FILE` (a folder),
 * `NOT_SEEKABLE` (a pipe, socket or device; refused at once, without waiting for a writer).
 */
export function openInput(path: string): InputFile {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (e) {
    throw fromSystemError(e, path);
  }
  const stat = fstatSync(fd, { bigint: true });
  if (stat.isFile()) return new OpenFile(path, fd, stat);
  close(fd);
  if (stat.isDirectory()) throw fileError("NOT_A_FILE", path, "this is a folder, a file was expected");
  throw fileError(
    "NOT_SEEKABLE",
    path,
    "this is a pipe or a device; a regular file is needed, so save it to one first",
  );
}

class OpenFile implements InputFile {
  readonly path: string;
  readonly size: number;
  readonly #stat: BigIntStats;
  #fd: number;
  readonly #reading = new Set<Promise<unknown>>();

  constructor(path: string, fd: number, stat: BigIntStats) {
    this.path = path;
    this.#fd = fd;
    this.#stat = stat;
    this.size = Number(stat.size);
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    this.#checkRange(position, length); // before the allocation: lengths come from files
    const target = new Uint8Array(length);
    await this.readInto(target, position);
    return target;
  }

  async readInto(target: Uint8Array, position: number): Promise<void> {
    this.#checkRange(position, target.length);
    const run = this.#fill(target, position);
    this.#reading.add(run);
    try {
      await run;
    } finally {
      this.#reading.delete(run);
    }
  }

  check(): void {
    const was = this.#stat;
    const now = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    if (now && now.size === was.size && now.mtimeNs === was.mtimeNs && now.ino === was.ino) return;
    const what = !now
      ? "is gone"
      : now.size !== was.size
        ? `has ${now.size} bytes now, ${was.size} before`
        : now.ino !== was.ino
          ? "was replaced by another file"
          : "was written to";
    throw fileError(
      "INPUT_CHANGED",
      this.path,
      `the file ${what}: it changed while it was being read; run again`,
    );
  }

  async close(): Promise<void> {
    const fd = this.#fd;
    if (fd < 0) return;
    this.#fd = -1;
    await Promise.allSettled(this.#reading); // a closed number may be handed to another file at once
    await closeFd(fd);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkRange(position: number, length: number): void {
    const good =
      Number.isSafeInteger(position) && Number.isSafeInteger(length) && position >= 0 && length >= 0;
    if (good && position + length <= this.size) return;
    const message = `bytes ${position} to ${position + length} were asked for, the file has ${this.size}`;
    throw fileError("FILE_RANGE", this.path, message, { position, length, size: this.size });
  }

  async #fill(target: Uint8Array, position: number): Promise<void> {
    if (this.#fd < 0) throw fileError("FILE_CLOSED", this.path, "was read after it was closed");
    for (let at = 0; at < target.length; ) {
      const wanted = Math.min(MAX_IO, target.length - at);
      let got: number;
      try {
        got = (await readFd(this.#fd, target, at, wanted, position + at)).bytesRead;
      } catch (e) {
        throw fromSystemError(e, this.path);
      }
      if (got === 0) {
        const message = `the file ends at byte ${position + at} now, it had ${this.size}; it changed while it was being read`;
        throw fileError("INPUT_CHANGED", this.path, message);
      }
      at += got;
    }
  }
}
