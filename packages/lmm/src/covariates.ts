import { lmmError, lmmFileError } from "./errors.ts";
import { readField } from "./gemma/numbers.ts";
import type { ColumnOrigin } from "./phenotype.ts";

/**
 * Numbers of one covariate column; NaN = written `NA`, which drops the person.
 * @throws COVAR_NAN, COVAR_INF, COVAR_RANGE, COVAR_PARSE with the line and the text.
 */
export function parseCovariate(texts: readonly string[], origin: ColumnOrigin): Float64Array {
  const out = new Float64Array(texts.length);
  for (let row = 0; row < texts.length; row++) {
    const text = texts[row]!;
    const field = readField(text);
    if (field.kind === "missing") out[row] = Number.NaN;
    else if (field.kind === "value") out[row] = field.value;
    else {
      const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
      const code = (
        { nan: "COVAR_NAN", inf: "COVAR_INF", range: "COVAR_RANGE", text: "COVAR_PARSE" } as const
      )[field.kind];
      throw lmmFileError(
        code,
        origin.path,
        `"${shown}" is not a finite number. Write NA to leave the person out; code categories as 0/1 columns.`,
        { line: origin.lineOf(row), column: origin.column, text: shown },
      );
    }
  }
  return out;
}

/** The design matrix of the null model: `c` columns, each `n` analysed people long, one after the other. */
export interface Design {
  readonly w: Float64Array;
  readonly names: readonly string[];
}

/**
 * Builds the design from the covariate columns of the analysed people. GEMMA's rule: when no column is constant a
 * column of ones is added at the END; a constant column counts as the intercept.
 * @throws DF when no degree of freedom is left; COVAR_RANK naming the first column the earlier ones explain.
 */
export function design(columns: readonly Float64Array[], names: readonly string[], n: number): Design {
  const all = [...columns];
  const labels = [...names];
  if (!all.some(isConstant)) {
    all.push(new Float64Array(n).fill(1));
    labels.push("intercept");
  }
  const c = all.length;
  requireDf(n, c, "intercept included");
  checkRank(all, labels);
  const w = new Float64Array(n * c);
  for (let j = 0; j < c; j++) w.set(all[j]!, j * n);
  return { w, names: labels };
}

/**
 * The design with further columns at its end: principal components, say.
 * @throws DF, COVAR_RANK.
 */
export function extendDesign(
  given: Design,
  columns: readonly Float64Array[],
  names: readonly string[],
  n: number,
): Design {
  const before = given.names.map((_, j) => given.w.subarray(j * n, (j + 1) * n));
  return design([...before, ...columns], [...given.names, ...names], n);
}

/**
 * An environment stands in the model beside the covariates, and each variant there twice.
 * @throws DF, COVAR_RANK.
 */
export function checkEnvironment({ w, names }: Design, environment: Float64Array, name: string): void {
  const n = environment.length;
  const c = names.length;
  requireDf(n, c + 2, "environment and variant included");
  checkRank([...names.map((_, j) => w.subarray(j * n, (j + 1) * n)), environment], [...names, name]);
}

function requireDf(n: number, c: number, what: string): void {
  if (n - c - 1 >= 1) return;
  throw lmmError(
    "DF",
    `${n} analysed people and ${c} covariate columns (${what}) leave ${n - c - 1} degrees of freedom for a variant's test; at least 1 is needed: use fewer covariates or more people.`,
    { details: { samples: n, covariates: c } },
  );
}

function isConstant(column: Float64Array): boolean {
  const first = column[0];
  return column.length > 0 && column.every((v) => v === first);
}

/**
 * Gram-Schmidt, twice for safety: a column whose remainder is rounding noise adds nothing to the earlier ones.
 * @throws COVAR_RANK naming the column and those it is made of.
 */
function checkRank(columns: readonly Float64Array[], names: readonly string[]): void {
  const basis: Float64Array[] = [];
  /** Column j as a sum of the basis: `shares[j][i]` of `basis[i]`. */
  const shares: number[][] = [];
  for (let j = 0; j < columns.length; j++) {
    const scale = columns[j]!.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    const v = scale === 0 ? columns[j]!.slice() : columns[j]!.map((x) => x / scale);
    const before = norm(v);
    const share = basis.map(() => 0);
    for (let pass = 0; pass < 2; pass++)
      for (const [k, q] of basis.entries()) {
        const d = dot(q, v);
        share[k]! += d;
        for (let i = 0; i < v.length; i++) v[i]! -= d * q[i]!;
      }
    const after = norm(v);
    if (before === 0 || after <= 1e-9 * before) {
      const of = before === 0 ? [] : partners(shares, share, before).map((k) => names[k]!);
      throw lmmError(
        "COVAR_RANK",
        `covariate column ${j + 1} (${names[j]}) ${
          before === 0
            ? "is zero for everyone analysed"
            : `is a linear combination of the columns before it: of ${of.join(", ")}`
        }; leave it out.`,
        { details: { column: j + 1, name: names[j], of } },
      );
    }
    basis.push(v.map((x) => x / after));
    shares.push([...share, after]);
  }
}

/** Which earlier columns a dependent one is a sum of: back substitution in the triangle of shares. */
function partners(shares: readonly number[][], wanted: readonly number[], length: number): number[] {
  const rest = [...wanted];
  const found: number[] = [];
  for (let k = shares.length - 1; k >= 0; k--) {
    const weight = rest[k]! / shares[k]![k]!;
    for (let i = 0; i <= k; i++) rest[i]! -= weight * shares[k]![i]!;
    if (Math.abs(weight) * Math.hypot(...shares[k]!) > 1e-6 * length) found.unshift(k);
  }
  return found;
}

function dot(a: Float64Array, b: Float64Array): number {
  let s = 0;
  for (let i = 0; i < a.length; i++) s += a[i]! * b[i]!;
  return s;
}

function norm(a: Float64Array): number {
  return Math.sqrt(dot(a, a));
}
