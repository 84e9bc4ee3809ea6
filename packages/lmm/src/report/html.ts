import { escapeXml } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import { leadingTest } from "../association-columns.ts";
import { shortName } from "../column-names.ts";
import type { GwasOptions, GwasResult } from "../gwas-options.ts";
import { g, pageHtml, TEST_NAMES, table } from "./page.ts";

/** The page a run leaves behind. */
export function reportHtml(
  study: PlinkStudy,
  result: GwasResult,
  options: GwasOptions & { threads: number; command: string },
): string {
  const { columns, cohort, nullModel: h0 } = result;
  const { test, negLog10P } = leadingTest(columns);
  return pageHtml({
    study,
    title: options.title,
    subtitle: `${escapeXml(cohort.phenotypeName)} · univariate linear mixed model, ${TEST_NAMES[test]}${cohort.environment ? " of the interaction with the environment" : ""}${result.chromosomes ? ", the tested variant’s chromosome left out of its kinship; the null model is that of all chromosomes" : ""}`,
    cards: [["heritability (pve)", h0.pve.toFixed(3), `± ${h0.pveSe.toFixed(3)}`]],
    nullModel: nullTable(result),
    index: columns.index,
    negLog10P,
    hits: {
      af: columns.af,
      head: ["effect of A1", "se"],
      cells: (i) => [g(columns.beta[i]!), g(columns.se[i]!)],
    },
    filters: result.filters,
    degenerate: result.degenerate,
    options,
    cohort,
    diagnostics: result.diagnostics,
    warnings: result.warnings,
    stages: result.stages,
    predictedBytes: result.plan.memory.total,
    threads: options.threads,
    command: options.command,
  });
}

function nullTable({ nullModel: h0, cohort }: GwasResult): string {
  const pm = "±";
  return table(
    [],
    [
      ["share of variance explained (pve)", `${g(h0.pve)} ${pm} ${g(h0.pveSe)}`],
      ["genetic variance v<sub>g</sub>", g(h0.vg, 6)],
      ["residual variance v<sub>e</sub>", g(h0.ve, 6)],
      ["λ = v<sub>g</sub>/v<sub>e</sub>", g(h0.lambda.reml, 6)],
      ["log-likelihood REML", g(h0.logLik.reml, 6)],
      ["log-likelihood ML", g(h0.logLik.mle, 6)],
      ...Array.from(h0.beta, (beta, j) => [
        escapeXml(shortName(cohort.covariateNames[j]!)),
        `${g(Math.abs(beta) < 1e-9 * h0.betaSe[j]! ? 0 : beta)} ${pm} ${g(h0.betaSe[j]!)}`,
      ]),
    ],
    "facts",
  );
}
