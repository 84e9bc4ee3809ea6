import { type RunOptions, resolveThreads, type Warn } from "@x/core/base";
import type { Cohort } from "./cohort.ts";
import { DualEigen, dualEigen } from "./dual-eigen.ts";
import { DualKinship } from "./dual-kinship.ts";
import { Eigen, ZERO_BELOW } from "./eigen-matrix.ts";
import { lmmError } from "./errors.ts";
import { Kinship } from "./kinship-matrix.ts";
import { center, eigh, type Matrix, type NativeOptions, subset } from "./native.ts";
import { checkNames, type NamesOf, RUN_NAMES } from "./option-names.ts";
import { eigenParts, requireParts } from "./plan.ts";

/** Options of {@link eigen}. */
export interface EigenOptions extends RunOptions {
  /** Free the kinship as soon as it has been cut: it cannot be used afterwards. Default false. */
  readonly consume?: boolean;
  /** Receives KIN_NEG_EIG. */
  readonly onWarning?: Warn;
}

export const EIGEN_NAMES: NamesOf<EigenOptions> = { ...RUN_NAMES, consume: true, onWarning: true };

/**
 * Eigendecomposition of the kinship of the analysed people: K is cut to them, re-centred (J K J) as GEMMA does, and
 * decomposed; eigenvalues below 1e-10 become 0. The result belongs to this cohort alone.
 *
 * @throws COHORT_MISMATCH, KIN_ZERO, EIGEN_CHECK, MEM_PREFLIGHT, UNKNOWN_OPTION. Warns KIN_NEG_EIG about eigenvalues that are negative
 * beyond rounding.
 */
export function eigen(kinship: Kinship, cohort: Cohort, options?: EigenOptions): Promise<Eigen>;
/**
 * The same of a kinship kept as its variants, by their p × p products (Lippert et al. 2011): its eigenvalues that are not
 * 0, and the vectors as the tests need them. `consume` has no effect: the variants stay in use.
 */
export function eigen(kinship: DualKinship, cohort: Cohort, options?: EigenOptions): Promise<DualEigen>;
export async function eigen(
  kinship: Kinship | DualKinship,
  cohort: Cohort,
  options: EigenOptions = {},
): Promise<Decomposition> {
  checkNames(options, EIGEN_NAMES, "eigen");
  return kinship instanceof DualKinship
    ? await dualEigen(kinship, cohort, options)
    : await primalEigen(kinship, cohort, options);
}

/** What {@link eigen} makes of either kind of kinship. */
export type Decomposition = Eigen | DualEigen;

/** @throws COHORT_MISMATCH when it is of other people. */
export function checkDecomposition(eigen: Decomposition, cohort: Cohort): void {
  if (eigen instanceof DualEigen) DualEigen.modelFor(eigen, cohort);
  else Eigen.vectorsFor(eigen, cohort);
}

async function primalEigen(kinship: Kinship, cohort: Cohort, options: EigenOptions): Promise<Eigen> {
  if (kinship.sampleHash !== cohort.sampleHash)
    throw lmmError(
      "COHORT_MISMATCH",
      `the kinship (${kinship.facts.source}) belongs to other people than the cohort.`,
      { details: { kinship: kinship.sampleHash, cohort: cohort.sampleHash } },
    );
  const threads = resolveThreads(options.threads);
  const n = cohort.analyzed.length;
  const everyone = n === cohort.samples;
  const inPlace = options.consume === true && everyone;
  requireParts(eigenParts({ analyzed: n, threads, copy: !inPlace }), options);
  const native: NativeOptions = { signal: options.signal, threads };
  const whole = Kinship.matrixOf(kinship);
  let cut: Matrix = whole;
  if (!inPlace) {
    cut = await subset(whole, cohort.analyzed, native);
    if (options.consume) whole.release();
  }
  await center(cut, native);
  const result = await eigh(cut, { ...native, onProgress: options.onProgress, stage: "eigen" });
  const values = result.values.slice();
  const negative = clamp(values, options.onWarning);
  return new Eigen(result.vectors, {
    values,
    cohortHash: cohort.hash,
    kinshipHash: kinship.facts.contentHash,
    residual: result.residual,
    orthogonality: result.orthogonality,
    negative,
  });
}

function clamp(values: Float64Array, warn: Warn | undefined): { count: number; smallest: number } {
  const largest = values.at(-1) ?? 0;
  const smallest = values[0] ?? 0;
  if (!(largest >= ZERO_BELOW))
    throw lmmError(
      "KIN_ZERO",
      "every eigenvalue of the kinship of the analysed people is zero: it carries no relatedness. Was it made from these people's genotypes?",
      { details: { largest } },
    );
  let count = 0;
  // Text matrices hold 10 digits: n eigenvalues move by about 1e-10 of the scale times sqrt(n), never by 1e-6.
  for (const v of values) if (v < -1e-6 * largest) count++;
  for (let i = 0; i < values.length; i++) if (values[i]! < ZERO_BELOW) values[i] = 0;
  if (count > 0)
    warn?.({
      code: "KIN_NEG_EIG",
      message: `the kinship is not positive semidefinite: ${count} negative eigenvalue(s), the smallest ${smallest.toPrecision(6)}; they count as 0, as in GEMMA.`,
      details: { count, smallest },
    });
  return { count, smallest: Math.min(0, smallest) };
}
