import type { Table } from "apache-arrow";
import { CHROM_MT, chromosomeCode } from "./chromosomes.ts";
import { countRows, running } from "./counts.ts";
import {
  alleleCounts,
  isSwapped,
  orientedAlleles,
  type ReportOptions,
  reportedNames,
  reportedRows,
} from "./frequency.ts";
import { arrowTables } from "./lazy.ts";
import { isFounder, phenotypeKind, ploidies, sampleMask } from "./masks.ts";
import { hardyExact } from "./native.ts";
import type { PlinkStudy } from "./types.ts";

/** `.hwe` as plain columns; three rows a variant in a case-control study, else one. */
export interface HardyColumns {
  /** PLINK's chromosome number, or a contig's name. */
  chrom: string[];
  /** Variant. */
  id: string[];
  /** `ALL`, `AFF`, `UNAFF`, `ALL(QT)` or `ALL(NP)`. */
  test: string[];
  /** Rarer allele (or allele 1, see keepAlleleOrder). */
  a1: string[];
  /** The other allele. */
  a2: string[];
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
export async function hardy(study: PlinkStudy, options: ReportOptions = {}): Promise<Table> {
  return arrowTables().reportTable({ ...(await hardyTests(study, options)) });
}

/** {@link hardy} without Arrow. */
export async function hardyTests(study: PlinkStudy, options: ReportOptions = {}): Promise<HardyColumns> {
  const { bim } = study;
  const rows = reportedRows(bim);
  const alleles = await alleleCounts(study, rows, options);
  const tests = testNames(study, options);
  const counts = await testCounts(
    study,
    rows,
    tests.map((test) => test.member),
    options,
  );
  const pValues = counts.map((count) => hardyExact(count));
  const names = reportedNames(bim, rows);
  const oriented = orientedAlleles(bim, rows, alleles, options);
  const [each, length] = [tests.length, rows.length * tests.length];
  const column = (): Float64Array => new Float64Array(length);
  const repeat = (values: string[]): string[] => values.flatMap((value) => tests.map(() => value));
  const out: HardyColumns = {
    chrom: repeat(names.chrom),
    id: repeat(names.id),
    test: rows.length === 0 ? [] : Array.from({ length }, (_, k) => tests[k % each]!.name),
    a1: repeat(oriented.a1),
    a2: repeat(oriented.a2),
    hom_a1: new Int32Array(length),
    het: new Int32Array(length),
    hom_a2: new Int32Array(length),
    o_het: column(),
    e_het: column(),
    p: column(),
  };
  const untestable = untestableRows(study, rows);
  rows.forEach((_, k) => {
    const swapped = isSwapped(alleles, k, options);
    for (let t = 0; t < each; t++) {
      const at = k * each + t;
      const [first, het, last] = counts[t]!.subarray(4 * k, 4 * k + 3) as unknown as [number, number, number];
      const [hom1, hom2] = swapped ? [last, first] : [first, last];
      const people = hom1 + het + hom2;
      const copies = 2 * hom1 + het;
      out.hom_a1[at] = hom1;
      out.het[at] = het;
      out.hom_a2[at] = hom2;
      out.o_het[at] = untestable[k] ? Number.NaN : het / people;
      out.e_het[at] = untestable[k]
        ? Number.NaN
        : (2 * copies * (2 * people - copies)) / (2 * people * 2 * people);
      out.p[at] = untestable[k] || people === 0 ? 1 : pValues[t]![k]!;
    }
  });
  return out;
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

/** Counts of each test at each row: everybody on autosomes, without men on X, nobody on Y. */
async function testCounts(
  study: PlinkStudy,
  rows: Uint32Array,
  members: readonly ((sample: number) => boolean)[],
  options: ReportOptions,
): Promise<Uint32Array[]> {
  const { bim, fam, n } = study;
  const ploidy = ploidies(bim);
  const pick = (kind: string): Uint32Array =>
    Uint32Array.from(rows.keys()).filter((k) => ploidy(rows[k]!) === kind);
  const out = members.map(() => new Uint32Array(rows.length * 4));
  for (const kind of ["diploid", "x"]) {
    const at = pick(kind);
    const masks = members.map((member) =>
      sampleMask(n, (i) => member(i) && (kind !== "x" || fam.sex[i] !== 1)),
    );
    const counts = await countRows(
      study,
      at.map((k) => rows[k]!),
      masks,
      running(options.signal, options.threads),
    );
    counts.forEach((column, t) => {
      at.forEach((k, order) => {
        out[t]!.set(column.subarray(4 * order, 4 * order + 4), 4 * k);
      });
    });
  }
  return out;
}

function untestableRows(study: PlinkStudy, rows: Uint32Array): Uint8Array {
  const ploidy = ploidies(study.bim);
  const mt = new Set([...new Set(study.bim.chrom)].filter((name) => chromosomeCode(name) === CHROM_MT));
  return Uint8Array.from(rows, (j) => (ploidy(j) === "y" || mt.has(study.bim.chrom[j]!) ? 1 : 0));
}
