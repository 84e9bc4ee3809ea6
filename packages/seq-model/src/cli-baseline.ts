import { type CliCommand, type CliContext, option, writeFileAtomic } from "@x/core/base";
import { type BaselineReport, baseline } from "./baseline.ts";
import { checkEndings, runOptions, TABLE_FLAGS, TREE_FLAGS, treeOf, writeTsv } from "./cli-inputs.ts";
import { STUDY_FLAGS, studyOf } from "./cli-study.ts";

/** `seq-model baseline`. */
export const baselineCommand: CliCommand = {
  name: "baseline",
  summary: "simple models of a metadata column on one split: what a neural model must beat",
  random: true,
  options: [
    ...TABLE_FLAGS,
    ...TREE_FLAGS,
    ...STUDY_FLAGS,
    option.int("trees", "trees of a forest", { range: { min: 1 }, default: 500, value: "N" }),
    option.output("out", "report (JSON)", { aliases: ["-o"] }),
    option.output("predictions", "every model's predictions of the test samples (.tsv)"),
  ],
  examples: [
    "seq-model baseline --table table.biom --tree tree.nwk --metadata metadata.tsv --metadata-column age",
  ],
  async run(context) {
    const { options, signal } = context;
    checkEndings(context, { out: ["json"], predictions: ["tsv", "txt"] });
    const { table, target, split } = await studyOf(context, "baseline");
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
