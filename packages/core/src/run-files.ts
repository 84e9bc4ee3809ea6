/** The files a run reads, so that it never writes over one of them. */
import { AsyncLocalStorage } from "node:async_hooks";
import { realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { xError } from "./errors.ts";

/** What is written beside an input and belongs to it. */
const INDEXES = ["", ".csi", ".tbi"];

/** Inputs by device and inode: name as given. */
type Inputs = Map<string, string>;

const run = new AsyncLocalStorage<Inputs>();

/** Calls `body` with inputs of its own; `protectInputs` adds to them. */
export function withInputs<T>(body: () => Promise<T>): Promise<T> {
  return run.run(new Map(), body);
}

/**
 * Adds inputs to those of the running command: opening an output that is one of them, under whatever name, then throws
 * `OUT_IS_INPUT`. Indexes (`.csi`, `.tbi`) beside an input count as inputs. `endings` are those of a fileset's files.
 * Does nothing outside `runCli`.
 */
export function protectInputs(paths: Iterable<string>, endings: readonly string[] = []): void {
  const inputs = run.getStore();
  if (inputs) for (const path of paths) add(inputs, path, endings);
}

/**
 * Refuses, before anything is computed, outputs that would replace what is read: names are compared by what they lead to.
 *
 * @throws OUT_IS_INPUT: an output is one of `inputs`, its index, or an input of the running command. OUT_TWICE: two
 * outputs are one file. Both are usage errors (exit code 2).
 */
export function checkOutputs(outputs: readonly string[], inputs: Iterable<string> = []): void {
  const read: Inputs = new Map(run.getStore());
  for (const path of inputs) add(read, path, []);
  const seen = new Map<string, string>();
  for (const path of outputs) {
    refuse(path, read);
    const place = placeOf(path);
    if (place === undefined) continue;
    const before = seen.get(place);
    if (before !== undefined) {
      const message = `${path}: two outputs have this name${before === path ? "" : ` (${before})`}; give each its own`;
      throw xError("OUT_TWICE", message, { usage: true, details: { file: path } });
    }
    seen.set(place, path);
  }
}

/** Refuses an output that is an input of the running command. */
export function refuseInput(path: string): void {
  const inputs = run.getStore();
  if (inputs?.size) refuse(path, inputs);
}

function add(inputs: Inputs, path: string, endings: readonly string[]): void {
  for (const ending of [...INDEXES, ...endings]) {
    const stat = fileAt(`${path}${ending}`);
    if (stat) inputs.set(key(stat), `${path}${ending}`);
  }
}

function refuse(path: string, inputs: Inputs): void {
  const stat = fileAt(path);
  const input = stat && inputs.get(key(stat));
  if (input === undefined) return;
  const same = input === path ? "" : ` as ${input}`;
  const message = `${path}: this file is read by the same run${same}; give the output another name`;
  throw xError("OUT_IS_INPUT", message, { usage: true, details: { file: path, input } });
}

/** Devices and pipes may be read and written at once. */
function fileAt(path: string): Stats | undefined {
  if (path === "-") return undefined;
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat?.isFile() ? stat : undefined;
  } catch {
    return undefined; // whoever opens it says why it cannot be
  }
}

function key(stat: Stats): string {
  return `${stat.dev}:${stat.ino}`;
}

/** Where a file would come to stand, whether or not it is there already; undefined for what is no file. */
function placeOf(path: string): string | undefined {
  if (path === "-") return undefined;
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat) return stat.isFile() ? key(stat) : undefined;
  const full = resolve(path);
  try {
    return join(realpathSync(dirname(full)), basename(full));
  } catch {
    return full;
  }
}
