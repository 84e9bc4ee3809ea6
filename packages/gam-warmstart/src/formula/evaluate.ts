import { nearestName } from "@x/core/base";
import {
  type Column,
  type DataSet,
  type FactorColumn,
  factorOf,
  factorTexts,
  type NumberColumn,
} from "../data/columns.ts";
import { CONSTANTS, deparse, type Expr } from "./ast.ts";
import { formulaError } from "./parse.ts";

const FUNCTIONS: Record<string, (x: number, y: number) => number> = {
  log: (x, base) => (Number.isNaN(base) ? Math.log(x) : Math.log(x) / Math.log(base)),
  log2: (x) => Math.log2(x),
  log10: (x) => Math.log10(x),
  log1p: (x) => Math.log1p(x),
  exp: (x) => Math.exp(x),
  expm1: (x) => Math.expm1(x),
  sqrt: (x) => Math.sqrt(x),
  abs: (x) => Math.abs(x),
  sin: (x) => Math.sin(x),
  cos: (x) => Math.cos(x),
  tan: (x) => Math.tan(x),
};

/** R's functions of a whole column, whose value would change with the rows: they would make prediction differ. */
const WHOLE_COLUMN = ["scale", "poly", "ns", "bs", "cut", "mean", "rank"];

const OPERATORS: Record<string, (a: number, b: number) => number> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "^": (a, b) => a ** b,
  "%%": (a, b) => a - b * Math.floor(a / b),
  "%/%": (a, b) => Math.floor(a / b),
  "==": (a, b) => Number(a === b),
  "!=": (a, b) => Number(a !== b),
  "<": (a, b) => Number(a < b),
  ">": (a, b) => Number(a > b),
  "<=": (a, b) => Number(a <= b),
  ">=": (a, b) => Number(a >= b),
  "&": (a, b) => Number(a !== 0 && b !== 0),
  "|": (a, b) => Number(a !== 0 || b !== 0),
};

/**
 * The value of an expression on every row. Missing in, missing out. Errors: `UNKNOWN_COLUMN`, `FORMULA_FUNCTION` (a
 * function that is not known), `COLUMN_TYPE` (arithmetic with texts).
 */
export function evaluate(e: Expr, data: DataSet, formula: string): Column {
  if (e.type === "name" && !CONSTANTS.has(e.name)) return data.column(e.name);
  if (e.type === "call" && e.fn === "(") return evaluate(e.args[0]!.value, data, formula);
  if (e.type === "call" && (e.fn === "factor" || e.fn === "as.factor"))
    return asFactor(evaluate(only(e, formula), data, formula));
  if (e.type === "binary" && (e.op === "==" || e.op === "!=")) {
    const texts = compareTexts(e, data, formula);
    if (texts) return texts;
  }
  return { kind: "number", values: numbers(e, data, formula) };
}

/** Texts of a factor as levels; numbers become levels sorted by value. */
export function asFactor(column: Column): FactorColumn {
  if (column.kind === "factor") return column;
  return factorOf(Array.from(column.values, (v) => (Number.isNaN(v) ? null : String(v))));
}

/** Numbers of a column: a factor of FALSE and TRUE counts as 0 and 1. Undefined for other factors. */
export function asNumbers(column: Column): NumberColumn | undefined {
  if (column.kind === "number") return column;
  if (column.levels.length > 0 && column.levels.every((l) => l === "FALSE" || l === "TRUE"))
    return {
      kind: "number",
      values: Float64Array.from(column.codes, (c) =>
        c < 0 ? Number.NaN : Number(column.levels[c] === "TRUE"),
      ),
    };
  return undefined;
}

function numbers(e: Expr, data: DataSet, formula: string): Float64Array {
  const n = data.rows;
  const fail = (code: "FORMULA_FUNCTION" | "FORMULA_TERM", at: number, why: string): never => {
    throw formulaError(code, formula, at, why);
  };
  switch (e.type) {
    case "number":
      return new Float64Array(n).fill(e.value);
    case "string":
      return fail("FORMULA_TERM", e.at, `the text ${deparse(e)} cannot be calculated with`);
    case "name": {
      if (CONSTANTS.has(e.name)) return new Float64Array(n).fill(CONSTANTS.get(e.name)!);
      const column = asNumbers(data.column(e.name));
      return (
        column?.values ?? fail("FORMULA_TERM", e.at, `column ${e.name} holds texts, numbers are needed here`)
      );
    }
    case "unary": {
      const x = numbers(e.arg, data, formula);
      if (e.op === "+") return x;
      return x.map((v) => (e.op === "-" ? -v : Number.isNaN(v) ? v : Number(v === 0)));
    }
    case "binary": {
      const texts = e.op === "==" || e.op === "!=" ? compareTexts(e, data, formula) : undefined;
      if (texts) return texts.values;
      const f =
        OPERATORS[e.op] ?? fail("FORMULA_FUNCTION", e.at, `${e.op} is no operator of arithmetic here`);
      const [a, b] = [numbers(e.left, data, formula), numbers(e.right, data, formula)];
      return Float64Array.from(a, (v, i) =>
        Number.isNaN(v) || Number.isNaN(b[i]!) ? Number.NaN : f(v, b[i]!),
      );
    }
    case "call": {
      if (e.fn === "(" || e.fn === "I" || e.fn === "as.numeric" || e.fn === "as.integer")
        return numbers(only(e, formula), data, formula);
      const f = Object.hasOwn(FUNCTIONS, e.fn) ? FUNCTIONS[e.fn]! : undefined;
      if (!f) {
        const near = nearestName(e.fn, Object.keys(FUNCTIONS));
        const hint = WHOLE_COLUMN.includes(e.fn)
          ? "depends on all rows at once and would change in new data; make a column of it first"
          : `is not known${near ? `; did you mean ${near}?` : `; known are ${Object.keys(FUNCTIONS).join(", ")}, I, factor`}`;
        return fail("FORMULA_FUNCTION", e.at, `the function ${e.fn}() ${hint}`);
      }
      if (e.args.length !== 1 && !(e.fn === "log" && e.args.length === 2))
        return fail("FORMULA_FUNCTION", e.at, `${e.fn}() takes one argument`);
      const x = numbers(e.args[0]!.value, data, formula);
      const base = e.args[1] ? numbers(e.args[1].value, data, formula) : undefined;
      return x.map((v, i) => f(v, base ? base[i]! : Number.NaN));
    }
  }
}

function only(e: Extract<Expr, { type: "call" }>, formula: string): Expr {
  if (e.args.length === 1) return e.args[0]!.value;
  throw formulaError("FORMULA_FUNCTION", formula, e.at, `${e.fn}() takes one argument`);
}

/** `sex == "male"`: 1 where equal. */
function compareTexts(
  e: Extract<Expr, { type: "binary" }>,
  data: DataSet,
  formula: string,
): NumberColumn | undefined {
  const text = e.left.type === "string" ? e.left : e.right.type === "string" ? e.right : undefined;
  if (!text) return undefined;
  const column = evaluate(text === e.left ? e.right : e.left, data, formula);
  const equal = e.op === "==" ? 1 : 0;
  const values = factorTexts(asFactor(column)).map((t) =>
    t === null ? Number.NaN : t === text.value ? equal : 1 - equal,
  );
  return { kind: "number", values: Float64Array.from(values) };
}
