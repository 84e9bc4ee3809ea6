import { leadingTest } from "./association-columns.ts";
import { dropCounts } from "./cohort.ts";
import { describeFilter } from "./filter.ts";
import type { GwasResult } from "./gwas-options.ts";
import { pText } from "./report/p-value.ts";
import { genomicInflation } from "./report/qq.ts";
import { runJson } from "./run-json.ts";

/** A few lines for a terminal. */
export function gwasSummary(r: GwasResult): string[] {
  const { negLog10P } = leadingTest(r.columns);
  const best = negLog10P.reduce((b, v, i, all) => (v > (all[b] ?? -1) ? i : b), 0);
  const drops = Object.entries(dropCounts(r.cohort)).map(([reason, count]) => `${count} ${reason}`);
  return [
    `people    ${r.cohort.analyzed.length} of ${r.cohort.samples} analysed${drops.length > 0 ? ` (${drops.join(", ")})` : ""}`,
    `variants  ${describeFilter(r.filters)}`,
    `null      pve ${r.nullModel.pve.toFixed(4)} ± ${r.nullModel.pveSe.toFixed(4)}${negLog10P.length === 0 ? ", no variant tested" : `, λGC ${genomicInflation(negLog10P).toFixed(3)}, smallest p ${pText(negLog10P[best]!)}`}`,
    ...r.files,
  ];
}

/** What `--json` prints. */
export function gwasJson(r: GwasResult, run: { command: string; threads: number }): unknown {
  return {
    // By name: a spread would build the Arrow table of the results, which nobody asked for.
    ...runJson({
      ...run,
      files: r.files,
      cohort: r.cohort,
      filters: r.filters,
      nullModel: r.nullModel,
      degenerate: r.degenerate,
      diagnostics: r.diagnostics,
      work: r.work,
      predicted: r.plan.memory,
      stages: r.stages,
      warnings: r.warnings,
    }),
    lambdaGC: genomicInflation(leadingTest(r.columns).negLog10P),
  };
}
