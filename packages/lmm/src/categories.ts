import { parseStrictNumber } from "@x/core/base";
import { levelName } from "./column-names.ts";
import { lmmError } from "./errors.ts";

/** One level of a category. */
export interface CategoryLevel {
  /** As written in the file. */
  readonly level: string;
  /** Analysed people who have it. */
  readonly people: number;
}

/** A covariate of categories: each level but the reference became a column of zeros and ones, named `name=level`. */
export interface Category {
  /** The covariate's name. */
  readonly name: string;
  /** The level without a column: the first in order. */
  readonly reference: string;
  /** All levels among the analysed people and how many have each; numbers in numeric order, texts by code point. */
  readonly levels: ReadonlyArray<CategoryLevel>;
}

/** Texts as codes into their distinct values, NaN where it says `NA`: that person has none. */
export function codeTexts(texts: readonly string[]): { codes: Float64Array; labels: readonly string[] } {
  const labels: string[] = [];
  const code = new Map<string, number>();
  const codes = Float64Array.from(texts, (text) => {
    if (text === "NA") return Number.NaN;
    let at = code.get(text);
    if (at === undefined) {
      at = labels.length;
      code.set(text, at);
      labels.push(text);
    }
    return at;
  });
  return { codes, labels };
}

/**
 * The columns of a category for the analysed people. Levels that nobody analysed has get no column.
 * @throws CATEGORY_LEVELS when everyone analysed has the same level.
 */
export function expandCategory(
  name: string,
  codes: Float64Array,
  labels: readonly string[],
): { category: Category; columns: Float64Array[]; names: string[] } {
  const people = new Map<string, number>();
  for (const code of codes) people.set(labels[code]!, (people.get(labels[code]!) ?? 0) + 1);
  const levels = [...people.keys()].sort(inOrder);
  if (levels.length < 2)
    throw lmmError(
      "CATEGORY_LEVELS",
      `the categorical covariate ${name} has one level (${levels[0]}) among the ${codes.length} analysed people: it says nothing. Leave it out.`,
      { details: { name, level: levels[0], people: codes.length } },
    );
  const [reference, ...others] = levels;
  return {
    category: {
      name,
      reference: reference!,
      levels: levels.map((level) => ({ level, people: people.get(level)! })),
    },
    columns: others.map((level) => codes.map((code) => (labels[code] === level ? 1 : 0))),
    names: others.map((level) => levelName(name, level)),
  };
}

function inOrder(a: string, b: string): number {
  const [x, y] = [parseStrictNumber(a), parseStrictNumber(b)];
  if (x !== undefined && y !== undefined && x !== y) return x - y;
  if ((x === undefined) !== (y === undefined)) return x === undefined ? 1 : -1;
  return a < b ? -1 : a > b ? 1 : 0;
}
