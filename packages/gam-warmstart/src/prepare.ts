import { checkOptions, checkRange, nearestName, type RunOptions, resolveThreads, xError } from "@x/core/base";
import {
  type DataLike,
  type DataSet,
  openData,
  type PlainColumn,
  plainColumn,
  subsetData,
} from "./data/columns.ts";
import { type DesignPlan, designColumns, planDesign } from "./data/design-spec.ts";
import { type Frame, modelFrame, termVariables, type VariableSpec } from "./data/frame.ts";
import { type Response, readResponse, refuseConstant } from "./data/response.ts";
import type { Describe, EngineOptions } from "./engine-types.ts";
import { gamError } from "./errors.ts";
import { type Family, gaussian } from "./family.ts";
import { deparse, type Expr, namesIn } from "./formula/ast.ts";
import { asNumbers, evaluate } from "./formula/evaluate.ts";
import { parseExpression } from "./formula/parse.ts";
import { type Formula, readFormula } from "./formula/terms.ts";
import { describe, type GamDesign, makeDesign, type NativeOptions, restoreDesign } from "./native.ts";

/** How smoothing parameters are chosen. GCV is UBRE where the scale is known. */
export type Method = "REML" | "ML" | "GCV";

/** What a model is, apart from its data. */
export interface ModelOptions extends RunOptions {
  /** `gaussian()` by default. */
  readonly family?: Family;
  /** `"REML"` by default. */
  readonly method?: Method;
  /** Prior weights: a column or an expression of columns, or one number a row of the data. */
  readonly weights?: string | ArrayLike<number>;
  /** Offset of the (first) linear predictor, besides `offset()` in the formula. */
  readonly offset?: string | ArrayLike<number>;
  /** Penalise the null spaces too, so that a whole term can leave the model. */
  readonly select?: boolean;
  /**
   * Round the covariates of smooths to a grid (1000 values of one covariate, 100 each of two, 25 each of more; fewer
   * distinct values stay exact) and evaluate each basis once a grid point, as `bam(discrete=TRUE)` of mgcv. For very many
   * rows of costly bases; off by default, at any size. Predictions for new rows are not rounded.
   */
  readonly discrete?: boolean;
  /** Knots by variable: those of its basis, instead of evenly spread ones. */
  readonly knots?: Readonly<Record<string, readonly number[]>>;
  /**
   * Above 1 for smoother fits: multiplies the degrees of freedom in GCV and UBRE; REML and ML see the rows as n / gamma, as
   * in mgcv. 1 by default.
   */
  readonly gamma?: number;
  /** Fixes the scale (dispersion) instead of estimating it. */
  readonly scale?: number;
  /** Columns of numbers to be read as factors. */
  readonly factors?: readonly string[];
  /** Levels of factors, in order; for random effects also those without rows. */
  readonly levels?: Readonly<Record<string, readonly string[]>>;
  /** Log smoothing parameters to hold (see `fixedRho`) or to start from; null entries are the solver's own start. */
  readonly rho?: readonly (number | null)[];
  /** Fit at `rho` and do not search. */
  readonly fixedRho?: boolean;
  /** Outer iterations at most; 200 by default. */
  readonly maxOuter?: number;
}

/** Names of `ModelOptions`, for `checkOptions`. */
export const MODEL_OPTIONS: readonly string[] = [
  "family",
  "method",
  "weights",
  "offset",
  "select",
  "discrete",
  "knots",
  "gamma",
  "scale",
  "factors",
  "levels",
  "rho",
  "fixedRho",
  "maxOuter",
  "signal",
  "onProgress",
  "threads",
  "seed",
  "memoryLimit",
];

/** What a model applies to rows: formulas, family and the levels it knows. */
export interface ModelSpec {
  readonly formulas: readonly Formula[];
  readonly family: Family;
  readonly method: Method;
  readonly select: boolean;
  readonly discrete: boolean;
  readonly gamma: number;
  readonly scale: number | null;
  readonly knots: Readonly<Record<string, readonly number[]>>;
  readonly factors: readonly string[];
  readonly levels: Readonly<Record<string, readonly string[]>>;
  readonly weights: string | null;
  readonly offset: string | null;
}

