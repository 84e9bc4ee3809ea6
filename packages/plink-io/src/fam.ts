import { fileError, parseStrictNumber } from "@x/core/base";
import { type FieldLine, scanFields } from "./fields.ts";
import type { FamColumns, PlinkWarning } from "./types.ts";

/** Options of {@link readFam}. */
export interface FamOptions {
  /** See OpenOptions. */
  phenotypes?: "read" | "ignore";
  /** Stops the reading. */
  signal?: AbortSignal;
}

/**
 * Reads a .fam (plain or gzip): six columns, or more when it carries several phenotypes, the same on every line.
 * A phenotype of `NA` or −9 is missing.
 *
 * @throws XError NO_SAMPLES, COLUMNS, DUP_SAMPLE, PHENO_PARSE, PHENO_NAN, PHENO_INF, PHENO_RANGE and those of
 * scanFields, each with the line.
 */
export async function readFam(
  path: string,
  warn: (warning: PlinkWarning) => void,
  options: FamOptions = {},
): Promise<FamColumns> {
  const fam: Omit<FamColumns, "sex" | "phenotypes"> = { fid: [], iid: [], father: [], mother: [] };
  const sex: number[] = [];
  const phenotypes: number[][] = [];
  let columns = 0;
  const visit = (line: FieldLine): void => {
    if (line.count !== columns) columns = checkColumns(path, line, columns);
    fam.fid.push(line.text(0));
    fam.iid.push(line.text(1));
    fam.father.push(line.text(2));
    fam.mother.push(line.text(3));
    const code = line.text(4);
    sex.push(code === "1" ? 1 : code === "2" ? 2 : 0);
    for (let k = 0; k < columns - 5; k++) {
      const value = options.phenotypes === "ignore" ? Number.NaN : phenotype(path, line, k + 5);
      phenotypes[k] ??= [];
      phenotypes[k]!.push(value);
    }
  };
  await scanFields(path, visit, warn, options.signal);
  if (sex.length === 0)
    throw fileError(
      "NO_SAMPLES",
      path,
      "the file has no lines: there is no sample to read. Copy it again, or loosen the filter that made it.",
      {},
    );
  checkDuplicates(path, fam);
  return {
    ...fam,
    sex: Int8Array.from(sex),
    phenotypes: phenotypes.map((column) => Float64Array.from(column)),
  };
}

function checkColumns(path: string, line: FieldLine, columns: number): number {
  if (columns === 0 && line.count >= 6) return line.count;
  throw fileError(
    "COLUMNS",
    path,
    `${line.count} columns found, ${columns || "at least 6"} expected (family, individual, father, mother, sex, phenotype${columns > 6 ? "s" : ""}). Repair the line; a space inside a name makes two columns of it.`,
    { line: line.line, found: line.count, expected: columns || 6 },
  );
}

function phenotype(path: string, line: FieldLine, field: number): number {
  const text = line.text(field);
  if (text === "-9" || text === "NA") return Number.NaN;
  const value = parseStrictNumber(text);
  const where = { line: line.line, column: field + 1 };
  const shown = JSON.stringify(text.slice(0, 40));
  if (value !== undefined) {
    if (!Number.isFinite(value))
      throw fileError(
        "PHENO_RANGE",
        path,
        `phenotype ${shown} is beyond the range of a 64-bit number.`,
        where,
      );
    return value === -9 ? Number.NaN : value;
  }
  const hint = "Write NA or -9 for a missing phenotype.";
  if (/^[-+]?nan$/i.test(text)) throw fileError("PHENO_NAN", path, `phenotype ${shown}. ${hint}`, where);
  if (/^[-+]?inf(inity)?$/i.test(text))
    throw fileError("PHENO_INF", path, `phenotype ${shown} is not finite. ${hint}`, where);
  throw fileError("PHENO_PARSE", path, `phenotype ${shown} is not a number. ${hint}`, where);
}

function checkDuplicates(path: string, fam: { fid: string[]; iid: string[] }): void {
  const lines = new Map<string, number>();
  fam.iid.forEach((iid, i) => {
    const key = `${fam.fid[i]}\t${iid}`;
    const before = lines.get(key);
    if (before !== undefined)
      throw fileError(
        "DUP_SAMPLE",
        path,
        `family ${fam.fid[i]}, individual ${iid} is on line ${before} and again on line ${i + 1}. Give each its own individual id.`,
        { line: i + 1, lines: [before, i + 1] },
      );
    lines.set(key, i + 1);
  });
}
