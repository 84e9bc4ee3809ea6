import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type CliCommand, counted, fromSystemError, option, xError } from "@x/core/base";
import { runOptions, TABLE_FLAGS, TREE_FLAGS, treeOf } from "./cli-inputs.ts";
import { checkPlace, modelOption } from "./cli-run-folder.ts";
import { STUDY_FLAGS, type Study, studyOf } from "./cli-study.ts";
import { MODEL_FILE } from "./model-file.ts";
import { readFasta } from "./read-fasta.ts";
import { classScores, regressionScores } from "./scores.ts";
import { search } from "./search.ts";
import { checkSpace, type SearchSpace } from "./search-space.ts";
import { checkNames, DEFAULT_SPACE, innerSplit, trainingTrial } from "./search-training.ts";
import { SeqModel } from "./seq-model.ts";

/** `seq-model search`. */
export const searchCommand: CliCommand = {
  name: "search",
  summary: "search for settings of train that predict best, by random search or successive halving",
  random: true,
  options: [
    ...TABLE_FLAGS,
    ...TREE_FLAGS,
    option.input("sequences", "FASTA or .qza, where ids are no sequences"),
    ...STUDY_FLAGS,
    modelOption("pretrained-encoder", "start from what pretrain made"),
    option.input(
      "space",
      'what is searched, as JSON: {"learningRate": {"log": [1e-4, 1e-2]}, "layers.sample": {"choice": [1, 2]}}; also uniform, int',
    ),
    option.int("trials", "settings drawn", { range: { min: 1 }, default: 16, value: "N" }),
    option.text(
      "strategy",
      "halving: all begin with few epochs, the best go on with more; random: all get all epochs",
      { choices: ["halving", "random"], default: "halving", value: "NAME" },
    ),
    option.int("eta", "one of N goes on, with N times the epochs", {
      range: { min: 2 },
      default: 3,
      value: "N",
    }),
    option.int("epochs", "of the last runs", { range: { min: 1 }, default: 27, value: "N" }),
    option.int("least-epochs", "of the first runs of halving", { range: { min: 1 }, default: 3, value: "N" }),
    option.text("output-dir", "results; one that is there is gone on with", {
      aliases: ["-o"],
      value: "DIR",
      required: true,
    }),
  ],
  examples: [
    "seq-model search --table table.biom --metadata metadata.tsv --metadata-column age --pretrained-encoder pre --trials 9 --output-dir search",
  ],
  async run(context) {
    const { options, signal, onProgress, seed = 0 } = context;
    checkPlace(String(options["output-dir"]));
    const space = await spaceOf(options.space);
    const study = await studyOf(context, "search");
    const { table, target, split, groups } = study;
    const inner = innerSplit(split, { seed, ...(groups && { groups, groupName: String(options.group) }) });
    const folder = String(options["output-dir"]);
    const encoder = options["pretrained-encoder"];
    await using from = encoder === undefined ? undefined : await SeqModel.load(String(encoder));
    const sequences =
      options.sequences === undefined ? undefined : await readFasta(String(options.sequences), { signal });
    const { onProgress: _, ...run } = runOptions(context);
    const trial = trainingTrial(table, {
      ...run,
      seed,
      target,
      split: inner,
      ...(from && { from }),
      ...(groups && { leaveOut: [...groups.values()] }),
      ...(sequences && { sequences }),
      ...(options.tree === undefined ? {} : { tree: await treeOf(context) }),
    });
    const found = await search(trial, {
      space,
      trials: Number(options.trials),
      strategy: options.strategy as "halving" | "random",
      eta: Number(options.eta),
      budget: Number(options.epochs),
      least: Math.min(Number(options["least-epochs"]), Number(options.epochs)),
      direction: "max",
      folder,
      seed,
      signal,
      onProgress,
    });
    const { best, runs } = found;
    const failed = runs.filter(({ score }) => score === null);
    if (!best) throw xError("SEARCH_FAILED", `all ${runs.length} runs failed: ${failed[0]?.error}`);
    const model = join(best.folder, MODEL_FILE);
    const test = await testScores(model, study, sequences);
    if (!context.json) {
      context.print(
        `${counted(runs.length, "run")}, ${failed.length} failed; settings were judged by ${inner.test.length} of the training samples`,
      );
      context.print(`best: ${JSON.stringify(best.values)}, ${Number(best.score?.toPrecision(4))}`);
      context.print(
        `its model, ${model}, on ${split.test.length} samples it never saw: ${JSON.stringify(test)}`,
      );
    }
    return {
      best: { values: best.values, score: best.score, model },
      test,
      runs: runs.length,
      failed: failed.length,
    };
  },
};

async function spaceOf(path: unknown): Promise<SearchSpace> {
  if (path === undefined) return DEFAULT_SPACE;
  let text: string;
  try {
    text = await readFile(String(path), "utf8");
  } catch (e) {
    throw fromSystemError(e, String(path));
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (e) {
    throw xError("SEARCH_SPACE", `${path} is no JSON: ${(e as Error).message}`, { usage: true });
  }
  const space = checkSpace(json);
  checkNames(space);
  return space;
}

/** The test samples are looked at once, by the model that was chosen. */
async function testScores(
  path: string,
  { table, target, split }: Study,
  sequences: Awaited<ReturnType<typeof readFasta>> | undefined,
): Promise<unknown> {
  await using model = await SeqModel.load(path);
  const samples = [...split.test];
  const { values, width } = await model.predictTable(
    table.select({ samples }),
    sequences ? { sequences } : {},
  );
  const truth = Float64Array.from(table.sampleIndices(samples), (s) => target.values[s]!);
  if (target.classes.length === 0) return regressionScores(truth, values);
  const said = samples.map((_, s) => {
    const row = values.subarray(s * width, (s + 1) * width);
    return row.indexOf(Math.max(...row));
  });
  return classScores(truth, said, target.classes.length);
}
