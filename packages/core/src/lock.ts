import { closeSync, openSync, readFileSync, renameSync, statSync, writeSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

import { fileError, fromSystemError } from "./errors.ts";
import { checkOutputDir } from "./files.ts";
import { HOST_TAG, isAlive, releaseTemp, removeQuietly, startTime, tempPathFor, trackTemp } from "./temps.ts";

/** A claim on an output prefix; dispose it to let others write there. */
export interface OutputLock extends AsyncDisposable {
  /** The lock file, `.<name>.lock` beside the output. */
  readonly path: string;
}

interface Holder {
  pid: number;
  start: string;
  host: string;
}

/** A lock file that is still empty belongs to a process that is about to fill it, if it is this young. */
const YOUNG_MS = 10_000;

/**
 * Claims an output prefix for this process: `LOCKED` while another live process holds it. Locks of dead processes of
 * this host are taken over; those of other hosts must be removed by hand, the message says how. `OUT_DIR` when the
 * folder cannot be written.
 */
export function lockOutput(prefix: string): OutputLock {
  checkOutputDir(`${prefix}.lock`);
  const path = join(dirname(resolve(prefix)), `.${basename(prefix)}.lock`);
  for (let attempt = 0; attempt < 5; attempt++) {
    if (create(path)) {
      trackTemp(path);
      return {
        path,
        async [Symbol.asyncDispose]() {
          removeQuietly(path);
          releaseTemp(path);
        },
      };
    }
    const text = readText(path);
    if (text === undefined) continue; // released in this moment
    if (!isStale(path, text)) throw locked(prefix, path, text);
    takeAway(path, text);
  }
  throw locked(prefix, path, readText(path) ?? "");
}

function create(path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, "wx");
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw fromSystemError(e, path);
  }
  try {
    const holder: Holder = { pid: process.pid, start: startTime(process.pid), host: HOST_TAG };
    writeSync(fd, JSON.stringify(holder));
  } catch (e) {
    removeQuietly(path);
    throw fromSystemError(e, path);
  } finally {
    closeSync(fd);
  }
  return true;
}

/** Moves a stale lock aside; if another process has put its own there meanwhile, that one goes back. */
function takeAway(path: string, staleText: string): void {
  const aside = tempPathFor(path);
  try {
    renameSync(path, aside);
  } catch {
    return; // another process was faster
  }
  if (readText(aside) === staleText) removeQuietly(aside);
  else renameSync(aside, path);
}

function isStale(path: string, text: string): boolean {
  const holder = parseHolder(text);
  if (!holder) return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > YOUNG_MS;
  if (holder.host !== HOST_TAG) return false;
  return !isAlive(holder.pid) || startTime(holder.pid) !== holder.start;
}

function locked(prefix: string, path: string, text: string): Error {
  const pid = parseHolder(text)?.pid;
  const who = pid === undefined ? "another process" : `process ${pid}`;
  const message = `${who} is writing this output; wait for it, choose another name, or remove ${path} if it is gone`;
  return fileError("LOCKED", prefix, message, { pid, lock: path });
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, start, host } = JSON.parse(text) as Holder;
    return Number.isSafeInteger(pid) && pid > 0
      ? { pid, start: String(start), host: String(host) }
      : undefined;
  } catch {
    return undefined;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
