import { readFileSync } from "node:fs";
import { fromSystemError, sha256Hex, type Warning, writeFileAtomic } from "@x/core/base";
import type { FitArtifact } from "./artifact/artifact.ts";
import { type CaptureOptions, capture } from "./artifact/capture.ts";
import { type Band, type BandOptions, simultaneousBand } from "./bands.ts";
import type { DataLike } from "./data/columns.ts";
import type { DesignPlan } from "./data/design-spec.ts";
import type { VariableSpec } from "./data/frame.ts";
import { type BasisCheck, basisCheckOf, type Concurvity, concurvityOf } from "./diagnose.ts";
import type { Certificate, Describe, EngineSummary, IterationCounts } from "./engine-types.ts";
import { gamError } from "./errors.ts";
import { modelFromJson, modelJson } from "./model-json.ts";
import { designState, type EngineFit, type GamDesign, residualsOf } from "./native.ts";
import { type PosteriorDraws, type PosteriorOptions, posteriorDraws } from "./posterior.ts";
import { type Prediction, type PredictOptions, predictModel } from "./predict.ts";
import { fittedOptions, type ModelSpec, type Prepared } from "./prepare.ts";
import type { FitStart } from "./start.ts";
import { summaryText } from "./summary.ts";
import { type Survival, type SurvivalOptions, survivalCurves } from "./survival.ts";
import { type CoefficientRow, coefficientTable, type SmoothRow, smoothTable } from "./tables.ts";

/** What a fitted model consists of. */
export interface ModelParts {
  readonly spec: ModelSpec;
  readonly variables: readonly VariableSpec[];
  readonly plan: DesignPlan;
  readonly shape: Describe;
  /** The engine's frozen bases, constraints and penalties. */
  readonly state: string;
  readonly classes: readonly string[] | null;
  readonly rows: RowCounts;
  readonly summary: EngineSummary;
  readonly start: FitStart;
  readonly arrays: ModelArrays;
  /** Range of each numeric variable, for plots. */
  readonly ranges: Readonly<Record<string, readonly [number, number]>>;
  /** What is not stored: present after `fit`, absent after `readModel`. */
  readonly rowsData?: RowsData | undefined;
}

/** Vectors and row-major matrices of a fit. */
export interface ModelArrays {
  readonly beta: Float64Array;
  readonly rho: Float64Array;
  readonly vp: Float64Array;
  readonly ve: Float64Array;
  readonly vc: Float64Array;
  readonly edf: Float64Array;
  readonly edf1: Float64Array;
  readonly edf2: Float64Array;
  /** cox.ph: one row an event time; else empty. */
  readonly baseline: Float64Array;
}

/** The rows a model was fitted to. */
export interface RowsData {
  readonly design: GamDesign;
  readonly y: Float64Array;
  readonly weights: Float64Array | undefined;
  readonly offset: Float64Array | undefined;
  readonly eta: Float64Array;
  readonly rows: Uint32Array;
  readonly columns: ReadonlyMap<string, Float64Array>;
}

/** How many rows there were and how many were used. */
export interface RowCounts {
  /** Rows of the data. */
  readonly total: number;
  /** Rows without a missing value. */
  readonly used: number;
  /** Rows dropped because a value was missing, by the first variable that lacked one. */
  readonly missing: Readonly<Record<string, number>>;
}

/**
 * Kinds of residuals; `martingale` is for cox.ph, which has that and `deviance`. `working` is (y − μ) dη/dμ, as R's `glm` has it
 * (mgcv's differs where the link is not canonical); deviance residuals of classes are positive where the class is the likeliest.
 */
export type ResidualKind = "deviance" | "pearson" | "scaled.pearson" | "working" | "response" | "martingale";

/** A fitted model. Made by `fit`, `readModel` and `crossFit`. */
export class GamModel {
  /** Everything it consists of. @internal */
  readonly parts: ModelParts;

  /** @internal */
  constructor(parts: ModelParts) {
    this.parts = parts;
  }

  /** The formulas as written. */
  get formulas(): readonly string[] {
    return this.parts.spec.formulas.map((f) => f.text);
  }

  /** Value of the criterion (REML, ML, GCV or UBRE) that was minimised. */
  get criterion(): number {
    return this.parts.summary.criterion;
  }

  /** Log smoothing parameters, on mgcv's scale of the penalties. */
  get rho(): Float64Array {
    return this.parts.arrays.rho;
  }

  /** Effective degrees of freedom of the whole model. */
  get edf(): number {
    return this.parts.summary.edfTotal;
  }

  /** Deviance. */
  get deviance(): number {
    return this.parts.summary.deviance;
  }

  /** Scale (dispersion) as `summary()` prints it. */
  get scale(): number {
    return this.parts.summary.scale;
  }

