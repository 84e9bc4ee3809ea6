/** The errors of `explain`: where a model errs, apart for samples it learned from and samples it did not. */
import { type CliContext, counted, writeFileAtomic, xError } from "@x/core/base";
import { splitBeside } from "./cli-run-folder.ts";
import { type ErrorAnalysis, errorAnalysis } from "./error-analysis.ts";
import { errorSvg } from "./error-svg.ts";
import type { FeatureTable } from "./feature-table.ts";
import type { Sequences } from "./read-fasta.ts";
import type { Metadata } from "./read-metadata.ts";
import type { SeqModel } from "./seq-model.ts";
import { readSplit } from "./split.ts";
import { numericTarget } from "./targets.ts";

/** What `explain` reads. */
export interface Inputs {
  readonly table: FeatureTable;
  readonly sequences: Sequences | undefined;
  readonly metadata: Metadata | undefined;
  readonly categories: Int32Array | undefined;
}

/** The true values by name of the column, or of the model's own target. */
export function truthOf(context: CliContext, model: SeqModel, { metadata }: Inputs): Float64Array {
  const { target } = model.facts;
  const asked = context.options["metadata-column"];
  const column =
    asked === undefined
      ? target?.names[Math.floor(Number(context.options.output) / quantilesOf(model))]
      : String(asked);
  if (column === undefined)
    throw xError("OPTION_MISSING", "the model predicts nothing: an encoder has no errors", { usage: true });
  if (model.classes.length === 0) return numericTarget(metadata!, column).values;
  const classes = metadata!.column(column).values.map((v) => model.classes.indexOf(String(v)));
  return Float64Array.from(classes);
}

const quantilesOf = (model: SeqModel): number => Math.max(1, model.facts.config.quantiles.length);

/** `--errors` and `--errors-svg`, of all samples and of those on either side of the split. */
export async function explainErrors(context: CliContext, model: SeqModel, inputs: Inputs): Promise<unknown> {
  const { options, signal, onProgress } = context;
  const { table, metadata, sequences, categories } = inputs;
  if (model.classes.length > 0)
    throw xError("OPTION_CHOICE", "--errors is for numbers; predict writes the confusion of classes", {
      usage: true,
    });
  const truth = truthOf(context, model, inputs);
  const { values, width } = await model.predictTable(table, {
    signal,
    onProgress,
    batchSize: Number(options["batch-size"]),
    ...(sequences ? { sequences } : {}),
    ...(categories ? { categories } : {}),
  });
  // Of quantiles the middle one.
  const at =
    Math.floor(Number(options.output) / quantilesOf(model)) * quantilesOf(model) + (quantilesOf(model) >> 1);
  const predicted = table.sampleIds.map((_, s) => values[s * width + at]!);
  const found = errorAnalysis(table.sampleIds, truth, predicted, {
    table,
    ...(metadata ? { metadata } : {}),
  });
  const sides = await sidesOf(context, found);
  if (options.errors !== undefined)
    await writeFileAtomic(String(options.errors), `${JSON.stringify({ ...found, sides }, null, 2)}\n`, {
      signal,
    });
  if (options["errors-svg"] !== undefined) {
    const svg = errorSvg(found, { label: model.facts.target?.names[0] ?? "value" });
    await writeFileAtomic(String(options["errors-svg"]), `${svg}\n`, { signal });
  }
  const { mean, sd, worst } = found;
  if (!context.json) for (const line of errorLines(found, sides)) context.print(line);
  return { mean, sd, sides, worst };
}

/** Errors of the samples on one side of a split. */
interface Side {
  readonly name: string;
  readonly samples: number;
  readonly mean: number;
  readonly sd: number;
}

/** Those a model learned from, those it was tested on, and others; nothing where no split is known. */
async function sidesOf({ options }: CliContext, { samples }: ErrorAnalysis): Promise<Side[]> {
  const path = options.split === undefined ? splitBeside(String(options.model)) : String(options.split);
  if (path === undefined) return [];
  const { train, test } = await readSplit(path);
  const sideOf = new Map([
    ...train.map((id) => [id, "training"] as const),
    ...test.map((id) => [id, "test"] as const),
  ]);
  return ["test", "training", "other"].flatMap((name) => {
    const own = samples.filter(({ sample }) => (sideOf.get(sample) ?? "other") === name);
    if (own.length === 0) return [];
    const mean = own.reduce((sum, { error }) => sum + error, 0) / own.length;
    const sd = Math.sqrt(own.reduce((sum, { error }) => sum + (error - mean) ** 2, 0) / own.length);
    return [{ name, samples: own.length, mean, sd }];
  });
}

function errorLines({ mean, sd, worst, samples }: ErrorAnalysis, sides: readonly Side[]): string[] {
  const numbers = (of: { mean: number; sd: number }): string =>
    `mean ${of.mean.toPrecision(3)}, sd ${of.sd.toPrecision(3)}`;
  const unknown = sides.length > 0 ? "" : "; who of them was trained on is not known: give --split FILE";
  return [
    ...sides.map((side) => `errors of ${counted(side.samples, `${side.name} sample`)}: ${numbers(side)}`),
    `errors of all ${samples.length} samples: ${numbers({ mean, sd })}${unknown}`,
    ...worst.slice(0, 5).map(({ sample, truth: y, predicted: p }) => {
      return `${sample}\ttrue ${Number(y.toPrecision(4))}\tpredicted ${Number(p.toPrecision(4))}`;
    }),
  ];
}
