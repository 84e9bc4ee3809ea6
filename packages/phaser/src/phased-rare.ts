import type { OnProgress } from "@x/core/base";
import type { Conflict } from "./loci.ts";
import { now, pieces, type RareStudy } from "./native.ts";
import { outputByName, writePieces } from "./write-vcf.ts";

/** What told which haplotype carries an allele. */
export type RareReason = "same" | "open" | "donors" | "length" | "scaffold" | "pedigree" | "coin";

/** In the order of the native numbers. */
const REASONS: readonly RareReason[] = ["same", "open", "donors", "length", "scaffold", "pedigree", "coin"];

/** Genotypes that are not the common homozygote, one entry each, by position and sample. */
export interface RareCarriers {
  /** Index into {@link PhasedRare.positions}. */
  readonly locus: Uint32Array;
  /** Index into {@link PhasedRare.samples}. */
  readonly sample: Uint32Array;
  /** Code of haplotype 0; 255 = missing. */
  readonly first: Uint8Array;
  /** Code of haplotype 1; 255 = missing. */
  readonly second: Uint8Array;
  /** Probability of this order; NaN where there is nothing to order. */
  readonly probability: Float32Array;
  /** What told. */
  readonly reason: readonly RareReason[];
}

/** What was placed, and how. Genotypes are heterozygous ones. */
export interface RareSummary {
  /** Positions of the scaffold. */
  readonly scaffoldPositions: number;
  /** Positions placed. */
  readonly positions: number;
  /** Genotypes held in memory: those that are not the common homozygote. */
  readonly entries: number;
  /** Ordered because donors carry the allele. */
  readonly byDonors: number;
  /** Ordered by the lengths of the copied pieces alone: singletons, mostly. */
  readonly byLength: number;
  /** One haplotype only was free, the other has an ALT of the scaffold at this position. */
  readonly byScaffold: number;
  /** Ordered by a parent. */
  readonly byPedigree: number;
  /** Nothing told the haplotypes apart; their probability is 0.5. */
  readonly byCoin: number;
  /** Missing alleles filled in. */
  readonly imputed: number;
  /** Alleles still missing. */
  readonly missing: number;
  /** Children's genotypes that their parents cannot have given. */
  readonly mendelErrors: number;
  /** Conditioning haplotypes a sample, on average. */
  readonly meanDonors: number;
  /** Positions of the input whose ALTs are all in the scaffold; the scaffold's rows are written. */
  readonly inScaffold: number;
  /** Positions left out: a record has ALTs of the scaffold and others beside them. */
  readonly mixedRecords: number;
  /** Positions left out: the scaffold has another REF there. */
  readonly refMismatch: number;
  /** Positions left out: no ALT. */
  readonly noAlt: number;
  /** Positions left out: a sample has more ALTs than haplotypes, those of the scaffold counted. */
  readonly conflictPositions: number;
}

/** A scaffold with the variants placed on it, in native memory. */
export class PhasedRare implements Disposable {
  /** The handle behind it. */
  readonly #native: RareStudy;
  /** What was placed, and how. */
  readonly summary: RareSummary;
  /** The chromosome. */
  readonly chrom: string;
  /** Sample names. */
  readonly samples: readonly string[];
  /** Base pairs of what was placed. */
  readonly positions: Uint32Array;
  /** First and last position written. */
  readonly #span: readonly [number, number];

  /** @internal */
  constructor(
    native: RareStudy,
    about: { chrom: string; samples: string[]; positions: Uint32Array; span: readonly [number, number] },
    summary: RareSummary,
  ) {
    this.#native = native;
    this.chrom = about.chrom;
    this.samples = about.samples;
    this.positions = about.positions;
    this.#span = about.span;
    this.summary = summary;
  }

  /** Positions where a sample has more ALT alleles than haplotypes. */
  conflicts(): Conflict[] {
    return now(() => this.#native.conflicts());
  }

  /** All genotypes that are not the common homozygote; a copy. */
  carriers(): RareCarriers {
    const { reason, ...columns } = now(() => this.#native.carriers());
    return { ...columns, reason: Array.from(reason, (r) => REASONS[r]!) };
  }

  /**
   * Writes scaffold and placed rows by position, as `.bcf`, `.vcf.gz` (each with its index) or `.vcf`; `-` is plain VCF
   * on standard output. FORMAT is GT, and PP (the probability of the order written) in placed rows.
   *
   * @returns The paths written.
   * @throws OUT_FORMAT, VCF_INFO; the errors of writing files.
   */
  write(
    path: string,
    options: { lines?: readonly string[]; signal?: AbortSignal; onProgress?: OnProgress } = {},
  ): Promise<string[]> {
    const output = outputByName(path);
    const [from, to] = this.#span;
    const writer = pieces(() => this.#native.writer(output, [...(options.lines ?? [])], from, to));
    return writePieces(writer, path, this.summary.positions + this.summary.scaffoldPositions, options);
  }

  /** Frees the memory; later use is LOCI_RELEASED. */
  release(): void {
    this.#native.release();
  }

  /** The same as {@link PhasedRare.release}, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }
}
