import { dropCounts } from "./cohort.ts";
import { describeFilter } from "./filter.ts";
import type { GwasResult } from "./gwas.ts";
import { pText } from "./report/html.ts";
import { genomicInflation } from "./report/qq.ts";
import { VERSION } from "./version.ts";

/** A few lines for a terminal. */
export function gwasSummary(r: GwasResult): string[] {
  const plainP = (v: number): string => pText(v).replace(/ × 10<sup>−(\d+)<\/sup>/, "e-$1");
  const best = r.columns.negLog10PWald.reduce((b, v, i, all) => (v > (all[b] ?? -1) ? i : b), 0);
  const drops = Object.entries(dropCounts(r.cohort)).map(([reason, count]) => `${count} ${reason}`);
  return [
    `people    ${r.cohort.analyzed.length} of ${r.cohort.samples} analysed${drops.length > 0 ? ` (${drops.join(", ")})` : ""}`,
    `variants  ${describeFilter(r.filters)}`,
    `null      pve ${r.nullModel.pve.toFixed(4)} ± ${r.nullModel.pveSe.toFixed(4)}, λGC ${genomicInflation(r.columns.negLog10PWald).toFixed(3)}, smallest p ${plainP(r.columns.negLog10PWald[best]!)}`,
    ...r.files,
  ];
}

/** What `--json` prints. */
export function gwasJson(r: GwasResult): unknown {
  return {
    version: VERSION,
    files: r.files,
    people: { total: r.cohort.samples, analyzed: r.cohort.analyzed.length, dropped: dropCounts(r.cohort) },
    covariates: r.cohort.covariateNames,
    filters: r.filters,
    nullModel: r.nullModel,
    lambdaGC: genomicInflation(r.columns.negLog10PWald),
    degenerate: r.degenerate,
    memory: { predicted: r.plan.memory, measuredBytes: Math.max(...r.stages.map((s) => s.peakRssBytes)) },
    stages: r.stages,
    warnings: r.warnings,
  };
}
