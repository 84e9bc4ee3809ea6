import type { PlinkStudy } from "@x/plink-io";
import { type Cohort, cohortHash, type Dropped, type DropReason } from "./cohort.ts";
import { checkEnvironment, design } from "./covariates.ts";
import { lmmError } from "./errors.ts";
import { expand, pick } from "./join-covariates.ts";
import {
  checkJoin,
  choose,
  JOIN_NAMES,
  type JoinFiles,
  type JoinOptions,
  nobodyLeft,
  type Phenotype,
  readFiles,
  withDroppedTable,
} from "./join-samples.ts";
import { checkNames, type NamesOf } from "./option-names.ts";
import { checkPhenotype } from "./phenotype.ts";

/** Most traits of one model, as in GEMMA. */
export const MOST_TRAITS = 10;

/** What {@link joinMultivariate} joins to the people of the fileset. */
export interface JoinMultivariateOptions extends Omit<JoinOptions, "phenotype"> {
  /** Two to ten different phenotypes: 1-based numbers (GEMMA's `-n 1 2`), or names of columns. */
  readonly traits: ReadonlyArray<number | string>;
}

const NAMES: NamesOf<JoinMultivariateOptions> = (() => {
  const { phenotype: _, ...names } = JOIN_NAMES;
  return { ...names, traits: true };
})();

/**
 * People with every trait, every covariate and, where one is given, the environment. It is a {@link Cohort} too (its `y` is the first trait), so that
 * `kinship` and `eigen` take it.
 */
export interface MultivariateCohort extends Cohort {
  /** Traits of the analysed people, one column after the other. */
  readonly traits: Float64Array;
  /** Their names. */
  readonly traitNames: readonly string[];
}

/**
 * Decides who is analysed when several traits are fitted together: people with all of them, with every
 * covariate and with the environment. Missing values are written as for {@link joinSamples}.
 *
 * @throws TRAIT_COUNT for fewer than two, more than ten or repeated traits, and everything {@link joinSamples} throws.
 */
export async function joinMultivariate(
  study: Pick<PlinkStudy, "n" | "fam" | "paths" | "sampleHash">,
  options: JoinMultivariateOptions,
): Promise<MultivariateCohort> {
  checkNames(options, NAMES, "joinMultivariate");
  const { traits, onWarning, ...rest } = options;
  checkTraits(traits);
  checkJoin(rest);
  // Every trait reads the same columns: a warning about one of them is given once.
  const told = new Set<string>();
  const warn: JoinOptions["onWarning"] = (warning) => {
    if (!told.has(warning.message)) onWarning?.(warning);
    told.add(warning.message);
  };
  const files = await readFiles(study, { ...rest, onWarning: warn });
  return together(study, files, traits.map(files.phenotype));
}

/** @throws TRAIT_COUNT, a usage error. */
export function checkTraits(traits: ReadonlyArray<number | string>): void {
  if (traits.length >= 2 && traits.length <= MOST_TRAITS && new Set(traits).size === traits.length) return;
  throw lmmError(
    "TRAIT_COUNT",
    `${traits.length} trait(s) given (${traits.join(" ")}); a multivariate model takes 2 to ${MOST_TRAITS} different ones.`,
    { usage: true, details: { traits } },
  );
}

function together(
  study: Pick<PlinkStudy, "n" | "fam" | "sampleHash">,
  { covariates, environment: gxe }: JoinFiles,
  phenotypes: readonly Phenotype[],
): MultivariateCohort {
  const reasons = new Map<number, DropReason>();
  for (const phenotype of phenotypes)
    for (const { row, reason } of choose(study.n, phenotype, covariates, gxe).drops)
      if (!reasons.has(row)) reasons.set(row, reason);
  const drops: Dropped[] = [...reasons]
    .map(([row, reason]) => ({ row, reason }))
    .sort((a, b) => a.row - b.row);
  const analyzed = Uint32Array.from({ length: study.n }, (_, row) => row).filter((row) => !reasons.has(row));
  const n = analyzed.length;
  if (n === 0) throw nobodyLeft(drops, `has all ${phenotypes.length} traits and what goes with them`);
  const columns = phenotypes.map((phenotype) => pick(phenotype.values, analyzed));
  for (const [t, column] of columns.entries()) checkPhenotype(column, phenotypes[t]!.name);
  const traits = new Float64Array(n * columns.length);
  for (const [t, column] of columns.entries()) traits.set(column, t * n);
  // Of the people who are left: GEMMA's rule about the column of ones and the levels of categories are about them.
  const expanded = expand(covariates, analyzed);
  const model = design(expanded.columns, expanded.names, n);
  const environment = gxe && pick(gxe.columns[0]!, analyzed);
  if (environment) checkEnvironment(model, environment, gxe.names[0]!);
  const mask = new Uint8Array(Math.ceil(study.n / 8));
  for (const row of analyzed) mask[row >> 3]! |= 1 << (row & 7);
  const shared = withDroppedTable(
    {
      samples: study.n,
      analyzed,
      mask,
      y: columns[0]!,
      w: model.w,
      covariateNames: model.names,
      categories: expanded.categories,
      ...(environment ? { environment } : {}),
      phenotypeName: phenotypes.map(({ name }) => name).join(", "),
      sampleHash: study.sampleHash,
      hash: cohortHash(study.sampleHash, mask),
      drops,
    },
    study.fam,
  );
  const more = { traits, traitNames: phenotypes.map(({ name }) => name) };
  // Descriptors, not values: `dropped` is a table that is made when it is asked for.
  const all = { ...Object.getOwnPropertyDescriptors(shared), ...Object.getOwnPropertyDescriptors(more) };
  return Object.freeze(Object.defineProperties({}, all)) as MultivariateCohort;
}
