import { gamError } from "../errors.ts";
import { deparse } from "../formula/ast.ts";
import type { SmoothCall } from "../formula/smooth-call.ts";
import type { Formula } from "../formula/terms.ts";
import type { Column } from "./columns.ts";
import type { Frame, VariableSpec } from "./frame.ts";
import { type ParametricColumn, parametricColumns, parametricValues } from "./parametric.ts";
import { strayTexts } from "./response.ts";

/** One smooth as the engine takes it. */
export interface SmoothSpec {
  label: string;
  kind: SmoothCall["kind"];
  bs: string | null;
  columns: number[];
  levels: (number | null)[];
  k: number | null;
  m: number | readonly number[] | null;
  by: { column: number; level?: number } | null;
  knots: readonly number[] | readonly (readonly number[])[] | null;
  fixed: boolean;
  shape: string | null;
  id: string | null;
  margins:
    | {
        bs: string;
        columns: number[];
        levels: (number | null)[];
        k: number | null;
        m: number | null;
        knots: readonly number[] | null;
        mc: null;
      }[]
    | null;
}

/** The engine's specification of a design. */
export interface DesignSpec {
  predictors: {
    parametric: { name: string; term: string; column: number | null }[];
    smooths: SmoothSpec[];
  }[];
  select: boolean;
  discrete: boolean;
  weights: null;
}

/** A design and the columns it reads. */
export interface DesignPlan {
  readonly spec: DesignSpec;
  /** What fills each column of the data matrix. */
  readonly sources: readonly ColumnSource[];
}

/** A variable as it is (codes for a factor), or a product of the parametric part. */
export type ColumnSource = { readonly variable: string } | { readonly product: ParametricColumn };

/** Options of `planDesign`. */
export interface DesignOptions {
  readonly select: boolean;
  readonly discrete: boolean;
  readonly knots: Readonly<Record<string, readonly number[]>>;
  /** Does the family carry its own intercept (Cox)? */
  readonly withoutIntercept: boolean;
}

/** Which columns a model needs, and how the engine makes its design of them; depends on formulas and levels only. */
export function planDesign(
  formulas: readonly Formula[],
  variables: readonly VariableSpec[],
  options: DesignOptions,
): DesignPlan {
  const sources: ColumnSource[] = [];
  const place = new Map<string, number>();
  const levels = new Map(variables.map((v) => [v.label, v.levels]));
  const columnOf = (variable: string): number => {
    let at = place.get(variable);
    if (at === undefined) {
      at = sources.push({ variable }) - 1;
      place.set(variable, at);
    }
    return at;
  };
  const predictors = formulas.map((formula, p) => {
    const suffix = p === 0 ? "" : `.${p}`;
    const intercept = formula.intercept && !options.withoutIntercept;
    const parametric = parametricColumns(formula, variables, formula.intercept).map((product) => {
      const [only] = product.factors;
      const plain = product.factors.length === 1 && only!.level === undefined;
      const column = plain ? columnOf(only!.variable) : sources.push({ product }) - 1;
      return { name: product.name, term: `${product.term}${suffix}`, column };
    });
    const one = { name: "(Intercept)", term: `(Intercept)${suffix}`, column: null };
    return {
      parametric: intercept ? [one, ...parametric] : parametric,
      smooths: formula.smooths.flatMap((s) => smoothSpecs(s, suffix, levels, columnOf, options.knots)),
    };
  });
  const labels = predictors.flatMap((p) => p.smooths.map((s) => s.label));
  const twice = labels.find((l, i) => labels.indexOf(l) !== i);
  if (twice !== undefined)
    throw gamError(
      "FORMULA_TERM",
      `${twice} stands in the formula twice; one smooth of a variable is enough`,
      { details: { term: twice }, usage: true },
    );
  return { spec: { predictors, select: options.select, discrete: options.discrete, weights: null }, sources };
}

function smoothSpecs(
  s: SmoothCall,
  suffix: string,
  levels: ReadonlyMap<string, readonly string[] | undefined>,
  columnOf: (variable: string) => number,
  knots: DesignOptions["knots"],
): SmoothSpec[] {
  const names = s.variables.map(deparse);
  names.forEach((name, i) => {
    const bs = s.bs[Math.min(i, s.bs.length - 1)]!;
    const known = levels.get(name);
    if (known && bs !== "re" && bs !== "fs")
      throw gamError(
        "COLUMN_TYPE",
        `${s.label}: ${name} is a factor${strayTexts(known)}; a smooth needs numbers. A random effect is s(${name}, bs="re"), a smooth per level s(x, by=${name})`,
        {
          details: { term: s.label, column: name },
        },
      );
  });
  if (s.bs[0] === "fs" && s.kind === "s" && names.filter((n) => levels.get(n)).length !== 1)
    throw gamError("COLUMN_TYPE", `${s.label}: a basis "fs" needs one numeric column and one factor`, {
      details: { term: s.label },
    });
  const count = (name: string): number | null => levels.get(name)?.length ?? null;
  const size = (k: number | undefined): number | null => (k === undefined || k === -1 ? null : k);
  const margins =
    s.kind === "s"
      ? null
      : names.map((name, i) => ({
          bs: s.bs[i]!,
          columns: [columnOf(name)],
          levels: [count(name)],
          k: size(s.k?.[i]),
          m: s.m ? (s.m[i] ?? s.m[0]!) : null,
          knots: knots[name] ?? null,
          mc: null,
        }));
  const own = names.map((name) => knots[name]);
  const known = own.every((k) => k !== undefined) ? (own as (readonly number[])[]) : undefined;
  const base: SmoothSpec = {
    label: s.label,
    kind: s.kind,
    bs: s.kind === "s" ? s.bs[0]! : null,
    columns: names.map(columnOf),
    levels: names.map(count),
    k: s.kind === "s" ? size(s.k?.[0]) : null,
    m: s.kind === "s" && s.m ? (s.m.length === 1 ? s.m[0]! : s.m) : null,
    by: null,
    knots: s.kind === "s" && known ? (known.length === 1 ? known[0]! : known) : null,
    fixed: s.fx,
    shape: s.shape ?? null,
    id: s.id ?? null,
    margins,
  };
  const label = (by: string): string => `${s.label.replace("(", `${suffix}(`)}${by}`;
  if (!s.by) return [{ ...base, label: label("") }];
  const by = deparse(s.by);
  const byLevels = levels.get(by);
  if (!byLevels) return [{ ...base, label: label(`:${by}`), by: { column: columnOf(by) } }];
  return byLevels.map((l, level) => ({
    ...base,
    label: label(`:${by}${l}`),
    by: { column: columnOf(by), level },
  }));
}

/** The columns a design reads; NaN for the unseen level of a random term. */
export function designColumns(plan: DesignPlan, frame: Pick<Frame, "columns" | "rows">): Float64Array[] {
  return plan.sources.map((source) =>
    "product" in source
      ? parametricValues(source.product, frame.columns, frame.rows.length)
      : codesOrValues(frame.columns.get(source.variable)!),
  );
}

function codesOrValues(column: Column): Float64Array {
  return column.kind === "number"
    ? column.values
    : Float64Array.from(column.codes, (c) => (c < 0 ? Number.NaN : c));
}
