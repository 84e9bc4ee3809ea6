/** The main thread's side of the worker: requests, replies, and the process that may end when nothing is asked. */

import { Worker } from "node:worker_threads";
import { throwIfAborted } from "@x/core/base";
import { trainError } from "./errors.ts";
import type { Ask, Reply, Values } from "./messages.ts";

interface Waiting {
  done(reply: Reply): void;
  fail(e: unknown): void;
}

const waiting = new Map<number, Waiting>();
let worker: Worker | undefined;
let count = 0;

/** One worker a process: onnxruntime-node has crashed with several. It lives on between trainers. */
function start(): Worker {
  if (worker) return worker;
  const file = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js";
  // A script given on the command line (`node --input-type=module -e`) has a flag that no file may have.
  const execArgv = process.execArgv.filter((flag) => !flag.startsWith("--input-type"));
  const made = new Worker(new URL(file, import.meta.url), { execArgv });
  made.on("message", (reply: Reply) => {
    const who = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (waiting.size === 0) made.unref();
    if (reply.error) who?.fail(asError(reply.error));
    else who?.done(reply);
  });
  const end = (cause: unknown): void => {
    if (worker === made) worker = undefined;
    for (const [id, who] of waiting) {
      waiting.delete(id);
      who.fail(trainError("RUNTIME", "the thread that runs onnxruntime has ended", { cause }));
    }
  };
  made.on("error", end);
  made.on("exit", end);
  worker = made;
  return made;
}

function asError({ message, code }: NonNullable<Reply["error"]>): Error {
  if (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND")
    return trainError(
      "RUNTIME_MISSING",
      "onnxruntime-node is not installed: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node (`onnx-train doctor` says more)",
      { details: { message } },
    );
  return trainError("RUNTIME", `onnxruntime: ${message}`);
}

/** Sends one request. Its buffers in `transfer` are given away. */
export function ask(request: Ask, transfer: readonly ArrayBuffer[] = []): Promise<Reply> {
  const at = start();
  const id = ++count;
  return new Promise((done, fail) => {
    waiting.set(id, { done, fail });
    at.ref();
    at.postMessage({ ...request, id }, [...transfer]);
  });
}

/** The same promise, given up as soon as the signal aborts; the work itself goes on to its end. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  work.catch(() => {}); // whoever waits for the end of the work hears of it
  throwIfAborted(signal);
  if (!signal) return work;
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, fail) => {
    stop = () => {
      try {
        throwIfAborted(signal);
      } catch (e) {
        fail(e);
      }
    };
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop!);
  }
}

/** Tensors of the worker by slot. */
export async function readSlots(names: readonly string[]): Promise<Values> {
  return (await ask({ kind: "get", names })).values!;
}
