import { checkOutputs, type OutputFiles, type StageMeter } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import { rebatch } from "./associate.ts";
import type { AssociationColumns, AssociationTest } from "./association-columns.ts";
import { diagnosticsLines } from "./diagnostics.ts";
import { assocHeader, assocRows } from "./gemma/assoc-text.ts";
import { formatLog } from "./gemma/log.ts";
import { statisticsOf, textStatistics } from "./gemma/modes.ts";
import type { GwasOptions, GwasResult } from "./gwas-options.ts";
import { simdLevel } from "./native.ts";
import { VERSION } from "./version.ts";

function reportPath(options: Pick<GwasOptions, "out" | "report">): string | undefined {
  if (options.report === false) return undefined;
  return options.report ?? (options.out === undefined ? undefined : `${options.out}.report.html`);
}

/** Every path a run will write to, so that each folder is checked first. @throws OUT_TWICE for one that is there twice. */
export function checkGwasPaths(
  options: Pick<GwasOptions, "out" | "report" | "saveKinship" | "saveEigen">,
): string[] {
  const { out, saveKinship, saveEigen } = options;
  const results =
    out === undefined ? [] : ["assoc.txt", "assoc.arrow", "log.txt"].map((end) => `${out}.${end}`);
  const paths = [...results, reportPath(options), saveKinship, saveEigen].filter(
    (path) => path !== undefined,
  );
  checkOutputs(paths);
  return paths;
}

/** Writes blocks as text on the way when there is an output prefix. */
export function textWriter(
  files: OutputFiles,
  study: PlinkStudy,
  options: Pick<GwasOptions, "out" | "lmm" | "negLog10P"> & { tests: readonly AssociationTest[] },
): { write(block: AssociationColumns): Promise<void> } {
  const out = options.out === undefined ? undefined : files.open(`${options.out}.assoc.txt`);
  const statistics = textStatistics(options.tests, { mode: options.lmm, negLog10P: options.negLog10P });
  void out?.write(assocHeader(statistics));
  return {
    async write(block) {
      await out?.write(assocRows(study.bim, block, statistics));
    },
  };
}

/** Arrow results, report and log; the log last, so that it names what everything took. Then all appear at once. */
export async function writeGwasFiles(
  study: PlinkStudy,
  result: GwasResult,
  options: GwasOptions & { tests: readonly AssociationTest[]; threads: number; command: string },
  state: { files: OutputFiles; meter: StageMeter },
): Promise<string[]> {
  const { out } = options;
  const { files, meter } = state;
  const report = reportPath(options);
  await meter.measure("writing", async () => {
    if (out !== undefined) {
      const { writeResults } = await import("./association-arrow.ts");
      await writeResults(
        files.open(`${out}.assoc.arrow`),
        study,
        rebatch(once(result.columns)),
        statisticsOf(options.tests),
      );
    }
    if (report !== undefined) {
      const { reportHtml } = await import("./report/html.ts");
      await files.open(report).write(reportHtml(study, result, options));
    }
  });
  if (out !== undefined) {
    const text = formatLog({
      version: VERSION,
      command: options.command,
      date: new Date(),
      cohort: result.cohort,
      filters: result.filters,
      nullModel: result.nullModel,
      stages: result.stages,
      predictedBytes: result.plan.memory.total,
      route: result.plan.route,
      threads: options.threads,
      simd: simdLevel(),
      degenerate: result.degenerate,
      work: result.work,
      notes: diagnosticsLines(result.diagnostics, result.cohort),
      ...(result.chromosomes ? { chromosomes: result.chromosomes } : {}),
    });
    await files.open(`${out}.log.txt`).write(text);
  }
  return files.commit();
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}
