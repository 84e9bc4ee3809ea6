import { readLines, readTable } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import type { Table } from "apache-arrow";
import { lmmError, lmmFileError } from "./errors.ts";
import { arrowCore } from "./lazy-arrow.ts";
import type { ColumnOrigin } from "./phenotype.ts";

/** A file path, or any Arrow table (of any copy of apache-arrow). */
export type SampleSource = string | Table;

/** How rows of a file belong to people: by position, or by the ids in its header's IID (and FID) columns. */
export type JoinOn = "iid" | "fid+iid";

/** Text columns of a source, aligned with the .fam: row −1 where a person is not in the source. */
export interface AlignedColumns {
  readonly path: string;
  /** Names without the id columns; empty for files without header. */
  readonly names: readonly string[];
  readonly columns: ReadonlyArray<readonly string[]>;
  /** Row in the source of each person of the .fam, −1 = absent. */
  readonly rowOf: Int32Array;
  /** Ids of the source that the .fam does not have. */
  readonly unmatched: number;
  origin(column: number): ColumnOrigin;
}

interface RawTable {
  readonly path: string;
  readonly names: readonly string[];
  readonly columns: ReadonlyArray<readonly string[]>;
  readonly lineOf: (row: number) => number;
}

/**
 * Reads a source and lines it up with the people of the .fam.
 * @throws COUNT_MISMATCH by position; ID_COLUMNS, DUP_SAMPLE by ids; the codes of strict tables.
 */
export async function alignSource(
  study: Pick<PlinkStudy, "n" | "fam" | "paths">,
  source: SampleSource,
  on: JoinOn | undefined,
  label: string,
): Promise<AlignedColumns> {
  const raw = await readSource(source, on !== undefined, label);
  return on === undefined && typeof source === "string"
    ? byPosition(study, raw)
    : byId(study, raw, on ?? "iid");
}

async function readSource(source: SampleSource, header: boolean, label: string): Promise<RawTable> {
  if (typeof source === "string") {
    const table = await readTable(source, { header, delimiter: await delimiterOf(source, label) });
    return {
      path: source,
      names: header ? table.names : [],
      columns: table.columns,
      lineOf: (row) => table.lineOf(row),
    };
  }
  if (!arrowCore().isTable(source))
    throw lmmError("OPTION_RANGE", `${label} must be a path or an Arrow table.`, {
      usage: true,
      details: { option: label },
    });
  const names = source.schema.fields.map((f) => f.name);
  const columns = names.map((_, j) => {
    const vector = source.getChildAt(j)!;
    return Array.from({ length: vector.length }, (_unused, i) => {
      const value: unknown = vector.get(i);
      return value === null ? "NA" : String(value);
    });
  });
  return { path: `(${label} table)`, names, columns, lineOf: (row) => row + 1 };
}

/** Whitespace, or commas when the first line has one; a phenotype never holds a comma unless the file has ids. */
async function delimiterOf(path: string, label: string): Promise<"whitespace" | "comma" | "tab"> {
  for await (const { text } of readLines(path)) {
    if (text.includes(",") && (label === "covariates" || /[a-z]/i.test(text))) return "comma";
    return text.includes("\t") && /[a-z]/i.test(text) && !/ /.test(text) ? "tab" : "whitespace";
  }
  return "whitespace";
}

function byPosition(study: Pick<PlinkStudy, "n" | "paths">, raw: RawTable): AlignedColumns {
  const rows = raw.columns[0]?.length ?? 0;
  if (rows !== study.n)
    throw lmmFileError(
      "COUNT_MISMATCH",
      raw.path,
      `${rows} rows found, ${study.n} expected: one for each person of ${study.paths.fam}, in its order, without a header. To match by ids give the file a header with IID and use on: "iid" (lmm gwas --on iid).`,
      { line: Math.min(rows, study.n) + 1, found: rows, expected: study.n },
    );
  return {
    path: raw.path,
    names: [],
    columns: raw.columns,
    rowOf: Int32Array.from({ length: rows }, (_, i) => i),
    unmatched: 0,
    origin: (column) => ({ path: raw.path, column: column + 1, lineOf: raw.lineOf }),
  };
}

function byId(study: Pick<PlinkStudy, "n" | "fam" | "paths">, raw: RawTable, on: JoinOn): AlignedColumns {
  const find = (name: string): number =>
    raw.names.findIndex((n) => n.replace(/^#/, "").toLowerCase() === name);
  const iid = find("iid");
  const fid = find("fid");
  if (iid < 0 || (on === "fid+iid" && fid < 0))
    throw lmmFileError(
      "ID_COLUMNS",
      raw.path,
      `on: "${on}" needs a header with ${on === "iid" ? "IID" : "FID and IID"}; found ${raw.names.slice(0, 8).join(", ")}.`,
      { line: 1 },
    );
  const key = (family: string | undefined, person: string): string =>
    on === "iid" ? person : `${family}\t${person}`;
  const rowOfKey = new Map<string, number>();
  const people = raw.columns[iid]!;
  for (let row = 0; row < people.length; row++) {
    const k = key(raw.columns[fid]?.[row], people[row]!);
    const before = rowOfKey.get(k);
    if (before !== undefined)
      throw lmmFileError(
        "DUP_SAMPLE",
        raw.path,
        `${k.replace("\t", " ")} is on line ${raw.lineOf(before)} and again here; keep one of the two.`,
        {
          line: raw.lineOf(row),
          lines: [raw.lineOf(before), raw.lineOf(row)],
        },
      );
    rowOfKey.set(k, row);
  }
  const rowOf = new Int32Array(study.n).fill(-1);
  const used = new Set<string>();
  for (let i = 0; i < study.n; i++) {
    const k = key(study.fam.fid[i], study.fam.iid[i]!);
    if (used.has(k))
      throw lmmFileError(
        "DUP_SAMPLE",
        study.paths.fam,
        `IID ${study.fam.iid[i]} occurs in several families: match with on: "fid+iid".`,
        { line: i + 1 },
      );
    used.add(k);
    rowOf[i] = rowOfKey.get(k) ?? -1;
  }
  const keep = raw.columns.map((_, j) => j).filter((j) => j !== iid && j !== fid);
  const matched = rowOf.reduce((count, row) => count + (row >= 0 ? 1 : 0), 0);
  return {
    path: raw.path,
    names: keep.map((j) => raw.names[j]!),
    columns: keep.map((j) => raw.columns[j]!),
    rowOf,
    unmatched: people.length - matched,
    origin: (column) => ({ path: raw.path, column: keep[column]! + 1, lineOf: raw.lineOf }),
  };
}