  /** AIC with degrees of freedom corrected for the choice of smoothing parameters (Wood, Pya & Säfken 2016). */
  get aic(): number {
    return this.parts.summary.aic ?? Number.NaN;
  }

  /** BIC with the same degrees of freedom. */
  get bic(): number {
    return this.parts.summary.bic ?? Number.NaN;
  }

  /** Log likelihood; NaN for quasi families. */
  get logLik(): number {
    return this.parts.summary.logLik ?? Number.NaN;
  }

  /** The smooth terms: edf, reference degrees of freedom, test statistic and p-value. */
  get terms(): readonly SmoothRow[] {
    return smoothTable(this.parts);
  }

  /** The parametric coefficients: estimate, standard error, statistic, p-value. */
  get parametric(): readonly CoefficientRow[] {
    return coefficientTable(this.parts);
  }

  /** Why the fit may be believed: gradient, curvature, inner score, coordinates at infinity. */
  get certificate(): Certificate {
    return this.parts.summary.certificate;
  }

  /** How much work the fit was. */
  get iterations(): IterationCounts {
    const { outer, criterionEvaluations, inner } = this.parts.summary.iterations;
    return { outer, criterionEvaluations, inner };
  }

  /** Where the fit began, term by term, and why. */
  get start(): FitStart {
    return this.parts.start;
  }

  /** Rows used and dropped. */
  get rows(): RowCounts {
    return this.parts.rows;
  }

  /** Names of all coefficients. */
  get coefficientNames(): readonly string[] {
    return this.parts.shape.coefficientNames;
  }

  /** All coefficients. */
  get coefficients(): Float64Array {
    return this.parts.arrays.beta;
  }

  /** What an mgcv user expects to read. */
  summary(): string {
    return summaryText(this);
  }

  /** Fitted values on the response scale, n × predictors row-major, in the order of the rows used. Needs the rows of the fit. */
  async fitted(): Promise<Prediction> {
    return this.predict(undefined, { type: "response" });
  }

  /**
   * Predictions for new rows, or for the rows of the fit. Rows with a missing value give NaN; a level of a random effect
   * that the model does not know counts as an effect of zero and is told in `warnings`. Errors: `UNKNOWN_COLUMN`,
   * `FACTOR_UNSEEN` (a parametric factor), `TERM_UNKNOWN` (in `exclude`), `NO_ROWS` (a read model without data).
   */
  predict(data?: DataLike, options: PredictOptions = {}): Promise<Prediction> {
    return predictModel(this.parts, data, options);
  }

  /**
   * Survival curves of a Cox model, S(t) = exp(−Λ₀(t) exp(η)) with Breslow's baseline hazard, for new rows or those of the
   * fit. Standard errors as mgcv's: delta method over coefficients and baseline. Errors: `FAMILY` for other families,
   * `RESPONSE_RANGE` for a negative time, and those of `predict`.
   */
  survival(data?: DataLike, options: SurvivalOptions = {}): Promise<Survival> {
    return survivalCurves(this.parts, data, options);
  }

  /** Residuals of the rows of the fit, in their order. `deviance` by default. Only right after `fit`. */
  residuals(kind: ResidualKind = "deviance"): Float64Array {
    const { y, weights, eta } = this.rowsData();
    const { summary } = this.parts;
    const asked = kind === "scaled.pearson" ? "pearson" : kind;
    const values = residualsOf(fittedOptions(this.parts), asked, y, eta, weights);
    return kind === "scaled.pearson" ? values.map((v) => v / Math.sqrt(summary.scale)) : values;
  }

  /** Draws from the posterior of the coefficients, and what they make of the linear predictor or the response. */
  posterior(options: PosteriorOptions = {}): Promise<PosteriorDraws> {
    return posteriorDraws(this.parts, options);
  }

  /** A smooth of one variable with its pointwise and simultaneous band. */
  band(term: string, options: BandOptions = {}): Promise<Band> {
    return simultaneousBand(this.parts, term, options);
  }

  /** How much of each term the others could imitate, 0 to 1. Only right after `fit`. */
  concurvity(): Promise<Concurvity> {
    return concurvityOf(this.parts, this.rowsData());
  }

  /** Is each basis large enough? Residuals against neighbours, reshuffled. Only right after `fit`. */
  basisCheck(options: { seed?: number; draws?: number } = {}): Promise<readonly BasisCheck[]> {
    return basisCheckOf(this.parts, this.rowsData(), this.residuals(), options);
  }

  /** This fit as a start for others; see `captureArtifact`. */
  capture(options: CaptureOptions = {}): FitArtifact {
    const { summary, arrays, rows } = this.parts;
    const shaped = {
      spec: this.parts.spec,
      plan: this.parts.plan,
      shape: this.parts.shape,
      frame: { variables: this.parts.variables, rows: { length: rows.used } as Uint32Array },
    };
    return capture(
      {
        shaped,
        beta: arrays.beta,
        rho: arrays.rho,
        theta: summary.theta,
        criterion: summary.criterion,
        converged: summary.certificate.converged,
      },
      options,
    );
  }

