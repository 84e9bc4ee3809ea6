/** Results of a run of variants as plain columns; the hot path builds no objects a variant. */
export interface AssociationColumns {
  /** .bim row of each variant. */
  readonly index: Uint32Array;
  /** Missing calls among the analysed people. */
  readonly nMiss: Int32Array;
  /** Frequency of A1 among the analysed people. */
  readonly af: Float64Array;
  /** Effect of one copy of A1. */
  readonly beta: Float64Array;
  /** Its standard error. */
  readonly se: Float64Array;
  /** REML log-likelihood at the variant's λ. */
  readonly loglH1: Float64Array;
  /** λ = vg/ve that maximises the REML likelihood. */
  readonly lRemle: Float64Array;
  /** Wald p; 0 where it underflows. */
  readonly pWald: Float64Array;
  /** −log₁₀ of it, which does not underflow. */
  readonly negLog10PWald: Float64Array;
}

const DOUBLES = ["af", "beta", "se", "loglH1", "lRemle", "pWald", "negLog10PWald"] as const;

/** Rows `from` to `to` of the parts laid end to end. */
export function concatColumns(
  parts: readonly AssociationColumns[],
  from: number = 0,
  to?: number,
): AssociationColumns {
  const total = parts.reduce((sum, p) => sum + p.index.length, 0);
  const end = Math.min(to ?? total, total);
  const index = new Uint32Array(end - from);
  const nMiss = new Int32Array(end - from);
  const doubles = Object.fromEntries(DOUBLES.map((name) => [name, new Float64Array(end - from)])) as Record<
    (typeof DOUBLES)[number],
    Float64Array
  >;
  let at = 0;
  for (const part of parts) {
    const first = Math.max(0, from - at);
    const last = Math.min(part.index.length, end - at);
    if (first < last) {
      const target = at + first - from;
      index.set(part.index.subarray(first, last), target);
      nMiss.set(part.nMiss.subarray(first, last), target);
      for (const name of DOUBLES) doubles[name].set(part[name].subarray(first, last), target);
    }
    at += part.index.length;
  }
  return { index, nMiss, ...doubles };
}
