import type { PlinkStudy } from "@x/plink-io";
import { type Cohort, cohortHash, type Dropped, type DropReason } from "./cohort.ts";
import { design } from "./covariates.ts";
import { lmmError } from "./errors.ts";
import { JOIN_NAMES, type JoinOptions, joinSamples, withDroppedTable } from "./join-samples.ts";
import { checkNames, type NamesOf } from "./option-names.ts";
import { checkPhenotype } from "./phenotype.ts";

/** Most traits of one model, as in GEMMA. */
export const MOST_TRAITS = 10;

/** What {@link joinMultivariate} joins to the people of the fileset. */
export interface JoinMultivariateOptions extends Omit<JoinOptions, "phenotype" | "environment"> {
  /** Two to ten different phenotypes: 1-based numbers (GEMMA's `-n 1 2`), or names of columns. */
  readonly traits: ReadonlyArray<number | string>;
}

const NAMES: NamesOf<JoinMultivariateOptions> = (() => {
  const { phenotype: _, environment: _e, ...names } = JOIN_NAMES;
  return { ...names, traits: true };
})();

/**
 * People with every trait and every covariate. It is a {@link Cohort} too (its `y` is the first trait), so that
 * `kinship` and `eigen` take it.
 */
export interface MultivariateCohort extends Cohort {
  /** Traits of the analysed people, one column after the other. */
  readonly traits: Float64Array;
  /** Their names. */
  readonly traitNames: readonly string[];
}

/**
 * Decides who is analysed when several traits are fitted together: people with all of them and with every covariate.
 * Missing values are written as for {@link joinSamples}.
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
  // Every trait reads the same files: a warning about one of them is given once.
  const told = new Set<string>();
  const warn: JoinOptions["onWarning"] = (warning) => {
    if (!told.has(warning.message)) onWarning?.(warning);
    told.add(warning.message);
  };
  const cohorts: Cohort[] = [];
  for (const phenotype of traits)
    cohorts.push(await joinSamples(study, { ...rest, phenotype, onWarning: warn }));
  return together(study, cohorts);
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
  cohorts: readonly Cohort[],
): MultivariateCohort {
  const reasons = new Map<number, DropReason>();
  for (const { drops } of cohorts)
    for (const { row, reason } of drops) if (!reasons.has(row)) reasons.set(row, reason);
  const drops: Dropped[] = [...reasons]
    .map(([row, reason]) => ({ row, reason }))
    .sort((a, b) => a.row - b.row);
  const analyzed = Uint32Array.from({ length: study.n }, (_, row) => row).filter((row) => !reasons.has(row));
  const n = analyzed.length;
  if (n === 0)
    throw lmmError(
      "NO_ANALYZED_SAMPLES",
      `none of ${study.n} people has all ${cohorts.length} traits${cohorts[0]!.covariateNames.length > 1 ? " and all covariates" : ""}. Choose traits that were measured on the same people.`,
      { details: { samples: study.n } },
    );
  const columns = cohorts.map((cohort) => pick(cohort, cohort.y, analyzed));
  for (const [t, column] of columns.entries()) checkPhenotype(column, cohorts[t]!.phenotypeName);
  const traits = new Float64Array(n * columns.length);
  for (const [t, column] of columns.entries()) traits.set(column, t * n);
  const model = sharedDesign(cohorts[0]!, analyzed);
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
      categories: cohorts[0]!.categories,
      phenotypeName: cohorts.map((cohort) => cohort.phenotypeName).join(", "),
      sampleHash: study.sampleHash,
      hash: cohortHash(study.sampleHash, mask),
      drops,
    },
    study.fam,
  );
  const more = { traits, traitNames: cohorts.map((cohort) => cohort.phenotypeName) };
  // Descriptors, not values: `dropped` is a table that is made when it is asked for.
  const all = { ...Object.getOwnPropertyDescriptors(shared), ...Object.getOwnPropertyDescriptors(more) };
  return Object.freeze(Object.defineProperties({}, all)) as MultivariateCohort;
}

/** The design of the people who are left: GEMMA's rule about the column of ones is about them. */
function sharedDesign(cohort: Cohort, analyzed: Uint32Array): { w: Float64Array; names: readonly string[] } {
  const length = cohort.analyzed.length;
  const columns = cohort.covariateNames.map((_, j) => cohort.w.subarray(j * length, (j + 1) * length));
  const names = [...cohort.covariateNames];
  // A last column of ones is put back by the rule, unless another column has become constant.
  if (names.at(-1) === "intercept" && columns.at(-1)!.every((v) => v === 1)) {
    columns.pop();
    names.pop();
  }
  return design(
    columns.map((column) => pick(cohort, column, analyzed)),
    names,
    analyzed.length,
  );
}

/** Values of a cohort's people for fewer of them. */
function pick(cohort: Cohort, values: Float64Array, analyzed: Uint32Array): Float64Array {
  const at = new Map(Array.from(cohort.analyzed, (row, i) => [row, i]));
  return Float64Array.from(analyzed, (row) => values[at.get(row)!]!);
}
