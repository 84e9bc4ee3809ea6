import { resolveThreads } from "@x/core/base";
import { type PlinkStudy, selectStudy } from "@x/plink-io";
import { type Chromosome, chromosomeNamed, nothingElse } from "./chromosomes.ts";
import type { Cohort } from "./cohort.ts";
import { lmmError } from "./errors.ts";
import { type KinshipOptions, kinship } from "./kinship.ts";
import { Kinship } from "./kinship-matrix.ts";
import { leaveOut } from "./native.ts";
import { defined, refuseBoth } from "./option-names.ts";

/** A part of a study that is one chromosome. */
export function chromosomeStudy(study: PlinkStudy, { from, to }: Chromosome): Promise<PlinkStudy> {
  return selectStudy(study, { range: [from, to] });
}

/** The options of a part of `whole`. @throws OPTION_CONFLICT for one that it was not made with. */
export function asWhole({ facts }: Kinship, options: KinshipOptions): KinshipOptions {
  const { choice, source } = facts;
  const mode = facts.mode ?? options.mode;
  const differing = (name: string, given: unknown, made: unknown): void =>
    refuseBoth(name, given !== undefined && given !== made, source, true, "a part is made as the whole was");
  differing("mode", options.mode, mode);
  if (!choice) return { ...options, ...defined({ mode }) };
  for (const name of ["miss", "maf", "hwe", "r2"] as const) differing(name, options[name], choice[name]);
  const listed = options.kinshipSnps ?? options.snps;
  if (listed && !sameList(listed, choice.snps)) differing("kinshipSnps", listed, choice.snps);
  const { kinshipSnps: _k, snps: _s, ...rest } = options;
  const { snps, ...filter } = choice;
  return { ...rest, ...filter, ...defined({ mode, snps }) };
}

function sameList(a: ReadonlySet<string>, b: ReadonlySet<string> | undefined): boolean {
  return a === b || (b !== undefined && a.size === b.size && [...a].every((id) => b.has(id)));
}

/**
 * The kinship of all variants but those of one chromosome, as `-gk 1` would make it of the others: the chromosome's
 * part is summed and taken from `whole`, both with the weight of their kept variants. `whole` must have been made by
 * {@link kinship} with the same cohort; it stays as it is. Its mode, filter and list are those of the part too; only
 * what a kinship from a file does not say is taken from the options.
 *
 * @throws OPTION_CONFLICT for an option that `whole` was not made with; LOCO_CHROMOSOME when no variant is on the chromosome, or no kept variant on another; OPTION_MISSING for a
 * kinship that was read from GEMMA's text, which does not say how many variants it was made of;
 * NO_VARIANTS_AFTER_FILTER when the filter keeps none of the chromosome (then `whole` is the kinship without it); and
 * what {@link kinship} throws.
 */
export async function kinshipWithout(
  study: PlinkStudy,
  cohort: Cohort,
  whole: Kinship,
  chromosome: string,
  options: KinshipOptions = {},
): Promise<Kinship> {
  const { snps } = whole.facts;
  if (snps === undefined)
    throw lmmError(
      "OPTION_MISSING",
      `${whole.facts.source} does not say how many variants it was made of; make the kinship here to leave a chromosome out.`,
      { details: { source: whole.facts.source } },
    );
  if (whole.sampleHash !== study.sampleHash)
    throw lmmError("COHORT_MISMATCH", `the kinship (${whole.facts.source}) belongs to other people.`, {
      details: { kinship: whole.sampleHash, study: study.sampleHash },
    });
  const part = await chromosomeStudy(study, chromosomeNamed(study, chromosome));
  const made = await kinship(part, cohort, asWhole(whole, options));
  const left = made.facts.snps!;
  if (left >= snps) {
    await made[Symbol.asyncDispose]();
    throw nothingElse(chromosome, snps);
  }
  const matrix = Kinship.matrixOf(made);
  const native = { signal: options.signal, threads: resolveThreads(options.threads) };
  await leaveOut(Kinship.matrixOf(whole), snps, matrix, left, native);
  const { fid, iid, sampleHash, source } = whole.facts;
  return new Kinship(matrix, {
    fid,
    iid,
    sampleHash,
    snps: snps - left,
    source: `${source} without chromosome ${chromosome}`,
  });
}
