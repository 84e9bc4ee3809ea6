import { DualEigen } from "./dual-eigen.ts";
import type { Decomposition } from "./eigen.ts";
import { Eigen } from "./eigen-matrix.ts";
import { lmmError } from "./errors.ts";
import { type AssociationModel, type NativeOptions, newAssociation, type Tested } from "./native.ts";
import { newDualAssociation } from "./native-dual.ts";
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
    return ({ packed, dosages, kept }) =>
      dosages
        ? primal.testDosages(dosages, kept.rows, kept.means, native)
        : primal.test(packed, kept.rows, kept.means, native);
  }
  if (cohort.environment)
    throw lmmError(
      "NOT_IMPLEMENTED",
      "the dual route tests no interactions: products of variants and environment are no genotypes. Take the primal route.",
      { usage: true, details: { option: "route" } },
    );
  const { model: kinship, places } = DualEigen.modelFor(eigen, cohort);
  // One basis a phenotype: in a basis of several a phenotype's last bits would depend on its company.
  const duals: Awaited<ReturnType<typeof newDualAssociation>>[] = [];
  for (const trait of model.traits)
    duals.push(await newDualAssociation(kinship, { ...model, traits: [trait] }, native));
  return async ({ start, packed, kept }) => {
    const where = Int32Array.from(kept.rows, (row) => places[start + row]!);
    const all: Tested[] = [];
    for (const dual of duals) all.push(await dual.test(packed, kept.rows, where, native));
    const sum = (name: "rotations" | "searches" | "evaluations"): number =>
      all.reduce((total, tested) => total + tested[name], 0);
    return {
      traits: all.flatMap((tested) => tested.traits),
      rotations: sum("rotations"),
      searches: sum("searches"),
      evaluations: sum("evaluations"),
    };
  };
}
