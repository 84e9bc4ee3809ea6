import { checkRange, counted, Random, type RunOptions, throwIfAborted, xError } from "@x/core/base";
import type { FitArtifact } from "./artifact/artifact.ts";
import { type DataLike, openData } from "./data/columns.ts";
import { refuseConstant } from "./data/response.ts";
import type { IterationCounts } from "./engine-types.ts";
import { gamError } from "./errors.ts";
import { linkOf } from "./family.ts";
import { fitWith, vectors } from "./fit.ts";
import { asFactor } from "./formula/evaluate.ts";
import { captureModel, GamModel } from "./model.ts";
import {
  crossProducts,
  designState,
  type EngineFit,
  explained,
  fitCross,
  fitDesign,
  hasCrossProducts,
  type NativeOptions,
} from "./native.ts";
import { predictModel } from "./predict.ts";
import {
  checkModelOptions,
  engineOptions,
  type ModelOptions,
  nativeOptions,
  type Prepared,
  prepare,
  readSpec,
} from "./prepare.ts";
import { type FoldScore, foldScore, totalScore } from "./score.ts";
import { planStart } from "./start.ts";

/** Options of `crossFit`. */
export interface CrossFitOptions extends ModelOptions {
  /** Leave one group out: a column whose values name the groups. */
  readonly group?: string;
  /** Or K folds: a number (rows are dealt in turn, after a shuffle by `seed`), or the fold of each row of the data. */
  readonly folds?: number | ArrayLike<number>;
  /** Fit each fold cold too, to count what the warm start saves. True by default. */
  readonly countCold?: boolean;
  /** Folds fitted at once; 1 by default. Results do not depend on it. */
  readonly parallel?: number;
  /** Keep each fold's fitted model in the result? False by default. */
  readonly keepModels?: boolean;
}

/** What the folds cost. */
export interface CrossFitCost {
  /** From the parent's point. */
  readonly warm: IterationCounts;
  /** From the solver's own start; absent with `countCold: false`. */
  readonly cold?: IterationCounts;
  /** Beside the parent's optimum, once for all folds: they tell how its curvature changes, which shapes the folds' steps. */
  readonly probes: Pick<IterationCounts, "criterionEvaluations" | "inner">;
  /** Criterion evaluations of the checks for a better basin. */
  readonly basinChecks: number;
  /** Folds that were fitted again cold because of such a check. */
  readonly restarts: number;
}

/** A fold fitted from the solver's own start. */
export interface ColdFold extends IterationCounts {
  /** Its criterion. */
  readonly criterion: number;
  /** Its effective degrees of freedom by smooth. */
  readonly edf: readonly number[];
}

/** One fold. */
export interface Fold {
  /** The group left out, or `fold 1`, `fold 2` … */
  readonly name: string;
  /** Rows fitted and rows held out. */
  readonly rows: number;
  /** Rows held out. */
  readonly heldOut: number;
  /** Criterion of the fold's fit. */
  readonly criterion: number;
  /** Log smoothing parameters. */
  readonly rho: Float64Array;
  /** Effective degrees of freedom by smooth, in the order of `CrossFit.terms`. */
  readonly edf: readonly number[];
  /** Of the held-out rows, by the fit that did not see them. */
  readonly score: FoldScore;
  /** Work from the parent's point. */
  readonly warm: IterationCounts;
  /** The same fold from the solver's own start; absent with `countCold: false`. */
  readonly cold?: ColdFold;
  /** Where the fit began. */
  readonly start: GamModel["start"];
  /** The fit, with `keepModels`. */
  readonly model?: GamModel;
}

/** What `crossFit` found. */
export interface CrossFit {
  /** The fit of all rows, whose point each fold starts from. */
  readonly parent: GamModel;
  /** The parent's point. */
  readonly artifact: FitArtifact;
  /** Labels of the smooths. */
  readonly terms: readonly string[];
  /** One a group, in the order of their names. */
  readonly folds: readonly Fold[];
  /** Held-out predictions of the response (first predictor), one a row of the data; NaN for rows that were not used. */
  readonly predictions: Float64Array;
  /** Linear predictors of the held-out rows, likewise. */
  readonly link: Float64Array;
  /** Over all held-out rows. */
  readonly score: FoldScore;
  /** Counts over all folds. The basin checks stand apart. */
  readonly cost: CrossFitCost;
  /** Did the folds come from cross-products (total minus part) instead of passes over the data? */
  readonly crossProducts: boolean;
}

/**
 * Leave-one-group-out or K-fold in one call: fits all rows, then each fold from that fit's point. Bases, knots, constraints
 * and factor levels are the parent's, so that a fold without a subject still has its column. Gaussian models with the
 * identity link need one pass over the data: a fold's cross-products are the total minus its own part. Every fold ends
 * with its own certificate; cold and warm agree. Errors: those of `fit`, with the fold in `details.fold` and in front of
 * the message where it is a fold's (`RESPONSE_CONSTANT`: the rows left do not vary), and `GROUPS`.
 *
 * ```ts
 * const cv = await crossFit("y ~ s(x) + s(id, bs='re')", table, { group: "id" });
 * console.log(cv.score, cv.cost);
 * ```
 */
