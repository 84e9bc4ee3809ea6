import { type NativeLoci, now } from "./native.ts";

/** What was read of a file, and what became of it. Positions unless said otherwise. */
export interface LociCounts {
  /** Records read, also those that do not belong to the region. */
  readonly records: number;
  /** Records of another chromosome. */
  readonly otherChromosome: number;
  /** Records outside the region. */
  readonly outsideRegion: number;
  /** Left out because of `minMaf`. */
  readonly minMaf: number;
  /** Left out because they have no ALT allele. */
  readonly noAlt: number;
  /** Left out because a sample has more ALT alleles than haplotypes there. */
  readonly conflictPositions: number;
  /** Samples with a conflict anywhere. */
  readonly conflictSamples: number;
  /** Positions with several ALT alleles. */
  readonly supersites: number;
  /** Rows these came from. */
  readonly supersiteRows: number;
}

/** A sample whose rows at one position cannot all be true, or whose bars put two ALTs on one haplotype. */
export interface Conflict {
  /** Base pairs. */
  readonly position: number;
  /** Its name. */
  readonly sample: string;
  /** `REF>ALT=GT` of the rows with an ALT. */
  readonly rows: string;
  /** Was the position left out because of it? */
  readonly excluded: boolean;
}

/** A position that is not phased. */
export interface ExcludedPosition {
  /** Base pairs. */
  readonly position: number;
  /** Rows it has. */
  readonly rows: number;
  /** Why. */
  readonly reason: "conflict" | "minMaf" | "noAlt" | "notInReference";
}

/**
 * Genotypes of one chromosome by position, in native memory: rows that share a position are one locus with the codes
 * 0 (REF) and 1 … M (ALTs in an order that depends on the alleles alone). 255 is missing.
 */
export class Loci implements Disposable {
  /** The handle behind it. */
  readonly #native: NativeLoci;

  /** @internal */
  constructor(native: NativeLoci) {
    this.#native = native;
  }

  /** @internal */
  get native(): NativeLoci {
    return this.#native;
  }

  /** Number of positions. */
  get length(): number {
    return now(() => this.#native.length);
  }

  /** Number of rows they came from. */
  get rows(): number {
    return now(() => this.#native.rows);
  }

  /** The chromosome. */
  get chrom(): string {
    return now(() => this.#native.chrom);
  }

  /** Sample names, in the order of the calls. */
  get samples(): string[] {
    return now(() => this.#native.samples);
  }

  /** Base pairs, strictly ascending (unless rows were split); a copy. */
  get positions(): Uint32Array {
    return now(() => this.#native.positions);
  }

  /** M + 1 of each locus (2 = one ALT); a copy. */
  get codes(): Uint8Array {
    return now(() => this.#native.codes);
  }

  /** What was read and what was left out. */
  get counts(): LociCounts {
    return now(() => this.#native.counts);
  }

  /** Samples with more ALT alleles than haplotypes, position by position. */
  conflicts(): Conflict[] {
    return now(() => this.#native.conflicts());
  }

  /** Positions left out. */
  excluded(): ExcludedPosition[] {
    return now(() => this.#native.excluded()) as ExcludedPosition[];
  }

  /** Codes of the loci `from … to`, two a sample, locus after locus; 255 = missing. A copy. LOCI_RANGE. */
  calls(from = 0, to: number = this.length): Uint8Array {
    return now(() => this.#native.calls(from, to));
  }

  /** One byte a sample, locus after locus: bit 0 the order of its two codes was given (`|`), bit 1 haploid. A copy. */
  flags(from = 0, to: number = this.length): Uint8Array {
    return now(() => this.#native.flags(from, to));
  }

  /** Frees the memory; later use is LOCI_RELEASED. */
  release(): void {
    this.#native.release();
  }

  /** The same as {@link Loci.release}, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }
}
