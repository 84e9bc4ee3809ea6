import { readFileSync } from "node:fs";
import { fromIpc } from "@x/core";
import { fromSystemError, parseStrictNumber, readTable, toNumbers } from "@x/core/base";
import { type Column, type DataSet, dataSetOf, factorOf, openData } from "./columns.ts";

/** Options of `readData`. */
export interface ReadDataOptions {
  /** Texts that mean missing; `NA` and nothing by default. */
  readonly missing?: readonly string[];
  /** Cancels the reading. */
  readonly signal?: AbortSignal;
}

/**
 * Reads data for a model from a file: comma, tab or blank separated text with a header, or Arrow IPC (`.arrow`, `.feather`).
 * A text column is numbers when every value is one; a column with a literal nan or infinity is refused. Errors: those of
 * `readTable` (`COLUMNS`, `COLUMN_DUPLICATE`, `QUOTE` …), `NUMBER_NAN`, `NUMBER_INF`, `NUMBER_RANGE`.
 */
export async function readData(path: string, options: ReadDataOptions = {}): Promise<DataSet> {
  if (/\.(arrow|feather|ipc)$/i.test(path)) {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(path);
    } catch (e) {
      throw fromSystemError(e, path);
    }
    return openData(fromIpc(bytes, path));
  }
  const missing = options.missing ?? ["NA", ""];
  const table = await readTable(path, {
    header: true,
    delimiter: "auto",
    ...(options.signal ? { signal: options.signal } : {}),
  });
  const gone = new Set(missing);
  const read = (texts: readonly string[], name: string): Column => {
    if (texts.every((t) => gone.has(t) || isNumber(t)))
      return { kind: "number", values: toNumbers(texts, { missing, path, lineOf: table.lineOf, name }) };
    return factorOf(texts.map((t) => (gone.has(t) ? null : t)));
  };
  return dataSetOf(
    new Map(table.names.map((name, i) => [unquote(name), read(table.columns[i]!, name)])),
    table.rows,
  );
}

const isNumber = (text: string): boolean =>
  parseStrictNumber(text) !== undefined || /^[+-]?(nan|inf(inity)?)$/i.test(text);

/** A header's name without quotes that a blank-separated file may carry. */
const unquote = (name: string): string => name.replace(/^"(.*)"$/, "$1");
