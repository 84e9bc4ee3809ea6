import type { Table } from "apache-arrow";
import type { AssociationColumns } from "./association-columns.ts";
import type { Cohort } from "./cohort.ts";
import { type CovariateInflation, covariateInflation } from "./collinearity.ts";
import type { Eigen } from "./eigen-matrix.ts";
import type { TwinFacts } from "./kinship-twins.ts";
import { qqTable } from "./qq-table.ts";
import { genomicInflation } from "./report/qq.ts";
import { countProblems, type ProblemCounts, problemTable, variantProblems } from "./variant-problems.ts";

/** What the spectrum of a kinship says about it. */
export interface KinshipCondition {
  /** Largest eigenvalue. */
  readonly largest: number;
  /** Smallest eigenvalue that is not 0. */
  readonly smallestPositive: number;
  /** The ratio of both. */
  readonly condition: number;
  /**
   * Eigenvalues that count as 0. Centring makes one; more come from fewer variants than people and from people who are
   * in the data twice.
   */
  readonly zeros: number;
  /** Eigenvalues that were negative beyond rounding: not a relatedness matrix. */
  readonly negative: number;
  /** The most negative, 0 without any. */
  readonly smallest: number;
  /** Share of the sum of all eigenvalues that the largest has: near 1 says that one axis (a batch, a population) rules. */
  readonly largestShare: number;
  /** ‖KU − UΛ‖ / ‖K‖; NaN for vectors from a file without kinship. */
  readonly residual: number;
  /** ‖U′U − I‖. */
  readonly orthogonality: number;
  /** People with the same genotypes; undefined when the kinship itself was not at hand. */
  readonly twins: TwinFacts | undefined;
}

/** What a user should look at before trusting a result. */
export interface Diagnostics {
  /** Genomic inflation λGC of the test reported first. */
  readonly lambdaGC: number;
  /** Expected and observed −log₁₀ p, largest first, with the band of 95 %. */
  readonly qq: Table;
  /** How many variants have which problem. */
  readonly problems: ProblemCounts;
  /** The variants without an estimate, each with the reason: `index, chrom, id, pos, code, reason`. */
  readonly problemVariants: Table;
  /** Near-collinearity of the covariates (exact collinearity is refused). */
  readonly covariates: readonly CovariateInflation[];
  /** The kinship's spectrum. */
  readonly kinship: KinshipCondition;
}

/** Conditioning of a kinship from its eigendecomposition. */
export function kinshipCondition(eigen: Eigen, twins?: TwinFacts): KinshipCondition {
  const { values, negative, residual, orthogonality } = eigen.facts;
  const zeros = values.reduce((count, v) => count + (v === 0 ? 1 : 0), 0);
  const largest = values.at(-1) ?? 0;
  const smallestPositive = values[zeros] ?? 0;
  const total = values.reduce((sum, v) => sum + v, 0);
  return {
    largest,
    smallestPositive,
    condition: largest / smallestPositive,
    zeros,
    negative: negative.count,
    smallest: negative.smallest,
    largestShare: largest / total,
    residual,
    orthogonality,
    twins,
  };
}

/** What {@link diagnose} looks at. */
export interface DiagnosticsInput {
  /** The fileset's variants. */
  readonly study: Parameters<typeof problemTable>[0];
  /** Who was analysed. */
  readonly cohort: Cohort;
  /** Its eigendecomposition. */
  readonly eigen: Eigen;
  /** Results. */
  readonly columns: AssociationColumns;
  /** −log₁₀ p of the test that λGC and the QQ data are of. */
  readonly negLog10P: Float64Array;
  /** Where λ was searched. */
  readonly lambda: { readonly lmin: number; readonly lmax: number };
  /** People with the same genotypes, when known. */
  readonly twins?: TwinFacts | undefined;
}

/** Puts together what a user should look at; tables are made when first asked for. */
export function diagnose(input: DiagnosticsInput): Diagnostics {
  const { study, columns, negLog10P } = input;
  const codes = variantProblems(columns, input.lambda);
  let qq: Table | undefined;
  let problemVariants: Table | undefined;
  return Object.freeze({
    lambdaGC: genomicInflation(negLog10P),
    problems: countProblems(codes),
    covariates: covariateInflation(input.cohort),
    kinship: kinshipCondition(input.eigen, input.twins),
    get qq(): Table {
      qq ??= qqTable(negLog10P);
      return qq;
    },
    get problemVariants(): Table {
      problemVariants ??= problemTable(study, columns, codes);
      return problemVariants;
    },
  });
}
