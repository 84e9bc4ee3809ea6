import { gamError } from "../errors.ts";
import { deparse, type Expr, namesIn } from "../formula/ast.ts";
import { asFactor, evaluate } from "../formula/evaluate.ts";
import type { Formula } from "../formula/terms.ts";
import { type Column, type DataSet, type FactorColumn, recode, takeRows } from "./columns.ts";

/** A variable of a model and, for a factor, its levels in order. */
export interface VariableSpec {
  /** R's text of the expression: `x`, `log(w)`. */
  readonly label: string;
  readonly levels?: readonly string[];
  /** Used by penalised terms only (`re`, `fs`): a level without rows keeps its column, an unseen one counts as zero. */
  readonly random?: boolean;
}

/** The variables of a model on the rows that are complete. */
export interface Frame {
  /** Rows of the data that are used, in order. */
  readonly rows: Uint32Array;
  /** Rows of the data. */
  readonly total: number;
  /** Rows left out by the variable that was missing (the first one), and in all. */
  readonly missing: { readonly rows: number; readonly by: Readonly<Record<string, number>> };
  /** Columns by label, used rows only. */
  readonly columns: ReadonlyMap<string, Column>;
  readonly variables: readonly VariableSpec[];
  /** Levels of factors met for the first time, by variable. */
  readonly unseen: Readonly<Record<string, readonly string[]>>;
}

/** Options of `modelFrame`. */
export interface FrameOptions {
  /** Columns of numbers to be read as factors. */
  readonly factors?: readonly string[];
  /** Levels that are known: from the user, or from the model that is being applied. */
  readonly levels?: Readonly<Record<string, readonly string[]>>;
  /** Levels a parent fit knew; used for random terms only, where a level without rows changes nothing. */
  readonly randomLevels?: Readonly<Record<string, readonly string[]>>;
  /** Further expressions that a row needs: response, weights, offset. */
  readonly also?: readonly Expr[];
  /** Are these rows for prediction? Then factors must have known levels, missing rows are kept out but counted. */
  readonly predicting?: readonly VariableSpec[];
}

/** Which expressions the terms of formulas read, each once, and whether only random terms read them. */
export function termVariables(
  formulas: readonly Formula[],
): Map<string, { expr: Expr; random: boolean; factor: boolean }> {
  const found = new Map<string, { expr: Expr; random: boolean; factor: boolean }>();
  const add = (expr: Expr, random: boolean): void => {
    const label = deparse(expr);
    const before = found.get(label);
    found.set(label, { expr, random: random && (before?.random ?? true), factor: false });
  };
  for (const f of formulas) {
    for (const t of f.parametric) for (const v of t.variables) add(v, false);
    for (const s of f.smooths) {
      s.variables.forEach((v, i) => {
        const bs = s.bs[Math.min(i, s.bs.length - 1)]!;
        add(v, bs === "re" || bs === "fs");
      });
      if (s.by) add(s.by, false);
    }
  }
  return found;
}

/**
 * Evaluates a model's variables and keeps the complete rows; rows with a missing value are dropped and counted. Errors:
 * `UNKNOWN_COLUMN`, `ALL_MISSING` (a column without a value), `NO_ROWS`, `NOT_FINITE` (an infinite value),
 * `FACTOR_LEVELS` (a factor with one level), `FACTOR_UNSEEN`.
 */
export function modelFrame(formulas: readonly Formula[], data: DataSet, options: FrameOptions = {}): Frame {
  const text = formulas[0]!.text;
  const wanted = termVariables(formulas);
  const all = new Map<string, Column>();
  for (const name of new Set(
    [...wanted.values()]
      .flatMap((w) => namesIn(w.expr))
      .concat((options.also ?? []).flatMap((e) => namesIn(e))),
  ))
    data.column(name); // an unknown name is the first thing to hear about
  for (const [label, { expr }] of wanted) all.set(label, read(expr, data, text, options));
  for (const expr of options.also ?? []) all.set(deparse(expr), read(expr, data, text, options));
  const { keep, missing } = completeRows(all, data.rows, options.predicting === undefined);
  const columns = new Map<string, Column>();
  const variables: VariableSpec[] = [];
  const unseen: Record<string, readonly string[]> = {};
  for (const [label, column] of all) {
    const used = takeRows(column, keep);
    const need = wanted.get(label);
    if (used.kind === "number") {
      refuseInfinite(label, used.values, keep);
      columns.set(label, used);
      if (need) variables.push({ label });
      continue;
    }
    const spec = options.predicting?.find((v) => v.label === label);
    const random = need?.random ?? false;
    const given =
      spec?.levels ?? options.levels?.[label] ?? (random ? options.randomLevels?.[label] : undefined);
    const { column: coded, unseen: odd } = recode(
      used,
      levelsOf(used, given, spec ? "model" : random ? "all" : "present"),
    );
    if (odd.length > 0) {
      unseen[label] = odd;
      if (!random && need) throw unseenLevel(label, odd, coded.levels);
    }
    if (need && !random && options.predicting === undefined && coded.levels.length < 2)
      throw oneLevel(label, coded);
    columns.set(label, coded);
    if (need) variables.push({ label, levels: coded.levels, ...(random ? { random } : {}) });
  }
  return { rows: keep, total: data.rows, missing, columns, variables, unseen };
}