export async function crossFit(
  formula: string | readonly string[],
  data: DataLike,
  options: CrossFitOptions,
): Promise<CrossFit> {
  checkModelOptions(options, ["group", "folds", "countCold", "parallel", "keepModels"], "crossFit");
  const parallel = checkRange("parallel", options.parallel ?? 1, { min: 1, max: 1024, integer: true });
  const spec = readSpec(formula, options);
  const native = nativeOptions(options);
  const whole = openData(data);
  const groups = readGroups(whole, options);
  const all = await prepare(spec, whole, native, vectors(options));
  const base = engineOptions(spec, all.response.classes?.length ?? null, options);
  const groupOf = Uint32Array.from(all.frame.rows, (row) => groups.of[row]!);
  const bad = groupOf.indexOf(MISSING);
  if (bad >= 0)
    throw gamError(
      "GROUPS",
      `row ${all.frame.rows[bad]! + 1} belongs to no group: ${groups.column} is missing there`,
      { details: { row: all.frame.rows[bad]! + 1 } },
    );
  const present = groups.names.map((_, g) => g).filter((g) => groupOf.includes(g));
  if (present.length < 2)
    throw gamError(
      "GROUPS",
      `${groups.column} has ${counted(present.length, "group")} in the rows used; two are needed`,
      { usage: true },
    );

  for (const g of present)
    refuseConstant(
      { ...all.response, y: all.response.y.filter((_, i) => groupOf[i] !== g) },
      spec.family,
      groups.names[g]!,
    );

  const useCross =
    spec.family.name === "gaussian" &&
    linkOf(spec.family) === "identity" &&
    !hasShapes(all) &&
    hasCrossProducts();
  const cross = useCross
    ? await crossProducts(
        all.design,
        all.response.y,
        all.weights,
        all.offset,
        groupOf,
        groups.names.length,
        native,
      )
    : undefined;
  // Constraints change what the smoothing parameters are, and GCV has no exact Hessian to take differences of.
  const probe = !hasShapes(all) && base.method !== "GCV";
  const parentFit = await fitDesign(
    all.design,
    all.response.y,
    all.weights,
    all.offset,
    { ...base, probe },
    native,
  );
  const told = parentFit.probe;
  const parent = new GamModel(
    captureModel(all, parentFit, {
      kind: "cold",
      terms: [],
      saturated: [],
      basinChecks: 0,
      restarted: false,
    }),
  );
  const artifact = parent.capture();

  const link = new Float64Array(whole.rows).fill(Number.NaN);
  const predictions = new Float64Array(whole.rows).fill(Number.NaN);
  // Without their models the folds need no covariances.
  const folding = options.keepModels ? base : { ...base, covariances: false, tests: false };
  const oneFold = async (g: number): Promise<Fold> => {
    throwIfAborted(options.signal);
    const inside = all.frame.rows.filter((_, i) => groupOf[i] !== g);
    const outside = all.frame.rows.filter((_, i) => groupOf[i] === g);
    const fold = cross ? all : await foldRows(all, inside, native, options);
    const run = cross
      ? (o: typeof base): Promise<EngineFit> =>
          fitCross(cross, g, o, native).catch((e: unknown) => {
            throw explained(e, all.shape.coefficientNames);
          })
      : (o: typeof base): Promise<EngineFit> =>
          fitDesign(fold.design, fold.response.y, fold.weights, fold.offset, o, native);
    const warm = told ? { ...folding, third: told.third } : folding;
    const { fit, start } = await fitWith(run, warm, planStart(fold, artifact));
    const cold =
      options.countCold === false
        ? undefined
        : await run({
            ...folding,
            rho: options.rho ?? null,
            beta: null,
            thetaStart: null,
            // The other half of the check for a better basin: there the warm fit looks where the cold one starts.
            look: start.saturated.length > 0,
          });
    const model = new GamModel({
      ...captureModel(cross ? all : fold, fit, start),
      rowsData: undefined,
      rows: { total: whole.rows, used: inside.length, missing: {} },
    });
    const held = await foldRows(all, outside, native, options);
    const [eta, mu] = await Promise.all([predictRows(model, held), predictRows(model, held, "response")]);
    outside.forEach((row, i) => {
      link[row] = eta[i]!;
      predictions[row] = mu[i]!;
    });
    return {
      name: groups.names[g]!,
      rows: inside.length,
      heldOut: outside.length,
      criterion: fit.summary.criterion,
      rho: fit.rho,
      edf: fit.summary.terms.map((t) => t.edf),
      score: foldScore(spec.family, held, mu),
      warm: counts(fit),
      ...(cold
        ? {
            cold: {
              ...counts(cold),
              criterion: cold.summary.criterion,
              edf: cold.summary.terms.map((t) => t.edf),
            },
          }
        : {}),
      start,
      ...(options.keepModels ? { model } : {}),
    };
  };
  const folds = await inOrder(present, parallel, async (g, done) => {
    const fold = await oneFold(g).catch((e: unknown) => {
      throw explained(e, [], groups.names[g]!);
    });
    options.onProgress?.({ stage: "folds", done, total: present.length });
    return fold;
  });
  const cost = (pick: (f: Fold) => IterationCounts | undefined): IterationCounts =>
    folds.reduce(
      (sum, f) => {
        const c = pick(f)!;
        return {
          outer: sum.outer + c.outer,
          criterionEvaluations: sum.criterionEvaluations + c.criterionEvaluations,
          inner: sum.inner + c.inner,
        };
      },
      { outer: 0, criterionEvaluations: 0, inner: 0 },
    );
  return {
    parent,
    artifact,
    terms: parent.terms.map((t) => t.label),
    folds,
    predictions,
    link,
    score: totalScore(folds),
    cost: {
      warm: cost((f) => f.warm),
      ...(options.countCold === false ? {} : { cold: cost((f) => f.cold) }),
      probes: { criterionEvaluations: told?.criterionEvaluations ?? 0, inner: told?.inner ?? 0 },
      basinChecks: folds.reduce((sum, f) => sum + f.start.basinChecks, 0),
      restarts: folds.filter((f) => f.start.restarted).length,
    },
    crossProducts: cross !== undefined,
  };
}

