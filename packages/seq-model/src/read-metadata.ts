import { tableFromColumns } from "@x/core";
import {
  type ByteSource,
  parseStrictNumber,
  type RunOptions,
  readLineBlocks,
  sourceName,
} from "@x/core/base";
import type { Table } from "apache-arrow";
import { duplicates, listIds, seqFileError } from "./errors.ts";

/** Numbers, null where missing. */
export interface NumericColumn {
  /** Tells it from texts. */
  readonly kind: "numeric";
  /** One a sample. */
  readonly values: readonly (number | null)[];
}

/** Texts, null where missing. */
export interface CategoricalColumn {
  /** Tells it from numbers. */
  readonly kind: "categorical";
  /** One a sample. */
  readonly values: readonly (string | null)[];
}

/** One column of metadata. */
export type MetadataColumn = NumericColumn | CategoricalColumn;

/** What is known of samples. */
export interface Metadata {
  /** Names of the samples, in the order of the file. */
  readonly ids: readonly string[];
  /** By name, in the order of the file. */
  readonly columns: ReadonlyMap<string, MetadataColumn>;
  /** For messages. */
  readonly path: string;
  /** The column of this name. `METADATA_COLUMN` lists those there are. */
  column(name: string): MetadataColumn;
  /** Only these samples, in this order. `METADATA_MISSING` lists those that are not there. */
  select(ids: readonly string[]): Metadata;
  /** `sample_id: Utf8` and the columns, Float64 or Utf8; null where missing. */
  toArrow(): Table;
}

/** First words of a header that QIIME 2 knows, in any case, and AAM's and Qiita's. */
const ANY_CASE = [
  "id",
  "sampleid",
  "sample id",
  "sample-id",
  "featureid",
  "feature id",
  "feature-id",
  "sample_id",
];
/** Those that must be spelled so. */
const EXACT = ["#SampleID", "#Sample ID", "#OTUID", "#OTU ID", "sample_name"];

/**
 * Reads sample metadata as QIIME 2 writes it: tabs, a header whose first word is one of the id spellings, an optional
 * `#q2:types` row, comment lines, blank lines, quotes around fields. Empty cells are missing. Columns whose values are
 * all numbers are numeric unless the types row says categorical. Errors: `METADATA_HEADER`, `METADATA_DUP` (samples or
 * columns twice), `METADATA_TYPE` (a numeric column with another text, an unknown type), `COLUMNS` (too many fields).
 * Format: docs.qiime2.org, "Metadata in QIIME 2".
 */
export async function readMetadata(
  source: ByteSource,
  options: Pick<RunOptions, "signal"> = {},
): Promise<Metadata> {
  const path = sourceName(source);
  let names: string[] | undefined;
  let types: string[] = [];
  const rows: string[][] = [];
  const lines: number[] = [];
  for await (const block of readLineBlocks(source, { blank: "skip", signal: options.signal })) {
    for (const [k, text] of block.lines.entries()) {
      const line = block.first + k;
      const fields = text.split("\t").map(unquote);
      if (fields.every((f) => f === "")) continue;
      if (!names) {
        const comment = fields[0]!.startsWith("#") && !EXACT.includes(fields[0]!);
        if (!comment) names = header(fields, path, line);
      } else if (fields[0] === "#q2:types") {
        types = typesRow(fields, names, rows.length > 0, path, line);
      } else if (!fields[0]!.startsWith("#")) {
        rows.push(padded(fields, names, path, line));
        lines.push(line);
      }
    }
  }
  if (!names) throw seqFileError("METADATA_HEADER", path, "there is no header in it");
  const ids = rows.map((row) => row[0]!);
  const empty = ids.indexOf("");
  if (empty >= 0)
    throw seqFileError("METADATA_HEADER", path, "a sample has no name", { line: lines[empty]! });
  const twice = duplicates(ids);
  if (twice.length > 0) {
    const message = `${twice.length} samples stand more than once: ${listIds(twice)}`;
    throw seqFileError("METADATA_DUP", path, message, { samples: twice });
  }
  const columns = new Map(
    names.slice(1).map((name, c) => {
      const texts = rows.map((row) => row[c + 1]!);
      return [name, column(name, texts, types[c + 1], path, lines)] as const;
    }),
  );
  return metadataOf(ids, columns, path);
}

