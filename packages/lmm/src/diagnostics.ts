import { formatG, type Warn } from "@x/core/base";
import type { Table } from "apache-arrow";
import type { Cohort } from "./cohort.ts";
import { type CovariateInflation, covariateInflation, HIGH_INFLATION } from "./collinearity.ts";
import { DualEigen } from "./dual-eigen.ts";
import type { Decomposition } from "./eigen.ts";
import type { TwinFacts } from "./kinship-twins.ts";
import { type QqPoints, qqTable, shownQq } from "./qq-table.ts";
import { genomicInflation } from "./report/qq.ts";
import {
  countProblems,
  describeFailed,
  describeProblems,
  type FailedVariant,
  failedVariants,
  type ProblemCounts,
  problemTable,
  type SeenVariants,
} from "./variant-problems.ts";

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
  /** The same at the ranks that a plot needs: the first hundred, then ever fewer. */
  readonly qqPoints: QqPoints;
  /** How many variants have which problem. */
  readonly problems: ProblemCounts;
  /** The variants without an estimate, each with the reason: `index, chrom, id, pos, code, reason`. */
  readonly problemVariants: Table;
  /** The first 20 of them of each reason. */
  readonly failed: readonly FailedVariant[];
  /** Near-collinearity of the covariates (exact collinearity is refused). */
  readonly covariates: readonly CovariateInflation[];
  /** The kinship's spectrum. */
  readonly kinship: KinshipCondition;
}

/** Conditioning of a kinship from its eigendecomposition. */
export function kinshipCondition(eigen: Decomposition, twins?: TwinFacts): KinshipCondition {
  const { values, residual, orthogonality } = eigen.facts;
  // A product of genotypes with itself has none below zero.
  const negative = eigen instanceof DualEigen ? { count: 0, smallest: 0 } : eigen.facts.negative;
  const positive = values.filter((v) => v !== 0);
  const zeros = eigen.samples - positive.length;
  const largest = values.at(-1) ?? 0;
  const smallestPositive = positive[0] ?? 0;
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
  /** Its kinship: see {@link kinshipCondition}. */
  readonly kinship: KinshipCondition;
  /** What was seen of each variant. */
  readonly seen: SeenVariants;
}

/** Puts together what a user should look at; tables are made when first asked for. */
export function diagnose(input: DiagnosticsInput): Diagnostics {
  const { study } = input;
  const { index, codes, negLog10P } = input.seen;
  let qq: Table | undefined;
  let qqPoints: QqPoints | undefined;
  let problemVariants: Table | undefined;
  return Object.freeze({
    lambdaGC: genomicInflation(negLog10P),
    problems: countProblems(codes),
    failed: failedVariants(study, input.seen),
    covariates: covariateInflation(input.cohort),
    kinship: input.kinship,
    get qq(): Table {
      qq ??= qqTable(negLog10P);
      return qq;
    },
    get qqPoints(): QqPoints {
      qqPoints ??= shownQq(negLog10P);
      return qqPoints;
    },
    get problemVariants(): Table {
      problemVariants ??= problemTable(study, index, codes);
      return problemVariants;
    },
  });
}

/** Lines for the log: the numbers, then what each problem means. */
export function diagnosticsLines(d: Diagnostics, cohort: Cohort): string[] {
  return [
    "Diagnostics:",
    `genomic inflation lambda_GC = ${g(d.lambdaGC)}`,
    ...conditionLines(d.kinship),
    ...categoryLines(cohort),
    ...d.covariates
      .filter((c) => c.inflation > HIGH_INFLATION)
      .map((c) => `covariate ${c.name}: variance inflation ${g(c.inflation)}, nearest ${c.nearest}`),
    ...describeProblems(d.problems),
    ...describeFailed(d.failed, d.problems).map((line) => `     ${line}`),
  ];
}

const g = (x: number): string => formatG(x, 6);

/** The kinship's part of them. */
export function conditionLines(k: KinshipCondition): string[] {
  return [
    `kinship eigenvalues = ${g(k.smallestPositive)} to ${g(k.largest)}, ${k.zeros} zero, ${k.negative} negative`,
    `share of the largest eigenvalue = ${g(k.largestShare)}`,
    ...(k.twins === undefined ? [] : [`pairs with equal genotypes = ${k.twins.count}`]),
    ...(k.twins?.pairs ?? []).map((p) => `     ${p.firstId} and ${p.secondId}, distance ${g(p.distance)}`),
  ];
}

/** How each covariate of categories was coded. */
export function categoryLines(cohort: Cohort): string[] {
  return cohort.categories.map(({ name, reference, levels }) => {
    const list = levels.map(({ level, people }) => `${level} (${people})`).join(", ");
    return `categorical covariate ${name}: 0/1 columns for each level but ${reference}; people: ${list}`;
  });
}

/** The diagnostics for `--json`: their tables as the QQ data that a plot needs and the first failed variants of each reason. */
export function diagnosticsJson(d: Diagnostics): unknown {
  const { lambdaGC, problems, failed, covariates, kinship, qqPoints } = d;
  return { lambdaGC, problems, failed, covariates, kinship, qq: qqPoints };
}

/** Warns of twins and of covariates that nearly explain each other. */
export function warnAbout(d: Diagnostics, warn: Warn): void {
  const twins = d.kinship.twins;
  if (twins && twins.count > 0) {
    const { firstId, secondId } = twins.pairs[0]!;
    warn({
      code: "TWINS",
      message: `${twins.count} pair(s) of analysed people have the same genotypes, the first ${firstId} and ${secondId}: twins, or one person twice.`,
      details: { count: twins.count, pairs: twins.pairs },
    });
  }
  for (const { name, inflation, nearest, correlation } of d.covariates)
    if (inflation > HIGH_INFLATION)
      warn({
        code: "COVAR_COLLINEAR",
        message: `the covariate ${name} is nearly a sum of the others (variance inflation ${inflation.toPrecision(3)}; nearest ${nearest}, correlation ${correlation.toFixed(3)}).`,
        details: { name, inflation, nearest, correlation },
      });
}
