import { checkOptions, checkRange } from "@x/core/base";
import { phaserFileError } from "./errors.ts";
import { oneAllele } from "./native.ts";

/** Options of {@link checkOneAllele}. */
export interface OneAlleleOptions {
  /** `chr` or `chr:from-to`. */
  readonly region?: string;
  /** How many violations to list; 0 by default. */
  readonly list?: number;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
}

/** A sample with two ALTs on a haplotype. */
export interface Violation {
  /** Chromosome. */
  readonly chrom: string;
  /** Base pairs. */
  readonly position: number;
  /** Its name. */
  readonly sample: string;
  /** `REF>ALT=GT` of the rows with an ALT. */
  readonly rows: string;
}

/** What {@link checkOneAllele} counts. */
export interface OneAlleleReport {
  /** Positions. */
  readonly positions: number;
  /** Of these, with several rows. */
  readonly multiRowPositions: number;
  /** Haplotypes with ALTs in two or more rows of a position. */
  readonly haplotypeViolations: number;
  /** Positions where that happens. */
  readonly positionsWithViolation: number;
  /** Samples it happens to. */
  readonly samplesWithViolation: number;
  /** Samples with ALTs in two or more rows of a position: what could go wrong. */
  readonly atRisk: number;
  /** Of these, unphased: nothing can be said of their haplotypes. */
  readonly unphased: number;
  /** Samples with three or more ALT copies at a position. */
  readonly impossible: number;
  /** The first violations. */
  readonly listed: readonly Violation[];
}

/**
 * Counts haplotypes that carry two ALT alleles at one position, over the rows of a VCF or BCF as they stand. A record
 * with several ALTs cannot violate by itself.
 *
 * @throws NO_VARIANTS: there is no record to look at; the errors of reading.
 */
export async function checkOneAllele(path: string, options: OneAlleleOptions = {}): Promise<OneAlleleReport> {
  checkOptions(options, ["region", "list", "signal"], "checkOneAllele");
  const list = checkRange("list", options.list ?? 0, { min: 0, max: 1e6, integer: true });
  const { region = null, signal } = options;
  const report = await oneAllele(path, region, list, { signal, stage: "checking" });
  if (report.positions > 0) return report;
  const where = region === null ? "the file has no records" : `no record lies in ${region}`;
  throw phaserFileError("NO_VARIANTS", path, `${where}, so nothing was checked`, { region });
}
