import { deparse } from "../formula/ast.ts";
import type { Formula, ParametricTerm } from "../formula/terms.ts";
import type { Column } from "./columns.ts";
import type { VariableSpec } from "./frame.ts";

/** A column of the parametric part: a product of numbers and of indicators of levels. */
export interface ParametricColumn {
  /** R's name: `facb:x`. */
  readonly name: string;
  /** Label of its term. */
  readonly term: string;
  readonly factors: readonly { readonly variable: string; readonly level?: number }[];
}

/**
 * Columns of the parametric terms with R's treatment contrasts: a factor is coded without its first level where the term
 * without it is in the model too, else by all its levels. The intercept is not among them.
 */
export function parametricColumns(
  formula: Formula,
  variables: readonly VariableSpec[],
  intercept: boolean,
): ParametricColumn[] {
  const levels = new Map(variables.map((v) => [v.label, v.levels]));
  const terms = new Set(formula.parametric.map((t) => key(t.variables.map(deparse))));
  const first = intercept ? undefined : firstFactor(formula.parametric, levels);
  return formula.parametric.flatMap((term) => {
    const names = term.variables.map(deparse);
    let columns: ParametricColumn[] = [{ name: "", term: term.label, factors: [] }];
    for (const name of names) {
      const others = names.filter((n) => n !== name);
      const full =
        (others.length > 0 && !terms.has(key(others))) || (first?.term === term && first.variable === name);
      const known = levels.get(name);
      const parts = known
        ? known.map((l, i) => ({ name: `${name}${l}`, level: i })).slice(full ? 0 : 1)
        : [{ name, level: undefined }];
      // The first variable of a product varies fastest.
      columns = parts.flatMap((p) =>
        columns.map((c) => ({
          name: c.name === "" ? p.name : `${c.name}:${p.name}`,
          term: term.label,
          factors: [...c.factors, { variable: name, ...(p.level === undefined ? {} : { level: p.level }) }],
        })),
      );
    }
    return columns;
  });
}

const key = (names: readonly string[]): string => [...names].sort().join("\u0000");

/** Without an intercept the first factor there is gets all its levels. */
function firstFactor(
  terms: readonly ParametricTerm[],
  levels: ReadonlyMap<string, readonly string[] | undefined>,
): { term: ParametricTerm; variable: string } | undefined {
  for (const term of terms)
    for (const v of term.variables) if (levels.get(deparse(v))) return { term, variable: deparse(v) };
  return undefined;
}

/** The values of such a column on the rows of a frame; 0 for an unseen level. */
export function parametricValues(
  column: ParametricColumn,
  columns: ReadonlyMap<string, Column>,
  rows: number,
): Float64Array {
  const out = new Float64Array(rows).fill(1);
  for (const { variable, level } of column.factors) {
    const source = columns.get(variable)!;
    if (source.kind === "number") for (let i = 0; i < rows; i++) out[i]! *= source.values[i]!;
    else for (let i = 0; i < rows; i++) if (source.codes[i] !== level) out[i] = 0;
  }
  return out;
}
