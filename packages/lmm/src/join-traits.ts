import type { PlinkStudy } from "@x/plink-io";
import type { Cohort } from "./cohort.ts";
import { lmmError } from "./errors.ts";
import { checkJoin, JOIN_NAMES, type JoinOptions, joinOne, readFiles } from "./join-samples.ts";
import { checkNames, type NamesOf } from "./option-names.ts";

/** Options of {@link joinTraits}: those of `joinSamples` with a list of phenotypes. */
export interface JoinTraitsOptions extends Omit<JoinOptions, "phenotype"> {
  /** 1-based numbers or names of phenotype columns, or all there are. */
  readonly traits: ReadonlyArray<number | string> | "all";
}

const { phenotype: _one, ...SHARED } = JOIN_NAMES;
const NAMES: NamesOf<JoinTraitsOptions> = { ...SHARED, traits: true };

/** One phenotype of {@link joinTraits}. */
export interface TraitCohort {
  /** As it was asked for. */
  readonly trait: number | string;
  /** Its cohort; within a {@link TraitGroup} all share people and covariates. */
  readonly cohort: Cohort;
}

/** Phenotypes that the same people have: one eigendecomposition and one pass over the genotypes serves them all. */
export type TraitGroup = readonly [TraitCohort, ...TraitCohort[]];

/**
 * Joins several phenotypes, each as `joinSamples` would, and groups those with the same analysed people, in the order
 * asked for. Files are read once.
 *
 * @throws What `joinSamples` throws, for the first phenotype that it refuses; OPTION_RANGE for an empty or repeated list.
 */
export async function joinTraits(
  study: Pick<PlinkStudy, "n" | "fam" | "paths" | "sampleHash">,
  options: JoinTraitsOptions,
): Promise<TraitGroup[]> {
  checkNames(options, NAMES, "joinTraits");
  const { traits: asked, ...join } = options;
  checkJoin(join);
  const files = await readFiles(study, join);
  const traits = asked === "all" ? Array.from({ length: files.phenotypes }, (_, i) => i + 1) : asked;
  if (traits.length === 0 || new Set(traits).size < traits.length)
    throw lmmError(
      "OPTION_RANGE",
      `traits must be different phenotypes, one or more; ${traits.join(",")} given.`,
      {
        usage: true,
        details: { option: "traits", value: traits },
      },
    );
  const groups = new Map<string, [TraitCohort, ...TraitCohort[]]>();
  for (const trait of traits) {
    const cohort = joinOne(study, files, trait);
    const group = groups.get(cohort.hash);
    if (group) group.push({ trait, cohort });
    else groups.set(cohort.hash, [{ trait, cohort }]);
  }
  return [...groups.values()];
}
