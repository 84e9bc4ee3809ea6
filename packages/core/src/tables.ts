import type { ByteSource } from "./bytes.ts";
import { sourceName } from "./bytes.ts";
import { fileError, xError } from "./errors.ts";
import type { AtomicWriter } from "./files.ts";
import { type ReadLinesOptions, readLineBlocks } from "./lines.ts";
import { parseStrictNumber } from "./numbers.ts";

/** What separates the fields of a line; runs of spaces and tabs count as one under `"whitespace"`. */
export type Delimiter = "whitespace" | "tab" | "comma";

/** Options of `readTable`. */
export interface ReadTableOptions extends Omit<ReadLinesOptions, "delimiter"> {
  /** Does the first line hold names? `"auto"`: yes if it is the only one of the first two lines without a number, or starts with `#`. */
  header?: boolean | "auto";
  /** `"auto"` looks at the first line: tab, else comma, else whitespace. */
  delimiter?: Delimiter | "auto";
  /** Fields every line must have; by default as many as the first line. */
  width?: number;
  /** Names (with a header) or positions from 0 of the columns to keep, in this order; all by default. */
  columns?: readonly (string | number)[];
}

/** A text table, column by column. */
export interface TextTable {
  /** From the header, without a leading `#`; `column1`, `column2` … where there is none. */
  readonly names: readonly string[];
  /** The texts, column by column. */
  readonly columns: readonly string[][];
  /** Lines without the header. */
  readonly rows: number;
  /** For messages. */
  readonly path: string;
  /** Line of the file that holds this row (both from their own start: line 1, row 0). */
  lineOf(row: number): number;
  /** The column of this name; `COLUMN_MISSING` lists the names there are. */
  column(name: string): string[];
}

/**
 * Reads a strict text table: every line has the same number of fields, or `COLUMNS` names the line. All errors of
 * `readLines` apply; further `COLUMN_MISSING`, `COLUMN_DUPLICATE` (two columns of one name) and `QUOTE` (comma only).
 */
export async function readTable(source: ByteSource, options: ReadTableOptions = {}): Promise<TextTable> {
  const path = sourceName(source, options.name);
  let builder: TableBuilder | undefined;
  const first: { number: number; text: string }[] = [];
  const { delimiter: _, ...lineOptions } = options;
  const comma = options.delimiter === "comma" || options.delimiter === "auto" ? { delimiter: "," } : {};
  for await (const block of readLineBlocks(source, { ...lineOptions, ...comma })) {
    let number = block.first;
    for (const text of block.lines) {
      if (builder) builder.add(text, number);
      else {
        first.push({ number, text });
        if (first.length === 2) builder = startTable(path, first, options);
      }
      number++;
    }
  }
  builder ??= startTable(path, first, options);
  return builder.finish();
}

/** Decides header and delimiter from the first lines. */
function startTable(
  path: string,
  first: readonly { number: number; text: string }[],
  options: ReadTableOptions,
): TableBuilder {
  const wanted = options.delimiter ?? "whitespace";
  const head = first[0]?.text ?? "";
  const delimiter = wanted === "auto" ? guessDelimiter(head) : wanted;
  const fields = first.map((line) => splitFields(line.text, delimiter, path, line.number));
  const { header = false } = options;
  const hasHeader = fields.length > 0 && (header === "auto" ? guessHeader(fields) : header);
  const names = hasHeader ? headerNames(fields[0]!, path) : undefined;
  const width = options.width ?? fields[0]?.length ?? 0;
  const builder = new TableBuilder(path, delimiter, width, names, options.columns);
  if (names && names.length !== width) throw columnsError(path, first[0]!.number, width, names.length);
  for (const line of hasHeader ? first.slice(1) : first) builder.add(line.text, line.number);
  return builder;
}

class TableBuilder {
  readonly #path: string;
  readonly #delimiter: Delimiter;
  readonly #width: number;
  readonly #names: string[];
  readonly #keep: number[];
  readonly #columns: string[][];
  #rows = 0;
  /** Where line numbers jump: [row, line] pairs; without skipped lines there is one. */
  readonly #jumps: [row: number, line: number][] = [];
  #nextLine = -1;

