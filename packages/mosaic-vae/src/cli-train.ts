import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import {
  type CliCommand,
  type CliContext,
  checkOutputs,
  counted,
  option,
  protectInputs,
  writeFileAtomic,
  xError,
} from "@x/core/base";
import { jsonlTracker, lossReportHtml, readHistory, tensorBoardTracker } from "@x/onnx-train";
import { stringify } from "yaml";
import {
  DATA_OPTION,
  DEVICE_OPTION,
  EMPTY_OPTION,
  emptyAllowed,
  openCells,
  PLACE_OPTIONS,
  shared,
} from "./cli-data.ts";
import type { MosaicConfig } from "./config.ts";
import { readConfig } from "./config-file.ts";
import type { MosaicDataset } from "./dataset.ts";
import { mosaicFileError } from "./errors.ts";
import { loadModel } from "./model-file.ts";
import { MosaicVAE } from "./mosaic-vae.ts";
import { checkRunFolder, makeRunFolder, RUN_FILES } from "./run-folder.ts";
import type { TrainReport } from "./train.ts";

/** `mosaic-vae train`. */
export const trainCommand: CliCommand = {
  name: "train",
  summary: "train a model; --resume goes on where a run was interrupted",
  random: true,
  options: [
    DATA_OPTION,
    option.input("config", "configuration, YAML or JSON; defaults without it"),
    option.text("out", "folder of the run", { value: "FOLDER" }),
    option.text("resume", "go on with the run in this folder", { value: "FOLDER" }),
    option.flag("overwrite", "replace the run in --out"),
    option.int("epochs", "instead of train.epochs", { range: { min: 1 } }),
    ...PLACE_OPTIONS,
    EMPTY_OPTION,
    DEVICE_OPTION,
    option.text("precision", "of matrix products", { choices: ["float32", "float16", "bfloat16", "auto"] }),
  ],
  examples: [
    "mosaic-vae train --data cells.h5ad --config mosaic.yaml --out run/",
    "mosaic-vae train --resume run/",
  ],
  async run(context) {
    const { options } = context;
    const resumed = options.resume === undefined ? undefined : String(options.resume);
    if (resumed === undefined && options.out === undefined)
      throw xError("OPTION_MISSING", "--out FOLDER is needed (or --resume FOLDER)", { usage: true });
    const out = resumed ?? String(options.out);
    if (resumed !== undefined) checkResume(context, resumed);
    const config = withOptions(
      resumed !== undefined
        ? readConfig(join(out, "config.yaml"))
        : options.config === undefined
          ? {}
          : readConfig(String(options.config)),
      context,
    );
    const data = dataPath(context, config);
    protectInputs([data]);
    checkOutputs([
      out,
      ...RUN_FILES.filter((name) => !resumed || name !== "config.yaml").map((name) => join(out, name)),
    ]);
    if (resumed === undefined) checkRunFolder(out, options.overwrite === true);
    const full: MosaicConfig = { ...config, data: { ...config.data, path: resolve(data) } };
    await using dataset = await openCells(context, data, config.data);
    const report = await train(context, { out, config: full, dataset, resume: resumed !== undefined });
    if (!context.json) print(context, out, report);
    return { out, ...report };
  },
};

/** `RUN_MISSING` where there is nothing to go on from; options that the run has decided already are refused. */
function checkResume({ options, seed }: CliContext, folder: string): void {
  const refuse = (name: string, why: string): never => {
    throw xError("OPTION_VALUE", `--${name} does not go with --resume ${folder}: ${why}`, { usage: true });
  };
  if (options.config !== undefined) refuse("config", "the run has its own config.yaml");
  if (options.overwrite === true) refuse("overwrite", "the run goes on");
  if (options.out !== undefined && resolve(String(options.out)) !== resolve(folder))
    refuse("out", "the run stays in its folder");
  const [config, last] = [join(folder, "config.yaml"), join(folder, "last.safetensors")];
  for (const file of [config, last]) {
    if (existsSync(file)) continue;
    const message = "there is no run to go on with: a training writes this file; start one by --out";
    throw mosaicFileError("RUN_MISSING", file, message);
  }
  const begun = readConfig(config).train?.seed ?? 0;
  if (seed !== undefined && seed !== begun) refuse("seed", `the run began with ${begun}`);
}

