/**
 * Named pipes by polling. An ordinary open or read of a pipe keeps a worker thread until the other side comes, and a
 * process whose thread waits there can be ended by nothing but SIGKILL.
 */
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

import { throwIfAborted } from "./abort.ts";

/** How often to look whether a pipe has got a reader. */
const POLL_MS = 50;

/** A path like /dev/fd/63, which shells make for `<(command)`. */
const INHERITED = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/;

/** The readable end of a named pipe; undefined for any other kind of file. Waits for a writer without a thread. */
export async function openPipeToRead(path: string): Promise<Socket | undefined> {
  // Opened again, an inherited pipe whose writer has gone would never report its end.
  const inherited = INHERITED.exec(path)?.[1];
  const fd = inherited ? Number(inherited) : openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  if (fstatSync(fd).isFIFO()) return pipeOf(fd, { readable: true, writable: false });
  if (!inherited) closeSync(fd);
  return undefined;
}

/** The writable end of a named pipe, once it has a reader. */
export async function openPipeToWrite(path: string, signal?: AbortSignal): Promise<Socket> {
  for (;;) {
    throwIfAborted(signal);
    try {
      const fd = openSync(path, constants.O_WRONLY | (constants.O_NONBLOCK ?? 0));
      return await pipeOf(fd, { readable: false, writable: true });
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== "ENXIO") throw e; // ENXIO: nobody reads yet
    }
    await wait(POLL_MS);
  }
}

/** `node:net` is loaded for pipes only. */
async function pipeOf(fd: number, ends: { readable: boolean; writable: boolean }): Promise<Socket> {
  const { Socket } = await import("node:net");
  return new Socket({ fd, ...ends });
}
