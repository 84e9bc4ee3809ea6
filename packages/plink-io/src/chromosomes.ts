const NAMED: Readonly<Record<string, number>> = { X: 23, Y: 24, XY: 25, M: 26, MT: 26 };

/** Codes of the chromosomes on which sex decides how many copies a person carries. */
export const CHROM_X = 23;
/** Chromosome Y: men only. */
export const CHROM_Y = 24;
/** The mitochondrion. */
export const CHROM_MT = 26;

/**
 * PLINK's number of a human chromosome: 0 (unplaced), 1–22, X = 23, Y = 24, XY = 25, M or MT = 26; `chr` in front
 * and case do not matter. Undefined for a contig of another name.
 */
export function chromosomeCode(name: string): number | undefined {
  const bare = /^chr/i.test(name) ? name.slice(3) : name;
  if (/^\d{1,2}$/.test(bare)) {
    const code = Number(bare);
    return code <= CHROM_MT ? code : undefined;
  }
  return NAMED[bare.toUpperCase()];
}

/** The name under which two spellings of one chromosome meet: PLINK's number, or a contig's own name. */
export function chromosomeKey(name: string): string {
  return String(chromosomeCode(name) ?? name);
}
