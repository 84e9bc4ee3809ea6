import { gamError } from "../errors.ts";
import type { Family } from "../family.ts";
import { deparse, type Expr } from "../formula/ast.ts";
import { asNumbers } from "../formula/evaluate.ts";
import type { Formula } from "../formula/terms.ts";
import type { Column } from "./columns.ts";
import type { Frame } from "./frame.ts";

/** What is modelled, as the engine takes it. */
export interface Response {
  readonly label: string;
  readonly y: Float64Array;
  /** Prior weights the response brings along: trials of `cbind(s, f)`, events of `Surv()`. */
  readonly weights?: Float64Array;
  /** Names of categories, where there are any. */
  readonly classes?: readonly string[];
}

/** The response of a model on its rows. `FORMULA_RESPONSE`, `RESPONSE_RANGE` (with the row), `RESPONSE_CONSTANT`. */
export function readResponse(
  formula: Formula,
  frame: Frame,
  family: Family,
  classes?: readonly string[],
): Response {
  const { response } = formula;
  if (!response)
    throw gamError(
      "FORMULA_RESPONSE",
      `the formula ${formula.text} has no response; write what is modelled before ~`,
      { usage: true },
    );
  const columns = response.parts.map((e) => frame.columns.get(deparse(e))!);
  const { label } = response;
  if (response.parts.length === 2)
    return twoColumns(response.cbind, response.parts, columns, family, label, frame);
  const column = columns[0]!;
  if (family.name === "ocat" || family.name === "multinom")
    return categories(column, family, label, frame, classes);
  const y =
    /binomial$/.test(family.name) && column.kind === "factor"
      ? successes(column, label)
      : asNumbers(column)?.values;
  if (!y)
    throw gamError(
      "COLUMN_TYPE",
      `${label} holds texts${textsOf(column)}; the family ${family.name} needs numbers`,
      {
        details: { column: label },
      },
    );
  checkRange(y, family, label, frame);
  return { label, y };
}

/** The first texts among numbers, for a message: often they mean missing. Nothing where all are texts. */
export function strayTexts(levels: readonly string[]): string {
  const texts = levels.filter((level) => Number.isNaN(Number(level)));
  if (texts.length === levels.length) return "";
  const list = texts.slice(0, 3).map((text) => `"${text}"`);
  return ` (${list.join(", ")}${texts.length > 3 ? ", …" : ""}; \`na\` names texts that mean missing)`;
}

const textsOf = (column: Column): string => (column.kind === "factor" ? strayTexts(column.levels) : "");

/** R's rule: the first level is failure, all others are success. */
function successes(column: Extract<Column, { kind: "factor" }>, label: string): Float64Array {
  if (column.levels.length < 2)
    throw gamError("RESPONSE_CONSTANT", `${label} has the single level ${column.levels[0]}; two are needed`, {
      details: { column: label },
    });
  return Float64Array.from(column.codes, (c) => (c > 0 ? 1 : 0));
}

function twoColumns(
  cbind: boolean,
  parts: readonly Expr[],
  columns: readonly Column[],
  family: Family,
  label: string,
  frame: Frame,
): Response {
  const binomial = /binomial$/.test(family.name);
  if (cbind !== binomial || (!cbind && family.name !== "cox.ph")) {
    const why = cbind ? "cbind() is for binomial counts" : "Surv() is for the family cox.ph";
    throw gamError("FORMULA_RESPONSE", `${why}; the family is ${family.name}`, { usage: true });
  }
  const [a, b] = columns.map((c, i) => {
    const numbers = asNumbers(c)?.values;
    if (numbers) return numbers;
    throw gamError(
      "COLUMN_TYPE",
      `${deparse(parts[i]!)} holds texts${textsOf(columns[i]!)}, numbers are needed`,
      {
        details: { column: deparse(parts[i]!) },
      },
    );
  }) as [Float64Array, Float64Array];
  if (!cbind) {
    checkRange(a, family, deparse(parts[0]!), frame);
    refuseFirst(b, (v) => v === 0 || v === 1, deparse(parts[1]!), "must be 1 (event) or 0 (censored)", frame);
    return { label, y: a, weights: b };
  }
  parts.forEach((p, i) => {
    refuseFirst(i === 0 ? a : b, (v) => v >= 0, deparse(p), "must not be negative: it is a count", frame);
  });
  const trials = a.map((s, i) => s + b[i]!);
  return { label, y: a.map((s, i) => (trials[i]! > 0 ? s / trials[i]! : 0)), weights: trials };
}

