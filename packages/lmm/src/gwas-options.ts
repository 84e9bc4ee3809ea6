import type { RunOptions, StageUsage, Warning } from "@x/core/base";
import type { Table } from "apache-arrow";
import type { LocoChromosome } from "./associate-loco.ts";
import type { AssociationTypes } from "./association-arrow.ts";
import type { AssociationColumns, AssociationTest } from "./association-columns.ts";
import type { AssociationWork } from "./association-pass.ts";
import type { Cohort } from "./cohort.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { FILTER_NAMES, type FilterCounts, type FilterOptions } from "./filter.ts";
import type { GemmaMode } from "./gemma/modes.ts";
import { JOIN_NAMES, type JoinOptions } from "./join-samples.ts";
import type { Shard } from "./journal/shard.ts";
import { LAMBDA_NAMES, type LambdaOptions, type NullModel } from "./null-model.ts";
import type { EigenRoute } from "./obtain-eigen.ts";
import { type NamesOf, RUN_NAMES } from "./option-names.ts";
import type { GwasPlan, RouteChoice } from "./plan.ts";

/** Options of `gwas`. */
export interface GwasOptions
  extends JoinOptions,
    FilterOptions,
    LambdaOptions,
    RunOptions,
    Omit<EigenRoute, "onWarning"> {
  /** Which tests, in one pass. Default: the Wald test. */
  readonly tests?: readonly AssociationTest[];
  /** GEMMA's `-lmm` number instead of `tests`: its tests, and its columns in the text file. */
  readonly lmm?: GemmaMode;
  /** Adds −log₁₀ of every p to the text file. */
  readonly negLog10P?: boolean;
  /** Prefix of the output: `.assoc.txt`, `.assoc.arrow`, `.log.txt` and, unless `report` says otherwise, `.report.html`. */
  readonly out?: string;
  /** Path of the HTML report, or false for none. */
  readonly report?: string | false;
  /** Variants read at once; results do not depend on it. */
  readonly chunk?: number;
  /** The command line, for log and report. Default: this call with every option given. */
  readonly command?: string;
  /** A title for the report. */
  readonly title?: string;
  /** A file of variant ids to restrict the study to, instead of `snps`. */
  readonly snpFile?: string;
  /** A file of variant ids that make the kinship, instead of `kinshipSnps`. */
  readonly kinshipSnpFile?: string;
  /** The first so many principal components of the analysed people's kinship as covariates. */
  readonly components?: number;
  /**
   * `primal` solves people × people as GEMMA does, `dual` the variants × variants of the kinship: the same numbers,
   * cheaper where fewer variants make the kinship than people are analysed. Default `auto`: what `planGwas` chooses.
   */
  readonly route?: RouteChoice;
  /**
   * Goes on where a killed run of the same call stopped, and keeps what this one needs to be gone on with: a journal
   * beside the output, taken away at the end. The files are the same bytes either way.
   */
  readonly resume?: boolean;
  /** Only this part of the variants; writes `<out>.shard-i-of-N` for `mergeShards` instead of results. */
  readonly shard?: Shard;
  /**
   * Leaves the tested variant's chromosome out of its kinship (`associateLoco`). The null model of the result is
   * that of the whole kinship; `chromosomes` has the others.
   */
  readonly loco?: boolean;
}

export const GWAS_NAMES: NamesOf<GwasOptions> = {
  ...JOIN_NAMES,
  ...FILTER_NAMES,
  ...LAMBDA_NAMES,
  ...RUN_NAMES,
  tests: true,
  lmm: true,
  negLog10P: true,
  out: true,
  report: true,
  kinship: true,
  saveKinship: true,
  kinshipMode: true,
  kinshipSnps: true,
  kinshipSnpFile: true,
  components: true,
  eigen: true,
  saveEigen: true,
  chunk: true,
  command: true,
  title: true,
  snpFile: true,
  route: true,
  resume: true,
  shard: true,
  loco: true,
};

/** What `gwas` returns. */
export interface GwasResult {
  /** Who was analysed. */
  readonly cohort: Cohort;
  /** The model without a variant. */
  readonly nullModel: NullModel;
  /** What the filter dropped before the association. */
  readonly filters: FilterCounts;
  /** All results as an Arrow table of the association schema, as `associate` types it, built when first asked for. */
  readonly results: Table<AssociationTypes>;
  /** The same as plain columns; `index` is the row in the .bim. */
  readonly columns: AssociationColumns;
  /** Variants without an estimate (nan, null in Arrow). */
  readonly degenerate: number;
  /** What this call computed; a resumed run counts only its own part. */
  readonly work: AssociationWork;
  /** What to look at before trusting the results: λGC, QQ data, failed variants, covariates, the kinship's spectrum. */
  readonly diagnostics: Diagnostics;
  /** With `loco`, what each chromosome tested in this call was tested with; a resumed run lists those it did itself. */
  readonly chromosomes?: readonly LocoChromosome[];
  /** Wall and CPU time and memory of each stage. */
  readonly stages: readonly StageUsage[];
  /** What was predicted. */
  readonly plan: GwasPlan;
  /** Everything odd but acceptable. */
  readonly warnings: readonly Warning[];
  /** Files written. */
  readonly files: readonly string[];
}
