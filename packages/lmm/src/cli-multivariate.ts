import type { OptionValues } from "@x/core/base";
import { finish, fit, type GemmaRun } from "./cli-run.ts";
import { EIGEN_NAMES, type EigenOptions, eigen } from "./eigen.ts";
import { MODE_TESTS } from "./gemma/multi-text.ts";
import { Kinship, type KinshipLoadOptions, LOAD_NAMES } from "./kinship-matrix.ts";
import {
  type AssociateMultivariateOptions,
  associateMultivariate,
  MULTIVARIATE_NAMES,
} from "./multivariate.ts";
import { checkTraits, type MultivariateCohort } from "./multivariate-cohort.ts";
import type { MultivariateSearchOptions } from "./multivariate-null.ts";
import { only, requireOther } from "./option-names.ts";
import { writeGemmaMultivariate } from "./write-gemma-multi.ts";

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
  run: GemmaRun & { readonly cohort: MultivariateCohort },
  command: string,
): Promise<unknown> {
  const { context, study, cohort, meter, prefix, options } = run;
  const traits = cohort.traitNames.length;
  const fitted = fit(run, ["eigen", "association"], 1, traits);
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
  const association = associateMultivariate(study, cohort, eig, {
    ...only<AssociateMultivariateOptions>({ ...options, ...fitted.accepted }, MULTIVARIATE_NAMES),
    ...searchOfCommand(context.options, traits),
    tests: MODE_TESTS[Number(context.options.lmm)]!,
  });
  const multivariate = await meter.measure("null model", () => association.nullModel());
  const path = `${prefix}.assoc.txt`;
  await meter.measure("association", () =>
    writeGemmaMultivariate(association, path, { study, signal: context.signal }),
  );
  const { filters, degenerate, unconverged } = association;
  const facts = {
    filters,
    degenerate,
    unconverged,
    multivariate,
    jointTraits: traits,
    predicted: fitted.memory,
  };
  return finish(run, command, facts, [path]);
}
