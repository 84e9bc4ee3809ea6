import { type CliCommand, option } from "@x/core/base";
import { artifactText } from "./artifact/read.ts";
import { commandText, tell, writeAll } from "./cli-fit.ts";
import { crossFacts } from "./cli-json.ts";
import { dataOf, formulasOf, MODEL_FLAGS, modelOptions } from "./cli-options.ts";
import { crossFit } from "./cross-fit.ts";
import { reportHtml } from "./report/html.ts";

/** `gam-warmstart crossfit`. */
export const crossFitCommand = (argv: readonly string[]): CliCommand => ({
  name: "crossfit",
  summary: "leave one group out, or K folds, each fold started from the fit of all rows",
  positionals: ["DATA", "FORMULA"],
  files: [{ role: "input" }, null],
  random: true,
  options: [
    ...MODEL_FLAGS,
    option.text("group", "leave out one value of this column at a time", { value: "COLUMN" }),
    option.int("folds", "or K folds of shuffled rows", { range: { min: 2 }, value: "K" }),
    option.int("parallel", "folds fitted at once; results do not depend on it", {
      range: { min: 1, max: 1024 },
      value: "N",
    }),
    option.flag("without-cold", "do not fit the folds cold as well"),
    option.output("out", "write held-out predictions (CSV: row, link, response)", { aliases: ["-o"] }),
    option.output("artifact", "write the parent's artifact"),
    option.output("report", "write the HTML report with the table of folds"),
  ],
  examples: [
    `gam-warmstart crossfit data.csv 'y ~ s(x) + s(subject, bs="re")' --group subject --family binomial --json`,
  ],
  async run(context) {
    const [path, formula] = context.positionals as [string, string];
    const o = context.options;
    const formulas = formulasOf(context, formula);
    const options = modelOptions(context);
    const cv = await crossFit(formulas, await dataOf(context, path), {
      ...options,
      ...(o.group === undefined ? {} : { group: String(o.group) }),
      ...(o.folds === undefined ? {} : { folds: Number(o.folds) }),
      ...(o.parallel === undefined ? {} : { parallel: Number(o.parallel) }),
      countCold: o["without-cold"] !== true,
    });
    tell(context, cv.parent.warnings);
    const files = await writeAll(
      [
        ...(o.out === undefined
          ? []
          : [[String(o.out), () => predictionsCsv(cv.link, cv.predictions)] as const]),
        ...(o.artifact === undefined ? [] : [[String(o.artifact), () => artifactText(cv.artifact)] as const]),
        ...(o.report === undefined
          ? []
          : [
              [
                String(o.report),
                () => reportHtml(cv.parent, { crossFit: cv, command: commandText(argv) }),
              ] as const,
            ]),
      ],
      context.signal,
    );
    if (!context.json && !context.quiet) {
      const wide = Math.max(6, ...cv.folds.map((f) => f.name.length)) + 2;
      const measure = Number.isNaN(cv.score.logLoss) ? "mse" : "logLoss";
      context.print(
        `${"fold".padEnd(wide)}  rows  held     criterion  ${measure.padStart(9)}      edf  evaluations warm/cold  inner warm/cold`,
      );
      for (const f of cv.folds)
        context.print(
          `${f.name.padEnd(wide)}${String(f.rows).padStart(6)}${String(f.heldOut).padStart(6)} ${f.criterion.toPrecision(9).padStart(13)} ${f.score[measure].toPrecision(5).padStart(10)} ${f.edf
            .reduce((a, b) => a + b, 0)
            .toFixed(3)
            .padStart(
              8,
            )}  ${`${f.warm.criterionEvaluations}/${f.cold?.criterionEvaluations ?? "–"}`.padStart(21)} ${`${f.warm.inner}/${f.cold?.inner ?? "–"}`.padStart(16)}`,
        );
      context.print(
        `all held-out rows: ${measure} ${cv.score[measure].toPrecision(6)}; criterion evaluations warm ${cv.cost.warm.criterionEvaluations}, cold ${cv.cost.cold?.criterionEvaluations ?? "–"}, beside the parent ${cv.cost.probes.criterionEvaluations}, basin checks ${cv.cost.basinChecks}`,
      );
    }
    return { ...crossFacts(cv), files };
  },
});

function predictionsCsv(link: Float64Array, response: Float64Array): string {
  const text = (v: number): string => (Number.isNaN(v) ? "NA" : String(v));
  return `row,link,response\n${Array.from(link, (v, i) => `${i + 1},${text(v)},${text(response[i]!)}\n`).join("")}`;
}
