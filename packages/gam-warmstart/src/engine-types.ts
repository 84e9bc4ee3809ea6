/** The JSON that crosses the native door. Numbers that are not finite cross as null. */

/** A smooth of a design. */
export interface DescribedTerm {
  readonly label: string;
  readonly predictor: number;
  readonly kind: string;
  readonly bs: string | null;
  /** Half-open range of coefficients. */
  readonly from: number;
  readonly to: number;
  readonly rawWidth: number;
  readonly width: number;
  readonly nullDims: readonly number[];
  readonly penalties: readonly {
    readonly label: string;
    readonly index: number;
    readonly rank: number;
    readonly scale: number;
  }[];
  readonly knots: readonly number[] | null;
  readonly gauge: { readonly rows: number; readonly columns: number; readonly data: readonly number[] };
}

/** A design. */
export interface Describe {
  readonly rows: number;
  readonly width: number;
  readonly predictors: number;
  readonly coefficientNames: readonly string[];
  readonly parametric: readonly {
    readonly name: string;
    readonly term: string;
    readonly predictor: number;
    readonly column: number;
  }[];
  readonly terms: readonly DescribedTerm[];
  readonly penaltyCount: number;
  readonly nullDimension: number;
}

/** Options of a fit. */
export interface EngineOptions {
  family: string;
  link: string | null;
  theta: readonly number[] | null;
  thetaStart: readonly number[] | null;
  classes: number | null;
  method: string;
  scale: number | null;
  gamma: number;
  /** null entries: the engine's own start. */
  rho: readonly (number | null)[] | null;
  beta: readonly number[] | null;
  fixedRho: boolean;
  maxOuter?: number;
  /** Derivatives of the criterion's Hessian at the optimum of a related fit: they only shape the steps. */
  third?: readonly number[];
  /** Should the fit tell its own? */
  probe?: boolean;
  /** Look once whether a term has a better optimum at infinity. */
  look?: boolean;
  covariances: boolean;
  tests: boolean;
}

/** A smooth's row of the summary. */
export interface EngineTerm {
  readonly label: string;
  readonly edf: number;
  readonly edf1: number;
  readonly edf2: number | null;
  readonly refDf: number | null;
  readonly stat: number | null;
  readonly statKind: "F" | "Chi.sq";
  readonly p: number | null;
  /** Natural logarithm of p. */
  readonly pLog: number | null;
}

/** A parametric coefficient's row. */
export interface EngineCoefficient {
  readonly name: string;
  readonly estimate: number;
  readonly se: number;
  readonly stat: number;
  readonly statKind: "t" | "z";
  readonly p: number;
}

/** Why a fit may be believed. */
export interface Certificate {
  /** Are all conditions met? */
  readonly converged: boolean;
  /** Largest absolute gradient of the criterion over the coordinates that are not at infinity. */
  readonly gradient: number;
  /** Smallest eigenvalue of the criterion's Hessian on those coordinates. */
  readonly curvature: number | null;
  /** Largest relative score of the penalised likelihood. */
  readonly innerScore: number;
  /** Coordinates of rho whose smooth has reached its null space. */
  readonly infinite: readonly number[];
  /** Coordinates of rho at a bound. */
  readonly atBox: readonly number[];
}

/** How much work a fit was. */
export interface IterationCounts {
  /** Steps in the smoothing parameters. */
  readonly outer: number;
  /** Evaluations of the criterion at another point, those of the solver's own start and of rejected steps included. */
  readonly criterionEvaluations: number;
  /** Iterations of P-IRLS. */
  readonly inner: number;
}

/** Summary of a fit. */
export interface EngineSummary {
  readonly family: string;
  readonly link: string;
  readonly method: string;
  readonly criterion: number;
  readonly deviance: number;
  readonly nullDeviance: number | null;
  readonly scale: number;
  readonly remlScale: number | null;
  readonly scaleEstimated: boolean;
  readonly logLik: number | null;
  readonly aic: number | null;
  readonly bic: number | null;
  readonly edfTotal: number;
  readonly edf1Total: number;
  readonly edf2Total: number | null;
  readonly residualDf: number;
  readonly rSqAdj: number | null;
  readonly devExplained: number | null;
  readonly n: number;
  readonly theta: readonly number[];
  /** Shape constraints that hold as equalities. */
  readonly activeConstraints: number;
  readonly terms: readonly EngineTerm[];
  readonly parametric: readonly EngineCoefficient[];
  /** `start`: was a starting point given? */
  readonly iterations: IterationCounts & {
    readonly start: { readonly rho: boolean; readonly beta: boolean };
  };
  readonly certificate: Certificate;
  readonly trace: readonly { readonly criterion: number; readonly rho: readonly number[] }[];
}

/** Derivatives of the criterion's Hessian by (rho, theta), and what they took. */
export interface EngineProbe {
  readonly third: readonly number[];
  readonly criterionEvaluations: number;
  readonly inner: number;
}
