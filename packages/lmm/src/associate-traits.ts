import type { PlinkStudy } from "@x/plink-io";
import { ASSOCIATE_NAMES, type AssociateOptions, preparePass } from "./associate.ts";
import type { AssociationColumns, AssociationTest } from "./association-columns.ts";
import type { AssociationWork } from "./association-pass.ts";
import type { Cohort } from "./cohort.ts";
import type { Decomposition } from "./eigen.ts";
import { lmmError } from "./errors.ts";
import type { FilterCounts } from "./filter.ts";
import { checkNames } from "./option-names.ts";

/** A running association of several phenotypes: iterate it once. Each block holds one result a cohort, in their order. */
export interface TraitsRun extends AsyncIterable<readonly AssociationColumns[]> {
  /** The tests it does. */
  readonly tests: readonly AssociationTest[];
  /** Variants dropped and kept so far, the same for every phenotype; complete when the iteration has ended. */
  readonly filters: FilterCounts;
  /** Variants so far without an estimate, by phenotype. */
  readonly degenerate: readonly number[];
  /** What was computed so far. */
  readonly work: AssociationWork;
}

/**
 * `associate` for several phenotypes of the same people (a group of `joinTraits`) in one pass: each block of genotypes
 * is read once for all of them, and rotated once; by the dual route each phenotype has a basis, and products, of its own. Every phenotype's results are those it has alone, bit for bit.
 *
 * @throws COHORT_MISMATCH when the cohorts differ in people or covariates; otherwise as `associate`.
 */
export function associateTraits(
  study: PlinkStudy,
  cohorts: readonly Cohort[],
  eigen: Decomposition,
  options: AssociateOptions = {},
): TraitsRun {
  checkNames(options, ASSOCIATE_NAMES, "associateTraits");
  const [first, ...others] = cohorts;
  if (!first)
    throw lmmError("OPTION_MISSING", "associateTraits needs at least one cohort.", {
      usage: true,
      details: { option: "cohorts" },
    });
  for (const other of others)
    if (other.hash !== first.hash || !equal(other.w, first.w) || !equal(other.environment, first.environment))
      throw lmmError(
        "COHORT_MISMATCH",
        `${other.phenotypeName} has other people, covariates or environment than ${first.phenotypeName}: one pass is for phenotypes that joinTraits grouped.`,
        { details: { first: first.phenotypeName, other: other.phenotypeName } },
      );
  const pass = preparePass(study, [first, ...others], eigen, options);
  return {
    tests: pass.tests,
    get filters() {
      return pass.state.filters ?? pass.filter.counts;
    },
    get degenerate() {
      return [...pass.state.degenerate];
    },
    get work() {
      return pass.state.work;
    },
    [Symbol.asyncIterator]: () => pass.blocks(),
  };
}

function equal(a: Float64Array | undefined, b: Float64Array | undefined): boolean {
  return (
    a === b || (a !== undefined && b !== undefined && a.length === b.length && a.every((v, i) => v === b[i]))
  );
}