/** Metadata from columns that are already there. */
export function metadataOf(
  ids: readonly string[],
  columns: ReadonlyMap<string, MetadataColumn>,
  path = "metadata",
): Metadata {
  const at = new Map(ids.map((id, row) => [id, row]));
  return Object.freeze({
    ids,
    columns,
    path,
    column(name: string) {
      const found = columns.get(name.trim());
      if (found) return found;
      const message = `there is no column ${name}; there are ${[...columns.keys()].join(", ")}`;
      throw seqFileError("METADATA_COLUMN", path, message, { name });
    },
    select(wanted: readonly string[]) {
      const missing = wanted.filter((id) => !at.has(id));
      if (missing.length > 0) throw missingSamples(missing, path, "add them, or leave these samples out");
      const pick = <T>(values: readonly T[]): T[] => wanted.map((id) => values[at.get(id)!]!);
      const part = (c: MetadataColumn): MetadataColumn =>
        c.kind === "numeric" ? { ...c, values: pick(c.values) } : { ...c, values: pick(c.values) };
      return metadataOf(wanted, new Map([...columns].map(([name, c]) => [name, part(c)])), path);
    },
    toArrow: () =>
      tableFromColumns({
        sample_id: ids,
        ...Object.fromEntries([...columns].map(([name, c]) => [name, c.values as (string | null)[]])),
      }),
  });
}

/** The error for samples that metadata do not know. */
export function missingSamples(missing: readonly string[], path: string, advice: string): Error {
  const message = `${missing.length} samples are not in the metadata: ${listIds(missing)}; ${advice}`;
  return seqFileError("METADATA_MISSING", path, message, { samples: missing });
}

function unquote(field: string): string {
  const text = field.trim();
  return /^".*"$/s.test(text) ? text.slice(1, -1).replaceAll('""', '"').trim() : text;
}

function header(fields: string[], path: string, line: number): string[] {
  const first = fields[0]!;
  if (!EXACT.includes(first) && !ANY_CASE.includes(first.toLowerCase())) {
    const message = `the first column is called ${JSON.stringify(first.length > 40 ? `${first.slice(0, 39)}…` : first)}; it must be one of ${[...ANY_CASE, ...EXACT].join(", ")}`;
    throw seqFileError("METADATA_HEADER", path, message, { line, column: 1 });
  }
  while (fields.length > 1 && fields.at(-1) === "") fields.pop();
  const nameless = fields.indexOf("");
  if (nameless >= 0)
    throw seqFileError("METADATA_HEADER", path, `column ${nameless + 1} has no name`, { line });
  const twice = duplicates(fields);
  if (twice.length === 0) return fields;
  throw seqFileError("METADATA_DUP", path, `columns stand more than once: ${listIds(twice)}`, {
    line,
    columns: twice,
  });
}

function typesRow(fields: string[], names: string[], late: boolean, path: string, line: number): string[] {
  if (late)
    throw seqFileError("METADATA_TYPE", path, "#q2:types must stand right below the header", { line });
  const bad = fields.findIndex((f, c) => c > 0 && !["", "numeric", "categorical"].includes(f.toLowerCase()));
  if (bad >= 0) {
    const message = `the type of ${names[bad] ?? `column ${bad + 1}`} is ${JSON.stringify(fields[bad])}; there are numeric and categorical`;
    throw seqFileError("METADATA_TYPE", path, message, { line, column: bad + 1 });
  }
  return fields.map((f) => f.toLowerCase());
}

function padded(fields: string[], names: readonly string[], path: string, line: number): string[] {
  while (fields.length > names.length && fields.at(-1) === "") fields.pop();
  if (fields.length > names.length) {
    throw seqFileError("METADATA_HEADER", path, `${fields.length} fields, the header names ${names.length}`, {
      line,
    });
  }
  return [...fields, ...Array<string>(names.length - fields.length).fill("")];
}

function column(
  name: string,
  texts: readonly string[],
  type: string | undefined,
  path: string,
  lines: readonly number[],
): MetadataColumn {
  const number = (text: string): number | undefined => {
    const value = parseStrictNumber(text);
    return value !== undefined && Number.isFinite(value) ? value : undefined;
  };
  const other = texts.findIndex((text) => text !== "" && number(text) === undefined);
  if (type === "numeric" && other >= 0) {
    const message = `${name} is numeric by #q2:types, but holds ${JSON.stringify(texts[other])}`;
    throw seqFileError("METADATA_TYPE", path, message, { line: lines[other]!, name });
  }
  const numeric = type === "numeric" || (type !== "categorical" && other < 0 && texts.some((t) => t !== ""));
  return numeric
    ? { kind: "numeric", values: texts.map((t) => (t === "" ? null : number(t)!)) }
    : { kind: "categorical", values: texts.map((t) => (t === "" ? null : t)) };
}