const counts = (fit: EngineFit): IterationCounts => {
  const { outer, criterionEvaluations, inner } = fit.summary.iterations;
  return { outer, criterionEvaluations, inner };
};

const hasShapes = (p: Prepared): boolean =>
  p.plan.spec.predictors.some((q) => q.smooths.some((s) => s.shape !== null));

/** Some rows of a prepared model, with its bases, levels and categories. */
function foldRows(
  all: Prepared,
  rows: Uint32Array,
  native: NativeOptions,
  options: RunOptions & ModelOptions,
): Promise<Prepared> {
  return prepare(all.spec, all.data, native, {
    ...vectors(options),
    rows,
    variables: all.frame.variables,
    state: designState(all.design),
    ...(all.response.classes ? { classes: all.response.classes } : {}),
  });
}

async function predictRows(
  model: GamModel,
  held: Prepared,
  type: "link" | "response" = "link",
): Promise<Float64Array> {
  const rowsData = {
    design: held.design,
    y: held.response.y,
    weights: held.weights,
    offset: held.offset,
    eta: new Float64Array(0),
    rows: held.frame.rows,
    columns: new Map(),
  };
  const p = await predictModel({ ...model.parts, rowsData }, undefined, { type });
  return p.fit[0]!;
}

const MISSING = 2 ** 32 - 1;

/** Which group each row of the data belongs to. */
function readGroups(
  data: ReturnType<typeof openData>,
  o: CrossFitOptions,
): { names: readonly string[]; of: Uint32Array; column: string } {
  if ((o.group === undefined) === (o.folds === undefined))
    throw xError(
      "OPTION_CONFLICT",
      "give group (a column) or folds (a number or one fold a row), one of the two",
      { usage: true },
    );
  if (o.group !== undefined) {
    const { levels, codes } = asFactor(data.column(o.group));
    return { names: levels, of: Uint32Array.from(codes, (c) => (c < 0 ? MISSING : c)), column: o.group };
  }
  if (typeof o.folds === "number") {
    const k = checkRange("folds", o.folds, { min: 2, max: Math.max(2, data.rows), integer: true });
    return { names: foldNames(k), of: dealRows(data.rows, k, o.seed ?? 0), column: "folds" };
  }
  const given = o.folds!;
  if (given.length !== data.rows)
    throw gamError("GROUPS", `folds has ${given.length} values, the data have ${data.rows} rows`, {
      usage: true,
    });
  const values = [...new Set(Array.from(given))].sort((a, b) => a - b);
  return {
    names: values.map((v) => `fold ${v}`),
    of: Uint32Array.from(Array.from(given), (v) => values.indexOf(v)),
    column: "folds",
  };
}

const foldNames = (k: number): string[] => Array.from({ length: k }, (_, i) => `fold ${i + 1}`);

/** Runs a few at a time, results in order. */
async function inOrder<T, R>(
  items: readonly T[],
  parallel: number,
  run: (item: T, done: number) => Promise<R>,
): Promise<R[]> {
  const out: R[] = [];
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const i = next++;
      out[i] = await run(items[i]!, ++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker));
  return out;
}

/** Folds of nearly equal size: rows in an order shuffled by the seed, dealt in turn. */
function dealRows(rows: number, k: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: rows }, (_, i) => i);
  new Random(seed, 0).shuffle(order);
  const of = new Uint32Array(rows);
  order.forEach((row, i) => {
    of[row] = i % k;
  });
  return of;
}
