import { lmmError, lmmFileError } from "./errors.ts";
import { readField } from "./gemma/numbers.ts";

/** Where a text column came from, so that an error can name the line. */
export interface ColumnOrigin {
  readonly path: string;
  /** 1-based column in the file. */
  readonly column: number;
  /** Line in the file of a row, counted from 1. */
  lineOf(row: number): number;
}

/**
 * Numbers of a phenotype column; NaN = missing, written `NA`, and −9 where PLINK's convention holds (`minusNine`).
 * GEMMA takes a −9 in a phenotype file as a number; only in the .fam it is missing.
 * @throws PHENO_NAN, PHENO_INF, PHENO_RANGE, PHENO_PARSE with the line and the text.
 */
export function parsePhenotype(
  texts: readonly string[],
  origin: ColumnOrigin,
  minusNine: "missing" | "number",
): Float64Array {
  const out = new Float64Array(texts.length);
  for (let row = 0; row < texts.length; row++) {
    const text = texts[row]!;
    const field = readField(text);
    if (field.kind === "missing") out[row] = Number.NaN;
    else if (field.kind === "value")
      out[row] = field.value === -9 && minusNine === "missing" ? Number.NaN : field.value;
    else throw phenotypeError(field.kind, text, row, origin);
  }
  return out;
}

function phenotypeError(
  kind: "nan" | "inf" | "range" | "text",
  text: string,
  row: number,
  origin: ColumnOrigin,
) {
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  const [code, what] = {
    nan: ["PHENO_NAN", `"${shown}" is not a phenotype: a missing value is written NA`],
    inf: ["PHENO_INF", `the phenotype is infinite ("${shown}"); write NA for a missing value`],
    range: ["PHENO_RANGE", `"${shown}" is too large for a double; rescale the phenotype`],
    text: [
      "PHENO_PARSE",
      `"${shown}" is not a number; a missing value is written NA, a decimal point is "."`,
    ],
  }[kind] as ["PHENO_NAN" | "PHENO_INF" | "PHENO_RANGE" | "PHENO_PARSE", string];
  return lmmFileError(code, origin.path, what, {
    line: origin.lineOf(row),
    column: origin.column,
    text: shown,
  });
}

/**
 * Refuses phenotypes of the analysed people that no model can be fitted to.
 * @throws PHENO_CONSTANT when all values are equal; SCALE when squares of their spread leave the range of a double.
 */
export function checkPhenotype(y: Float64Array, name: string): void {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of y) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low === high)
    throw lmmError(
      "PHENO_CONSTANT",
      `${name}: all ${y.length} analysed people have the value ${low}: there is nothing to explain. Choose another phenotype.`,
      {
        details: { value: low, samples: y.length },
      },
    );
  const spread = high - low;
  const top = Math.max(Math.abs(low), Math.abs(high));
  // Likelihoods need sums of squares and their inverses: 1e±140 leaves room for n and for the ratio of both.
  if (!(spread > 1e-140) || !(top < 1e140))
    throw lmmError(
      "SCALE",
      `${name}: values from ${low} to ${high} cannot be squared in double precision. Multiply the phenotype by a constant.`,
      { details: { low, high } },
    );
}
