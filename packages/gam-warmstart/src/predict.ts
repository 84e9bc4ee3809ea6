import { tableFromColumns } from "@x/core";
import { checkOptions, counted, nearestName, type RunOptions, type Warning, xError } from "@x/core/base";
import type { Table } from "apache-arrow";
import { type DataLike, openData } from "./data/columns.ts";
import { designColumns } from "./data/design-spec.ts";
import { modelFrame } from "./data/frame.ts";
import { gamError } from "./errors.ts";
import type { ModelParts } from "./model.ts";
import { type GamDesign, predictDesign, predictResponse, restoreDesign, termsOf } from "./native.ts";
import { fittedOptions, nativeOptions, newOffset } from "./prepare.ts";

/** Options of `predict`. */
export interface PredictOptions extends Omit<RunOptions, "seed"> {
  /** `"link"` (default): the linear predictor; `"response"`: the mean; `"terms"`: each term's part. */
  readonly type?: "link" | "response" | "terms";
  /** Standard errors too? */
  readonly se?: boolean;
  /** Labels of terms to leave out (`s(id)`): their coefficients count as zero, without variance. */
  readonly exclude?: readonly string[];
  /** Standard errors that account for the choice of smoothing parameters? */
  readonly unconditional?: boolean;
}

/** Predictions, one array a column, one number a row of the data; NaN where a value was missing. */
export interface Prediction {
  /** `fit`; one name a linear predictor or category; labels of the terms. */
  readonly names: readonly string[];
  /** One array a name. */
  readonly fit: readonly Float64Array[];
  /** Standard errors, where asked for. */
  readonly se?: readonly Float64Array[];
  /** What the terms are added to (`type: "terms"`): the intercept of the first predictor. */
  readonly constant?: number;
  /** Rows without a prediction. */
  readonly missing: number;
  /** Unseen levels and rows without a prediction. */
  readonly warnings: readonly Warning[];
  /** The same as an Arrow table: the columns of `names`, then `se` (of one column) or `se.<name>`. */
  readonly table: Table;
}

/** Rows of a design for a model. */
export interface NewRows {
  readonly design: GamDesign;
  readonly offset: Float64Array | undefined;
  /** Place in the data of each row of the design. */
  readonly rows: Uint32Array;
  readonly total: number;
  readonly unseen: Readonly<Record<string, readonly string[]>>;
}

/** The design of new rows, or of the rows of the fit. */
export async function newRows(
  parts: ModelParts,
  data: DataLike | undefined,
  options: RunOptions,
): Promise<NewRows> {
  if (data === undefined) {
    const { rowsData } = parts;
    if (!rowsData)
      throw gamError("NO_ROWS", "a model that was read from a file needs the rows to predict: predict(data)");
    const { design, offset, rows } = rowsData;
    return { design, offset, rows: Uint32Array.from(rows.keys()), total: rows.length, unseen: {} };
  }
  const { spec } = parts;
  const set = openData(data);
  if (set.rows === 0) throw gamError("NO_ROWS", "the data to predict have no rows");
  const frame = modelFrame(spec.formulas, set, { factors: spec.factors, predicting: parts.variables });
  // An unseen level of a random effect is no missing value: its code is −1 in rows that are complete.
  const matrix = designColumns(parts.plan, frame);
  const design = await restoreDesign(parts.state, matrix, frame.rows.length, nativeOptions(options));
  return {
    design,
    offset: newOffset(spec, set, frame.rows, parts.shape.predictors),
    rows: frame.rows,
    total: set.rows,
    unseen: frame.unseen,
  };
}