/** A model and its rows, ready for the engine. */
export interface Prepared {
  readonly spec: ModelSpec;
  readonly data: DataSet;
  readonly frame: Frame;
  readonly plan: DesignPlan;
  readonly response: Response;
  readonly weights: Float64Array | undefined;
  /** rows × predictors, or none. */
  readonly offset: Float64Array | undefined;
  readonly design: GamDesign;
  readonly shape: Describe;
}

/** Options of the native side of a run. */
export function nativeOptions(o: RunOptions): NativeOptions {
  return {
    threads: resolveThreads(o.threads),
    signal: o.signal,
    ...(o.onProgress ? { onProgress: o.onProgress } : {}),
  };
}

/** Reads and checks the model's options. `UNKNOWN_OPTION`, `OPTION_RANGE`, `OPTION_CHOICE`, and the formula's errors. */
export function readSpec(formula: string | readonly string[], options: ModelOptions): ModelSpec {
  const formulas = (typeof formula === "string" ? [formula] : formula).map(readFormula);
  if (formulas.length === 0) throw gamError("FORMULA_RESPONSE", "there is no formula", { usage: true });
  const { family = gaussian(), method = "REML" } = options;
  if (!["REML", "ML", "GCV"].includes(method))
    throw xError("OPTION_CHOICE", `method is REML, ML or GCV, not ${method}`, {
      details: { option: "method" },
      usage: true,
    });
  for (const [name, knots] of Object.entries(options.knots ?? {}))
    if (knots.length < 2 || !knots.every(Number.isFinite))
      throw gamError("KNOTS", `knots of ${name}: at least two finite numbers are needed`, {
        details: { column: name },
        usage: true,
      });
  const text = (x: string | ArrayLike<number> | undefined): string | null =>
    typeof x === "string" ? x : null;
  const spec: ModelSpec = {
    formulas,
    family,
    method,
    select: options.select ?? false,
    discrete: options.discrete ?? false,
    gamma: checkRange("gamma", options.gamma ?? 1, { min: 1e-3, max: 1e3 }),
    scale: options.scale === undefined ? null : checkRange("scale", options.scale, { min: Number.MIN_VALUE }),
    knots: { ...options.knots },
    factors: [...(options.factors ?? [])],
    levels: { ...options.levels },
    weights: text(options.weights),
    offset: text(options.offset),
  };
  checkPredictors(spec);
  checkNames(spec);
  return spec;
}

/** Knots and factors of what the formulas do not name would be passed over in silence. */
function checkNames({ formulas, knots, factors }: ModelSpec): void {
  const smooths = formulas.flatMap((f) => f.smooths.flatMap((s) => s.variables.map(deparse)));
  const all = [...termVariables(formulas).values()].map((v) => v.expr);
  const names = all.concat(formulas.flatMap((f) => f.response?.parts ?? [])).flatMap((e) => namesIn(e));
  const check = (option: string, given: readonly string[], known: readonly string[], what: string): void => {
    const odd = given.find((name) => !known.includes(name));
    if (odd === undefined) return;
    const near = nearestName(odd, known);
    throw gamError(
      "UNKNOWN_COLUMN",
      `${option}: ${odd} is no ${what} of the formula${near ? `; did you mean ${near}?` : ""}`,
      { details: { option, column: odd }, usage: true },
    );
  };
  check("knots", Object.keys(knots), smooths, "variable of a smooth");
  check("factors", factors, names, "variable");
}

/** Refuses what no option of a fit is. */
export function checkModelOptions(options: object, further: readonly string[], where: string): void {
  checkOptions(options, [...MODEL_OPTIONS, ...further], where);
}

function checkPredictors({ formulas, family }: ModelSpec): void {
  const wanted = family.name === "gaulss" ? 2 : family.name === "multinom" ? undefined : 1;
  if (wanted !== undefined && formulas.length !== wanted)
    throw gamError(
      "FORMULA_RESPONSE",
      `the family ${family.name} takes ${wanted === 1 ? "one formula" : `${wanted} formulas`}, ${formulas.length} given`,
      { usage: true },
    );
  formulas.forEach((f, i) => {
    if ((f.response === undefined) === i > 0) return;
    const why =
      i > 0
        ? "only the first formula has a response; begin the others with ~"
        : "the first formula needs a response";
    throw gamError("FORMULA_RESPONSE", `${f.text}: ${why}`, { usage: true });
  });
}

