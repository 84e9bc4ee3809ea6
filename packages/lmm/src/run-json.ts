import type { MemoryPlan, StageUsage, Warning } from "@x/core/base";
import type { AssociationWork } from "./association-pass.ts";
import { type Cohort, dropCounts } from "./cohort.ts";
import { type Diagnostics, diagnosticsJson } from "./diagnostics.ts";
import type { FilterCounts } from "./filter.ts";
import type { MultivariateNullModel } from "./multivariate-null.ts";
import { simdLevel } from "./native.ts";
import type { NullModel } from "./null-model.ts";
import { VERSION } from "./version.ts";

/** What both forms of the command line know after a run. */
export interface RunFacts {
  readonly command: string;
  readonly files: readonly string[];
  readonly cohort: Cohort;
  readonly filters: FilterCounts;
  readonly nullModel?: NullModel;
  readonly multivariate?: MultivariateNullModel;
  readonly jointTraits?: number;
  readonly degenerate?: number;
  readonly diagnostics?: Diagnostics | undefined;
  readonly unconverged?: number;
  readonly work?: AssociationWork;
  readonly predicted: MemoryPlan;
  readonly stages: readonly StageUsage[];
  readonly threads: number;
  readonly warnings: readonly Warning[];
}

/** What `--json` prints, the same shape for `lmm gwas` and for GEMMA's command lines. */
export function runJson(f: RunFacts): Record<string, unknown> {
  const { cohort } = f;
  return {
    command: f.command,
    version: VERSION,
    files: f.files,
    people: { total: cohort.samples, analyzed: cohort.analyzed.length, dropped: dropCounts(cohort) },
    covariates: cohort.covariateNames,
    filters: f.filters,
    ...(f.nullModel ? { nullModel: f.nullModel, degenerate: f.degenerate } : {}),
    categories: cohort.categories,
    ...(f.diagnostics ? { diagnostics: diagnosticsJson(f.diagnostics) } : {}),
    ...(f.multivariate
      ? {
          traits: f.jointTraits,
          nullModel: f.multivariate,
          degenerate: f.degenerate,
          unconverged: f.unconverged,
        }
      : {}),
    ...(f.work ? { work: f.work } : {}),
    memory: { predicted: f.predicted, measuredBytes: Math.max(...f.stages.map((s) => s.peakRssBytes)) },
    stages: f.stages,
    threads: f.threads,
    simd: simdLevel(),
    warnings: f.warnings,
  };
}
