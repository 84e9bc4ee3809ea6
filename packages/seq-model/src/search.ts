import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  checkOptions,
  checkRange,
  fromSystemError,
  type RunOptions,
  sha256Hex,
  throwIfAborted,
  writeFileAtomic,
} from "@x/core/base";
import { seqFileError } from "./errors.ts";
import type { Fingerprint } from "./fingerprint.ts";
import { checkSpace, type SearchSpace, type TrialValues, trialValues } from "./search-space.ts";

/** Options of {@link search}. */
export interface SearchOptions extends Pick<RunOptions, "signal" | "onProgress" | "seed"> {
  /** What is searched. `SEARCH_SPACE`. */
  space: SearchSpace;
  /** Trials drawn, 16 by default. */
  trials?: number;
  /**
   * `random`: every trial gets the whole budget. `halving` (the default; Jamieson and Talwalkar 2016): all begin with a
   * small one, the best 1/`eta` go on with `eta` times as much, until the budget is whole.
   */
  strategy?: "halving" | "random";
  /** Of `halving`, 3 by default. */
  eta?: number;
  /** Whole budget of a trial, e.g. epochs. */
  budget: number;
  /** Smallest budget of `halving`, 1 by default. */
  least?: number;
  /** Is a smaller or a larger score better? `min` by default. */
  direction?: "max" | "min";
  /** Folder of the results; one that is there already is gone on with. Trials are also given folders in it. */
  folder: string;
}

/** A run of a trial up to a budget. */
export interface TrialRun {
  /** Number of the trial. */
  readonly trial: number;
  /** Its values. */
  readonly values: TrialValues;
  /** Whole budget it has had when this run is over, not what is added. */
  readonly budget: number;
  /** What it had before: 0 for a new trial. */
  readonly from: number;
  /** Folder of the trial's own files, the same in every run of it. */
  readonly folder: string;
}

/** Makes runs. */
export interface TrialFunction {
  /** Makes one and says its score. */
  (trial: TrialRun): Promise<number>;
  /** A text for each thing the runs learn from: `search` goes on only with a folder of the same. */
  readonly inputs?: Fingerprint;
}

/** What a run came to. */
export interface TrialScore extends TrialRun {
  /** Its score; null where the run failed. */
  readonly score: number | null;
  /** Why it failed. */
  readonly error?: string;
}

/** A search so far. */
export interface SearchResult {
  /** Every run, in the order they were made. */
  readonly runs: readonly TrialScore[];
  /** The best of those that had the largest budget; undefined where all failed. */
  readonly best: TrialScore | undefined;
}

/**
 * Draws values for options and keeps what scores best. Each finished run is written to `search.json` at once, so a search
 * that was stopped goes on where it was, and comes to the same end; another space, seed or plan in the same folder is
 * refused (`SEARCH_FOLDER`), and so are other `inputs` of the function. A run that throws counts as the worst and the search goes on; a score that is no number, too.
 * Progress: stage `search`, in runs.
 */
export async function search(run: TrialFunction, options: SearchOptions): Promise<SearchResult> {
  const plan = planOf(options, run.inputs);
  const { folder, signal, onProgress, seed = 0 } = options;
  const runs = await earlier(folder, plan);
  const total = plan.rungs.reduce((sum, rung) => sum + rung.trials, 0);
  const sign = plan.direction === "max" ? -1 : 1;
  const order = (a: TrialScore, b: TrialScore): number => rank(a, sign) - rank(b, sign) || a.trial - b.trial;
  let standing = Array.from({ length: plan.rungs[0]!.trials }, (_, trial) => trial);
  let from = 0;
  for (const { budget, trials } of plan.rungs) {
    const done: TrialScore[] = [];
    for (const trial of standing.slice(0, trials)) {
      throwIfAborted(signal);
      const known = runs.find((r) => r.trial === trial && r.budget === budget);
      done.push(known ?? (await attempt(trial, budget)));
      onProgress?.({ stage: "search", done: runs.length, total });
    }
    standing = done
      .toSorted(order)
      .filter(({ score }) => score !== null)
      .map(({ trial }) => trial);
    from = budget;
  }
  const most = Math.max(...runs.filter(({ score }) => score !== null).map(({ budget }) => budget));
  const best = runs.filter(({ score, budget }) => score !== null && budget === most).toSorted(order)[0];
  return { runs, best };

  async function attempt(trial: number, budget: number): Promise<TrialScore> {
    const own = join(folder, `trial-${String(trial).padStart(3, "0")}`);
    const asked = { trial, values: trialValues(plan.space, seed, trial), budget, from, folder: own };
    let result: TrialScore;
    try {
      await mkdir(own, { recursive: true });
      const score = await run(asked);
      result = Number.isFinite(score)
        ? { ...asked, score }
        : { ...asked, score: null, error: `the score is ${score}` };
    } catch (e) {
      throwIfAborted(signal);
      result = { ...asked, score: null, error: e instanceof Error ? e.message : String(e) };
    }
    runs.push(result);
    const saved = { plan: plan.id, inputs: run.inputs, runs: runs.map(({ folder: _, ...rest }) => rest) };
    await writeFileAtomic(join(folder, "search.json"), `${JSON.stringify(saved, null, 2)}\n`);
    return result;
  }
}

