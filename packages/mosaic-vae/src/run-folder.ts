/** The folder of a training: whether a run may go there, and what a run before left in it. */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { checkRunPlace, fromSystemError, xError } from "@x/core/base";
import { MODEL_FILE } from "./model-file.ts";

/** What a run leaves, besides the events of TensorBoard. */
export const RUN_FILES: readonly string[] = [
  "config.yaml",
  "history.jsonl",
  "last.safetensors",
  "best.safetensors",
  MODEL_FILE,
  "report.html",
  "metrics.json",
];
const isEvents = (name: string): boolean => name.startsWith("events.out.tfevents.");

/**
 * Refuses, before anything is read, a folder that a new run cannot have: `OUT_DIR` where it or a part of its path is a
 * file, or cannot be written; `RUN_EXISTS` where it holds a run and `overwrite` is false.
 */
export function checkRunFolder(out: string, overwrite: boolean): void {
  checkRunPlace(out, "--out");
  const there = runIn(out);
  if (there.length === 0 || overwrite) return;
  const message = `${out} holds a run (${there[0]}): go on with it by --resume ${out}, take another folder, or replace it by --overwrite`;
  throw xError("RUN_EXISTS", message, { usage: true, details: { folder: out, found: there } });
}

/** Makes the folder of a new run, and removes a run that is there already. */
export function makeRunFolder(out: string): void {
  try {
    mkdirSync(out, { recursive: true });
    for (const name of runIn(out)) rmSync(join(out, name));
  } catch (e) {
    throw fromSystemError(e, out);
  }
}

function runIn(out: string): string[] {
  if (!existsSync(out)) return [];
  return readdirSync(out).filter((name) => RUN_FILES.includes(name) || isEvents(name));
}
