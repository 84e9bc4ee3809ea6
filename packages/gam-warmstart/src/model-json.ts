import { sha256Hex } from "@x/core/base";
import { planDesign } from "./data/design-spec.ts";
import type { VariableSpec } from "./data/frame.ts";
import type { Describe, EngineSummary } from "./engine-types.ts";
import { gamFileError } from "./errors.ts";
import type { Family } from "./family.ts";
import { readFormula } from "./formula/terms.ts";
import type { ModelParts, RowCounts } from "./model.ts";
import type { Method } from "./prepare.ts";
import type { FitStart } from "./start.ts";

/** A model as plain JSON. */
export interface ModelJson {
  readonly formulas: readonly string[];
  readonly family: Family;
  readonly method: Method;
  readonly select: boolean;
  /** Absent in files of versions that had no such mode. */
  readonly discrete?: boolean;
  readonly gamma: number;
  readonly scale: number | null;
  readonly knots: Readonly<Record<string, readonly number[]>>;
  readonly factors: readonly string[];
  readonly weights: string | null;
  readonly offset: string | null;
  readonly variables: readonly VariableSpec[];
  readonly classes: readonly string[] | null;
  readonly rows: RowCounts;
  readonly ranges: Readonly<Record<string, readonly [number, number]>>;
  readonly start: FitStart;
  readonly summary: EngineSummary;
  readonly shape: Describe;
  /** The engine's state, JSON text. */
  readonly state: string;
  readonly arrays: Readonly<Record<(typeof ARRAYS)[number], readonly number[]>>;
}

const ARRAYS = ["beta", "rho", "vp", "ve", "vc", "edf", "edf1", "edf2", "baseline"] as const;

/** The JSON of a model. */
export function modelJson(parts: ModelParts): ModelJson {
  const { spec, variables, classes, rows, ranges, start, summary, shape, state } = parts;
  const { formulas, levels: _levels, ...settings } = spec;
  return {
    formulas: formulas.map((f) => f.text),
    ...settings,
    variables,
    classes,
    rows,
    ranges,
    start,
    summary,
    shape,
    state,
    arrays: Object.fromEntries(
      ARRAYS.map((name) => [name, Array.from(parts.arrays[name])]),
    ) as unknown as ModelJson["arrays"],
  };
}

/** Model parts from a file's text. `MODEL_FORMAT`, `MODEL_VERSION`, `MODEL_HASH`. */
export function modelFromJson(text: string, path: string): ModelParts {
  const refuse = (why: string, cause?: unknown): never => {
    throw gamFileError(
      "MODEL_FORMAT",
      path,
      `${why}; a model is written by gam-warmstart fit --out or model.save()`,
      { cause },
    );
  };
  const head = /^\{"format":"gam-warmstart model","version":(\d+),"sha256":"([0-9a-f]{64})","model":/.exec(
    text,
  );
  if (!head) return refuse("this is no model");
  if (head[1] !== "1")
    throw gamFileError("MODEL_VERSION", path, `version ${head[1]}; this program reads 1`, {
      found: Number(head[1]),
      supported: 1,
    });
  const content = text.slice(head[0].length).replace(/\}\s*$/, "");
  if (sha256Hex(content) !== head[2])
    throw gamFileError(
      "MODEL_HASH",
      path,
      "the checksum does not fit the content; the file was changed, damaged or cut",
    );
  let m: ModelJson;
  try {
    m = JSON.parse(content) as ModelJson;
  } catch (e) {
    return refuse("this is no JSON", e);
  }
  const formulas = m.formulas.map(readFormula);
  const spec = {
    formulas,
    family: m.family,
    method: m.method,
    select: m.select,
    discrete: m.discrete ?? false,
    gamma: m.gamma,
    scale: m.scale,
    knots: m.knots,
    factors: m.factors,
    levels: {},
    weights: m.weights,
    offset: m.offset,
  };
  const predictors =
    m.family.name === "multinom" && formulas.length === 1
      ? Array.from({ length: m.shape.predictors }, () => formulas[0]!)
      : formulas;
  return {
    spec,
    variables: m.variables,
    plan: planDesign(predictors, m.variables, {
      select: m.select,
      discrete: m.discrete ?? false,
      knots: m.knots,
      withoutIntercept: m.family.name === "cox.ph",
    }),
    shape: m.shape,
    state: m.state,
    classes: m.classes,
    rows: m.rows,
    ranges: m.ranges,
    summary: m.summary,
    start: m.start,
    arrays: Object.fromEntries(
      ARRAYS.map((name) => [name, Float64Array.from(m.arrays[name] ?? [])]),
    ) as unknown as ModelParts["arrays"],
  };
}
