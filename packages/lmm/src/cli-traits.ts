import { OutputFiles, parseStrictNumber, type RunOptions } from "@x/core/base";
import { ASSOCIATE_NAMES, type AssociateOptions } from "./associate.ts";
import { associateTraits } from "./associate-traits.ts";
import { leadingTest } from "./association-columns.ts";
import { fit, type GemmaRun, logText } from "./cli-run.ts";
import { diagnose, diagnosticsLines, kinshipCondition, warnAbout } from "./diagnostics.ts";
import { EIGEN_NAMES, type EigenOptions, eigen } from "./eigen.ts";
import { lmmError } from "./errors.ts";
import { assocHeader, assocRows } from "./gemma/assoc-text.ts";
import { type GemmaMode, testsOf, textStatistics } from "./gemma/modes.ts";
import type { TraitGroup } from "./join-traits.ts";
import { Kinship, type KinshipLoadOptions, LOAD_NAMES } from "./kinship-matrix.ts";
import { kinshipTwins } from "./kinship-twins.ts";
import { type LambdaOptions, NULL_MODEL_NAMES, nullModel } from "./null-model.ts";
import { only, RUN_NAMES } from "./option-names.ts";
import { withComponents } from "./pca.ts";
import { runJson } from "./run-json.ts";
import { VariantWatch } from "./variant-problems.ts";

/** `--traits`: numbers of columns, or all. */
export function traitList(words: readonly string[]): number[] | "all" {
  if (words.length === 1 && words[0] === "all") return "all";
  return words.map((word) => {
    const value = parseStrictNumber(word);
    if (value !== undefined && Number.isInteger(value) && value >= 1) return value;
    throw lmmError(
      "OPTION_RANGE",
      `--traits takes column numbers from 1, or all; ${JSON.stringify(word)} given.`,
      {
        usage: true,
        details: { option: "traits", value: word },
      },
    );
  });
}

/** Each group of phenotypes with the same people: one eigendecomposition, one pass; all files appear at the end. */
export async function traitsTask(
  shared: Omit<GemmaRun, "cohort">,
  groups: readonly TraitGroup[],
  command: string,
): Promise<unknown> {
  const { context, study, meter, prefix, options } = shared;
  const mode = Number(context.options.lmm) as GemmaMode;
  const statistics = textStatistics(testsOf(mode), { mode, negLog10P: context.options.neglog10p === true });
  const results: unknown[] = [];
  await using outputs = new OutputFiles({ signal: context.signal });
  const K = await meter.measure("reading kinship", () => {
    const fitted = fit({ ...shared, cohort: groups[0]![0].cohort }, ["eigen", "association"]);
    return Kinship.load(
      String(context.options.k),
      study,
      only<KinshipLoadOptions>({ ...options, ...fitted.accepted }, LOAD_NAMES),
    );
  });
  await using _k = K;
  for (const [g, group] of groups.entries()) {
    const { cohort: first } = group[0];
    const fitted = fit({ ...shared, cohort: first }, ["eigen", "association"], group.length);
    const accepted = { ...options, ...fitted.accepted };
    const twins = await kinshipTwins(K, first, only<RunOptions>(options, RUN_NAMES));
    await using eig = await meter.measure("eigen", () =>
      eigen(K, first, {
        ...only<EigenOptions>(accepted, EIGEN_NAMES),
        consume: g + 1 === groups.length,
      }),
    );
    const { pcs } = context.options;
    const cohorts = group.map(({ cohort }) =>
      pcs === undefined ? cohort : withComponents(cohort, eig, Number(pcs)),
    );
    const watches = group.map(() => new VariantWatch(options));
    const run = associateTraits(
      study,
      cohorts,
      eig,
      only<AssociateOptions>({ ...accepted, tests: testsOf(mode) }, ASSOCIATE_NAMES),
    );
    const outs = group.map(({ trait }) => outputs.open(`${prefix}.${trait}.assoc.txt`));
    await meter.measure("association", async () => {
      for (const out of outs) await out.write(assocHeader(statistics));
      for await (const blocks of run)
        for (const [t, block] of blocks.entries()) {
          watches[t]!.add(block, leadingTest(block).negLog10P);
          await outs[t]!.write(assocRows(study.bim, block, statistics));
        }
    });
    const condition = kinshipCondition(eig, twins);
    for (const [t, { trait }] of group.entries()) {
      const cohort = cohorts[t]!;
      const diagnostics = diagnose({ study, cohort, kinship: condition, seen: watches[t]!.finish() });
      warnAbout(diagnostics, context.warn);
      const facts = {
        filters: run.filters,
        degenerate: run.degenerate[t]!,
        work: run.work,
        nullModel: await nullModel(cohort, eig, only<LambdaOptions & RunOptions>(options, NULL_MODEL_NAMES)),
        diagnostics,
        notes: diagnosticsLines(diagnostics, cohort),
        predicted: fitted.memory,
      };
      const path = `${prefix}.${trait}`;
      await outputs.open(`${path}.log.txt`).write(logText({ ...shared, cohort }, command, facts));
      const files = [`${path}.assoc.txt`, `${path}.log.txt`];
      const { stages } = meter;
      const { warnings } = shared;
      if (context.json)
        results.push(
          runJson({ command, files, cohort, stages, threads: options.threads, ...facts, warnings }),
        );
    }
  }
  const files = await outputs.commit();
  if (!context.json && !context.quiet && !context.options.silence)
    for (const file of files) context.print(file);
  return { command, files, traits: results };
}
