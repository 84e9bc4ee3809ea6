import type { EngineSummary } from "./engine-types.ts";
import { gamError } from "./errors.ts";
import type { GamModel } from "./model.ts";
import { lnChisqSf, lnFSf } from "./native.ts";

/** One model of a comparison. */
export interface ComparisonRow {
  /** Formulas, joined by semicolons. */
  readonly formula: string;
  /** Rows minus edf1 minus what the uncertainty of the smoothing parameters adds to edf. */
  readonly residualDf: number;
  /** Deviance. */
  readonly deviance: number;
  /** Effective degrees of freedom. */
  readonly edf: number;
  /** Corrected AIC. */
  readonly aic: number;
  /** BIC. */
  readonly bic: number;
  /** Log likelihood. */
  readonly logLik: number;
  /** REML, ML, GCV or UBRE. */
  readonly criterion: number;
}

/** Analysis of deviance of two models. */
export interface DevianceTest {
  /** Difference of the residual degrees of freedom. */
  readonly df: number;
  /** Difference of the deviances. */
  readonly deviance: number;
  /** Test statistic. */
  readonly stat: number;
  /** F with an estimated scale, else chi-squared. */
  readonly statKind: "F" | "Chi.sq";
  /** Approximate: smoothing parameters count as known. NaN where the models do not differ in degrees of freedom. */
  readonly p: number;
}

/** Two models of the same response beside each other. */
export interface ModelComparison {
  /** As they were given. */
  readonly models: readonly [ComparisonRow, ComparisonRow];
  /** The models in order of complexity: how much the larger one gains. */
  readonly test: DevianceTest;
  /** AIC of the first minus AIC of the second: negative speaks for the first. */
  readonly deltaAic: number;
}

/**
 * Compares two models of the same rows: analysis of deviance (as mgcv's `anova`, degrees of freedom edf1 + edf2 − edf), AIC, BIC.
 * `COMPARE` when family or number of rows differ.
 */
export function compare(first: GamModel, second: GamModel): ModelComparison {
  const [a, b] = [first.parts, second.parts];
  const response = (p: typeof a): string => p.spec.formulas[0]!.response!.label;
  if (a.summary.n !== b.summary.n || response(a) !== response(b) || a.spec.family.name !== b.spec.family.name)
    throw gamError(
      "COMPARE",
      `only models of the same rows, response and family can be compared: ${a.summary.n} rows of ${response(a)} (${a.spec.family.name}) against ${b.summary.n} of ${response(b)} (${b.spec.family.name})`,
      { usage: true },
    );
  const residualDf = ({ n, edfTotal, edf1Total, edf2Total }: EngineSummary): number =>
    n - edf1Total - (edf2Total === null ? 0 : edf2Total - edfTotal);
  const row = (m: GamModel): ComparisonRow => ({
    formula: m.formulas.join("; "),
    residualDf: residualDf(m.parts.summary),
    deviance: m.deviance,
    edf: m.edf,
    aic: m.aic,
    bic: m.bic,
    logLik: m.logLik,
    criterion: m.criterion,
  });
  const models = [row(first), row(second)] as const;
  const large = models[0].residualDf <= models[1].residualDf ? 0 : 1;
  const [big, small] = [models[large]!, models[1 - large]!];
  const df = small.residualDf - big.residualDf;
  const deviance = small.deviance - big.deviance;
  const larger = large === 0 ? a : b;
  const estimated = larger.summary.scaleEstimated;
  const scale = larger.summary.scale;
  const stat = estimated ? deviance / df / scale : deviance / scale;
  const lnP =
    !(df > 1e-8) || !(stat > 0)
      ? Number.NaN
      : estimated
        ? lnFSf(stat, df, big.residualDf)
        : lnChisqSf(stat, df);
  return {
    models,
    test: { df, deviance, stat, statKind: estimated ? "F" : "Chi.sq", p: Math.exp(lnP) },
    deltaAic: models[0].aic - models[1].aic,
  };
}
