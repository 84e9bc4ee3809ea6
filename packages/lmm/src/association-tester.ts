import { DualEigen } from "./dual-eigen.ts";
import type { Decomposition } from "./eigen.ts";
import { Eigen } from "./eigen-matrix.ts";
import { lmmError } from "./errors.ts";
import {
  type AssociationModel,
  type NativeOptions,
  newAssociation,
  newDualAssociation,
  type Tested,
} from "./native.ts";
import type { FilteredBlock } from "./study.ts";

/** Tests the kept rows of a block. */
export type Tester = (block: FilteredBlock) => Promise<Tested>;

/**
 * The tests by whichever route the decomposition is of.
 * @throws NOT_IMPLEMENTED for an environment by the p × p route.
 */
export async function newTester(
  eigen: Decomposition,
  model: AssociationModel & { cohort: Parameters<typeof Eigen.vectorsFor>[1] },
  native: NativeOptions,
): Promise<Tester> {
  const { cohort } = model;
  if (!(eigen instanceof DualEigen)) {
    const primal = newAssociation(Eigen.vectorsFor(eigen, cohort), eigen.values, model);
    return ({ packed, kept }) => primal.test(packed, kept.rows, kept.means, native);
  }
  if (cohort.environment)
    throw lmmError(
      "NOT_IMPLEMENTED",
      "the dual route tests no interactions: products of variants and environment are no genotypes. Take the primal route.",
      { usage: true, details: { option: "route" } },
    );
  const { model: kinship, places } = DualEigen.modelFor(eigen, cohort);
  const dual = await newDualAssociation(kinship, model, native);
  return ({ start, packed, kept }) => {
    const where = Int32Array.from(kept.rows, (row) => places[start + row]!);
    return dual.test(packed, kept.rows, where, native);
  };
}
