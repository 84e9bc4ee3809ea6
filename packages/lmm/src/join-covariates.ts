import { type Category, codeTexts, expandCategory } from "./categories.ts";
import { columnAt } from "./column-names.ts";
import { parseCovariate } from "./covariates.ts";
import { lmmError } from "./errors.ts";
import type { JoinOptions, StudyPeople } from "./join-samples.ts";
import { type AlignedColumns, alignSource, type SampleSource } from "./sample-table.ts";

/** Columns of a covariate or environment file, lined up with the .fam. */
export interface Covariates {
  /** Values or, where there are labels, codes into these; one a person of the .fam, NaN = missing. */
  readonly columns: readonly Float64Array[];
  readonly names: readonly string[];
  readonly labels: ReadonlyArray<readonly string[] | undefined>;
  readonly rowOf: Int32Array;
}

/** @throws COVAR_COLUMN, COVAR_NAN, COVAR_INF, COVAR_RANGE, COVAR_PARSE and the codes of joins by row or id. */
export async function readCovariates(
  study: StudyPeople,
  given: SampleSource | undefined,
  wanted: readonly string[] | undefined,
  label: "covariates" | "environment",
  options: JoinOptions,
): Promise<Covariates | undefined> {
  if (given === undefined) return undefined;
  const source = await alignSource(study, given, options.on, label);
  warnUnmatched(source, options);
  if (label === "environment" && source.columns.length !== 1)
    throw lmmError(
      "COVAR_COLUMN",
      `${source.path} has ${source.columns.length} columns; an environment is one.`,
      { usage: true, details: { columns: source.columns.length, path: source.path } },
    );
  const indices = wanted
    ? wanted.map((name) => {
        const index = source.names.indexOf(name);
        if (index >= 0) return index;
        throw lmmError(
          "COVAR_COLUMN",
          `${source.path} has no column ${name}; it has ${source.names.join(", ") || "no header"}.`,
          {
            usage: true,
            details: { column: name, columns: source.names },
          },
        );
      })
    : source.columns.map((_, j) => j);
  const categorical = new Set(
    (label === "covariates" ? (options.categorical ?? []) : []).map((name) =>
      categoryColumn(name, source, indices),
    ),
  );
  const columns: Float64Array[] = [];
  const labels: Array<readonly string[] | undefined> = [];
  for (const j of indices) {
    const texts = source.columns[j]!;
    const coded = categorical.has(j) ? codeTexts(texts) : undefined;
    labels.push(coded?.labels);
    columns.push(scatter(coded?.codes ?? parseCovariate(texts, source.origin(j)), source.rowOf));
  }
  return {
    columns,
    labels,
    names: indices.map((j) => source.names[j] ?? columnAt(j + 1, source.path)),
    rowOf: source.rowOf,
  };
}

/** The column that is named, or that is the wanted one in a file without names. */
function categoryColumn(wanted: string | number, source: AlignedColumns, chosen: readonly number[]): number {
  const index =
    source.names.length > 0 && typeof wanted === "string" ? source.names.indexOf(wanted) : Number(wanted) - 1;
  if (chosen.includes(index)) return index;
  throw lmmError(
    "COVAR_COLUMN",
    `${source.path} has no covariate ${wanted} among those chosen; there are ${source.names.length > 0 ? chosen.map((j) => source.names[j]).join(", ") : `columns 1 to ${source.columns.length}`}.`,
    { usage: true, details: { column: wanted, columns: source.names } },
  );
}

/** Columns of numbers for the analysed people. */
export function expand(
  covariates: Covariates | undefined,
  analyzed: Uint32Array,
): { columns: Float64Array[]; names: string[]; categories: Category[] } {
  const columns: Float64Array[] = [];
  const names: string[] = [];
  const categories: Category[] = [];
  covariates?.columns.forEach((column, j) => {
    const values = pick(column, analyzed);
    const labels = covariates.labels[j];
    const name = covariates.names[j]!;
    if (!labels) {
      columns.push(values);
      names.push(name);
      return;
    }
    const expanded = expandCategory(name, values, labels);
    columns.push(...expanded.columns);
    names.push(...expanded.names);
    categories.push(expanded.category);
  });
  return { columns, names, categories };
}

/** Warns of ids that the .fam does not have. */
export function warnUnmatched(source: AlignedColumns, options: JoinOptions): void {
  if (source.unmatched > 0)
    options.onWarning?.({
      code: "IDS_NOT_IN_FAM",
      message: `${source.path}: ${source.unmatched} people are not in the .fam file and were left out.`,
      details: { path: source.path, count: source.unmatched },
    });
}

/** Values of a source in .fam order, NaN where a person is not in it. */
export function scatter(values: Float64Array, rowOf: Int32Array): Float64Array {
  return Float64Array.from(rowOf, (row) => (row < 0 ? Number.NaN : values[row]!));
}

/** Values of the analysed people. */
export function pick(values: Float64Array, rows: Uint32Array): Float64Array {
  return Float64Array.from(rows, (row) => values[row]!);
}