/** See `GamModel.predict`. */
export async function predictModel(
  parts: ModelParts,
  data: DataLike | undefined,
  options: PredictOptions,
): Promise<Prediction> {
  checkOptions(
    options,
    ["type", "se", "exclude", "unconditional", "signal", "onProgress", "threads", "memoryLimit"],
    "predict",
  );
  const { type = "link", se = false, exclude = [], unconditional = false } = options;
  if (!["link", "response", "terms"].includes(type))
    throw xError("OPTION_CHOICE", `type is link, response or terms, not ${type}`, {
      details: { option: "type" },
      usage: true,
    });
  const native = nativeOptions(options);
  const rows = await newRows(parts, data, options);
  const { beta, v } = leaveOut(parts, exclude, unconditional);
  const covariance = se ? v : undefined;
  if (type === "terms") {
    const { fit, se: errors } = await termsOf(rows.design, beta, covariance, native);
    const labels = termLabels(parts);
    const keep = labels.filter((l) => !exclude.includes(l));
    const pick = (values: Float64Array): Float64Array[] =>
      keep.map((l) => spread(values, labels.indexOf(l), labels.length, rows));
    const intercept = parts.shape.parametric.find((c) => c.term === "(Intercept)");
    return finish(keep, pick(fit), se ? pick(errors) : undefined, rows, {
      constant: intercept ? beta[intercept.column]! : 0,
    });
  }
  if (type === "link") {
    const { fit: eta, se: errors } = await predictDesign(rows.design, beta, covariance, rows.offset, native);
    const p = parts.shape.predictors;
    const names = p === 1 ? ["fit"] : Array.from({ length: p }, (_, i) => `fit${i + 1}`);
    const pick = (values: Float64Array): Float64Array[] => names.map((_, i) => spread(values, i, p, rows));
    return finish(names, pick(eta), se ? pick(errors) : undefined, rows);
  }
  const of = fittedOptions(parts);
  const { fit: mu, se: errors } = await predictResponse(
    rows.design,
    of,
    beta,
    covariance,
    rows.offset,
    native,
  );
  const n = rows.rows.length;
  const width = n === 0 ? (parts.classes?.length ?? parts.shape.predictors) : mu.length / n;
  const names =
    width === 1 ? ["fit"] : (parts.classes ?? Array.from({ length: width }, (_, i) => `fit${i + 1}`));
  const pick = (values: Float64Array): Float64Array[] => names.map((_, i) => spread(values, i, width, rows));
  return finish(names, pick(mu), se ? pick(errors) : undefined, rows);
}

/** One column of a row-major result, at the rows' places in the data; NaN elsewhere. */
function spread(values: Float64Array, column: number, width: number, { rows, total }: NewRows): Float64Array {
  const out = new Float64Array(total).fill(Number.NaN);
  rows.forEach((row, i) => {
    out[row] = values[i * width + column]!;
  });
  return out;
}

function finish(
  names: readonly string[],
  fit: readonly Float64Array[],
  se: readonly Float64Array[] | undefined,
  rows: NewRows,
  more: { constant?: number } = {},
): Prediction {
  const missing = rows.total - rows.rows.length;
  const warnings: Warning[] = Object.entries(rows.unseen).map(([column, levels]) => ({
    code: "UNSEEN_LEVELS",
    message: `${column}: ${counted(levels.length, "level")} the model does not know (${levels.slice(0, 3).join(", ")}${levels.length > 3 ? ", …" : ""}); the random effect counts as 0`,
    details: { column, levels: [...levels] },
  }));
  if (missing > 0)
    warnings.push({
      code: "ROWS_MISSING",
      message: `${missing} of ${rows.total} rows have a missing value and no prediction`,
      details: { missing },
    });
  return {
    names,
    fit,
    ...(se ? { se } : {}),
    ...more,
    missing,
    warnings,
    get table() {
      const columns: [string, Float64Array][] = names.map((n, i) => [n, fit[i]!]);
      se?.forEach((values, i) => {
        columns.push([names.length === 1 && names[0] === "fit" ? "se" : `se.${names[i]}`, values]);
      });
      return tableFromColumns(Object.fromEntries(columns));
    },
  };
}

/** Labels as `type: "terms"` and `exclude` name them: parametric terms, then smooths; the intercept is none. */
export function termLabels({ shape }: ModelParts): string[] {
  const parametric = shape.parametric.filter((c) => !c.term.startsWith("(Intercept)")).map((c) => c.term);
  return [...new Set(parametric), ...shape.terms.map((t) => t.label)];
}

/** Coefficients and covariance with the named terms at exactly zero. `TERM_UNKNOWN`. */
function leaveOut(
  parts: ModelParts,
  exclude: readonly string[],
  unconditional: boolean,
): { beta: Float64Array; v: Float64Array } {
  const { arrays, shape } = parts;
  const v = unconditional ? arrays.vc : arrays.vp;
  if (exclude.length === 0) return { beta: arrays.beta, v };
  const labels = [...termLabels(parts), "(Intercept)"];
  const gone = new Set<number>();
  for (const label of exclude) {
    if (!labels.includes(label)) {
      const near = nearestName(label, labels);
      throw gamError(
        "TERM_UNKNOWN",
        `the model has no term ${label}${near ? `; did you mean ${near}?` : ""} There are: ${labels.join(", ")}`,
        {
          details: { term: label, nearest: near },
          usage: true,
        },
      );
    }
    for (const c of shape.parametric) if (c.term === label) gone.add(c.column);
    for (const t of shape.terms) if (t.label === label) for (let i = t.from; i < t.to; i++) gone.add(i);
  }
  const beta = arrays.beta.map((b, i) => (gone.has(i) ? 0 : b));
  const p = beta.length;
  return { beta, v: v.map((x, at) => (gone.has(at % p) || gone.has(Math.floor(at / p)) ? 0 : x)) };
}
