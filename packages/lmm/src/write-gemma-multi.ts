import { atomicWriter } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import { multiHeader, multiRows } from "./gemma/multi-text.ts";
import type { MultivariateRun } from "./multivariate.ts";

/**
 * Writes what {@link associateMultivariate} returns as GEMMA's multivariate `.assoc.txt`, row by row as results come and
 * atomically; returns the number of rows. A missing statistic is written `nan`.
 *
 * @throws OUT_DIR, ENOSPC … and what the run throws.
 */
export async function writeGemmaMultivariate(
  run: MultivariateRun,
  path: string,
  options: {
    readonly study: PlinkStudy;
    readonly signal?: AbortSignal | undefined;
    /** Adds −log₁₀ of every p. Default false. */
    readonly negLog10P?: boolean | undefined;
  },
): Promise<number> {
  await using out = atomicWriter(path, { signal: options.signal });
  const { study, negLog10P = false } = options;
  await out.write(multiHeader(run.traits, run.tests, negLog10P));
  let rows = 0;
  for await (const block of run.columns()) {
    await out.write(multiRows(study.bim, { traits: run.traits, tests: run.tests, negLog10P }, block));
    rows += block.index.length;
  }
  await out.commit();
  return rows;
}
