/** Half-written files of this process, so that they go when it exits, and those that killed processes left behind. */
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, unlinkSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

const live = new Set<string>();
let watching = false;

/** Process ids mean nothing on another host that shares the folder, so temporary names carry the host. */
export const HOST_TAG: string = createHash("sha256").update(hostname()).digest("hex").slice(0, 6);

/** `.<name>.<pid>.<host and random>.tmp` in the folder of `path`, short enough for any file system. */
export function tempPathFor(path: string): string {
  return join(
    dirname(path),
    `.${shortName(path)}.${process.pid}.${HOST_TAG}${randomBytes(5).toString("hex")}.tmp`,
  );
}

/** Remembers a file that must not outlive this process. */
export function trackTemp(path: string): void {
  if (!watching) process.once("exit", removeTemps);
  watching = true;
  live.add(path);
}

/** Forgets a file that has become complete or is gone. */
export function releaseTemp(path: string): void {
  live.delete(path);
}

/** Removes every half-written file of this process now. Called on exit; CLIs also call it before a signal ends them. */
export function removeTemps(): void {
  for (const path of live) removeQuietly(path);
  live.clear();
}

/** Removes what killed processes of this host left behind for the same final name. */
export function removeStaleTemps(path: string): void {
  const folder = dirname(path);
  const start = `.${shortName(path)}.`;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of names) {
    if (!name.startsWith(start)) continue;
    const match = /^(\d+)\.([0-9a-f]{6})[0-9a-f]{10}\.tmp$/.exec(name.slice(start.length));
    if (match && match[2] === HOST_TAG && !isAlive(Number(match[1]))) removeQuietly(join(folder, name));
  }
}

/** True while a process of this id runs on this host (also one of another user). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** When a process started, in clock ticks since boot; tells a process from a later one of the same id. "" if unknown. */
export function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

/** Unlinks without complaint: used where the file may be gone or where another error is on its way. */
export function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // gone already, or the folder is
  }
}

/** The file's own name, or its hash where adding to it would pass the 255 bytes that file systems allow. */
function shortName(path: string): string {
  const name = basename(path);
  return Buffer.byteLength(name) <= 200 ? name : createHash("sha256").update(name).digest("hex");
}