/** Codes from 0. Numbers of `ocat` count from 1, those of `multinom` from 0, as in mgcv. */
function categories(
  column: Column,
  family: Family,
  label: string,
  frame: Frame,
  known?: readonly string[],
): Response {
  if (column.kind === "factor") {
    const levels = known ?? column.levels;
    const code = column.levels.map((l) => levels.indexOf(l));
    return { label, y: Float64Array.from(column.codes, (c) => code[c]!), classes: levels };
  }
  const first = family.name === "ocat" ? 1 : 0;
  let top = known ? known.length - 1 + first : 0;
  refuseFirst(
    column.values,
    (v) => Number.isInteger(v) && v >= first,
    label,
    `must be a category: a whole number from ${first}`,
    frame,
  );
  for (const v of column.values) top = Math.max(top, v);
  const count = Math.max(family.classes ?? 0, top - first + 1);
  return {
    label,
    y: column.values.map((v) => v - first),
    classes: Array.from({ length: count }, (_, i) => String(i + first)),
  };
}

function checkRange(y: Float64Array, family: Family, label: string, frame: Frame): void {
  const rule = RULES[family.name];
  if (rule) refuseFirst(y, rule[0], label, rule[1], frame);
}

/**
 * A fit needs a response that varies, and so do the rows without a `fold`; those of a fold that is held out need not.
 * `RESPONSE_CONSTANT`.
 */
export function refuseConstant({ label, y }: Response, { name }: Family, fold?: string): void {
  const refuse = (why: string): never => {
    const where = fold === undefined ? "" : `without ${fold}: `;
    throw gamError("RESPONSE_CONSTANT", `${where}${label} is ${y[0]} in all ${y.length} rows; ${why}`, {
      details: { column: label, ...(fold === undefined ? {} : { fold }) },
    });
  };
  if (y.length > 1 && y.every((v) => v === y[0])) {
    if (name === "gaussian") refuse("there is nothing to explain");
    if (RULES[name] === count && y[0] === 0) refuse("a mean of 0 has no model");
  }
}

const count = [(v: number) => v >= 0, "must not be negative"] as const;
const positive = [(v: number) => v > 0, "must be positive"] as const;
const share = [
  (v: number) => v >= 0 && v <= 1,
  "must lie between 0 and 1; counts are written cbind(successes, failures)",
] as const;

const RULES: Readonly<Partial<Record<Family["name"], readonly [(v: number) => boolean, string]>>> = {
  poisson: count,
  quasipoisson: count,
  nb: count,
  tw: count,
  binomial: share,
  quasibinomial: share,
  Gamma: positive,
  "inverse.gaussian": positive,
  betar: [(v) => v > 0 && v < 1, "must lie strictly between 0 and 1"],
  "cox.ph": [(v) => v >= 0, "must not be negative: it is a time"],
};

function refuseFirst(
  values: Float64Array,
  good: (v: number) => boolean,
  label: string,
  why: string,
  frame: Frame,
): void {
  const at = values.findIndex((v) => !good(v));
  if (at < 0) return;
  const row = frame.rows[at]! + 1;
  throw gamError("RESPONSE_RANGE", `${label} is ${values[at]} in row ${row}; it ${why}`, {
    details: { column: label, row, value: values[at] },
  });
}
