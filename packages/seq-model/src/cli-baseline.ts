import { type CliCommand, type CliContext, writeFileAtomic } from "@x/core/base";
import { type BaselineReport, baseline } from "./baseline.ts";
import { runOptions, TABLE_FLAGS, TREE_FLAGS, tableOf, treeOf, writeTsv } from "./cli-inputs.ts";
import { joinMetadata } from "./join-metadata.ts";
import { type Metadata, readMetadata } from "./read-metadata.ts";
import { readSplit, type Split, splitSamples } from "./split.ts";
import { classTarget, numericTarget } from "./targets.ts";

/** `seq-model baseline`. */
export const baselineCommand: CliCommand = {
  name: "baseline",
  summary: "simple models of a metadata column on one split: what a neural model must beat",
  random: true,
  options: [
    ...TABLE_FLAGS,
    ...TREE_FLAGS,
    { name: "metadata", type: "string", value: "FILE", help: "sample metadata", required: true },
    {
      name: "metadata-column",
      aliases: ["--column"],
      type: "string",
      value: "COLUMN",
      help: "what to predict",
      required: true,
    },
    { name: "classifier", type: "flag", help: "the column holds classes" },
    { name: "split", type: "string", value: "FILE", help: "table of sample_id and split (train, test)" },
    {
      name: "group",
      type: "string",
      value: "COLUMN",
      help: "keep samples of one group, e.g. a host, on one side",
    },
    {
      name: "test-size",
      type: "number",
      range: { min: 0, max: 1 },
      default: 0.2,
      value: "SHARE",
      help: "samples to test on",
    },
    { name: "trees", type: "int", range: { min: 1 }, default: 500, value: "N", help: "trees of a forest" },
    {
      name: "drop-missing",
      type: "flag",
      help: "leave out samples without metadata or counts instead of an error",
    },
    { name: "out", aliases: ["-o"], type: "string", value: "FILE", help: "report (JSON)" },
    {
      name: "predictions",
      type: "string",
      value: "FILE",
      help: "every model's predictions of the test samples (.tsv)",
    },
  ],
  examples: [
    "seq-model baseline --table table.biom --tree tree.nwk --metadata metadata.tsv --metadata-column age --group host",
  ],
  async run(context) {
    const { options, signal } = context;
    const missing = options["drop-missing"] === true ? "drop" : "error";
    const known = await readMetadata(String(options.metadata), { signal });
    const whole = await tableOf(context);
    const chosen = options.split === undefined ? undefined : await readSplit(String(options.split));
    const named = chosen && new Set([...chosen.train, ...chosen.test]);
    const asked = named ? whole.select({ samples: whole.sampleIds.filter((id) => named.has(id)) }) : whole;
    const { table, metadata } = joinMetadata(asked, known, { missing, empty: missing });
    const column = String(options["metadata-column"]);
    const target =
      options.classifier === true ? classTarget(metadata, column) : numericTarget(metadata, column);
    const split = chosen ?? splitOf(context, metadata);
    const report = await baseline(table, target, split, {
      ...runOptions(context),
      seed: context.seed ?? 0,
      trees: Number(options.trees),
      ...(options.tree === undefined ? {} : { tree: await treeOf(context) }),
    });
    const json = facts(report);
    if (options.out !== undefined) {
      await writeFileAtomic(String(options.out), `${JSON.stringify(json, null, 2)}\n`, { signal });
    }
    if (options.predictions !== undefined)
      await writePredictions(String(options.predictions), report, signal);
    if (!context.json) print(context, report);
    return json;
  },
};

function splitOf({ options, seed = 0 }: CliContext, metadata: Metadata): Split {
  const groupName = options.group === undefined ? undefined : String(options.group);
  const groups = groupName === undefined ? undefined : metadata.column(groupName).values.map(String);
  return splitSamples(metadata.ids, {
    testSize: Number(options["test-size"]),
    seed,
    ...(groups ? { groups, groupName: groupName! } : {}),
  });
}

function facts({ target, classes, split, results, verdict }: BaselineReport): Record<string, unknown> {
  const { how, train, test } = split;
  return {
    target,
    classes,
    split: { how, train: train.length, test: test.length },
    results: results.map(({ predictions: _, ...rest }) => rest),
    verdict,
  };
}

async function writePredictions(path: string, report: BaselineReport, signal: AbortSignal): Promise<void> {
  const { classes } = report;
  const shown = (values: Float64Array): readonly unknown[] =>
    Array.from(values, (v) => (classes.length > 0 ? classes[v] : v));
  const columns = [
    { name: "sample_id", values: report.split.test },
    { name: report.target, values: shown(report.truth) },
    ...report.results.map((r) => ({ name: r.model, values: shown(r.predictions) })),
  ];
  await writeTsv(path, columns, signal);
}

function print(context: CliContext, { split, results, verdict }: BaselineReport): void {
  context.print(
    `${split.train.length} samples to learn from, ${split.test.length} to test on (${split.how})`,
  );
  const names = results.some((r) => "r2" in r.scores) ? ["R²", "±", "MAE"] : ["accuracy", "±", "macro F1"];
  context.print(`${"model".padEnd(20)}${names.map((n) => n.padStart(10)).join("")}`);
  for (const { model, scores, score, scoreSe } of results) {
    const other = "r2" in scores ? scores.mae : scores.macroF1;
    const numbers = [score, scoreSe, other].map((v) => v.toPrecision(4).padStart(10));
    context.print(`${model.padEnd(20)}${numbers.join("")}`);
  }
  context.print(verdict);
}
