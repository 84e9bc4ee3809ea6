import { memoryLimit, resolveThreads } from "@x/core/base";
import { openPlink, type PlinkStudy } from "@x/plink-io";
import type { GwasOptions } from "./gwas-options.ts";
import { JOIN_NAMES, type JoinOptions, joinSamples } from "./join-samples.ts";
import { only } from "./option-names.ts";
import { type GwasPlan, planGwas } from "./plan.ts";
import { studySize } from "./route.ts";
import { readSnpList } from "./snp-list.ts";

/**
 * What {@link gwas} with these options will need, by either route, from the .bim, .fam and tables alone: no genotype is
 * read. The route is the one that {@link gwas} will take under this memory limit.
 * @throws Everything that reading and joining throw, OPTION_RANGE.
 */
export async function planStudy(fileset: string | PlinkStudy, options: GwasOptions = {}): Promise<GwasPlan> {
  if (typeof fileset === "string") {
    const phenotypes = options.phenotypes === undefined ? "read" : "ignore";
    await using study = await openPlink(fileset, {
      phenotypes,
      ...(options.signal ? { signal: options.signal } : {}),
    });
    return await planStudy(study, options);
  }
  const cohort = await joinSamples(fileset, only<JoinOptions>(options, JOIN_NAMES));
  const list = (ids: ReadonlySet<string> | undefined, file: string | undefined) =>
    file === undefined ? ids : readSnpList(file);
  const snps = await list(options.snps, options.snpFile);
  const kinshipSnps = await list(options.kinshipSnps, options.kinshipSnpFile);
  const size = studySize(fileset, cohort, {
    ...options,
    threads: resolveThreads(options.threads),
    ...(snps ? { snps } : {}),
    ...(kinshipSnps ? { kinshipSnps } : {}),
  });
  const limit = memoryLimit({ memoryLimit: options.memoryLimit }).bytes;
  return planGwas(options.chunk === undefined ? size : { ...size, chunk: options.chunk }, undefined, limit);
}
