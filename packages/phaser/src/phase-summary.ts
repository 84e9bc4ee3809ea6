import type { Conflict, LociCounts } from "./loci.ts";

/** One iteration that ended. */
export interface PhaseIteration {
  /** From 1. */
  readonly number: number;
  /** How many there are. */
  readonly of: number;
  /** What it was for. */
  readonly stage: "burn-in" | "pruning" | "main";
  /** Conditioning haplotypes of a window, on average. */
  readonly meanDonors: number;
  /** Segments of a sample, on average, after merging. */
  readonly meanSegments: number;
}

/** A sample in conflict, and the file it is in. */
export interface PhaseConflict extends Conflict {
  /** Which file. */
  readonly source: "target" | "reference" | "scaffold";
}

/** A child's genotype that its parents cannot have given; it was phased without them. */
export interface MendelError {
  /** Base pairs. */
  readonly position: number;
  /** The child's name. */
  readonly child: string;
}

/** What the reference panel gave. */
export interface ReferenceSummary {
  /** Donor haplotypes. */
  readonly haplotypes: number;
  /** Positions of the target that it lacks: they were left out. */
  readonly onlyTarget: number;
  /** Positions that only it has. */
  readonly onlyReference: number;
  /** Positions whose REFs disagree; they count above too. */
  readonly refMismatch: number;
  /** Positions of it left out because a haplotype carries two ALTs there. */
  readonly conflictPositions: number;
}

/** What the scaffold gave. */
export interface ScaffoldSummary {
  /** Samples in both. */
  readonly samples: number;
  /** Positions in both. */
  readonly positions: number;
  /** Heterozygous genotypes oriented. */
  readonly oriented: number;
  /** Phased genotypes that are not what was called; they were not used. */
  readonly disagree: number;
  /** Heterozygous genotypes that agree, but whose ALTs the scaffold has no row for: it cannot order them. */
  readonly notExpressible: number;
  /** Samples whose scaffold was turned over to fit what their parents say. */
  readonly turned: number;
  /** Positions of it left out because a haplotype carries two ALTs there. */
  readonly conflictPositions: number;
}

/** What the pedigree gave. */
export interface PedigreeSummary {
  /** Children with both parents among the samples. */
  readonly trios: number;
  /** Children with one. */
  readonly duos: number;
  /** Heterozygous genotypes oriented. */
  readonly oriented: number;
  /** Missing genotypes that two homozygous parents determine. */
  readonly filled: number;
  /** Genotypes no parents can have given. */
  readonly mendelErrors: number;
}

/** What phasing did. Genotypes and positions include those of the buffer, unless said otherwise. */
export interface PhaseSummary {
  /** The chromosome. */
  readonly chrom: string;
  /** Samples phased. */
  readonly samples: number;
  /** Positions of the result, without the buffer. */
  readonly positions: number;
  /** Rows of the result. */
  readonly rows: number;
  /** Positions of the result with several ALTs. */
  readonly supersites: number;
  /** Rows these came from. */
  readonly supersiteRows: number;
  /** Positions with several ALTs that did not order the haplotypes (rare, often missing, or `supersitePbwt: false`). */
  readonly supersitesUnordered: number;
  /** Positions that ordered the haplotypes. */
  readonly orderingPositions: number;
  /** What was read of the target, and what was left out. */
  readonly counts: LociCounts;
  /** Null without one. */
  readonly reference: ReferenceSummary | null;
  /** Null without one. */
  readonly scaffold: ScaffoldSummary | null;
  /** Null without one. */
  readonly pedigree: PedigreeSummary | null;
  /** Heterozygous genotypes of haploid samples, taken for missing. */
  readonly haploidHets: number;
  /** Genotypes with a missing allele. */
  readonly missing: number;
  /** Of these, still missing in the result. */
  readonly stillMissing: number;
  /** Genotypes weighed by PL or GL. */
  readonly weighted: number;
  /** Of these, called otherwise than they were. */
  readonly recalled: number;
  /** Pairs of samples found alike on both haplotypes, counted once a direction and iteration. */
  readonly ibd2: number;
  /** In order. */
  readonly iterations: readonly PhaseIteration[];
  /** Conditioning haplotypes of a window, on average over the main iterations. */
  readonly meanDonors: number;
  /** The seed used. */
  readonly seed: number;
  /** Wall time of each stage, in seconds. */
  readonly seconds: {
    /** Files, and the check of memory. */
    readonly reading: number;
    /** The first guess at all haplotypes. */
    readonly firstGuess: number;
    /** Choice of conditioning haplotypes. */
    readonly selection: number;
    /** The model and draws from it. */
    readonly model: number;
  };
}
