import type { Warn, XError } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import type { Table } from "apache-arrow";
import { type Cohort, cohortHash, type Dropped, type DropReason, dropCounts } from "./cohort.ts";
import { checkEnvironment, design } from "./covariates.ts";
import { lmmError } from "./errors.ts";
import { type Covariates, expand, pick, readCovariates, scatter, warnUnmatched } from "./join-covariates.ts";
import { arrowCore } from "./lazy-arrow.ts";
import { checkNames, type NamesOf, requireOther } from "./option-names.ts";
import { checkPhenotype, parsePhenotype } from "./phenotype.ts";
import { type AlignedColumns, alignSource, type JoinOn, type SampleSource } from "./sample-table.ts";

/** What {@link joinSamples} joins to the people of the fileset. */
export interface JoinOptions {
  /** Phenotypes instead of those in the .fam: a file or an Arrow table. */
  readonly phenotypes?: SampleSource;
  /** Which phenotype: 1-based number (GEMMA's `-n`), or a column's name. Default 1. */
  readonly phenotype?: number | string;
  /** Covariates: a file or an Arrow table. A column of ones is added at the END unless a column is constant. */
  readonly covariates?: SampleSource;
  /** Which covariate columns, by name; default all. Needs names, that is `on` or a table. */
  readonly covariateNames?: readonly string[];
  /**
   * Which of the covariates are categories, by name or, in files without header, by 1-based column: each level but the
   * first becomes a column of zeros and ones.
   */
  readonly categorical?: ReadonlyArray<string | number>;
  /**
   * One environment value a person, a file or an Arrow table of one column (`-gxe`): associations then test the product
   * of variant and environment. `NA` drops the person.
   */
  readonly environment?: SampleSource;
  /**
   * Left out: files have no header and one row a line of the .fam, as GEMMA reads them. `"iid"` or `"fid+iid"`: files
   * have a header with those columns and rows in any order. Tables are matched by ids always (`"iid"` by default).
   */
  readonly on?: JoinOn;
  /** Receives `IDS_NOT_IN_FAM`. */
  readonly onWarning?: Warn;
}

export const JOIN_NAMES: NamesOf<JoinOptions> = {
  phenotypes: true,
  phenotype: true,
  covariates: true,
  covariateNames: true,
  categorical: true,
  environment: true,
  on: true,
  onWarning: true,
};

/**
 * Decides who is analysed: people with a phenotype and with every covariate. Missing is `NA` or numerically −9 for
 * phenotypes, `NA` for covariates, null in tables; everything else must be a finite number.
 *
 * @throws PHENO_NAN, PHENO_INF, PHENO_RANGE, PHENO_PARSE, PHENO_COLUMN, PHENO_CONSTANT, SCALE, NO_ANALYZED_SAMPLES,
 * COUNT_MISMATCH, ID_COLUMNS, DUP_SAMPLE, CATEGORY_LEVELS, COVAR_NAN, COVAR_INF, COVAR_RANGE, COVAR_PARSE, COVAR_COLUMN, COVAR_RANK, DF,
 * OPTION_MISSING (names of covariates without covariates), UNKNOWN_OPTION.
 */
export async function joinSamples(
  study: Pick<PlinkStudy, "n" | "fam" | "paths" | "sampleHash">,
  options: JoinOptions = {},
): Promise<Cohort> {
  checkNames(options, JOIN_NAMES, "joinSamples");
  checkJoin(options);
  const files = await readFiles(study, options);
  return joinOne(study, files, options.phenotype ?? 1);
}

/** What a join needs of a fileset. */
export type StudyPeople = Pick<PlinkStudy, "n" | "fam" | "paths" | "sampleHash">;

/** What a join has read: phenotypes by number or name, covariates, environment. */
export interface JoinFiles {
  readonly phenotype: (wanted: number | string) => Phenotype;
  /** Phenotype columns there are. */
  readonly phenotypes: number;
  readonly covariates: Covariates | undefined;
  readonly environment: Covariates | undefined;
}

