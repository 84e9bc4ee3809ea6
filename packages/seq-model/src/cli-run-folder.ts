/** The folder of a run: whose it is, and the files that follow a training. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CliContext, xError } from "@x/core/base";
import { jsonlTracker, type RunTracker, tensorBoardTracker } from "@x/onnx-train";
import { seqFileError } from "./errors.ts";
import { MODEL_FILE } from "./model-file.ts";

/** A finished run is not written over unasked (`RUN_EXISTS`); one that goes on must be there (`RESUME`). */
export function checkFolder({ options }: CliContext, out: string, resume: boolean): void {
  if (resume && options.overwrite === true)
    throw xError("OPTION_CHOICE", "--resume-from and --overwrite contradict each other", { usage: true });
  if (resume && !existsSync(join(out, "last.safetensors"))) {
    const message = "no run to go on with: there is no last.safetensors; begin without --resume-from";
    throw seqFileError("RESUME", out, message);
  }
  const finished = ["metrics.json", MODEL_FILE].find((name) => existsSync(join(out, name)));
  if (resume || options.overwrite === true || finished === undefined) return;
  const message = `${out} holds a finished run (${finished}): take another folder, --overwrite it, or go on with it (--resume-from)`;
  throw xError("RUN_EXISTS", message, { usage: true, details: { path: out } });
}

/** Files of a run's folder begin with its first epoch: one that fails before leaves everything as it was. */
export function trackersOf(out: string, resume: boolean): RunTracker[] {
  const history = join(out, "history.jsonl");
  let opened: RunTracker[] | undefined;
  const open = (): RunTracker[] => {
    mkdirSync(out, { recursive: true });
    if (!resume) writeFileSync(history, "");
    return [jsonlTracker(history), tensorBoardTracker(out)];
  };
  return [
    {
      async log(...numbers) {
        opened ??= open();
        for (const tracker of opened) await tracker.log(...numbers);
      },
      async close() {
        for (const tracker of opened ?? []) await tracker.close();
      },
    },
  ];
}