/** How a model's rows are made: from scratch, or as another model learned them. */
export interface PrepareOptions {
  /** Variables and their levels as a fitted model knows them. */
  readonly variables?: readonly VariableSpec[];
  /** The engine's state of a fitted model: same bases, constraints and penalties. */
  readonly state?: string;
  readonly classes?: readonly string[];
  /** Levels of random effects that a parent fit knew. */
  readonly randomLevels?: Readonly<Record<string, readonly string[]>>;
  /** Only these rows of the data. */
  readonly rows?: Uint32Array;
  readonly weights?: ArrayLike<number> | undefined;
  readonly offset?: ArrayLike<number> | undefined;
}

/** Evaluates a model on data and hands its columns to the engine. */
export async function prepare(
  spec: ModelSpec,
  given: DataLike,
  o: NativeOptions,
  options: PrepareOptions = {},
): Promise<Prepared> {
  const whole = withVectors(openData(given), options);
  const data = options.rows ? subsetData(whole, options.rows) : whole;
  const extra = {
    weights: spec.weights ?? (options.weights ? WEIGHTS : null),
    offset: spec.offset ?? (options.offset ? OFFSET : null),
  };
  const parsed = {
    weights: extra.weights === null ? undefined : parseExpression(extra.weights),
    offset: extra.offset === null ? undefined : parseExpression(extra.offset),
  };
  const offsets = spec.formulas.map((f, i) => [
    ...f.offsets,
    ...(i === 0 && parsed.offset ? [parsed.offset] : []),
  ]);
  const also: Expr[] = [
    ...spec.formulas[0]!.response!.parts,
    ...(parsed.weights ? [parsed.weights] : []),
    ...offsets.flat(),
  ];
  const frame = modelFrame(spec.formulas, data, {
    factors: spec.factors,
    levels: spec.levels,
    also,
    ...(options.randomLevels ? { randomLevels: options.randomLevels } : {}),
    ...(options.variables ? { predicting: options.variables } : {}),
  });
  if (frame.rows.length === 0)
    throw gamError("NO_ROWS", "no row of the data is complete", { details: { rows: data.rows } });
  const response = readResponse(spec.formulas[0]!, frame, spec.family, options.classes);
  if (options.state === undefined) refuseConstant(response, spec.family);
  const plan = planDesign(repeatForClasses(spec, response), frame.variables, {
    select: spec.select,
    discrete: spec.discrete,
    knots: spec.knots,
    withoutIntercept: spec.family.name === "cox.ph",
  });
  const weights = weightsOf(parsed.weights, frame, response);
  const offset = offsetOf(offsets, frame, plan.spec.predictors.length);
  const matrix = designColumns(plan, frame);
  const n = frame.rows.length;
  const design =
    options.state === undefined
      ? await makeDesign(plan.spec, matrix, n, o)
      : await restoreDesign(options.state, matrix, n, o);
  return { spec, data, frame, plan, response, weights, offset, design, shape: describe(design) };
}

const WEIGHTS = "`(weights)`";
const OFFSET = "`(offset)`";

/** Weights and offsets that came as vectors become columns, so that rows are dropped and split with the others. */
function withVectors(data: DataSet, { weights, offset }: PrepareOptions): DataSet {
  if (!weights && !offset) return data;
  const own = new Map<string, PlainColumn>();
  if (weights) own.set("(weights)", weights as PlainColumn);
  if (offset) own.set("(offset)", offset as PlainColumn);
  for (const [name, values] of own)
    if (values.length !== data.rows)
      throw gamError(
        "COLUMN_LENGTH",
        `${name.slice(1, -1)} has ${values.length} values, the data have ${data.rows} rows`,
        { usage: true },
      );
  return {
    ...data,
    names: [...data.names, ...own.keys()],
    column: (name) => (own.has(name) ? plainColumn(name, own.get(name)!) : data.column(name)),
  };
}