/** Reads every file of a join once. */
export async function readFiles(study: StudyPeople, options: JoinOptions): Promise<JoinFiles> {
  const phenotypes = await readPhenotypes(study, options);
  const { covariates, covariateNames: names, environment } = options;
  return {
    ...phenotypes,
    covariates: await readCovariates(study, covariates, names, "covariates", options),
    environment: await readCovariates(study, environment, undefined, "environment", options),
  };
}

/** The cohort of one phenotype. */
export function joinOne(study: StudyPeople, files: JoinFiles, wanted: number | string): Cohort {
  const { covariates, environment: gxe } = files;
  const phenotype = files.phenotype(wanted);
  const { analyzed, drops } = choose(study.n, phenotype, covariates, gxe);
  if (analyzed.length === 0) throw nobodyLeft(drops, `has all that is asked (phenotype ${phenotype.name})`);
  const y = pick(phenotype.values, analyzed);
  const { columns, names, categories } = expand(covariates, analyzed);
  const model = design(columns, names, analyzed.length);
  const environment = gxe && pick(gxe.columns[0]!, analyzed);
  if (environment) checkEnvironment(model, environment, gxe.names[0]!);
  checkPhenotype(y, phenotype.name);
  const mask = new Uint8Array(Math.ceil(study.n / 8));
  for (const row of analyzed) mask[row >> 3]! |= 1 << (row & 7);
  return withDroppedTable(
    {
      samples: study.n,
      analyzed,
      mask,
      y,
      w: model.w,
      covariateNames: model.names,
      categories,
      ...(environment ? { environment } : {}),
      phenotypeName: phenotype.name,
      sampleHash: study.sampleHash,
      hash: cohortHash(study.sampleHash, mask),
      drops,
    },
    study.fam,
  );
}

/** A cohort whose table of dropped people is made when first asked for. */
export function withDroppedTable(parts: Omit<Cohort, "dropped">, fam: PlinkStudy["fam"]): Cohort {
  let table: Table | undefined;
  return Object.freeze({
    ...parts,
    get dropped(): Table {
      table ??= arrowCore().tableFromColumns({
        row: Int32Array.from(parts.drops, (d) => d.row),
        fid: parts.drops.map((d) => fam.fid[d.row]!),
        iid: parts.drops.map((d) => fam.iid[d.row]!),
        reason: parts.drops.map((d) => d.reason as string),
      });
      return table;
    },
  });
}

/** Options that would be ignored are refused. */
export function checkJoin(o: JoinOptions): void {
  const files = o.phenotypes !== undefined || o.covariates !== undefined || o.environment !== undefined;
  requireOther(
    "covariateNames (--covar)",
    o.covariateNames !== undefined,
    "covariates (-c)",
    o.covariates !== undefined,
    "there are no columns to choose from",
  );
  requireOther(
    "categorical (--categorical)",
    o.categorical !== undefined,
    "covariates (-c)",
    o.covariates !== undefined,
    "there are no columns to choose from",
  );
  requireOther(
    "on (--on)",
    o.on !== undefined,
    "phenotypes (-p) or covariates (-c)",
    files,
    "there is no file to match",
  );
}

/** A phenotype of the people of the .fam. */
export interface Phenotype {
  readonly name: string;
  /** One a person of the .fam; NaN = missing. */
  readonly values: Float64Array;
  readonly rowOf?: Int32Array;
}

async function readPhenotypes(
  study: StudyPeople,
  options: JoinOptions,
): Promise<Pick<JoinFiles, "phenotype" | "phenotypes">> {
  if (options.phenotypes === undefined) {
    const { phenotypes } = study.fam;
    const phenotype = (wanted: number | string): Phenotype => {
      const column = typeof wanted === "number" ? phenotypes[wanted - 1] : undefined;
      if (!column) throw noColumn(wanted, phenotypes.length, study.paths.fam);
      return { name: `phenotype ${wanted} of ${study.paths.fam}`, values: column };
    };
    return { phenotype, phenotypes: phenotypes.length };
  }
  const source = await alignSource(study, options.phenotypes, options.on, "phenotypes");
  warnUnmatched(source, options);
  return { phenotype: (wanted) => phenotypeOf(source, wanted, options), phenotypes: source.columns.length };
}

