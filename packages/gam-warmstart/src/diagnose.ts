import { checkOptions, checkRange, resolveThreads } from "@x/core/base";
import type { ModelParts, RowsData } from "./model.ts";
import { basisCheck, concurvity } from "./native.ts";

/** How much of a term the others could imitate; 0 not at all, 1 fully. */
export interface ConcurvityRow {
  /** Label of the term; `para` for the parametric part. */
  readonly label: string;
  /** The worst curve of the term's basis. */
  readonly worst: number;
  /** The curve that was fitted. */
  readonly observed: number;
  /** The basis as a whole. */
  readonly estimate: number;
}

/** Concurvity of each term with all the others. */
export type Concurvity = readonly ConcurvityRow[];

/** Is a basis large enough? */
export interface BasisCheck {
  /** Label of the smooth. */
  readonly label: string;
  /** Largest edf the basis allows. */
  readonly kPrime: number;
  /** Effective degrees of freedom. */
  readonly edf: number;
  /** Half the mean square of residual differences of neighbours over that of the residuals: well below 1 is a pattern left over. */
  readonly kIndex: number;
  /** Share of reshuffled residuals with a lower index. */
  readonly p: number;
}

const native = () => ({ threads: resolveThreads() });

/** See `GamModel.concurvity`. */
export async function concurvityOf(parts: ModelParts, rows: RowsData): Promise<Concurvity> {
  return concurvity(rows.design, parts.arrays.beta, native());
}

/** See `GamModel.basisCheck`. */
export async function basisCheckOf(
  parts: ModelParts,
  rows: RowsData,
  residuals: Float64Array,
  options: { seed?: number; draws?: number },
): Promise<readonly BasisCheck[]> {
  checkOptions(options, ["seed", "draws"], "basisCheck");
  const draws = checkRange("draws", options.draws ?? 200, { min: 10, max: 1e5, integer: true });
  return basisCheck(rows.design, parts.arrays.edf, residuals, options.seed ?? 0, draws, native());
}
