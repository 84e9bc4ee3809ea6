import { counted } from "@x/core/base";
/** How good a trained model is on samples it never saw, and how far its numbers are to be widened. */
import { type CategoryColumn, encodeCategories } from "./categories.ts";
import { auroc, type ClassDetail, ClassMetrics } from "./class-metrics.ts";
import {
  type Conformal,
  conformalIntervals,
  coverageOf,
  quantileConformal,
  splitConformal,
} from "./conformal.ts";
import type { FeatureTable } from "./feature-table.ts";
import type { ModelConfig } from "./model-interfaces.ts";
import type { Sequences } from "./read-fasta.ts";
import type { Metadata } from "./read-metadata.ts";
import { type ClassScores, type RegressionScores, regressionScores } from "./scores.ts";
import type { SeqModel } from "./seq-model.ts";
import type { Target } from "./targets.ts";
import { classOf, middleOf } from "./validation.ts";

/** Samples with what is known of them. */
export interface Judged {
  readonly table: FeatureTable;
  /** Of the table's samples, in its order. */
  readonly targets: readonly Target[];
  /** Names of those to judge by. */
  readonly samples: readonly string[];
  readonly sequences?: Sequences;
  /** Of the table's samples, for models that take metadata. */
  readonly metadata?: Metadata;
  readonly signal?: AbortSignal;
}

/** Scores of one column of numbers. */
export interface OutputReport extends RegressionScores {
  readonly name: string;
  /** Share of samples inside their conformal interval, where the model has finite ones. */
  readonly coverage?: number;
  /** Were too few samples calibrated on for a finite interval? */
  readonly unbounded?: true;
}

/** One class by itself. */
export interface ClassReport extends ClassDetail {
  readonly name: string;
  /** Against all others; NaN where all samples or none are of it. */
  readonly auroc: number;
}

/** What `train` says of the test samples. */
export type TestReport =
  | { readonly samples: number; readonly outputs: readonly OutputReport[] }
  | {
      readonly samples: number;
      readonly scores: ClassScores;
      readonly classes: readonly ClassReport[];
      /** Row by row: samples of the row's class that were said to be of the column's. */
      readonly confusion: readonly (readonly number[])[];
    };

/** Predictions of some samples and their true values. */
async function predicted(
  model: SeqModel,
  { table, targets, samples, sequences, metadata, signal }: Judged,
): Promise<{ values: Float64Array; truth: Float64Array[] }> {
  const chosen = [...samples];
  const columns: readonly CategoryColumn[] = model.facts.categories;
  const known = metadata?.select(chosen);
  const grouped = model.facts.target?.transformColumn;
  const { values } = await model.predictTable(table.select({ samples: chosen }), {
    ...(sequences && { sequences }),
    ...(signal && { signal }),
    ...(known && columns.length > 0 && { categories: encodeCategories(columns, known).codes }),
    ...(known && grouped !== undefined && { groups: known.column(grouped).values.map(String) }),
  });
  const places = table.sampleIndices(chosen);
  const truth = targets.map((target) => Float64Array.from(places, (p) => target.values[p]!));
  return { values, truth };
}

/** Scores on samples that took no part in training nor in the choice of an epoch. */
export async function judge(model: SeqModel, judged: Judged): Promise<TestReport> {
  const { values, truth } = await predicted(model, judged);
  const { classes, config } = { classes: model.classes, config: model.facts.config };
  const samples = judged.samples.length;
  if (classes.length > 0) return classReport(values, truth[0]!, classes);
  const conformal = model.facts.target?.conformal;
  const middle = middleOf(values, config);
  const outputs = judged.targets.map(({ name }, o) => {
    const own = every(middle, config.outputs, o);
    const scores = { name, ...regressionScores(truth[o]!, own) };
    if (!conformal) return scores;
    if (!Number.isFinite(conformal[o]!.width)) return { ...scores, unbounded: true as const };
    const inside = coverageOf(truth[o]!, intervalsOf(conformal[o]!, values, config, o));
    return { ...scores, coverage: inside };
  });
  return { samples, outputs };
}

/**
 * How far each output is to be widened so that a share `coverage` of new samples falls inside, from samples that the
 * weights were not fitted to: the outer quantiles of a model that predicts several, otherwise the number itself.
 */
export async function calibrateIntervals(
  model: SeqModel,
  judged: Judged,
  coverage: number,
): Promise<Conformal[]> {
  const { values, truth } = await predicted(model, judged);
  const { config } = model.facts;
  return truth.map((y, o) => {
    const ends = endsOf(values, config, o);
    return "low" in ends ? quantileConformal(y, ends, coverage) : splitConformal(y, ends, coverage);
  });
}

/** Intervals of one output of what a model predicts. */
export function intervalsOf(
  conformal: Conformal,
  values: ArrayLike<number>,
  config: ModelConfig,
  output: number,
): { low: Float64Array; high: Float64Array } {
  return conformalIntervals(conformal, endsOf(values, config, output));
}

function endsOf(
  values: ArrayLike<number>,
  config: ModelConfig,
  output: number,
): Float64Array | { low: Float64Array; high: Float64Array } {
  const q = config.quantiles.length;
  if (q < 2) return every(values, config.outputs, output);
  const width = config.outputs * q;
  return { low: every(values, width, output * q), high: every(values, width, output * q + q - 1) };
}

function classReport(values: Float64Array, truth: Float64Array, names: readonly string[]): TestReport {
  const n = names.length;
  const metrics = new ClassMetrics(n);
  metrics.add(truth, classOf(values, n));
  const classes = metrics.details().map((detail, c) => ({
    name: names[c]!,
    ...detail,
    auroc: auroc(
      every(values, n, c),
      Array.from(truth, (t) => t === c),
    ),
  }));
  const confusion = names.map((_, c) => Array.from(metrics.confusion.subarray(c * n, (c + 1) * n)));
  return { samples: truth.length, scores: metrics.scores(), classes, confusion };
}

/** One column of rows of `width`. */
function every(values: ArrayLike<number>, width: number, column: number): Float64Array {
  return Float64Array.from({ length: values.length / width }, (_, i) => values[i * width + column]!);
}

/** The report as lines for people. */
export function testLines(report: TestReport): string[] {
  const number = (v: number): string => (Number.isFinite(v) ? v.toPrecision(4) : "–");
  if ("outputs" in report)
    return report.outputs.map(({ name, r2, mae, coverage, unbounded }) => {
      const share = coverage === undefined ? "" : `, ${(100 * coverage).toFixed(0)} % inside their interval`;
      const inside = unbounded ? ", no finite interval" : share;
      return `${counted(report.samples, "test sample")}: ${name}: R² ${number(r2)}, MAE ${number(mae)}${inside}`;
    });
  const { samples, scores, classes, confusion } = report;
  const names = classes.map(({ name }) => name);
  const wide = Math.max(8, ...names.map((name) => name.length + 2));
  return [
    `${counted(samples, "test sample")}: accuracy ${number(scores.accuracy)}, macro F1 ${number(scores.macroF1)}`,
    ...classes.map(
      ({ name, auroc: area, recall }) => `${name}: AUROC ${number(area)}, recall ${number(recall)}`,
    ),
    `${"is \\ said".padEnd(wide)}${names.map((name) => name.padStart(wide)).join("")}`,
    ...confusion.map(
      (row, c) => `${names[c]!.padEnd(wide)}${row.map((k) => String(k).padStart(wide)).join("")}`,
    ),
  ];
}
