import type { BimTable } from "./bim-table.ts";
import { CHROM_X, CHROM_Y, chromosomeCode } from "./chromosomes.ts";
import type { FamColumns } from "./types.ts";

/** One bit a sample, lowest first, set where `test` holds. */
export function sampleMask(n: number, test: (sample: number) => boolean): Uint8Array {
  const mask = new Uint8Array(Math.ceil(n / 8));
  for (let i = 0; i < n; i++) if (test(i)) mask[i >> 3]! |= 1 << (i & 7);
  return mask;
}

/** PLINK's founder: neither parent named. */
export function isFounder(fam: FamColumns, sample: number): boolean {
  return fam.father[sample] === "0" && fam.mother[sample] === "0";
}

/** What PLINK 1.9 makes of the first phenotype column. */
export interface PhenotypeKind {
  /** 1 and 2 (0 and −9 missing), other numbers, or nothing but missing. */
  kind: "case-control" | "quantitative" | "none";
  /** True where PLINK counts the phenotype as missing: no value, 0 in a case-control study, or sex unknown. */
  missing: (sample: number) => boolean;
}

/** Reads the first phenotype as PLINK 1.9 does by default (`--allow-no-sex` not given). */
export function phenotypeKind(fam: FamColumns): PhenotypeKind {
  const values = fam.phenotypes[0]!;
  const quantitative = values.some(
    (value) => !Number.isNaN(value) && value !== 0 && value !== 1 && value !== 2,
  );
  const missing = (i: number): boolean =>
    Number.isNaN(values[i]) || fam.sex[i] === 0 || (!quantitative && values[i] === 0);
  const none = values.every((_, i) => missing(i));
  return { kind: none ? "none" : quantitative ? "quantitative" : "case-control", missing };
}

/** How many copies of a chromosome men and women carry, as far as the reports need it. */
export type Ploidy = "diploid" | "x" | "y";

/** Ploidy of the chromosome of each variant. */
export function ploidies(bim: BimTable): (row: number) => Ploidy {
  const kinds = bim.chromNames.map((name): Ploidy => {
    const code = chromosomeCode(name);
    return code === CHROM_X ? "x" : code === CHROM_Y ? "y" : "diploid";
  });
  return (row) => kinds[bim.chrom[row]!]!;
}
