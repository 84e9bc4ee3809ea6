import type { Table } from "apache-arrow";
import { type BimTable, tableOf } from "./bim-table.ts";
import { CHROM_MT, chromosomeCode } from "./chromosomes.ts";
import { countRows } from "./counts.ts";
import {
  alleleCounts,
  orientedAlleles,
  REPORT_OPTIONS,
  type ReportOptions,
  reportedNames,
  reportedRows,
} from "./frequency.ts";
import { arrowTables } from "./lazy.ts";
import { isFounder, phenotypeKind, ploidies, sampleMask } from "./masks.ts";
import { hardyExact } from "./native.ts";
import { checkRunning, silently } from "./run-options.ts";
import type { HardyTypes } from "./table-types.ts";
import { CodedTexts, RepeatedTexts, type Texts } from "./texts.ts";
import type { PlinkStudy } from "./types.ts";

/** `.hwe` as plain columns; three rows a variant in a case-control study, else one. */
export interface HardyColumns {
  /** PLINK's chromosome number, or a contig's name. */
  chrom: Texts;
  /** Variant. */
  id: Texts;
  /** `ALL`, `AFF`, `UNAFF`, `ALL(QT)` or `ALL(NP)`. */
  test: Texts;
  /** Rarer allele (or allele 1, see keepAlleleOrder). */
  a1: Texts;
  /** The other allele. */
  a2: Texts;
  /** People with two copies of a1. */
  hom_a1: Int32Array;
  /** People with one. */
  het: Int32Array;
  /** People with none. */
  hom_a2: Int32Array;
  /** Observed share of heterozygotes; NaN when nobody is typed or the chromosome has one copy. */
  o_het: Float64Array;
  /** Expected share of heterozygotes; NaN likewise. */
  e_het: Float64Array;
  /** Exact p (Wigginton, Cutler and Abecasis 2005); 1 where it cannot be tested. */
  p: Float64Array;
}

/**
 * Hardy-Weinberg exact test as PLINK 1.9 `--hardy`: founders only, on X everybody but men, nobody on Y, variants at
 * negative positions skipped.
 *
 * @returns Table `chrom id test a1 a2 hom_a1 het hom_a2 o_het e_het p`.
 */
export async function hardy(study: PlinkStudy, options: ReportOptions = {}): Promise<Table<HardyTypes>> {
  checkRunning(options, REPORT_OPTIONS, "hardy");
  return arrowTables().reportTable<HardyTypes>({ ...(await hardyTests(study, options)) });
}

/** {@link hardy} without Arrow. */
export async function hardyTests(study: PlinkStudy, options: ReportOptions = {}): Promise<HardyColumns> {
  const bim = tableOf(study.bim);
  const rows = reportedRows(bim);
  const tests = testNames(study, options);
  const masks = tests.map((test) => sampleMask(study.n, test.member));
  // The first test is everybody counted: the allele counts come from the same pass.
  const counts = await countRows(study, rows, masks, options);
  const { swapped } = await alleleCounts(study, bim, rows, counts[0]!, options);
  await leaveMenOut(study, bim, rows, tests, counts, options);
  const pValues = await Promise.all(counts.map((count) => hardyExact(count)));
  const names = { ...reportedNames(bim, rows), ...orientedAlleles(bim, rows, swapped) };
  const [each, length] = [tests.length, rows.length * tests.length];
  const repeated = (texts: Texts): Texts => (each === 1 ? texts : new RepeatedTexts(texts, each));
  const test = new Uint32Array(length);
  for (let at = 0; at < length; at++) test[at] = at % each;
  const [homA1, het, homA2] = [new Int32Array(length), new Int32Array(length), new Int32Array(length)];
  const [observed, expected, p] = [
    new Float64Array(length),
    new Float64Array(length),
    new Float64Array(length),
  ];
  const testable = testableRows(bim, rows);
  for (let k = 0; k < rows.length; k++)
    for (let t = 0; t < each; t++) {
      const at = k * each + t;
      const from = 4 * k;
      const count = counts[t]!;
      const hom1 = count[swapped[k] === 1 ? from + 2 : from]!;
      const hom2 = count[swapped[k] === 1 ? from : from + 2]!;
      const hets = count[from + 1]!;
      const people = hom1 + hets + hom2;
      const copies = 2 * hom1 + hets;
      homA1[at] = hom1;
      het[at] = hets;
      homA2[at] = hom2;
      observed[at] = testable[k] ? hets / people : Number.NaN;
      expected[at] = testable[k]
        ? (2 * copies * (2 * people - copies)) / (2 * people * 2 * people)
        : Number.NaN;
      p[at] = testable[k] && people > 0 ? pValues[t]![k]! : 1;
    }
  return {
    chrom: repeated(names.chrom),
    id: repeated(names.id),
    test: new CodedTexts(test, (code) => tests[code]!.name),
    a1: repeated(names.a1),
    a2: repeated(names.a2),
    hom_a1: homA1,
    het,
    hom_a2: homA2,
    o_het: observed,
    e_het: expected,
    p,
  };
}

interface Test {
  name: string;
  member: (sample: number) => boolean;
}

function testNames(study: PlinkStudy, options: ReportOptions): Test[] {
  const { fam } = study;
  const counted = (i: number): boolean => options.nonfounders === true || isFounder(fam, i);
  const phenotype = phenotypeKind(fam);
  if (phenotype.kind === "quantitative") return [{ name: "ALL(QT)", member: counted }];
  if (phenotype.kind === "none") return [{ name: "ALL(NP)", member: counted }];
  const status = (i: number, value: number): boolean =>
    counted(i) && !phenotype.missing(i) && fam.phenotypes[0]![i] === value;
  return [
    { name: "ALL", member: counted },
    { name: "AFF", member: (i) => status(i, 2) },
    { name: "UNAFF", member: (i) => status(i, 1) },
  ];
}

/** Counts again without men on X, and nobody on Y; only these rows are read. */
async function leaveMenOut(
  study: PlinkStudy,
  bim: BimTable,
  rows: Uint32Array,
  tests: readonly Test[],
  counts: readonly Uint32Array[],
  options: ReportOptions,
): Promise<void> {
  const ploidy = ploidies(bim);
  const onX: number[] = [];
  for (let k = 0; k < rows.length; k++) {
    const kind = ploidy(rows[k]!);
    if (kind === "x") onX.push(k);
    if (kind === "y") for (const count of counts) count.fill(0, 4 * k, 4 * k + 4);
  }
  const masks = tests.map(({ member }) => sampleMask(study.n, (i) => member(i) && study.fam.sex[i] !== 1));
  const rowsOnX = Uint32Array.from(onX, (k) => rows[k]!);
  const found = await countRows(study, rowsOnX, masks, silently(options));
  counts.forEach((count, t) => {
    onX.forEach((k, at) => {
      count.set(found[t]!.subarray(4 * at, 4 * at + 4), 4 * k);
    });
  });
}

/** 1 where heterozygosity means something: not on Y, not in the mitochondrion. */
function testableRows(bim: BimTable, rows: Uint32Array): Uint8Array {
  const ploidy = ploidies(bim);
  const mt = bim.chromNames.map((name) => chromosomeCode(name) === CHROM_MT);
  const out = new Uint8Array(rows.length);
  for (let k = 0; k < rows.length; k++) out[k] = ploidy(rows[k]!) === "y" || mt[bim.chrom[rows[k]!]!] ? 0 : 1;
  return out;
}
