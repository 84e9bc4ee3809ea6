import type { Table } from "apache-arrow";
import { type BimTable, tableOf } from "./bim-table.ts";
import { chromosomeKey } from "./chromosomes.ts";
import { countRows } from "./counts.ts";
import { arrowTables } from "./lazy.ts";
import { isFounder, ploidies, sampleMask } from "./masks.ts";
import { checkRunning, silently } from "./run-options.ts";
import type { FreqTypes } from "./table-types.ts";
import { CodedTexts, type Texts } from "./texts.ts";
import type { PlinkStudy, RunningOptions } from "./types.ts";

/** Options of freq and hardy; each default is PLINK 1.9's. */
export interface ReportOptions extends RunningOptions {
  /** Counts everybody, not founders only (`--nonfounders`). */
  nonfounders?: boolean;
  /** Leaves A1 and A2 as in the .bim instead of naming the rarer allele A1 (`--keep-allele-order`). */
  keepAlleleOrder?: boolean;
}

/** Names of {@link ReportOptions} without those every function has. */
export const REPORT_OPTIONS: readonly string[] = ["nonfounders", "keepAlleleOrder"];

/** `.frq` as plain columns. */
export interface FreqColumns {
  /** PLINK's chromosome number, or a contig's name. */
  chrom: Texts;
  /** Variant. */
  id: Texts;
  /** Rarer allele (or allele 1, see keepAlleleOrder). */
  a1: Texts;
  /** The other allele. */
  a2: Texts;
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
export async function freq(study: PlinkStudy, options: ReportOptions = {}): Promise<Table<FreqTypes>> {
  checkRunning(options, REPORT_OPTIONS, "freq");
  return arrowTables().reportTable<FreqTypes>({ ...(await frequencies(study, options)) });
}

/** {@link freq} without Arrow. */
export async function frequencies(study: PlinkStudy, options: ReportOptions = {}): Promise<FreqColumns> {
  const bim = tableOf(study.bim);
  const rows = reportedRows(bim);
  const counted = sampleMask(study.n, (i) => options.nonfounders === true || isFounder(study.fam, i));
  const [everybody] = await countRows(study, rows, [counted], options);
  const alleles = await alleleCounts(study, bim, rows, everybody!, options);
  const { a1, total, swapped } = alleles;
  const maf = new Float64Array(rows.length);
  for (let k = 0; k < rows.length; k++) {
    const count = swapped[k] === 1 ? total[k]! - a1[k]! : a1[k]!;
    maf[k] = total[k] === 0 ? Number.NaN : count / total[k]!;
  }
  const names = { ...reportedNames(bim, rows), ...orientedAlleles(bim, rows, swapped) };
  return { ...names, maf, nchrobs: total };
}

/** Rows PLINK reports: those at positions that are not negative. */
export function reportedRows({ pos }: BimTable): Uint32Array {
  const rows = new Uint32Array(pos.length);
  let count = 0;
  for (let j = 0; j < pos.length; j++) if (pos[j]! >= 0) rows[count++] = j;
  return rows.subarray(0, count);
}

/** First two columns of every report. */
export function reportedNames(bim: BimTable, rows: Uint32Array): { chrom: Texts; id: Texts } {
  const chrom = new CodedTexts(take(bim.chrom, rows), (code) => chromosomeKey(bim.chromNames[code]!));
  return { chrom, id: bim.idTexts(rows) };
}

function take(values: Uint32Array, rows: Uint32Array): Uint32Array {
  if (rows.length === values.length) return values.slice();
  const out = new Uint32Array(rows.length);
  for (let k = 0; k < rows.length; k++) out[k] = values[rows[k]!]!;
  return out;
}

/** Copies of allele 1 and of both alleles among the people PLINK counts. */
export interface AlleleCounts {
  /** Copies of the .bim's allele 1. */
  a1: Int32Array;
  /** Copies of either. */
  total: Int32Array;
  /** 1 where PLINK, loading the fileset, would have exchanged the two alleles. */
  swapped: Uint8Array;
}

/**
 * Alleles by PLINK's rules for founders and sex chromosomes, from the genotype counts of everybody counted; only rows of
 * X and Y are read again, for the men.
 */
export async function alleleCounts(
  study: PlinkStudy,
  bim: BimTable,
  rows: Uint32Array,
  everybody: Uint32Array,
  options: ReportOptions,
): Promise<AlleleCounts> {
  const { fam, n } = study;
  const ploidy = ploidies(bim);
  const a1 = new Int32Array(rows.length);
  const total = new Int32Array(rows.length);
  const swapped = new Uint8Array(rows.length);
  const swap = options.keepAlleleOrder !== true;
  const sexed: number[] = [];
  for (let k = 0; k < rows.length; k++) {
    if (ploidy(rows[k]!) !== "diploid") sexed.push(k);
    const hom1 = everybody[4 * k]!;
    const het = everybody[4 * k + 1]!;
    const hom2 = everybody[4 * k + 2]!;
    a1[k] = 2 * hom1 + het;
    total[k] = 2 * (hom1 + het + hom2);
    if (swap && hom1 > hom2) swapped[k] = 1;
  }
  const isMan = (i: number): boolean =>
    fam.sex[i] === 1 && (options.nonfounders === true || isFounder(fam, i));
  const sexedRows = Uint32Array.from(sexed, (k) => rows[k]!);
  const [men] = await countRows(study, sexedRows, [sampleMask(n, isMan)], silently(options));
  sexed.forEach((k, at) => {
    const [hom1, het, hom2] = [men![4 * at]!, men![4 * at + 1]!, men![4 * at + 2]!];
    const onX = ploidy(rows[k]!) === "x";
    // Women on X have two copies; men one, their heterozygous calls are errors.
    a1[k] = hom1 + (onX ? a1[k]! - 2 * hom1 - het : 0);
    total[k] = hom1 + hom2 + (onX ? total[k]! - 2 * (hom1 + het + hom2) : 0);
    swapped[k] = swap && 2 * a1[k]! > total[k]! ? 1 : 0;
  });
  return { a1, total, swapped };
}

/** Allele names of the reported rows, exchanged where `swapped`. */
export function orientedAlleles(
  bim: BimTable,
  rows: Uint32Array,
  swapped: Uint8Array,
): { a1: Texts; a2: Texts } {
  const [a1, a2] = [take(bim.a1, rows), take(bim.a2, rows)];
  for (let k = 0; k < rows.length; k++) {
    if (swapped[k] !== 1) continue;
    const rarer = a2[k]!;
    a2[k] = a1[k]!;
    a1[k] = rarer;
  }
  return { a1: bim.alleleTexts(a1), a2: bim.alleleTexts(a2) };
}