function phenotypeOf(source: AlignedColumns, wanted: number | string, options: JoinOptions): Phenotype {
  const index = typeof wanted === "number" ? wanted - 1 : source.names.indexOf(wanted);
  const column = source.columns[index];
  if (!column) throw noColumn(wanted, source.columns.length, source.path);
  const label = source.names[index] ?? `column ${index + 1}`;
  // By row is GEMMA's own way, where −9 is a number; what is joined by id follows PLINK, and Arrow tables always are.
  const byRow = options.on === undefined && typeof options.phenotypes === "string";
  const minusNine = byRow ? "number" : "missing";
  const numbers = parsePhenotype(column, source.origin(index), minusNine);
  const nines = minusNine === "number" ? numbers.filter((v) => v === -9).length : 0;
  if (nines > 0)
    options.onWarning?.({
      code: "PHENO_MINUS_NINE",
      message: `${label} of ${source.path}: ${nines} value(s) of -9 are taken as numbers, as GEMMA does; write NA where the value is missing.`,
      details: { path: source.path, count: nines },
    });
  const values = scatter(numbers, source.rowOf);
  return { name: `${label} of ${source.path}`, values, rowOf: source.rowOf };
}

function noColumn(wanted: number | string, count: number, path: string) {
  return lmmError(
    "PHENO_COLUMN",
    `${path} has ${count} phenotype column(s); ${JSON.stringify(wanted)} is none of them.`,
    {
      usage: true,
      details: { column: wanted, columns: count, path },
    },
  );
}

/** What helps against each reason. */
const ADVICE: Readonly<Record<DropReason, string>> = {
  "phenotype missing":
    "NA and -9 leave a person out: choose another column with -n, or give phenotypes with -p.",
  "covariate missing": "NA in any covariate leaves a person out: choose covariates that were measured.",
  "environment missing": "NA leaves a person out: choose an environment that was measured.",
  "not in phenotype file": "Are its ids those of the .fam (--on fid+iid or iid)?",
  "not in covariate file": "Are its ids those of the .fam (--on fid+iid or iid)?",
  "not in environment file": "Are its ids those of the .fam (--on fid+iid or iid)?",
};

/** NO_ANALYZED_SAMPLES with the reasons, most frequent first, and what helps against the first. */
export function nobodyLeft(drops: readonly Dropped[], what: string): XError {
  const counts = Object.entries(dropCounts({ drops })).sort(([, a], [, b]) => b - a);
  const reasons = counts.map(([reason, count]) => `${count} ${reason}`).join(", ");
  const advice = ADVICE[counts[0]![0] as DropReason];
  return lmmError("NO_ANALYZED_SAMPLES", `none of ${drops.length} people ${what}: ${reasons}. ${advice}`, {
    details: { samples: drops.length, ...Object.fromEntries(counts) },
  });
}

/** Who has everything, and why the others are left out. */
export function choose(
  n: number,
  phenotype: Phenotype,
  covariates: Covariates | undefined,
  environment: Covariates | undefined,
): { analyzed: Uint32Array; drops: Dropped[] } {
  const analyzed: number[] = [];
  const drops: Dropped[] = [];
  for (let row = 0; row < n; row++) {
    if (phenotype.rowOf && phenotype.rowOf[row]! < 0) drops.push({ row, reason: "not in phenotype file" });
    else if (Number.isNaN(phenotype.values[row]!)) drops.push({ row, reason: "phenotype missing" });
    else if (covariates && covariates.rowOf[row]! < 0) drops.push({ row, reason: "not in covariate file" });
    else if (covariates?.columns.some((column) => Number.isNaN(column[row]!)))
      drops.push({ row, reason: "covariate missing" });
    else if (environment && environment.rowOf[row]! < 0)
      drops.push({ row, reason: "not in environment file" });
    else if (environment && Number.isNaN(environment.columns[0]![row]!))
      drops.push({ row, reason: "environment missing" });
    else analyzed.push(row);
  }
  return { analyzed: Uint32Array.from(analyzed), drops };
}
