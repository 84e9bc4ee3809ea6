import { type OptionValues, writeFileAtomic } from "@x/core/base";
import { chosenPhenotypes, eigenSource } from "./cli-people.ts";
import { finish, fit, type GemmaRun } from "./cli-run.ts";
import { diagnose, diagnosticsLines, kinshipCondition, warnAbout } from "./diagnostics.ts";
import { MODE_TESTS } from "./gemma/multi-text.ts";
import {
  type AssociateMultivariateOptions,
  associateMultivariate,
  MULTIVARIATE_NAMES,
} from "./multivariate.ts";
import { checkTraits, type MultivariateCohort } from "./multivariate-cohort.ts";
import type { MultivariateColumns } from "./multivariate-columns.ts";
import { traitLines, watchedMultivariate } from "./multivariate-diagnostics.ts";
import type { MultivariateSearchOptions } from "./multivariate-null.ts";
import { obtainEigen } from "./obtain-eigen.ts";
import { only, requireOther } from "./option-names.ts";
import { withComponents } from "./pca.ts";
import { VariantWatch } from "./variant-problems.ts";
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
export function searchOfCommand(
  o: OptionValues,
  phenotypes: ReadonlyArray<number | string>,
): MultivariateSearchOptions {
  const given = SEARCH.filter(([option]) => o[option] !== undefined);
  for (const [option] of given)
    requireOther(
      `-${option}`,
      true,
      "several -n",
      phenotypes.length > 1,
      "one phenotype's model has no such search",
    );
  if (phenotypes.length > 1) checkTraits(phenotypes);
  return Object.fromEntries(given.map(([option, name]) => [name, Number(o[option])]));
}

/** `-lmm 1|2|3|4` with several `-n`. */
export async function multivariateTask(
  run: GemmaRun & { readonly cohort: MultivariateCohort },
  command: string,
): Promise<unknown> {
  const { context, study, meter, prefix, options } = run;
  const o = context.options;
  const traits = run.cohort.traitNames.length;
  const source = eigenSource(o);
  const stages =
    source === undefined || o.k !== undefined
      ? (["eigen", "association"] as const)
      : (["association"] as const);
  const fitted = fit(run, stages, 1, traits);
  const accepted = { ...options, ...fitted.accepted };
  const from = {
    ...(source === undefined ? {} : { eigen: source }),
    ...(o.k === undefined ? {} : { kinship: String(o.k) }),
  };
  const made = await obtainEigen(study, run.cohort, { ...accepted, ...from }, meter);
  await using eig = made.eigen;
  const cohort = o.pcs === undefined ? run.cohort : withComponents(run.cohort, eig, Number(o.pcs));
  const association = associateMultivariate(study, cohort, eig, {
    ...only<AssociateMultivariateOptions>(accepted, MULTIVARIATE_NAMES),
    ...searchOfCommand(o, chosenPhenotypes(o)),
    tests: MODE_TESTS[Number(o.lmm)]!,
  });
  const multivariate = await meter.measure("null model", () => association.nullModel());
  const path = `${prefix}.assoc.txt`;
  const watch = new VariantWatch(options);
  const report = o.report === undefined ? undefined : String(o.report);
  const blocks: MultivariateColumns[] = [];
  await meter.measure("association", () =>
    writeGemmaMultivariate(
      watchedMultivariate(association, watch, report === undefined ? undefined : blocks),
      path,
      {
        study,
        signal: context.signal,
        negLog10P: o.neglog10p === true,
      },
    ),
  );
  const { filters, degenerate, unconverged } = association;
  const kinship = kinshipCondition(eig, made.twins);
  const diagnostics = diagnose({ study, cohort, kinship, seen: watch.finish() });
  warnAbout(diagnostics, context.warn);
  const files = [path];
  if (report !== undefined) {
    const { multivariateHtml } = await import("./report/multivariate.ts");
    const page = multivariateHtml({
      study,
      title: undefined,
      traitNames: cohort.traitNames,
      nullModel: multivariate,
      blocks,
      filters,
      degenerate,
      options,
      cohort,
      diagnostics,
      warnings: run.warnings,
      stages: meter.stages,
      predictedBytes: fitted.memory.total,
      threads: options.threads,
      command,
    });
    await writeFileAtomic(report, page, { signal: context.signal });
    files.push(report);
  }
  const facts = {
    filters,
    degenerate,
    unconverged,
    multivariate,
    jointTraits: traits,
    diagnostics,
    notes: [...traitLines(multivariate.reml, cohort.traitNames), ...diagnosticsLines(diagnostics, cohort)],
    predicted: fitted.memory,
  };
  return finish({ ...run, cohort }, command, facts, files);
}
