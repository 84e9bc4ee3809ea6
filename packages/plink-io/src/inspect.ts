import { chromosomeKey } from "./chromosomes.ts";
import { countRows } from "./counts.ts";
import { isFounder, phenotypeKind } from "./masks.ts";
import { checkRunning } from "./run-options.ts";
import { span } from "./select.ts";
import type { PlinkPaths, PlinkStudy, PlinkWarning, RunningOptions } from "./types.ts";

/** People by sex. */
export interface SexCounts {
  /** Code 1. */
  male: number;
  /** Code 2. */
  female: number;
  /** Any other code. */
  unknown: number;
}

/** Variants on one chromosome. */
export interface ChromosomeCount {
  /** PLINK's number, or a contig's name. */
  name: string;
  /** How many variants. */
  variants: number;
}

/** What {@link inspect} finds. */
export interface Inspection {
  /** The three files. */
  paths: PlinkPaths;
  /** Samples. */
  samples: number;
  /** Variants. */
  variants: number;
  /** Men, women and people of unknown sex. */
  sex: SexCounts;
  /** People without a named parent. */
  founders: number;
  /** What the first phenotype column holds. */
  phenotype: "case-control" | "quantitative" | "none";
  /** Variants of each chromosome, in file order. */
  chromosomes: ChromosomeCount[];
  /** How the .bed lies on disk. */
  layout: "variant" | "sample";
  /** Size of the .bed, which fits .bim and .fam exactly: otherwise the fileset would not have opened. */
  bedBytes: number;
  /** Missing calls over all calls. */
  missingRate: number;
  /** SHA-256 over the samples in order. */
  sampleHash: string;
  /** What was odd but acceptable. */
  warnings: readonly PlinkWarning[];
}

/** Summary of a fileset: who and what is in it, and how much is missing (reads the .bed once). */
export async function inspect(study: PlinkStudy, options: RunningOptions = {}): Promise<Inspection> {
  checkRunning(options, [], "inspect");
  const { fam, bim, n, p } = study;
  const [counts] = await countRows(study, span(0, p), [null], options);
  let missing = 0;
  for (let at = 3; at < counts!.length; at += 4) missing += counts![at]!;
  const chromosomes = new Map<string, number>();
  for (const name of bim.chrom) chromosomes.set(name, (chromosomes.get(name) ?? 0) + 1);
  const byKey = new Map<string, number>();
  for (const [name, count] of chromosomes)
    byKey.set(chromosomeKey(name), (byKey.get(chromosomeKey(name)) ?? 0) + count);
  const sexes = (code: number): number => fam.sex.reduce((sum, sex) => sum + (sex === code ? 1 : 0), 0);
  const [major, minor] = study.layout === "variant" ? [p, n] : [n, p];
  return {
    paths: { ...study.paths },
    samples: n,
    variants: p,
    sex: { male: sexes(1), female: sexes(2), unknown: sexes(0) },
    founders: fam.iid.reduce((sum, _, i) => sum + (isFounder(fam, i) ? 1 : 0), 0),
    phenotype: phenotypeKind(fam).kind,
    chromosomes: [...byKey].map(([name, variants]) => ({ name, variants })),
    layout: study.layout,
    bedBytes: 3 + major * Math.ceil(minor / 4),
    missingRate: missing / (n * p),
    sampleHash: study.sampleHash,
    warnings: study.warnings,
  };
}

/** {@link Inspection} as lines for people. */
export function formatInspection(found: Inspection): string {
  const number = (value: number): string => value.toLocaleString("en");
  const { male, female, unknown } = found.sex;
  const minor = found.layout === "variant" ? found.samples : found.variants;
  const major = found.layout === "variant" ? found.variants : found.samples;
  const rows: [string, string][] = [
    [
      "samples",
      `${number(found.samples)} (${number(male)} male, ${number(female)} female, ${number(unknown)} unknown; ${number(found.founders)} founders)`,
    ],
    ["phenotype", found.phenotype],
    ["variants", number(found.variants)],
    [
      "chromosomes",
      found.chromosomes.map(({ name, variants }) => `${name} (${number(variants)})`).join(", "),
    ],
    ["missing", `${(100 * found.missingRate).toPrecision(3)} % of calls`],
    [
      "size check",
      `${number(found.bedBytes)} bytes = 3 + ${number(major)} × ${number(Math.ceil(minor / 4))}, as it must be`,
    ],
    ["layout", found.layout === "variant" ? "SNP-major" : "sample-major (transposed while reading)"],
    ["sample hash", found.sampleHash],
    ["warnings", found.warnings.length === 0 ? "none" : String(found.warnings.length)],
  ];
  const lines = rows.map(([name, value]) => `${name.padEnd(12)} ${value}`);
  for (const { code, message } of found.warnings) lines.push(`  ${code} ${message}`);
  return `${found.paths.bed}\n${lines.join("\n")}\n`;
}