/** Options of the command line override the file. */
function withOptions(config: MosaicConfig, { options, seed }: CliContext): MosaicConfig {
  const train = { ...config.train };
  if (options.epochs !== undefined) train.epochs = Number(options.epochs);
  if (options.device !== undefined) train.device = String(options.device);
  if (options.precision !== undefined)
    train.precision = String(options.precision) as NonNullable<typeof train.precision>;
  if (seed !== undefined) train.seed = seed;
  return { ...config, train };
}

/** `--data`, or the path of the configuration, which counts from the folder of its file. */
function dataPath({ options }: CliContext, config: MosaicConfig): string {
  if (options.data !== undefined) return String(options.data);
  const path = config.data?.path;
  if (path === undefined)
    throw xError("OPTION_MISSING", "--data FILE is needed, or data.path in the configuration", {
      usage: true,
    });
  if (options.config === undefined) return path;
  return resolve(dirname(String(options.config)), path);
}

async function train(
  context: CliContext,
  run: { out: string; config: MosaicConfig; dataset: MosaicDataset; resume: boolean },
): Promise<TrainReport> {
  const { out, config, dataset } = run;
  const { resume } = run;
  const last = join(out, "last.safetensors");
  const history = join(out, "history.jsonl");
  await using model = await MosaicVAE.create(dataset, config, shared(context));
  // Not before: what cannot be trained leaves no folder.
  if (!resume) {
    makeRunFolder(out);
    writeFileSync(join(out, "config.yaml"), stringify(config));
    writeFileSync(history, "");
  } else keepHistory(history, last);
  const trackers = [jsonlTracker(history), tensorBoardTracker(out)];
  try {
    const options = { out, resume, trackers, ...emptyAllowed(context), ...shared(context) };
    const report = await model.train(dataset, options);
    const { device, precision } = model.state.trainer;
    const facts = {
      data: config.data?.path ?? "",
      device: `${device.used}: ${device.why}`,
      precision: `${precision.used}: ${precision.why}`,
      "best epoch": `${report.bestEpoch}, −ELBO ${report.best.toFixed(2)} a cell`,
    };
    await writeFileAtomic(
      join(out, "report.html"),
      lossReportHtml(readHistory(history), { title: "mosaic-vae training", unit: "epoch", facts }),
    );
    const { history: _, ...numbers } = report;
    await writeFileAtomic(join(out, "metrics.json"), `${JSON.stringify(numbers, null, 2)}\n`);
    return report;
  } catch (e) {
    if (context.signal.aborted && existsSync(last)) {
      const message = `${last} holds step ${model.state.trainer.step}; go on with: mosaic-vae train --resume ${out}`;
      context.warn({ code: "INTERRUPTED", message, details: { checkpoint: last } });
    }
    throw e;
  } finally {
    for (const tracker of trackers) await tracker.close();
  }
}

/** Leaves out epochs after the checkpoint: they are trained again. */
function keepHistory(history: string, last: string): void {
  const { progress } = loadModel(last).extra as { progress?: { epoch: number } };
  const lines = existsSync(history) ? readFileSync(history, "utf8").split("\n").filter(Boolean) : [];
  const kept = lines.filter((line) => {
    try {
      return (JSON.parse(line) as { step: number }).step <= (progress?.epoch ?? 0);
    } catch {
      return false; // a line that was cut off
    }
  });
  writeFileSync(history, kept.map((line) => `${line}\n`).join(""));
}

function print({ print: line }: CliContext, out: string, report: TrainReport): void {
  const end = report.stoppedEarly ? "stopped early" : "done";
  line(
    `${end} after ${counted(report.epochs, "epoch")}, ${counted(report.steps, "step")}; best epoch ${report.bestEpoch}`,
  );
  line(`validation −ELBO ${report.best.toFixed(3)} nats a cell`);
  if (report.skipped > 0)
    line(`${counted(report.skipped, "step")} left out because something was not finite`);
  line(`the model is ${join(out, "model.safetensors")}`);
}