/** One multinomial formula stands for all K − 1 predictors. */
function repeatForClasses({ formulas, family }: ModelSpec, response: Response): readonly Formula[] {
  if (family.name !== "multinom") return formulas;
  const wanted = response.classes!.length - 1;
  if (formulas.length === wanted) return formulas;
  if (formulas.length === 1) return Array.from({ length: wanted }, () => formulas[0]!);
  throw gamError(
    "FORMULA_RESPONSE",
    `${response.classes!.length} categories take ${wanted} formulas (or one for all), ${formulas.length} given`,
    { usage: true },
  );
}

function weightsOf(expr: Expr | undefined, frame: Frame, response: Response): Float64Array | undefined {
  const own = expr ? numbersOf(expr, frame, "WEIGHTS") : undefined;
  if (own) {
    const at = own.findIndex((w) => w < 0);
    if (at >= 0)
      throw gamError(
        "WEIGHTS",
        `the weight of row ${frame.rows[at]! + 1} is ${own[at]}; weights must not be negative`,
        { details: { row: frame.rows[at]! + 1 } },
      );
    if (own.every((w) => w === 0))
      throw gamError("WEIGHTS", "all weights are 0; nothing is left to fit", {
        details: { rows: own.length },
      });
  }
  const trials = response.weights;
  if (trials && own) return own.map((w, i) => w * trials[i]!);
  return own ?? trials;
}

function offsetOf(
  offsets: readonly (readonly Expr[])[],
  frame: Frame,
  predictors: number,
): Float64Array | undefined {
  if (offsets.every((o) => o.length === 0)) return undefined;
  const n = frame.rows.length;
  const out = new Float64Array(n * predictors);
  offsets.forEach((list, p) => {
    for (const expr of list) {
      const values = numbersOf(expr, frame, "OFFSET");
      for (let i = 0; i < n; i++) out[i * predictors + p]! += values[i]!;
    }
  });
  return out;
}

function numbersOf(expr: Expr, frame: Frame, code: "WEIGHTS" | "OFFSET"): Float64Array {
  const label = deparse(expr);
  const values = asNumbers(frame.columns.get(label)!)?.values;
  if (values) return values;
  throw gamError(code, `${label} holds texts; ${code.toLowerCase()} must be numbers`, {
    details: { column: label },
    usage: true,
  });
}

/** Offsets of new rows: those of the formulas (and the model's own by name) evaluate, a vector of the fit does not carry over. */
export function newOffset(
  spec: ModelSpec,
  data: DataSet,
  rows: Uint32Array,
  predictors: number,
): Float64Array | undefined {
  const offsets = spec.formulas.map((f, i) => [
    ...f.offsets,
    ...(i === 0 && spec.offset !== null ? [parseExpression(spec.offset)] : []),
  ]);
  if (offsets.every((o) => o.length === 0)) return undefined;
  const out = new Float64Array(rows.length * predictors);
  offsets.forEach((list, p) => {
    for (const expr of list) {
      const column = asNumbers(evaluate(expr, data, spec.formulas[p]!.text));
      if (!column) throw gamError("OFFSET", `${deparse(expr)} holds texts; an offset must be numbers`);
      rows.forEach((row, i) => {
        out[i * predictors + p]! += column.values[row]!;
      });
    }
  });
  return out;
}

/** The engine's options for a model. */
export function engineOptions(spec: ModelSpec, classes: number | null, o: ModelOptions): EngineOptions {
  const { family } = spec;
  return {
    family: family.name,
    link: family.link ?? null,
    theta: family.theta ?? null,
    thetaStart: null,
    classes: family.name === "ocat" || family.name === "multinom" ? classes : null,
    method: spec.method,
    scale: spec.scale,
    gamma: spec.gamma,
    rho: o.rho ?? null,
    beta: null,
    fixedRho: o.fixedRho ?? false,
    maxOuter: checkRange("maxOuter", o.maxOuter ?? 200, { min: 1, max: 1e6, integer: true }),
    covariances: true,
    tests: true,
  };
}

/** Options that describe a fitted model's family: its parameters are those of the fit. */
export function fittedOptions({
  spec,
  summary,
  classes,
}: {
  spec: ModelSpec;
  summary: { theta: readonly number[] };
  classes: readonly string[] | null;
}): EngineOptions {
  const options = engineOptions(spec, classes?.length ?? null, {});
  return summary.theta.length > 0 ? { ...options, theta: summary.theta } : options;
}
