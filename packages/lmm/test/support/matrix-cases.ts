// The test matrix: filesets, designs and modes. The oracle script and the tests read the same list.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
// @ts-expect-error plain JavaScript: it runs before anything is built
import { writeFileset } from "../../../../fixtures/lib/fileset.mjs";

/** Filesets by name: options of fixtures/lib/fileset.mjs. They are made, not committed. */
export const FILESETS = {
  /** More SNPs than people. */
  wide: { people: 121, snps: 260, seed: 501, families: 14, chromosomes: 3, missing: 0.015 },
  /** More people than SNPs: a kinship of low rank. */
  tall: { people: 202, snps: 90, seed: 502, families: 25, chromosomes: 3, missing: 0.015 },
  /** 1,000 people × 10,000 SNPs; the SNPs in `listed` have oracles. */
  large: { people: 1000, snps: 10_000, seed: 503, families: 110, chromosomes: 10 },
} as const;

export type FilesetName = keyof typeof FILESETS;

/** Covariates of `-c`, by name: W of 1, 2 and 3 columns, without a column of ones, with NA. */
export const DESIGNS = {
  w1: undefined,
  w2: ["ones", "sex"],
  w3: ["ones", "sex", "age"],
  noint: ["sex", "age"],
  na: ["ones", "sex", "ageNA"],
} as const;

export type DesignName = keyof typeof DESIGNS;

interface Run {
  readonly mode: 1 | 2 | 3 | 4 | 9;
  readonly gxe: boolean;
  /** Where λ is searched, if not where GEMMA does by default. */
  readonly search?: { readonly lmin: number; readonly lmax: number; readonly regions: number };
}

/** Runs by name: GEMMA's mode, with an environment or not; `range4` has a search that often ends at its bounds. */
export const RUNS = {
  lmm1: { mode: 1, gxe: false },
  lmm2: { mode: 2, gxe: false },
  lmm3: { mode: 3, gxe: false },
  lmm4: { mode: 4, gxe: false },
  lmm9: { mode: 9, gxe: false },
  gxe1: { mode: 1, gxe: true },
  gxe2: { mode: 2, gxe: true },
  gxe3: { mode: 3, gxe: true },
  gxe4: { mode: 4, gxe: true },
  range4: { mode: 4, gxe: false, search: { lmin: 0.02, lmax: 2, regions: 3 } },
} as const satisfies Record<string, Run>;

export type RunName = keyof typeof RUNS;

/** Options of a run's search. */
export function searchOf(run: RunName): NonNullable<Run["search"]> | undefined {
  return (RUNS[run] as Run).search;
}

/** How a run is written on a command line. */
export function runText(run: RunName): string {
  const { mode, gxe, search }: Run = RUNS[run];
  const range = search ? ` -lmin ${search.lmin} -lmax ${search.lmax} -region ${search.regions}` : "";
  return `-lmm ${mode}${gxe ? " -gxe" : ""}${range}`;
}

export const names = <T extends object>(of: T): Array<keyof T & string> =>
  Object.keys(of) as Array<keyof T & string>;

/** Every 40th SNP of the large fileset. */
export const listed = (row: number): boolean => row % 40 === 7;

/** Files of a fileset with all designs, in a folder. */
export interface CaseFiles {
  readonly prefix: string;
  readonly covariates: (design: DesignName) => string | undefined;
  readonly environment: (design: DesignName) => string;
  /** A list of SNPs for `-snps`; only for the large fileset. */
  readonly snps: string | undefined;
}

/** Makes a fileset, its covariates and its environments in `folder`: the same bytes every time. */
export function writeCase(folder: string, name: FilesetName): CaseFiles {
  const prefix = join(folder, name);
  writeFileset(prefix, FILESETS[name]);
  const people = readFileSync(`${prefix}.covar.txt`, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split("\t"));
  const columns: Record<string, (row: readonly string[]) => string> = {
    ones: () => "1",
    sex: (row) => row[1]!,
    age: (row) => (row[2] === "NA" ? "50" : row[2]!),
    ageNA: (row) => row[2]!,
  };
  const write = (file: string, line: (row: readonly string[], i: number) => string): string => {
    const path = join(folder, `${name}.${file}`);
    writeFileSync(path, people.map((row, i) => `${line(row, i)}\n`).join(""));
    return path;
  };
  const covariates = new Map(
    names(DESIGNS).map((design) => {
      const wanted = DESIGNS[design];
      const text = (row: readonly string[]) => wanted!.map((column) => columns[column]!(row)).join("\t");
      return [design, wanted && write(`${design}.txt`, text)];
    }),
  );
  const value = (row: readonly string[], i: number): string =>
    (((i * 7919) % 101) / 50 - 1 + 0.3 * Number(row[1])).toFixed(2);
  const environment = write("env.txt", value);
  const environmentNA = write("envNA.txt", (row, i) => (i % 29 === 3 ? "NA" : value(row, i)));
  let snps: string | undefined;
  if (name === "large") {
    snps = join(folder, "large.snps.txt");
    const ids = readFileSync(`${prefix}.bim`, "utf8").trim().split("\n");
    writeFileSync(
      snps,
      ids.flatMap((line, row) => (listed(row) ? [`${line.split("\t")[1]}\n`] : [])).join(""),
    );
  }
  return {
    prefix,
    covariates: (design) => covariates.get(design),
    environment: (design) => (design === "na" ? environmentNA : environment),
    snps,
  };
}

/** GEMMA's command line of a run; paths are those of the files in one folder, the kinship is in output/. */
export function gemmaArguments(fileset: FilesetName, design: DesignName, run: RunName): string[] {
  const { mode, gxe, search }: Run = RUNS[run];
  const range = search && ["-lmin", search.lmin, "-lmax", search.lmax, "-region", search.regions].map(String);
  return [
    ...["-bfile", fileset, "-k", `output/${fileset}.cXX.txt`],
    ...(DESIGNS[design] ? ["-c", `${fileset}.${design}.txt`] : []),
    ...(gxe ? ["-gxe", `${fileset}.${design === "na" ? "envNA" : "env"}.txt`] : []),
    ...(fileset === "large" ? ["-snps", "large.snps.txt"] : []),
    ...(range ?? []),
    ...["-lmm", String(mode), "-o", `${fileset}.${design}.${run}`],
  ];
}
