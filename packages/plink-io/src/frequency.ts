import type { Table } from "apache-arrow";
import { chromosomeKey } from "./chromosomes.ts";
import { countRows } from "./counts.ts";
import { arrowTables } from "./lazy.ts";
import { isFounder, ploidies, sampleMask } from "./masks.ts";
import type { BimColumns, PlinkStudy, RunningOptions } from "./types.ts";

/** Options of freq, missing and hardy; each default is PLINK 1.9's. */
export interface ReportOptions extends RunningOptions {
  /** Counts everybody, not founders only (`--nonfounders`). */
  nonfounders?: boolean;
  /** Leaves A1 and A2 as in the .bim instead of naming the rarer allele A1 (`--keep-allele-order`). */
  keepAlleleOrder?: boolean;
}

/** `.frq` as plain columns. */
export interface FreqColumns {
  /** PLINK's chromosome number, or a contig's name. */
  chrom: string[];
  /** Variant. */
  id: string[];
  /** Rarer allele (or allele 1, see keepAlleleOrder). */
  a1: string[];
  /** The other allele. */
  a2: string[];
  /** Frequency of a1; NaN when nobody is typed. */
  maf: Float64Array;
  /** Allele copies observed. */
  nchrobs: Int32Array;
}

/**
 * Allele frequencies as PLINK 1.9 `--freq`: founders only, men count once on X and only men on Y (their heterozygous
 * calls are left out), variants at negative positions are skipped.
 *
 * @returns Table `chrom id a1 a2 maf nchrobs`; maf null when nobody is typed.
 */
export async function freq(study: PlinkStudy, options: ReportOptions = {}): Promise<Table> {
  return arrowTables().reportTable({ ...(await frequencies(study, options)) });
}

/** {@link freq} without Arrow. */
export async function frequencies(study: PlinkStudy, options: ReportOptions = {}): Promise<FreqColumns> {
  const rows = reportedRows(study.bim);
  const alleles = await alleleCounts(study, rows, options);
  const { a1, a2 } = orientedAlleles(study.bim, rows, alleles, options);
  const maf = new Float64Array(rows.length);
  alleles.total.forEach((total, k) => {
    const count = isSwapped(alleles, k, options) ? total - alleles.a1[k]! : alleles.a1[k]!;
    maf[k] = total === 0 ? Number.NaN : count / total;
  });
  return { ...reportedNames(study.bim, rows), a1, a2, maf, nchrobs: alleles.total };
}

/** Rows PLINK reports: those at positions that are not negative. */
export function reportedRows(bim: BimColumns): Uint32Array {
  const rows = new Uint32Array(bim.pos.length);
  let count = 0;
  bim.pos.forEach((pos, j) => {
    if (pos >= 0) rows[count++] = j;
  });
  return rows.subarray(0, count);
}

/** First two columns of every report. */
export function reportedNames(bim: BimColumns, rows: Uint32Array): { chrom: string[]; id: string[] } {
  const keys = new Map([...new Set(bim.chrom)].map((name) => [name, chromosomeKey(name)]));
  return {
    chrom: Array.from(rows, (j) => keys.get(bim.chrom[j]!)!),
    id: Array.from(rows, (j) => bim.id[j]!),
  };
}

/** Copies of allele 1 and of both alleles among the people PLINK counts. */
export interface AlleleCounts {
  /** Copies of the .bim's allele 1. */
  a1: Int32Array;
  /** Copies of either. */
  total: Int32Array;
}

/** Counts alleles by PLINK's rules for founders and sex chromosomes. */
export async function alleleCounts(
  study: PlinkStudy,
  rows: Uint32Array,
  options: ReportOptions,
): Promise<AlleleCounts> {
  const { fam, bim, n } = study;
  const counted = (i: number): boolean => options.nonfounders === true || isFounder(fam, i);
  const ploidy = ploidies(bim);
  const sexed = rows.filter((j) => ploidy(j) !== "diploid");
  const [everybody] = await countRows(study, rows, [sampleMask(n, counted)], options);
  const [men] = await countRows(study, sexed, [sampleMask(n, (i) => counted(i) && fam.sex[i] === 1)], {
    ...options,
    onProgress: () => {},
  });
  const a1 = new Int32Array(rows.length);
  const total = new Int32Array(rows.length);
  let atSexed = 0;
  rows.forEach((j, k) => {
    const [hom1, het, hom2] = everybody!.subarray(k * 4, k * 4 + 3) as unknown as [number, number, number];
    const kind = ploidy(j);
    if (kind === "diploid") {
      a1[k] = 2 * hom1 + het;
      total[k] = 2 * (hom1 + het + hom2);
      return;
    }
    const [menHom1, menHet, menHom2] = men!.subarray(atSexed * 4, atSexed * 4 + 3) as unknown as [
      number,
      number,
      number,
    ];
    atSexed++;
    const women = kind === "x" ? [hom1 - menHom1, het - menHet, hom2 - menHom2] : [0, 0, 0];
    a1[k] = menHom1 + 2 * women[0]! + women[1]!;
    total[k] = menHom1 + menHom2 + 2 * (women[0]! + women[1]! + women[2]!);
  });
  return { a1, total };
}

/** Whether PLINK, loading the fileset, would have exchanged the two alleles of reported row `k`. */
export function isSwapped(alleles: AlleleCounts, k: number, options: ReportOptions): boolean {
  return options.keepAlleleOrder !== true && 2 * alleles.a1[k]! > alleles.total[k]!;
}

/** Allele names of the reported rows, the rarer first unless the order is kept. */
export function orientedAlleles(
  bim: BimColumns,
  rows: Uint32Array,
  alleles: AlleleCounts,
  options: ReportOptions,
): { a1: string[]; a2: string[] } {
  const [a1, a2]: [string[], string[]] = [[], []];
  rows.forEach((j, k) => {
    const swapped = isSwapped(alleles, k, options);
    a1.push(swapped ? bim.a2[j]! : bim.a1[j]!);
    a2.push(swapped ? bim.a1[j]! : bim.a2[j]!);
  });
  return { a1, a2 };
}