  /** The model as JSON: everything but the rows it was fitted to. */
  toJSON(): object {
    return modelJson(this.parts);
  }

  /** Writes the model: complete or not at all. Errors as `atomicWriter` of `@x/core`. */
  async save(path: string): Promise<void> {
    await writeFileAtomic(path, modelText(this));
  }

  /** The rows of the fit; `NO_ROWS` after `readModel`. @internal */
  rowsData(): RowsData {
    const { rowsData } = this.parts;
    if (rowsData) return rowsData;
    throw gamError(
      "NO_ROWS",
      "a model that was read from a file does not hold the rows it was fitted to; pass the data, or fit again",
    );
  }

  /** What to say besides the numbers. */
  get warnings(): readonly Warning[] {
    const { missing, total, used } = this.rows;
    const list: Warning[] = [];
    if (used < total) {
      const by = Object.entries(missing)
        .map(([name, n]) => `${name} ${n}`)
        .join(", ");
      list.push({
        code: "ROWS_DROPPED",
        message: `${total - used} of ${total} rows have a missing value and were not used (${by})`,
        details: { dropped: total - used, missing },
      });
    }
    const broken = this.parts.rowsData && notWhole(this.parts.spec.family.name, this.parts.rowsData);
    if (broken)
      list.push({
        code: "NON_INTEGER",
        message: `${broken} rows of the response are no whole counts: their likelihood is not that of ${this.parts.spec.family.name} data (quasi families have none)`,
        details: { rows: broken },
      });
    if (this.start.reason !== undefined)
      list.push({
        code: "COLD_START",
        message: `started cold: ${this.start.reason} ${this.start.message ?? ""}`.trim(),
        details: { reason: this.start.reason },
      });
    return list;
  }
}

/** Rows of a family of counts whose count, or number of successes, is no whole number; R warns of them too. */
function notWhole(family: string, { y, weights }: RowsData): number {
  if (!["poisson", "nb", "binomial"].includes(family)) return 0;
  const count = (v: number, i: number): number => (family === "binomial" ? v * (weights?.[i] ?? 1) : v);
  return y.reduce((n, v, i) => n + +(Math.abs(count(v, i) - Math.round(count(v, i))) > 1e-3), 0);
}

/** The parts of a model from a finished fit. */
export function captureModel(p: Prepared, fit: EngineFit, start: FitStart): ModelParts {
  const { frame } = p;
  const numeric = [...frame.columns].flatMap(([name, c]) =>
    c.kind === "number" ? [[name, c.values] as const] : [],
  );
  const used = new Set(frame.variables.map((v) => v.label));
  const { summary, beta, rho, vp, ve, vc, edf, edf1, edf2, baseline } = fit;
  return {
    spec: p.spec,
    variables: frame.variables,
    plan: p.plan,
    shape: p.shape,
    state: designState(p.design),
    classes: p.response.classes ?? null,
    rows: { total: frame.total, used: frame.rows.length, missing: frame.missing.by },
    summary,
    start,
    arrays: { beta, rho, vp, ve, vc, edf, edf1, edf2, baseline },
    ranges: Object.fromEntries(
      numeric.filter(([name]) => used.has(name)).map(([name, v]) => [name, rangeOf(v)]),
    ),
    rowsData: {
      design: p.design,
      y: p.response.y,
      weights: p.weights,
      offset: p.offset,
      eta: fit.eta,
      rows: frame.rows,
      columns: new Map(numeric),
    },
  };
}

function rangeOf(values: Float64Array): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
  }
  return [low, high];
}

/** The text of a model file, with its checksum. */
export function modelText(model: GamModel): string {
  const content = JSON.stringify(model.toJSON());
  return `{"format":"gam-warmstart model","version":1,"sha256":"${sha256Hex(content)}","model":${content}}\n`;
}

/**
 * Reads a model that `save` wrote. It predicts, prints and can be captured as before; what needs the rows of the fit
 * (residuals, concurvity) it refuses with `NO_ROWS`. Errors: `MODEL_FORMAT`, `MODEL_VERSION`, `MODEL_HASH`.
 */
export function readModel(path: string): GamModel {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (e) {
    throw fromSystemError(e, path);
  }
  return new GamModel(modelFromJson(text, path));
}

/**
 * The artifact of a converged fit: what a related fit needs to start near its answer. JSON-safe and versioned; no row of
 * the data is inside. The creation time is the caller's or `SOURCE_DATE_EPOCH`, and stands outside the checksum.
 */
export function captureArtifact(model: GamModel, options: CaptureOptions = {}): FitArtifact {
  return model.capture(options);
}
