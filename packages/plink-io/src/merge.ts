import { xError } from "@x/core/base";
import { openPlink } from "./open.ts";
import { checkRunning, silently, WRITE_OPTIONS } from "./run-options.ts";
import type { BimColumns, PackedBlock, PlinkPaths, PlinkStudy, RunningOptions } from "./types.ts";
import { refuseInputs, type WriteOptions, type Written, writeFileset } from "./write.ts";

/**
 * Joins filesets of the same people and different variants (one a chromosome, usually) into one, in the order given.
 *
 * @throws XError SAMPLES_DIFFER (the first person that differs), OUT_IS_INPUT, and the codes of openPlink and writePlink.
 */
export async function merge(
  filesets: readonly (string | PlinkPaths)[],
  prefix: string,
  options: WriteOptions = {},
): Promise<Written> {
  checkRunning(options, WRITE_OPTIONS, "merge");
  if (filesets.length === 0)
    throw xError("OPTION_RANGE", "merge needs at least one fileset.", { usage: true });
  const studies: PlinkStudy[] = [];
  try {
    for (const fileset of filesets) studies.push(await openPlink(fileset, silently(options)));
    const first = studies[0]!;
    for (const study of studies) checkSamePeople(first, study);
    refuseInputs(
      studies.map((study) => study.paths),
      prefix,
    );
    const data = {
      samples: first.fam,
      variants: concatenate(studies),
      genotypes: allBlocks(studies, options),
    };
    return await writeFileset(prefix, data, options);
  } finally {
    for (const study of studies) await study.close();
  }
}

function checkSamePeople(first: PlinkStudy, other: PlinkStudy): void {
  if (first.sampleHash === other.sampleHash) return;
  const name = (study: PlinkStudy, i: number): string =>
    i < study.n ? `${study.fam.fid[i]} ${study.fam.iid[i]}` : "no line";
  let i = 0;
  while (i < first.n && name(first, i) === name(other, i)) i++;
  throw xError(
    "SAMPLES_DIFFER",
    `${other.paths.fam}:${i + 1}: ${name(other, i)} found, ${name(first, i)} expected as in ${first.paths.fam}. Merging needs ` +
      "the same people in the same order; plink-io subset --keep makes them so.",
    { details: { path: other.paths.fam, line: i + 1, other: first.paths.fam } },
  );
}

function concatenate(studies: readonly PlinkStudy[]): BimColumns {
  const p = studies.reduce((sum, study) => sum + study.p, 0);
  const out: BimColumns = {
    chrom: [],
    id: [],
    a1: [],
    a2: [],
    cm: new Float64Array(p),
    pos: new Int32Array(p),
  };
  let at = 0;
  for (const { bim } of studies) {
    for (const column of ["chrom", "id", "a1", "a2"] as const)
      for (const value of bim[column]) out[column].push(value);
    out.cm.set(bim.cm, at);
    out.pos.set(bim.pos, at);
    at += bim.pos.length;
  }
  return out;
}

async function* allBlocks(
  studies: readonly PlinkStudy[],
  options: RunningOptions,
): AsyncGenerator<PackedBlock> {
  for (const study of studies) yield* study.blocks(silently(options));
}
