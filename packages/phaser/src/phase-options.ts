import {
  checkOptions,
  checkRange,
  type Progress,
  type RunOptions,
  resolveThreads,
  type Warn,
  xError,
} from "@x/core/base";
import type { GeneticMap } from "./genetic-map.ts";
import type { Family } from "./lists.ts";
import type { Loci } from "./loci.ts";
import type { PhaseInput } from "./native.ts";
import type { PhaseIteration } from "./phase-summary.ts";

/** How far phasing is; while it iterates, with the iteration that ended last. */
export interface PhaseProgress extends Progress {
  /** The last iteration that ended, with its number of conditioning haplotypes. */
  readonly iteration?: PhaseIteration;
}

/** Options of {@link phase}. */
export interface PhaseOptions extends Omit<RunOptions, "onProgress"> {
  /** Genetic map, or the file of one; 1 cM/Mb without. MAP_CHROM when it is of another chromosome. */
  readonly map?: string | GeneticMap;
  /** What is phased and written: `chr` or `chr:from-to`. Needed when the file holds several chromosomes. */
  readonly region?: string;
  /** Base pairs on either side of the region that are phased with it and not written; default 0. */
  readonly buffer?: number;
  /** These samples, in this order; all by default. */
  readonly samples?: readonly string[];
  /** Phased panel whose haplotypes are donors. Only positions that it has, with an ALT in common, are phased. */
  readonly reference?: string | Loci;
  /** Phased genotypes of the same samples, e.g. of an array; its bars orient heterozygous genotypes. */
  readonly scaffold?: string | Loci;
  /** Parents orient what they can: a child's first haplotype is its father's. */
  readonly pedigree?: readonly Family[];
  /** Samples with one haplotype, coded `0`, `1` or as two equal alleles. */
  readonly haploids?: readonly string[];
  /** Leave out positions whose alleles other than the most common one are rarer than this; default 0. */
  readonly minMaf?: number;
  /** Where a sample has more ALT alleles than haplotypes: leave the position out (default) or fail. */
  readonly supersiteConflict?: "drop" | "error";
  /** Rows of one position are one locus, so that no haplotype gets two ALTs; default true. False: for comparison. */
  readonly enforceOneAlleleSupersite?: boolean;
  /** Positions with several ALTs order the haplotypes too; default true. */
  readonly supersitePbwt?: boolean;
  /** Missing codes: the likeliest of all (default), or REF against one anchor ALT. */
  readonly supersiteImputation?: "argmax" | "anchor";
  /** The anchor: the ALT most conditioning haplotypes carry (`pbwt`), or that with most forward weight (`hmm`). */
  readonly supersiteAnchor?: "pbwt" | "hmm";
  /** Leave missing genotypes missing; default false: the likeliest code is written. */
  readonly keepMissing?: boolean;
  /** Let PL or GL weigh missing genotypes, and those called with less than 99 % of the likelihood; default false. */
  readonly useGl?: boolean;
  /** Compute how sure each phase and each imputed code is; default false. */
  readonly confidence?: boolean;
  /** Burn-in, pruning and main iterations; default `3b,1p,1b,1p,1b,1p,24m`. BAD_SCHEDULE. */
  readonly mcmcIterations?: string;
  /** Probability that the haplotypes of a merged segment must carry; default 0.999. */
  readonly mcmcPrune?: number;
  /** Neighbours of a haplotype at each group of positions; by default from the number of samples. */
  readonly pbwtDepth?: number;
  /** Width of a group in centimorgans; by default from the number of samples. */
  readonly pbwtModulo?: number;
  /** Copies of the minor alleles that a position needs to order haplotypes; default 5. */
  readonly pbwtMac?: number;
  /** Largest missing rate of such a position; default 0.1. */
  readonly pbwtMdr?: number;
  /** Haplotypes are ordered in pieces of at least this many centimorgans; default 4. */
  readonly pbwtWindow?: number;
  /** Shortest window of the model in centimorgans; default 2. */
  readonly hmmWindow?: number;
  /** Most conditioning haplotypes of a window; where there are more neighbours each is a mosaic of them; default 150. */
  readonly hmmDonors?: number;
  /** Effective population size; default 15,000. Jumps a centimorgan: 0.04 of it, over the number of donors. */
  readonly effectiveSize?: number;
  /** Receives INDEX_STALE, HAPLOID_HETS, MENDEL, SUPERSITE_CONFLICT and SAMPLE_UNKNOWN. */
  readonly warn?: Warn;
  /** Receives progress reports: at least one an iteration, with its number of conditioning haplotypes. */
  readonly onProgress?: (progress: PhaseProgress) => void;
}

