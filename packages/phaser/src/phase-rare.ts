import { checkOptions, checkRange, type OnProgress, resolveThreads, type Warn } from "@x/core/base";
import { checkPeople } from "./check-people.ts";
import { type GeneticMap, mapFor } from "./genetic-map.ts";
import { type Family, numberedFamilies } from "./lists.ts";
import { now, placeRare, type RareCounts, type RareStudy, readRare } from "./native.ts";
import { nativeLociOptions } from "./open-vcf.ts";
import { PhasedRare, type RareSummary } from "./phased-rare.ts";
import { parseRegion } from "./region.ts";

/** Options of {@link phaseRare}. */
export interface PhaseRareOptions {
  /** Genetic map, or the file of one; 1 cM/Mb without. MAP_CHROM when it is of another chromosome. */
  readonly map?: GeneticMap | string;
  /** What is placed and written: `chr` or `chr:from-to`. */
  readonly inputRegion?: string;
  /** Of the scaffold; must contain `inputRegion`, and is the same by default. */
  readonly scaffoldRegion?: string;
  /** These samples, in this order; all of the input by default. */
  readonly samples?: readonly string[];
  /** Samples with one haplotype. */
  readonly haploids?: readonly string[];
  /** Children whose first scaffold haplotype is the father's: their parents decide where they can. */
  readonly pedigree?: readonly Family[];
  /** Where a sample has more ALT alleles than haplotypes: leave the position out (default) or fail. */
  readonly supersiteConflict?: "drop" | "error";
  /** Leave missing genotypes missing; default false: the likeliest code is written. */
  readonly keepMissing?: boolean;
  /** Centimorgans between two choices of neighbours; default 0.1. */
  readonly pbwtModulo?: number;
  /** Neighbours of a haplotype, each way; default 2. */
  readonly pbwtDepthCommon?: number;
  /** Neighbours among the carriers of a rare allele, each way; default 2. */
  readonly pbwtDepthRare?: number;
  /** Copies of the minor alleles a scaffold position needs to order haplotypes; default 2. */
  readonly pbwtMac?: number;
  /** Effective population size; default 100000, as measured (`docs/design/rare.md`). */
  readonly effectiveSize?: number;
  /** Seed of the coin for what nothing tells; default 15052011. */
  readonly seed?: number;
  /** Worker threads; results do not depend on it. */
  readonly threads?: number;
  /** Receives INDEX_STALE, SAMPLE_UNKNOWN. */
  readonly warn?: Warn;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
  /** Receives progress reports, in samples. */
  readonly onProgress?: OnProgress;
}

const NAMES = [
  "map",
  "inputRegion",
  "scaffoldRegion",
  "samples",
  "haploids",
  "pedigree",
  "supersiteConflict",
  "keepMissing",
  "pbwtModulo",
  "pbwtDepthCommon",
  "pbwtDepthRare",
  "pbwtMac",
  "effectiveSize",
  "seed",
  "threads",
  "warn",
  "signal",
  "onProgress",
];

/**
 * Places the variants of a VCF or BCF that are not in a phased scaffold onto its haplotypes. Only genotypes that are not
 * the common homozygote are held. Rows of one position are one locus, the scaffold's rows there included, so that no
 * haplotype gets two ALTs. Every heterozygous genotype gets the probability of its order: from the haplotypes it is
 * copied from, or where none of them carries the allele, from the lengths of the copied pieces.
 *
 * After SHAPEIT5's phase_rare (Hofmeister et al. 2023, Nature Genetics 55:1243).
 *
 * @throws REFERENCE_UNPHASED (the scaffold), SAMPLE_UNKNOWN, NO_COMMON_SAMPLES, PEDIGREE, NO_VARIANTS, REGION, MAP_CHROM, SUPERSITE_CONFLICT,
 * PLOIDY, TOO_LARGE; the errors of reading.
 */
export async function phaseRare(
  input: string,
  scaffold: string,
  options: PhaseRareOptions = {},
): Promise<PhasedRare> {
  checkOptions(options, NAMES, "phaseRare");
  const { signal, onProgress, warn, inputRegion } = options;
  const native = native_(options);
  const loci = nativeLociOptions({
    ...(inputRegion === undefined ? {} : { region: inputRegion }),
    ...(options.samples === undefined ? {} : { samples: options.samples }),
    ...(options.haploids === undefined ? {} : { haploids: options.haploids }),
    supersiteConflict: options.supersiteConflict ?? "drop",
  });
  const reading = { signal, onProgress, stage: "reading" };
  const study = await readRare(input, scaffold, options.scaffoldRegion ?? null, loci, reading);
  try {
    const info = now(() => study.info());
    if (info.indexOlder) {
      const message = "an index is older than its file; if the file was changed, index it again";
      warn?.({ code: "INDEX_STALE", message, details: { path: input } });
    }
    const map = await mapFor(options.map, info.chrom, signal);
    const cm = { scaffold: map.at(info.scaffoldPositions), rare: map.at(info.positions) };
    checkPeople(options, info.samples);
    const trios = numberedFamilies(options.pedigree ?? [], info.samples).flat();
    const counts = await placeRare(study, cm, { ...native, trios }, { signal, onProgress, stage: "placing" });
    const { from, to } = parseRegion(inputRegion ?? info.chrom, [info.chrom]);
    const about = { ...info, span: [from, to] as const };
    return new PhasedRare(study, about, summary(info, counts));
  } catch (e) {
    study.release();
    throw e;
  }
}

function native_(o: PhaseRareOptions) {
  const whole = (name: keyof PhaseRareOptions, fallback: number, min: number, max: number): number =>
    checkRange(name, (o[name] as number | undefined) ?? fallback, { min, max, integer: true });
  return {
    seed: whole("seed", 15_052_011, 0, Number.MAX_SAFE_INTEGER),
    threads: resolveThreads(o.threads),
    depthCommon: whole("pbwtDepthCommon", 2, 1, 1000),
    depthRare: whole("pbwtDepthRare", 2, 0, 1000),
    modulo: checkRange("pbwtModulo", o.pbwtModulo ?? 0.1, { min: 1e-6, max: 1e6 }),
    mac: whole("pbwtMac", 2, 1, 1e9),
    ne: checkRange("effectiveSize", o.effectiveSize ?? 100_000, { min: 1, max: 1e9 }),
    error: 1e-4,
    keepMissing: o.keepMissing ?? false,
  };
}

function summary(info: ReturnType<RareStudy["info"]>, c: RareCounts): RareSummary {
  return Object.freeze({
    scaffoldPositions: info.scaffoldPositions.length,
    positions: info.positions.length,
    entries: info.entries,
    byDonors: c.donors,
    byLength: c.length,
    byScaffold: c.scaffold,
    byPedigree: c.pedigree,
    byCoin: c.coin,
    imputed: c.imputed,
    missing: c.missing,
    mendelErrors: c.mendelErrors,
    meanDonors: c.meanDonors,
    inScaffold: info.inScaffold,
    mixedRecords: info.mixed,
    refMismatch: info.refMismatch,
    noAlt: info.noAlt,
    conflictPositions: info.conflictPositions,
  });
}
