import { fileError, parseStrictNumber } from "@x/core/base";
import { scanBim } from "./bim-scan.ts";
import { BimTable } from "./bim-table.ts";
import { shorten, warnAbout } from "./bim-warnings.ts";
import { type FieldLine, scanFields } from "./fields.ts";
import type { PlinkWarning } from "./types.ts";

const INT32_MAX = 2147483647;

/**
 * Reads a .bim (plain or gzip; 6 columns, or 5 without centimorgans on every line).
 *
 * @throws XError NO_VARIANTS, COLUMNS, BAD_POSITION, POSITION_RANGE, BAD_CM and those of
 * {@link scanFields}, each with the line.
 */
export async function readBim(
  path: string,
  warn: (warning: PlinkWarning) => void,
  signal?: AbortSignal,
): Promise<BimTable> {
  const table = (await scanBim(path, signal)) ?? (await readStrictly(path, warn, signal));
  if (table.length === 0)
    throw fileError(
      "NO_VARIANTS",
      path,
      "the file has no lines: there is no variant to read. Copy it again, or loosen the filter that made it.",
      {},
    );
  warnAbout(table, path, warn);
  return table;
}

/** Line by line: whatever scanBim leaves, the unusual and the bad. */
async function readStrictly(
  path: string,
  warn: (warning: PlinkWarning) => void,
  signal?: AbortSignal,
): Promise<BimTable> {
  const table = new BimTable();
  let columns = 0;
  const visit = (line: FieldLine): void => {
    if (line.count !== columns) columns = checkColumns(path, line, columns);
    const shift = columns - 6;
    const cm = shift < 0 ? 0 : centimorgans(path, line);
    const pos = position(path, line, 3 + shift);
    table.add(line.text(0), line.text(1), cm, pos, line.text(4 + shift), line.text(5 + shift));
  };
  await scanFields(path, visit, warn, signal);
  return table.finish();
}

function checkColumns(path: string, { count, line }: FieldLine, columns: number): number {
  if (columns === 0 && (count === 5 || count === 6)) return count;
  if (columns === 5 && count === 6 && line === 2)
    throw fileError(
      "COLUMNS",
      path,
      "5 columns on this line, 6 on the next. A .bim has 6 (chromosome, id, centimorgans, position, allele 1, " +
        "allele 2), or 5 without centimorgans on every line.",
      { line: 1, found: 5, expected: 6 },
    );
  const expected = columns || 6;
  throw fileError(
    "COLUMNS",
    path,
    `${count} columns found, ${expected} expected (chromosome, id${expected === 6 ? ", centimorgans" : ""}, position, ` +
      "allele 1, allele 2). Repair the line; a space inside a name makes two columns of it.",
    { line, found: count, expected },
  );
}

function centimorgans(path: string, line: FieldLine): number {
  const value = parseStrictNumber(line.text(2));
  if (value !== undefined && Number.isFinite(value)) return value;
  const message = `centimorgans ${shorten(line.text(2))} is not a number. Write 0 when unknown.`;
  throw fileError("BAD_CM", path, message, { line: line.line });
}

function position(path: string, line: FieldLine, field: number): number {
  const text = line.text(field);
  if (!/^[-+]?\d+$/.test(text)) {
    const message = `position ${shorten(text)} is not a whole number. Write base pairs, 0 when unknown.`;
    throw fileError("BAD_POSITION", path, message, { line: line.line });
  }
  const value = Number(text);
  if (Math.abs(value) <= INT32_MAX) return value;
  throw fileError(
    "POSITION_RANGE",
    path,
    `position ${shorten(text)} is beyond ${INT32_MAX}, the largest a base-pair position can be. Correct it, or write 0 when unknown.`,
    { line: line.line },
  );
}