const rank = ({ score }: TrialScore, sign: number): number =>
  score === null ? Number.POSITIVE_INFINITY : sign * score;

interface Plan {
  readonly id: string;
  readonly inputs: Fingerprint;
  readonly space: SearchSpace;
  readonly direction: "max" | "min";
  readonly rungs: readonly { readonly budget: number; readonly trials: number }[];
}

function planOf(options: SearchOptions, inputs: Fingerprint = {}): Plan {
  const known = ["space", "trials", "strategy", "eta", "budget", "least", "direction", "folder"];
  checkOptions(options, [...known, "signal", "onProgress", "seed"], "search");
  const space = checkSpace(options.space);
  const trials = checkRange("trials", options.trials ?? 16, { min: 1, max: 1e5, integer: true });
  const eta = checkRange("eta", options.eta ?? 3, { min: 2, max: 100, integer: true });
  const budget = checkRange("budget", options.budget, { min: 1, integer: true });
  const least = checkRange("least", options.least ?? 1, { min: 1, max: budget, integer: true });
  const { strategy = "halving", direction = "min", seed = 0 } = options;
  const budgets = [budget];
  // From the top, so that the last rung is the whole budget; as many rungs as there are trials to thin out.
  if (strategy === "halving") {
    while (budgets[0]! / eta >= least && trials / eta ** budgets.length >= 1)
      budgets.unshift(Math.max(least, Math.round(budgets[0]! / eta)));
  }
  const rungs = budgets.map((b, k) => ({ budget: b, trials: Math.max(1, Math.floor(trials / eta ** k)) }));
  const id = sha256Hex(JSON.stringify({ space, rungs, direction, seed }));
  return { id, inputs, space, direction, rungs };
}

async function earlier(folder: string, plan: Plan): Promise<TrialScore[]> {
  const path = join(folder, "search.json");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (e) {
    if ((e as { code?: string }).code === "ENOENT") return [];
    throw fromSystemError(e, path);
  }
  const saved = parsed(text, path);
  if (saved.plan !== plan.id) {
    const message =
      "the folder holds a search of another space, seed, budget or strategy; take another folder";
    throw seqFileError("SEARCH_FOLDER", path, message);
  }
  const before = saved.inputs ?? {};
  const names = new Set([...Object.keys(before), ...Object.keys(plan.inputs)]);
  const differing = [...names].filter((name) => before[name] !== plan.inputs[name]);
  if (differing.length > 0) {
    const message = `the folder holds a search with other ${differing.join(", ")}; take another folder`;
    throw seqFileError("SEARCH_FOLDER", path, message, { fields: differing });
  }
  return saved.runs.map((r) => ({ ...r, folder: join(folder, `trial-${String(r.trial).padStart(3, "0")}`) }));
}

function parsed(
  text: string,
  path: string,
): { plan: string; inputs: Fingerprint | undefined; runs: TrialScore[] } {
  try {
    const { plan, inputs, runs } = JSON.parse(text);
    if (typeof plan === "string" && Array.isArray(runs)) return { plan, inputs, runs };
  } catch {
    // Refused below like any other content.
  }
  throw seqFileError("SEARCH_FOLDER", path, "it is no record of a search; take another folder");
}
