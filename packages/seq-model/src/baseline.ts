import { checkOptions, checkRange, type RunOptions, resolveThreads } from "@x/core/base";
import {
  type BaselineInput,
  type BaselineModel,
  baselineModels,
  type Prediction,
} from "./baseline-models.ts";
import { seqError } from "./errors.ts";
import type { FeatureTable } from "./feature-table.ts";
import type { Tree } from "./read-newick.ts";
import { type ClassScores, classScores, type RegressionScores, regressionScores } from "./scores.ts";
import { limitSplit, type Split } from "./split.ts";
import type { Target } from "./targets.ts";

export type { BaselineModel } from "./baseline-models.ts";

/** Options of {@link baseline}. */
export interface BaselineOptions
  extends Pick<RunOptions, "signal" | "onProgress" | "threads" | "seed" | "memoryLimit"> {
  /** A tree of the features, for the UniFrac models; without one they are left out. */
  tree?: Tree;
  /** Trees of a forest, 500 by default. */
  trees?: number;
  /** Only these models. */
  models?: readonly BaselineModel[];
}

/** One model's result. */
export interface BaselineResult {
  /** Its name. */
  readonly model: BaselineModel | "mean" | "majority";
  /** What it is, in words. */
  readonly about: string;
  /** On the test samples: numbers, or numbers of classes. */
  readonly predictions: Float64Array;
  /** On the test samples. */
  readonly scores: RegressionScores | ClassScores;
  /** R² or accuracy: what models are ranked by. */
  readonly score: number;
  /** Its standard error, by leaving out one test sample at a time (jackknife). */
  readonly scoreSe: number;
}

/** All models on one split. */
export interface BaselineReport {
  /** The column that was predicted. */
  readonly target: string;
  /** Names of the classes; empty for numbers. */
  readonly classes: readonly string[];
  /** Who was learned from and tested on. */
  readonly split: Split;
  /** True values of the test samples. */
  readonly truth: Float64Array;
  /** Best first. */
  readonly results: readonly BaselineResult[];
  /** What to use, in a sentence. */
  readonly verdict: string;
}

/**
 * Fits simple models to one target on one split and compares them: what a neural model must beat. Forests follow
 * scikit-learn's (500 trees, √features a split; extremely randomised trees a third), ridge regressions choose their
 * penalty by the training samples' leave-one-out error; nothing sees the test samples. Classes are regressed on as one
 * column each. `targetValues` in the order of the table's samples.
 *
 * Errors: `SPLIT_EMPTY`, those of `unifrac` where there is a tree.
 */
export async function baseline(
  table: FeatureTable,
  target: Target,
  split: Split,
  options: BaselineOptions = {},
): Promise<BaselineReport> {
  const known = ["tree", "trees", "models", "signal", "onProgress", "threads", "seed", "memoryLimit"];
  checkOptions(options, known, "baseline");
  const trees = checkRange("trees", options.trees ?? 500, { min: 1, max: 1e6, integer: true });
  if (target.values.length !== table.sampleIds.length) {
    throw seqError("SPLIT_SAMPLES", `${target.values.length} targets for ${table.sampleIds.length} samples`);
  }
  const limited = limitSplit(split, table.sampleIds);
  const [train, test] = [table.sampleIndices(limited.train), table.sampleIndices(limited.test)];
  const of = (places: Uint32Array): Float64Array => Float64Array.from(places, (s) => target.values[s]!);
  const input: BaselineInput = {
    table,
    train,
    test,
    y: of(train),
    classes: target.classes.length,
    trees,
    seed: options.seed ?? 0,
    tree: options.tree,
    native: {
      signal: options.signal,
      onProgress: options.onProgress,
      threads: resolveThreads(options.threads),
    },
    memoryLimit: options.memoryLimit,
  };
  const truth = of(test);
  const results = [];
  for (const prediction of [constant(input), ...(await runModels(input, options.models))]) {
    results.push(judge(prediction, truth, input.classes));
  }
  results.sort((a, b) => b.score - a.score);
  const report = { target: target.name, classes: target.classes, split: limited, truth, results };
  return Object.freeze({ ...report, verdict: verdict(results, input.classes > 0) });
}

async function runModels(
  input: BaselineInput,
  only: readonly BaselineModel[] | undefined,
): Promise<Prediction[]> {
  const done: Prediction[] = [];
  for (const model of baselineModels(input)) {
    if (only && !only.includes(model.model)) continue;
    done.push({ ...model, predictions: await model.predict() });
  }
  return done;
}

/** What knows nothing: the training samples' mean, or their most frequent class. */
function constant({ y, test, classes }: BaselineInput): Prediction {
  if (classes === 0) {
    const mean = y.reduce((a, b) => a + b, 0) / y.length;
    return {
      model: "mean",
      about: "the training samples' mean",
      predictions: new Float64Array(test.length).fill(mean),
    };
  }
  const counts = new Float64Array(classes);
  for (const c of y) counts[c]! += 1;
  const most = counts.indexOf(Math.max(...counts));
  const about = "the training samples' most frequent class";
  return { model: "majority", about, predictions: new Float64Array(test.length).fill(most) };
}

function judge(
  { model, about, predictions }: Prediction,
  truth: Float64Array,
  classes: number,
): BaselineResult {
  const scoresOf = (t: Float64Array, p: Float64Array): RegressionScores | ClassScores =>
    classes > 0 ? classScores(t, p, classes) : regressionScores(t, p);
  const rank = (s: RegressionScores | ClassScores): number => ("r2" in s ? s.r2 : s.accuracy);
  const scores = scoresOf(truth, predictions);
  const without = Array.from(truth, (_, out) => {
    const rest = (values: Float64Array): Float64Array => values.filter((_, i) => i !== out);
    return rank(scoresOf(rest(truth), rest(predictions)));
  });
  const n = truth.length;
  const mean = without.reduce((a, b) => a + b, 0) / n;
  const scoreSe = Math.sqrt(((n - 1) / n) * without.reduce((sum, s) => sum + (s - mean) ** 2, 0));
  return { model, about, predictions, scores, score: rank(scores), scoreSe };
}

/** The best model, and those that cannot be told from it. */
function verdict(results: readonly BaselineResult[], classes: boolean): string {
  const [best, second] = results;
  const name = classes ? "accuracy" : "R²";
  const shown = (r: BaselineResult): string =>
    `${r.model} (${name} ${r.score.toFixed(3)} ± ${r.scoreSe.toFixed(3)})`;
  if (!best || best.model === "mean" || best.model === "majority") {
    return `no model is better than ${best?.about ?? "nothing"}: the table says nothing about this target here`;
  }
  const rivals = results
    .slice(1)
    .filter((r) => best.score - r.score < best.scoreSe && !["mean", "majority"].includes(r.model));
  if (rivals.length === 0 || !second) return `${shown(best)} is best: use it`;
  return `${shown(best)} is best, but within one standard error of ${rivals.map(shown).join(", ")}: these test samples cannot tell them apart`;
}
