/** The folder of a run: whose it is, and the files that follow a training. */
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  type CliContext,
  checkOutputs,
  checkRunPlace,
  fromSystemError,
  type OptionSpec,
  option,
  xError,
} from "@x/core/base";
import { jsonlTracker, type RunTracker, tensorBoardTracker } from "@x/onnx-train";
import { writeTsv } from "./cli-inputs.ts";
import { seqFileError } from "./errors.ts";
import { MODEL_FILE } from "./model-file.ts";
import type { Split } from "./split.ts";
import { BEST, LAST } from "./training-progress.ts";

/** Who a run learned from and who it was tested on, in its folder; `readSplit` reads it. */
const SAMPLES = "samples.tsv";
/** What came out of a run. */
export const REPORT = "metrics.json";

/** Files of a run's folder that are read again: whoever reads the folder must not write over them. */
const READ_AGAIN: readonly string[] = [MODEL_FILE, BEST, LAST, SAMPLES];

/** An option that names a trained model, or the folder of its run, whose files are then inputs too. */
export function modelOption(name: string, help: string, extras: { required?: true } = {}): OptionSpec {
  return option.input(name, help, { ...extras, endings: READ_AGAIN.map((file) => `/${file}`) });
}

/** Refuses, before anything is computed, a place where no folder can be: `OUT_DIR`, `OUT_IS_INPUT`. */
export function checkPlace(out: string): void {
  checkOutputs([out]);
  checkRunPlace(out, "--output-dir");
}

/** Writes down the two sides of a run's split. */
export async function writeSamples(out: string, { train, test }: Split, signal: AbortSignal): Promise<void> {
  const columns = [
    { name: "sample_id", values: [...train, ...test] },
    { name: "split", values: [...train.map(() => "train"), ...test.map(() => "test")] },
  ];
  await writeTsv(join(out, SAMPLES), columns, signal);
}

/** The split that lies beside a model, if its run wrote one. */
export function splitBeside(model: string): string | undefined {
  const folder = statSync(model).isDirectory() ? model : dirname(model);
  return [SAMPLES, REPORT].every((name) => existsSync(join(folder, name)))
    ? join(folder, SAMPLES)
    : undefined;
}

/** A finished run is not written over unasked (`RUN_EXISTS`); one that goes on must be there (`RESUME`). */
export function checkFolder({ options }: CliContext, out: string, resume: boolean): void {
  if (resume && options.overwrite === true)
    throw xError("OPTION_CHOICE", "--resume-from and --overwrite contradict each other", { usage: true });
  checkPlace(out);
  checkOutputs(READ_AGAIN.map((file) => join(out, file)));
  if (resume && !existsSync(join(out, LAST))) {
    const message = "no run to go on with: there is no last.safetensors; begin without --resume-from";
    throw seqFileError("RESUME", out, message);
  }
  const finished = [REPORT, MODEL_FILE].find((name) => existsSync(join(out, name)));
  if (resume || options.overwrite === true || finished === undefined) return;
  const message = `${out} holds a finished run (${finished}): take another folder, --overwrite it, or go on with it (--resume-from)`;
  throw xError("RUN_EXISTS", message, { usage: true, details: { path: out } });
}

/** Files of a run's folder begin with its first epoch: one that fails before leaves everything as it was. */
export function trackersOf(out: string, resume: boolean): RunTracker[] {
  const history = join(out, "history.jsonl");
  let opened: RunTracker[] | undefined;
  const open = (): RunTracker[] => {
    try {
      mkdirSync(out, { recursive: true });
      if (!resume) writeFileSync(history, "");
    } catch (e) {
      throw fromSystemError(e, out);
    }
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