function read(expr: Expr, data: DataSet, text: string, options: FrameOptions): Column {
  const column = evaluate(expr, data, text);
  const spec = options.predicting?.find((v) => v.label === deparse(expr));
  const named = expr.type === "name" && options.factors?.includes(expr.name);
  return named || spec?.levels ? asFactor(column) : column;
}

/** Levels of a factor: the model's own; or for a fit those with rows, in the given order if any, and for a random term all given ones. */
function levelsOf(
  column: FactorColumn,
  given: readonly string[] | undefined,
  which: "model" | "all" | "present",
): readonly string[] {
  const used = new Set<number>();
  for (const c of column.codes) if (c >= 0) used.add(c);
  const present = column.levels.filter((_, i) => used.has(i));
  if (given === undefined) return present;
  if (which === "model") return given;
  if (which === "present") return given.filter((l) => present.includes(l));
  const known = new Set(given);
  return [...given, ...present.filter((l) => !known.has(l))];
}

function completeRows(
  columns: ReadonlyMap<string, Column>,
  n: number,
  refuseNone: boolean,
): { keep: Uint32Array; missing: Frame["missing"] } {
  const bad = new Uint8Array(n);
  const by: Record<string, number> = Object.create(null);
  for (const [label, column] of columns) {
    let missing = 0;
    let first = 0;
    const mark = (i: number): void => {
      missing++;
      if (bad[i] === 0) first++;
      bad[i] = 1;
    };
    // Plain loops: a long table goes through here once a column.
    if (column.kind === "number") {
      const { values } = column;
      for (let i = 0; i < n; i++) if (Number.isNaN(values[i])) mark(i);
    } else {
      const { codes } = column;
      for (let i = 0; i < n; i++) if (codes[i]! < 0) mark(i);
    }
    if (missing === n && n > 0 && refuseNone)
      throw gamError("ALL_MISSING", `${label} has no value in any of the ${n} rows`, {
        details: { column: label, rows: n },
      });
    if (first > 0) by[label] = first;
  }
  const all = new Uint32Array(n);
  let kept = 0;
  for (let i = 0; i < n; i++) if (bad[i] === 0) all[kept++] = i;
  const keep = kept === n ? all : all.slice(0, kept);
  if (keep.length === 0 && refuseNone) {
    const why =
      n === 0
        ? "the data have no rows"
        : `none of the ${n} rows has a value for all of ${[...columns.keys()].join(", ")}`;
    throw gamError("NO_ROWS", why, { details: { rows: n, missing: { ...by } } });
  }
  return { keep, missing: { rows: n - keep.length, by: { ...by } } };
}

function refuseInfinite(label: string, values: Float64Array, rows: Uint32Array): void {
  let at = 0;
  while (at < values.length && Number.isFinite(values[at])) at++;
  if (at === values.length) return;
  throw gamError(
    "NOT_FINITE",
    `${label} is ${values[at]} in row ${rows[at]! + 1}; remove the row or the transformation`,
    {
      details: { column: label, row: rows[at]! + 1 },
    },
  );
}

function oneLevel(label: string, column: FactorColumn): Error {
  return gamError(
    "FACTOR_LEVELS",
    `the factor ${label} has one level in the rows used (${column.levels[0] ?? "none"}); two are needed. Leave the term out`,
    {
      details: { column: label, levels: [...column.levels] },
    },
  );
}

function unseenLevel(label: string, odd: readonly string[], known: readonly string[]): Error {
  return gamError(
    "FACTOR_UNSEEN",
    `${label} has level ${odd[0]}, which the model does not know; it knows ${known.slice(0, 10).join(", ")}`,
    {
      details: { column: label, unseen: [...odd] },
    },
  );
}
