import type { PlinkStudy } from "@x/plink-io";
import type { Table } from "apache-arrow";
import type { AssociationColumns } from "./association-columns.ts";
import { arrowCore } from "./lazy-arrow.ts";

/**
 * What became of a variant. The first four have no complete estimate; at a bound of λ the estimate holds, but λ is where
 * the search ended (small samples, or a trait without heritability, put most variants at the lower one).
 */
export const VARIANT_PROBLEMS = {
  COLLINEAR: "a combination of the covariates among the analysed people: no effect can be estimated",
  PERFECT_FIT: "covariates and variant explain the phenotype completely: no residual variance is left",
  NO_CONVERGENCE: "the search for λ found no finite likelihood",
  NOT_FINITE: "a statistic is not a finite number",
  LAMBDA_LOW: "λ is at the lower bound of the search (lmin)",
  LAMBDA_HIGH: "λ is at the upper bound of the search (lmax)",
} as const;

/** A code of {@link VARIANT_PROBLEMS}. */
export type VariantProblem = keyof typeof VARIANT_PROBLEMS;

const CODES = Object.keys(VARIANT_PROBLEMS) as VariantProblem[];

/** Variants with each problem. */
export type ProblemCounts = Readonly<Record<VariantProblem, number>>;

/** Problems that leave a variant without a complete estimate. */
const FAILED: ReadonlySet<VariantProblem> = new Set(["COLLINEAR", "PERFECT_FIT", "NO_CONVERGENCE", "NOT_FINITE"]);

/** One a variant: 0 = none, else 1 + the position in {@link VARIANT_PROBLEMS}. */
export function variantProblems(
  columns: AssociationColumns,
  lambda: { readonly lmin: number; readonly lmax: number },
): Uint8Array {
  const code = (problem: VariantProblem): number => 1 + CODES.indexOf(problem);
  const { beta, se, loglH1, lRemle } = columns;
  return Uint8Array.from(columns.index, (_, i) => {
    const [b, s, l] = [beta?.[i], se?.[i], lRemle?.[i]];
    const fitted = loglH1?.[i];
    const searched = l ?? Number.NaN;
    if (Number.isNaN(b) && (Number.isNaN(s) || s === undefined) && (l === undefined || Number.isNaN(l)))
      return code("COLLINEAR");
    if (l !== undefined && (Number.isNaN(l) || Number.isNaN(fitted))) return code("NO_CONVERGENCE");
    if (s !== undefined && (Number.isNaN(s) || s === 0)) return code("PERFECT_FIT");
    if ([b, s, fitted].some((v) => v !== undefined && !Number.isFinite(v))) return code("NOT_FINITE");
    if (searched <= lambda.lmin) return code("LAMBDA_LOW");
    return searched >= lambda.lmax ? code("LAMBDA_HIGH") : 0;
  });
}

/** How many variants have each problem. */
export function countProblems(codes: Uint8Array): ProblemCounts {
  const counts = Object.fromEntries(CODES.map((name) => [name, 0])) as Record<VariantProblem, number>;
  for (const code of codes) if (code > 0) counts[CODES[code - 1]!]++;
  return counts;
}

/** The problems that occurred, as texts for log and report. */
export function describeProblems(counts: ProblemCounts): string[] {
  return CODES.filter((name) => counts[name] > 0).map(
    (name) => `${counts[name]} variants: ${VARIANT_PROBLEMS[name]} (${name})`,
  );
}

/** The variants without a complete estimate: `index, chrom, id, pos, code, reason`. */
export function problemTable(
  { bim }: Pick<PlinkStudy, "bim">,
  columns: AssociationColumns,
  codes: Uint8Array,
): Table {
  const at = Array.from(codes.keys()).filter((i) => codes[i]! > 0 && FAILED.has(CODES[codes[i]! - 1]!));
  const rows = at.map((i) => columns.index[i]!);
  const names = at.map((i) => CODES[codes[i]! - 1]!);
  return arrowCore().tableFromColumns({
    index: Int32Array.from(rows),
    chrom: rows.map((row) => bim.chrom[row]!),
    id: rows.map((row) => bim.id[row]!),
    pos: Int32Array.from(rows, (row) => bim.pos[row]!),
    code: names as string[],
    reason: names.map((name) => VARIANT_PROBLEMS[name] as string),
  });
}