  constructor(
    path: string,
    delimiter: Delimiter,
    width: number,
    names: string[] | undefined,
    columns: readonly (string | number)[] | undefined,
  ) {
    this.#path = path;
    this.#delimiter = delimiter;
    this.#width = width;
    const all = names ?? Array.from({ length: width }, (_, i) => `column${i + 1}`);
    this.#keep = columns?.map((c) => findColumn(c, all, path)) ?? all.map((_, i) => i);
    this.#names = this.#keep.map((i) => all[i]!);
    this.#columns = this.#keep.map(() => []);
  }

  add(text: string, line: number): void {
    const fields = splitFields(text, this.#delimiter, this.#path, line);
    if (fields.length !== this.#width) throw columnsError(this.#path, line, this.#width, fields.length);
    for (let i = 0; i < this.#keep.length; i++) this.#columns[i]!.push(fields[this.#keep[i]!]!);
    if (line !== this.#nextLine) this.#jumps.push([this.#rows, line]);
    this.#nextLine = line + 1;
    this.#rows++;
  }

  finish(): TextTable {
    const [names, columns, jumps, path] = [this.#names, this.#columns, this.#jumps, this.#path];
    return {
      names,
      columns,
      path,
      rows: this.#rows,
      lineOf(row) {
        const jump = jumps.findLast(([from]) => from <= row);
        return jump ? jump[1] + row - jump[0] : 0;
      },
      column: (name) => columns[findColumn(name, names, path)]!,
    };
  }
}

function columnsError(path: string, line: number, expected: number, found: number): Error {
  const message = `${found} fields, ${expected} expected`;
  return fileError("COLUMNS", path, message, { line, expected, found });
}

function findColumn(column: string | number, names: readonly string[], path: string): number {
  const at = typeof column === "number" ? column : names.indexOf(column);
  if (at >= 0 && at < names.length) return at;
  const message = `there is no column ${column}; there are ${names.length}: ${names.slice(0, 20).join(", ")}`;
  throw fileError("COLUMN_MISSING", path, message, { name: column });
}

function headerNames(fields: readonly string[], path: string): string[] {
  const names = fields.map((name, i) => (i === 0 ? name.replace(/^#+/, "") : name));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return names;
  throw fileError("COLUMN_DUPLICATE", path, `two columns are called ${twice}`, {
    line: 1,
    column: names.indexOf(twice) + 1,
  });
}

function guessDelimiter(head: string): Delimiter {
  return head.includes("\t") ? "tab" : head.includes(",") ? "comma" : "whitespace";
}

function guessHeader(fields: readonly (readonly string[])[]): boolean {
  if (fields[0]![0]?.startsWith("#")) return true;
  const numeric = (row: readonly string[]): boolean => row.some((f) => parseStrictNumber(f) !== undefined);
  return fields.length > 1 ? !numeric(fields[0]!) && numeric(fields[1]!) : false;
}

/** The fields of one line. `QUOTE` when a quoted comma field does not end. */
export function splitFields(text: string, delimiter: Delimiter, path = "text", line = 1): string[] {
  if (delimiter === "tab") return text.split("\t");
  if (delimiter === "whitespace") return splitWhitespace(text);
  return text.includes('"') ? splitQuoted(text, path, line) : text.split(",");
}

function splitWhitespace(text: string): string[] {
  const fields: string[] = [];
  let start = -1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 32 || code === 9) {
      if (start >= 0) fields.push(text.slice(start, i));
      start = -1;
    } else if (start < 0) start = i;
  }
  if (start >= 0) fields.push(text.slice(start));
  return fields;
}

function splitQuoted(text: string, path: string, line: number): string[] {
  const fields: string[] = [];
  for (let at = 0; at <= text.length; ) {
    if (text[at] !== '"') {
      const end = text.indexOf(",", at);
      fields.push(text.slice(at, end < 0 ? text.length : end));
      at = end < 0 ? text.length + 1 : end + 1;
      continue;
    }
    const match = /"((?:[^"]|"")*)"(?:,|$)/y;
    match.lastIndex = at;
    const found = match.exec(text);
    if (!found) throw fileError("QUOTE", path, "a quoted field does not end", { line, column: at + 1 });
    fields.push(found[1]!.replaceAll('""', '"'));
    at = found[0].endsWith(",") ? match.lastIndex : text.length + 1;
  }
  return fields;
}

/** Options of `toNumbers`. */
export interface ToNumbersOptions {
  /** Texts that mean missing; they become NaN. `["NA"]` by default. */
  missing?: readonly string[];
  /** First part of the error codes: `PHENO` gives `PHENO_PARSE`. `NUMBER` by default. */
  code?: string;
  /** For messages: file, line of a row (from 0) and the column's name. */
  path?: string;
  /** Line of a row, `table.lineOf`. */
  lineOf?: (row: number) => number;
  /** The column's name. */
  name?: string;
}

/**
 * A column of decimal numbers; NaN where missing. Each other text is refused by name: `<code>_PARSE` (not a number),
 * `<code>_NAN` (a literal nan), `<code>_INF` (a literal infinity), `<code>_RANGE` (too large for a double).
 */
export function toNumbers(column: readonly string[], options: ToNumbersOptions = {}): Float64Array {
  const { missing = ["NA"] } = options;
  const values = new Float64Array(column.length);
  for (let row = 0; row < column.length; row++) {
    const text = column[row]!;
    const value = parseStrictNumber(text);
    if (missing.includes(text)) values[row] = Number.NaN;
    else if (value !== undefined && Number.isFinite(value)) values[row] = value;
    else throw numberError(text, value, row, options);
  }
  return values;
}

function numberError(text: string, value: number | undefined, row: number, options: ToNumbersOptions): Error {
  const { code = "NUMBER", path = "column", lineOf, name } = options;
  const where = name === undefined ? "" : `${name}: `;
  const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
  const [kind, why] =
    value !== undefined
      ? ["RANGE", "is too large for a double"]
      : /^[+-]?nan$/i.test(text)
        ? ["NAN", `is not a value; missing must be written ${(options.missing ?? ["NA"]).join(" or ")}`]
        : /^[+-]?inf(inity)?$/i.test(text)
          ? ["INF", "is not a finite number"]
          : ["PARSE", "is not a decimal number"];
  const place = { row, text, ...(lineOf ? { line: lineOf(row) } : {}) };
  return fileError(`${code}_${kind}`, path, `${where}${shown} ${why}`, place);
}

/** One column to write: numbers or texts, and how to print a value (`String` by default). */
export interface OutputColumn<T = unknown> {
  /** Printed in the header. */
  name: string;
  /** One a row. */
  values: ArrayLike<T>;
  /** Prints a value; `String` by default. */
  format?: (value: T) => string;
}

/** Options of `writeDelimited`. */
export interface WriteDelimitedOptions {
  /** Tab by default. */
  delimiter?: string;
  /** Write the names first? True by default. */
  header?: boolean;
}

const ROWS_A_WRITE = 4096;

/** Writes columns of equal length row by row (`COLUMN_LENGTH` otherwise). Lines end in LF; the writer is not committed. */
export async function writeDelimited<T extends readonly unknown[]>(
  writer: Pick<AtomicWriter, "write">,
  columns: { readonly [K in keyof T]: OutputColumn<T[K]> },
  options: WriteDelimitedOptions = {},
): Promise<void> {
  await writeColumns(writer, columns as readonly unknown[] as readonly OutputColumn[], options);
}

async function writeColumns(
  writer: Pick<AtomicWriter, "write">,
  columns: readonly OutputColumn[],
  options: WriteDelimitedOptions,
): Promise<void> {
  const { delimiter = "\t", header = true } = options;
  const rows = columns[0]?.values.length ?? 0;
  const odd = columns.find((column) => column.values.length !== rows);
  if (odd)
    throw xError("COLUMN_LENGTH", `column ${odd.name} has ${odd.values.length} rows, the first has ${rows}`);
  if (header) await writer.write(`${columns.map((column) => column.name).join(delimiter)}\n`);
  const formats = columns.map((column) => column.format ?? String);
  for (let from = 0; from < rows; from += ROWS_A_WRITE) {
    let text = "";
    for (let row = from; row < Math.min(rows, from + ROWS_A_WRITE); row++) {
      for (let i = 0; i < columns.length; i++) {
        text += (i > 0 ? delimiter : "") + formats[i]!(columns[i]!.values[row]);
      }
      text += "\n";
    }
    await writer.write(text);
  }
}
