import { checkOptions, checkRange, nearestName, type RunOptions } from "@x/core/base";
import type { Column } from "./data/columns.ts";
import { designColumns } from "./data/design-spec.ts";
import type { DescribedTerm } from "./engine-types.ts";
import { gamError } from "./errors.ts";
import type { ModelParts } from "./model.ts";
import { type GamDesign, matrixRows, restoreDesign, sampleCoefficients, termsOf } from "./native.ts";
import { termLabels } from "./predict.ts";
import { nativeOptions } from "./prepare.ts";

/** Options of `band`. */
export interface BandOptions extends RunOptions {
  /** Points at which the smooth is drawn; 100 by default. */
  readonly points?: number;
  /** Coverage; 0.95 by default. */
  readonly level?: number;
  /** Posterior draws behind the simultaneous band; 10,000 by default. */
  readonly draws?: number;
}

/** A smooth of one variable on a grid. */
export interface Band {
  /** Label of the smooth. */
  readonly term: string;
  /** What it is a function of. */
  readonly variable: string;
  /** The grid. */
  readonly x: Float64Array;
  /** The curve. */
  readonly fit: Float64Array;
  /** Its standard errors. */
  readonly se: Float64Array;
  /** Multiplies `se` to a band that holds the whole curve with probability `level`; 1.96 holds each point. */
  readonly critical: number;
  /** Coverage of the simultaneous band. */
  readonly level: number;
}

/** Values of a model's columns at which a term is looked at; what the term does not read is held at one value. */
export function gridColumns(
  parts: ModelParts,
  own: Readonly<Record<string, Float64Array>>,
  rows: number,
): Map<string, Column> {
  return new Map(
    parts.variables.map((v): [string, Column] => {
      if (own[v.label]) return [v.label, { kind: "number", values: own[v.label]! }];
      if (v.levels) return [v.label, { kind: "factor", levels: v.levels, codes: new Int32Array(rows) }];
      const [low, high] = parts.ranges[v.label] ?? [0, 0];
      return [v.label, { kind: "number", values: new Float64Array(rows).fill((low + high) / 2) }];
    }),
  );
}

/** A smooth by its label, with the numeric variables it is a function of. `TERM_UNKNOWN`. */
export function smoothByLabel(
  parts: ModelParts,
  label: string,
): { term: DescribedTerm; variables: string[]; by: { variable: string; level?: number } | undefined } {
  const term = parts.shape.terms.find((t) => t.label === label);
  if (!term) {
    const labels = parts.shape.terms.map((t) => t.label);
    const near = nearestName(label, labels);
    throw gamError(
      "TERM_UNKNOWN",
      `the model has no smooth ${label}${near ? `; did you mean ${near}?` : ""} There are: ${labels.join(", ")}`,
      { details: { term: label }, usage: true },
    );
  }
  const spec = parts.plan.spec.predictors[term.predictor]!.smooths.find((s) => s.label === label)!;
  const name = (column: number): string => (parts.plan.sources[column] as { variable: string }).variable;
  return {
    term,
    variables: spec.columns.map(name),
    by: spec.by
      ? { variable: name(spec.by.column), ...(spec.by.level === undefined ? {} : { level: spec.by.level }) }
      : undefined,
  };
}

/** See `GamModel.band`. */
export async function simultaneousBand(
  parts: ModelParts,
  label: string,
  options: BandOptions,
): Promise<Band> {
  checkOptions(
    options,
    ["points", "level", "draws", "seed", "signal", "onProgress", "threads", "memoryLimit"],
    "band",
  );
  const points = checkRange("points", options.points ?? 100, { min: 2, max: 10_000, integer: true });
  const level = checkRange("level", options.level ?? 0.95, { min: 0.01, max: 0.9999 });
  const draws = checkRange("draws", options.draws ?? 10_000, { min: 1, max: 1e6, integer: true });
  const { term, variables } = smoothByLabel(parts, label);
  const variable = variables[0]!;
  if (variables.length !== 1 || !parts.ranges[variable])
    throw gamError("NOT_SUPPORTED", `${label} is no smooth of one numeric variable; bands are for those`, {
      details: { term: label },
      usage: true,
    });
  const { fit, se, x, design } = await curve(parts, label, points, options);
  const native = nativeOptions(options);
  const width = term.to - term.from;
  const p = parts.arrays.beta.length;
  const v = new Float64Array(width * width);
  for (let i = 0; i < width; i++)
    for (let j = 0; j < width; j++) v[i * width + j] = parts.arrays.vp[(term.from + i) * p + term.from + j]!;
  const sample = await sampleCoefficients(new Float64Array(width), v, draws, options.seed ?? 0, native);
  const matrix = matrixRows(design, 0, points);
  const worst = new Float64Array(draws);
  for (let d = 0; d < draws; d++)
    for (let i = 0; i < points; i++) {
      let value = 0;
      for (let j = 0; j < width; j++) value += matrix[i * p + term.from + j]! * sample[d * width + j]!;
      if (se[i]! > 0) worst[d] = Math.max(worst[d]!, Math.abs(value) / se[i]!);
    }
  worst.sort();
  return {
    term: label,
    variable,
    x,
    fit,
    se,
    critical: worst[Math.min(draws - 1, Math.ceil(level * draws) - 1)]!,
    level,
  };
}

/** A smooth of one variable on an even grid over the range of the data; its `by` variable at 1 or at its level. */
async function curve(
  parts: ModelParts,
  label: string,
  points: number,
  options: RunOptions,
): Promise<TermValues & { x: Float64Array }> {
  const { variables, by } = smoothByLabel(parts, label);
  const [low, high] = parts.ranges[variables[0]!]!;
  const x = Float64Array.from({ length: points }, (_, i) => low + ((high - low) * i) / (points - 1));
  const { fit, se, design } = await termOn(parts, label, { [variables[0]!]: x }, by, points, options);
  return { x, fit, se, design };
}

/** A term at some values of its variables. */
export interface TermValues {
  readonly fit: Float64Array;
  readonly se: Float64Array;
  readonly design: GamDesign;
}

/** A term's part and standard error at given values of its variables. */
export async function termOn(
  parts: ModelParts,
  label: string,
  values: Readonly<Record<string, Float64Array>>,
  by: { variable: string; level?: number } | undefined,
  points: number,
  options: RunOptions,
): Promise<TermValues> {
  const native = nativeOptions(options);
  const columns = gridColumns(parts, values, points);
  if (by) {
    const levels = parts.variables.find((v) => v.label === by.variable)?.levels;
    columns.set(
      by.variable,
      levels
        ? { kind: "factor", levels, codes: new Int32Array(points).fill(by.level ?? 0) }
        : { kind: "number", values: new Float64Array(points).fill(1) },
    );
  }
  const rows = Uint32Array.from({ length: points }, (_, i) => i);
  const matrix = designColumns(parts.plan, { columns, rows });
  const design = await restoreDesign(parts.state, matrix, points, native);
  const all = await termsOf(design, parts.arrays.beta, parts.arrays.vp, native);
  const labels = termLabels(parts);
  const at = labels.indexOf(label);
  const pick = (v: Float64Array): Float64Array =>
    Float64Array.from({ length: points }, (_, i) => v[i * labels.length + at]!);
  return { fit: pick(all.fit), se: pick(all.se), design };
}