/** Every name, so that a misspelt one is refused. */
const NAMES: Record<keyof PhaseOptions, true> = {
  map: true,
  region: true,
  buffer: true,
  samples: true,
  reference: true,
  scaffold: true,
  pedigree: true,
  haploids: true,
  minMaf: true,
  supersiteConflict: true,
  enforceOneAlleleSupersite: true,
  supersitePbwt: true,
  supersiteImputation: true,
  supersiteAnchor: true,
  keepMissing: true,
  useGl: true,
  confidence: true,
  mcmcIterations: true,
  mcmcPrune: true,
  pbwtDepth: true,
  pbwtModulo: true,
  pbwtMac: true,
  pbwtMdr: true,
  pbwtWindow: true,
  hmmWindow: true,
  hmmDonors: true,
  effectiveSize: true,
  seed: true,
  threads: true,
  memoryLimit: true,
  warn: true,
  signal: true,
  onProgress: true,
};

/** Options that say how a file is read; loci were read already. */
const READING = [
  "region",
  "buffer",
  "samples",
  "minMaf",
  "supersiteConflict",
  "enforceOneAlleleSupersite",
] as const;

/** SHAPEIT's seed. */
const SEED = 15_052_011;

/** What the engine takes, apart from what depends on the samples. */
export type EngineOptions = Omit<
  PhaseInput,
  "takeTarget" | "takeReference" | "from" | "to" | "trios" | "haploids"
>;

/** Checks options by themselves. @throws OPTION_RANGE, OPTION_CHOICE, OPTION_CONFLICT, UNKNOWN_OPTION */
export function checkPhaseOptions(o: PhaseOptions, targets: "file" | "batches" | "loci"): EngineOptions {
  checkOptions(o, Object.keys(NAMES), "phase");
  const lost = READING.filter(
    (name) => o[name] !== undefined && targets !== "file" && !(targets === "batches" && fitsBatches(name)),
  );
  if (lost.length > 0) {
    const message = `${lost.join(", ")}: the genotypes were read already; give it where they are read`;
    throw xError("OPTION_CONFLICT", message, { usage: true, details: { options: lost } });
  }
  checkRange("buffer", o.buffer ?? 0, { min: 0, max: 2 ** 31 - 1, integer: true });
  if (o.buffer !== undefined && o.region === undefined) {
    throw xError("OPTION_CONFLICT", "a buffer lies around a region; none was given", { usage: true });
  }
  if (o.supersiteAnchor !== undefined && o.supersiteImputation !== "anchor") {
    throw xError("OPTION_CONFLICT", 'a supersite anchor needs supersite imputation "anchor"', {
      usage: true,
    });
  }
  choice("supersiteImputation", o.supersiteImputation, ["argmax", "anchor"]);
  choice("supersiteAnchor", o.supersiteAnchor, ["pbwt", "hmm"]);
  const range = (name: keyof PhaseOptions, min: number, max: number, integer = false): object =>
    o[name] === undefined ? {} : { value: checkRange(name, o[name], { min, max, integer }) };
  const native: [keyof EngineOptions, object][] = [
    ["prune", range("mcmcPrune", 0.5, 1)],
    ["pbwtDepth", range("pbwtDepth", 1, 1000, true)],
    ["pbwtModulo", range("pbwtModulo", 1e-6, 1e6)],
    ["pbwtMac", range("pbwtMac", 1, 1e9, true)],
    ["pbwtMdr", range("pbwtMdr", 0, 1)],
    ["pbwtWindow", range("pbwtWindow", 1e-3, 1e6)],
    ["hmmWindow", range("hmmWindow", 1e-3, 1e6)],
    ["hmmDonors", range("hmmDonors", 2, 1e6, true)],
    ["hmmNe", range("effectiveSize", 1, 1e9)],
  ];
  const given = native.flatMap(([name, { value }]: [string, { value?: number }]) =>
    value === undefined ? [] : [[name, value]],
  );
  return {
    ...Object.fromEntries(given),
    ...(o.mcmcIterations === undefined ? {} : { schedule: o.mcmcIterations }),
    seed: checkRange("seed", o.seed ?? SEED, { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true }),
    threads: resolveThreads(o.threads),
    useLikelihoods: o.useGl ?? false,
    supersitePbwt: o.supersitePbwt ?? true,
    imputation: o.supersiteImputation === "anchor" ? (o.supersiteAnchor ?? "pbwt") : "argmax",
    keepMissing: o.keepMissing ?? false,
    confidence: o.confidence ?? false,
  };
}

/** Batches are given, so what is left is which rows and how they are combined. */
function fitsBatches(name: (typeof READING)[number]): boolean {
  return name !== "region" && name !== "buffer" && name !== "samples";
}

function choice(name: string, value: string | undefined, allowed: readonly string[]): void {
  if (value === undefined || allowed.includes(value)) return;
  const message = `${name} must be one of ${allowed.join(", ")}, got ${JSON.stringify(value)}`;
  throw xError("OPTION_CHOICE", message, { usage: true, details: { option: name } });
}
