import type { PlinkStudy } from "@x/plink-io";
import { isDosageStudy } from "./bimbam.ts";
import { chromosomesOf } from "./chromosomes.ts";
import type { Cohort } from "./cohort.ts";
import type { GwasOptions } from "./gwas-options.ts";
import { refuseBoth } from "./option-names.ts";
import { checkRoute, type StudySize } from "./plan.ts";

/** Options that need the people × people matrix or its eigenvectors, and why. */
const ONLY_PRIMAL: ReadonlyArray<readonly [name: keyof GwasOptions, why: string]> = [
  ["kinship", "a matrix that was read is people × people"],
  ["saveKinship", "there is no matrix to keep"],
  ["eigen", "a decomposition that was read is of people × people"],
  ["saveEigen", "it makes no eigenvectors of people"],
  ["components", "it makes no eigenvectors of people"],
  ["environment", "products of variants and environment are no genotypes"],
];

/** What does not go with a kinship for each chromosome, and why. */
const NOT_LOCO: ReadonlyArray<readonly [name: keyof GwasOptions, why: string]> = [
  ["eigen", "each chromosome has its own decomposition"],
  ["saveEigen", "each chromosome has its own decomposition"],
  ["components", "each chromosome has its own decomposition"],
];

/** @throws OPTION_RANGE for a route nobody knows, OPTION_CONFLICT for `dual` with what it cannot do. */
export function checkDualRoute(options: GwasOptions): void {
  const dual = checkRoute(options.route) === "dual";
  for (const [name, why] of ONLY_PRIMAL)
    refuseBoth("route: dual", dual, name, options[name] !== undefined, why);
  for (const [name, why] of NOT_LOCO)
    refuseBoth("loco", options.loco === true, name, options[name] !== undefined, why);
  refuseBoth(
    "route: dual",
    dual,
    "kinshipMode",
    (options.kinshipMode ?? "centered") !== "centered",
    "only the centred kinship is a product of genotypes",
  );
}

/** What a plan must know of a study; a route is set where only one can be taken. */
export function studySize(
  study: PlinkStudy,
  cohort: Cohort,
  given: Omit<GwasOptions, "threads"> & { threads: number },
): StudySize {
  const onlyPrimal =
    ONLY_PRIMAL.some(([name]) => given[name] !== undefined) ||
    (given.kinshipMode ?? "centered") !== "centered" ||
    cohort.environment !== undefined ||
    isDosageStudy(study);
  return {
    samples: study.n,
    variants: study.p,
    analyzed: cohort.analyzed.length,
    covariates: cohort.covariateNames.length,
    real: (given.kinshipMode ?? "centered") !== "centered" || isDosageStudy(study),
    environment: cohort.environment !== undefined,
    threads: given.threads,
    loco: given.loco ? chromosomesOf(study).length : 0,
    kinshipVariants: Math.max(1, Math.min(study.p, (given.kinshipSnps ?? given.snps)?.size ?? study.p)),
    route: onlyPrimal ? "primal" : (given.route ?? "auto"),
  };
}
