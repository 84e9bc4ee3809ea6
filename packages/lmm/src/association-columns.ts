/** The tests of {@link associate}. */
export type AssociationTest = "wald" | "lrt" | "score";

/** A statistic of {@link AssociationColumns}, in the order of the association schema. */
export type StatisticName = (typeof STATISTICS)[number];

export const STATISTICS = [
  "beta",
  "se",
  "loglH1",
  "lRemle",
  "lMle",
  "pWald",
  "pLrt",
  "pScore",
  "negLog10PWald",
  "negLog10PLrt",
  "negLog10PScore",
] as const;

/** Results of a run of variants as plain columns; the hot path builds no objects a variant. */
export interface AssociationColumns {
  /** .bim row of each variant. */
  readonly index: Uint32Array;
  /** Missing calls among the analysed people. */
  readonly nMiss: Int32Array;
  /** Frequency of A1 among the analysed people. */
  readonly af: Float64Array;
  /** Effect of one copy of A1: at the variant's REML λ with the Wald test, else at the null model's MLE λ. */
  readonly beta: Float64Array;
  /** Its standard error. */
  readonly se: Float64Array;
  /** Log-likelihood at the variant's λ: the full one with the likelihood ratio test, else the restricted one. */
  readonly loglH1?: Float64Array;
  /** λ = vg/ve that maximises the restricted likelihood (Wald test). */
  readonly lRemle?: Float64Array;
  /** λ that maximises the full likelihood (likelihood ratio test). */
  readonly lMle?: Float64Array;
  /** Wald p; 0 where it underflows. */
  readonly pWald?: Float64Array;
  /** p of the likelihood ratio test. */
  readonly pLrt?: Float64Array;
  /** p of the score test at the null model's λ. */
  readonly pScore?: Float64Array;
  /** −log₁₀ of the Wald p, which does not underflow. */
  readonly negLog10PWald?: Float64Array;
  /** −log₁₀ of the likelihood ratio test's p. */
  readonly negLog10PLrt?: Float64Array;
  /** −log₁₀ of the score test's p. */
  readonly negLog10PScore?: Float64Array;
}

/** −log₁₀ p of the first test that ran, in the order Wald, likelihood ratio, score: what plots and summaries show. */
export function leadingTest(columns: AssociationColumns): { test: AssociationTest; negLog10P: Float64Array } {
  const { negLog10PWald, negLog10PLrt, negLog10PScore } = columns;
  if (negLog10PWald) return { test: "wald", negLog10P: negLog10PWald };
  if (negLog10PLrt) return { test: "lrt", negLog10P: negLog10PLrt };
  return {
    test: "score",
    negLog10P: negLog10PScore ?? new Float64Array(columns.index.length).fill(Number.NaN),
  };
}

/** No rows of these statistics. */
export function noColumns(statistics: readonly StatisticName[]): AssociationColumns {
  const none = new Float64Array(0);
  const columns = { index: new Uint32Array(0), nMiss: new Int32Array(0), af: none, beta: none, se: none };
  return { ...columns, ...Object.fromEntries(statistics.map((name) => [name, none])) };
}

/** Rows `from` to `to` of the parts laid end to end; all parts have the same columns. */
export function concatColumns(
  parts: readonly AssociationColumns[],
  from: number = 0,
  to?: number,
): AssociationColumns {
  const total = parts.reduce((sum, p) => sum + p.index.length, 0);
  const end = Math.min(to ?? total, total);
  const index = new Uint32Array(end - from);
  const nMiss = new Int32Array(end - from);
  const names = (["af", ...STATISTICS] as const).filter((name) => parts[0]?.[name]);
  const doubles = Object.fromEntries(names.map((name) => [name, new Float64Array(end - from)])) as Record<
    "af" | "beta" | "se",
    Float64Array
  > & { [name in StatisticName]?: Float64Array };
  let at = 0;
  for (const part of parts) {
    const first = Math.max(0, from - at);
    const last = Math.min(part.index.length, end - at);
    if (first < last) {
      const target = at + first - from;
      index.set(part.index.subarray(first, last), target);
      nMiss.set(part.nMiss.subarray(first, last), target);
      for (const name of names) doubles[name]!.set(part[name]!.subarray(first, last), target);
    }
    at += part.index.length;
  }
  return { index, nMiss, ...doubles };
}
