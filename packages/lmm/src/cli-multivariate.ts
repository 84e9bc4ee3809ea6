import type { OptionValues } from "@x/core/base";
import type { GemmaRun } from "./cli-gemma.ts";
import { EIGEN_NAMES, type EigenOptions, eigen } from "./eigen.ts";
import { MODE_TESTS } from "./gemma/multi-text.ts";
import { Kinship, type KinshipLoadOptions, LOAD_NAMES } from "./kinship-matrix.ts";
import { ASSOCIATE_TRAITS_NAMES, type AssociateTraitsOptions, associateTraits } from "./multivariate.ts";
import { checkTraits, type TraitCohort } from "./multivariate-cohort.ts";
import type { MultivariateSearchOptions } from "./multivariate-null.ts";
import { only, requireOther } from "./option-names.ts";
import type { StagePlan } from "./plan.ts";
import type { RunFacts } from "./run-json.ts";
import { writeGemmaMultivariate } from "./write-gemma-multi.ts";

/** Steps that all of GEMMA's tasks share. */
interface Steps {
  fit(
    run: GemmaRun,
    stages: ReadonlyArray<StagePlan["stage"]>,
  ): { accepted: { chunk: number; memoryLimit: number }; memory: RunFacts["predicted"] };
  finish(
    run: GemmaRun,
    command: string,
    facts: Pick<RunFacts, "filters" | "predicted" | "multivariate" | "traits" | "degenerate" | "unconverged">,
    files: string[],
  ): Promise<unknown>;
}

const SEARCH: ReadonlyArray<readonly [option: string, name: keyof MultivariateSearchOptions]> = [
  ["emi", "emIterations"],
  ["emp", "emPrecision"],
  ["nri", "newtonIterations"],
  ["nrp", "newtonPrecision"],
];

/**
 * What `-emi -emp -nri -nrp` say.
 * @throws OPTION_MISSING when they are given with one phenotype; TRAIT_COUNT for more than ten or repeated ones.
 */
export function searchOfCommand(o: OptionValues, phenotypes: number): MultivariateSearchOptions {
  const given = SEARCH.filter(([option]) => o[option] !== undefined);
  for (const [option] of given)
    requireOther(
      `-${option}`,
      true,
      "several -n",
      phenotypes > 1,
      "one phenotype's model has no such search",
    );
  if (phenotypes > 1) checkTraits(o.n as readonly string[]);
  return Object.fromEntries(given.map(([option, name]) => [name, Number(o[option])]));
}

/** `-lmm 1|2|3|4` with several `-n`. */
export async function multivariateTask(
  run: GemmaRun & { readonly cohort: TraitCohort },
  command: string,
  { fit, finish }: Steps,
): Promise<unknown> {
  const { context, study, cohort, meter, prefix, options } = run;
  const fitted = fit(run, ["eigen", "association"]);
  const traits = cohort.traitNames.length;
  const K = await meter.measure("reading kinship", () =>
    Kinship.load(
      String(context.options.k),
      study,
      only<KinshipLoadOptions>({ ...options, ...fitted.accepted }, LOAD_NAMES),
    ),
  );
  await using eig = await meter.measure("eigen", () =>
    eigen(K, cohort, {
      ...only<EigenOptions>({ ...options, ...fitted.accepted }, EIGEN_NAMES),
      consume: true,
    }),
  );
  const association = associateTraits(study, cohort, eig, {
    ...only<AssociateTraitsOptions>({ ...options, ...fitted.accepted }, ASSOCIATE_TRAITS_NAMES),
    ...searchOfCommand(context.options, traits),
    tests: MODE_TESTS[Number(context.options.lmm)]!,
  });
  const multivariate = await meter.measure("null model", () => association.nullModel());
  const path = `${prefix}.assoc.txt`;
  await meter.measure("association", () =>
    writeGemmaMultivariate(association, path, { study, signal: context.signal }),
  );
  const { filters, degenerate, unconverged } = association;
  const facts = { filters, degenerate, unconverged, multivariate, traits, predicted: fitted.memory };
  return finish(run, command, facts, [path]);
}
