/** Where the bytes of an atomic writer go: a temporary file, a device or standard output. */
import {
  accessSync,
  close,
  constants,
  existsSync,
  fsync,
  linkSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  write,
} from "node:fs";
import { open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Writable } from "node:stream";
import { promisify } from "node:util";

import { fileError, fromSystemError } from "./errors.ts";
import { openPipeToWrite } from "./pipes.ts";
import { refuseInput } from "./run-files.ts";
import { releaseTemp, removeQuietly, removeStaleTemps, tempPathFor, trackTemp } from "./temps.ts";

const writeFd = promisify(write);
const fsyncFd = promisify(fsync);
const closeFd = promisify(close);

/** Node refuses single reads and writes above 2^31 − 1 bytes; we stop at 1 GiB. */
export const MAX_IO: number = 2 ** 30;

/** What a writer needs of its place. */
export interface Target {
  tempPath: string;
  /** At most `MAX_IO` bytes. */
  write(bytes: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  drop(): Promise<void>;
}

/** The place of a path: `-` is standard output, devices and pipes are written straight through. */
export function openTarget(path: string, overwrite: boolean, signal?: AbortSignal): Target {
  if (isStdout(path)) return streamTarget(path, async () => process.stdout);
  if (!isDevice(path)) return fileTarget(path, overwrite);
  if (!statSync(path, { throwIfNoEntry: false })?.isFIFO()) return deviceTarget(path);
  return streamTarget(path, () => openPipeToWrite(path, signal));
}

/**
 * Refuses an output place before any computing: `OUT_DIR` when the folder of `path` (a file or a prefix) is missing,
 * is a file or cannot be written, `NOT_A_FILE` when `path` itself is a folder, `OUT_IS_INPUT` when the command reads it.
 */
export function checkOutputDir(path: string): void {
  if (isStdout(path) || isDevice(path)) return;
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
  refuseInput(path);
}

/**
 * Refuses, before any computing, a place where the folder of a run cannot be made: `OUT_DIR` where it or a part of its
 * path is a file, or where what there is of it cannot be written. `option` is what the folder was given by, e.g. `--out`.
 */
export function checkRunPlace(path: string, option: string): void {
  let there = resolve(path);
  while (!existsSync(there)) there = dirname(there);
  if (!statSync(there).isDirectory()) {
    const what = there === resolve(path) ? "this" : there;
    throw fileError("OUT_DIR", path, `${what} is a file; ${option} names the folder of the run`, {
      folder: there,
    });
  }
  try {
    accessSync(there, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw fileError("OUT_DIR", path, `the folder ${there} is read-only for you`, { folder: there, cause });
  }
}

function fileTarget(path: string, overwrite: boolean): Target {
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

/** Opened at the first write: opening a tape or a terminal may take its time. */
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

/** Standard output, or a named pipe once it has a reader. Errors come through the callback of each write. */
function streamTarget(path: string, openStream: () => Promise<Writable>): Target {
  let stream: Writable | undefined;
  const end = (): Promise<void> =>
    new Promise((done) => {
      if (stream === undefined || stream === process.stdout) done();
      else stream.end(done);
    });
  return {
    tempPath: path,
    async write(bytes) {
      if (stream === undefined) {
        stream = await openStream();
        stream.on("error", () => {}); // without a listener it would end the process
      }
      const { promise, resolve: done, reject } = Promise.withResolvers<void>();
      stream.write(bytes, (e) => (e ? reject(e) : done()));
      await promise;
    },
    finish: end,
    async drop() {
      if (stream !== process.stdout) stream?.destroy();
    },
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

/** Opening the device files again would fail where standard output is a socket. */
function isStdout(path: string): boolean {
  return path === "-" || /^\/(dev\/stdout|dev\/fd\/1|proc\/self\/fd\/1)$/.test(path);
}

function isDevice(path: string): boolean {
  if (/^\/(dev|proc\/self)\/(fd\/|stderr$)/.test(path)) return true;
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && !stat.isFile() && !stat.isDirectory();
}
