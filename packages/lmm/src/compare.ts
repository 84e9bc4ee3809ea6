import { checkOptions, readLines } from "@x/core/base";
import { lmmError, lmmFileError } from "./errors.ts";

/** How far two columns may lie apart. */
export interface Tolerance {
  /** `exact` compares texts; `relative` |a − b| / |b|; `se` |a − b| in standard errors of b; `log10` |Δ log10| / max(1, −log10 b); `neglog10` the same of columns that hold −log10. */
  readonly kind: "exact" | "relative" | "se" | "log10" | "neglog10";
  /** Largest difference allowed. */
  readonly limit: number;
}

/** Where a column differs most. */
export interface WorstRow {
  /** Row, counted from 1 without the header. */
  readonly row: number;
  /** The variant, or the matrix column. */
  readonly label: string;
  /** Text in the first file. */
  readonly a: string;
  /** Text in the second. */
  readonly b: string;
  /** In the tolerance's unit; infinite when they cannot be compared. */
  readonly difference: number;
}

/** One column's agreement. */
export interface ColumnComparison {
  /** Name of the column. */
  readonly name: string;
  /** What it was allowed. */
  readonly tolerance: Tolerance;
  /** Rows beyond the tolerance. */
  readonly failures: number;
  /** The row with the largest difference; undefined when all are equal. */
  readonly worst: WorstRow | undefined;
}

/** Agreement of two files; `b` is the reference. */
export interface Comparison {
  /** True when nothing lies beyond its tolerance. */
  readonly ok: boolean;
  /** Rows compared. */
  readonly rows: number;
  /** True when the header lines have the same bytes. */
  readonly headerEqual: boolean;
  /** Agreement of each column both files have. */
  readonly columns: readonly ColumnComparison[];
  /** What else differs: row counts, headers. */
  readonly problems: readonly string[];
}

/** What our results must meet against GEMMA's. Columns not named here are compared as text. */
export const ASSOC_TOLERANCES: Readonly<Record<string, Tolerance>> = {
  beta: { kind: "se", limit: 2e-5 },
  se: { kind: "relative", limit: 2e-5 },
  logl_H1: { kind: "relative", limit: 2e-5 },
  l_remle: { kind: "relative", limit: 2e-5 },
  l_mle: { kind: "relative", limit: 2e-5 },
  p_wald: { kind: "log10", limit: 2e-5 },
  p_lrt: { kind: "log10", limit: 2e-5 },
  p_score: { kind: "log10", limit: 2e-5 },
  neg_log10_p_wald: { kind: "neglog10", limit: 2e-5 },
  neg_log10_p_lrt: { kind: "neglog10", limit: 2e-5 },
  neg_log10_p_score: { kind: "neglog10", limit: 2e-5 },
};

const EXACT: Tolerance = { kind: "exact", limit: 0 };

/**
 * Compares two `.assoc.txt` files (plain or gzip) row by row, column by column. `limits` changes numbers only,
 * `tolerances` kinds too.
 * @throws ASSOC_FORMAT when a file is not a table with a header, UNKNOWN_OPTION for a limit of a column nobody knows.
 */
export async function compareAssoc(
  a: string,
  b: string,
  options: {
    tolerances?: Readonly<Record<string, Tolerance>>;
    limits?: Readonly<Record<string, number>>;
  } = {},
): Promise<Comparison> {
  const tolerances: Record<string, Tolerance> = { ...ASSOC_TOLERANCES, ...options.tolerances };
  checkOptions(options, ["tolerances", "limits"], "compareAssoc");
  checkOptions(options.limits, Object.keys(tolerances), "limits");
  for (const [name, limit] of Object.entries(options.limits ?? {}))
    tolerances[name] = { kind: tolerances[name]!.kind, limit };
  const [rowsA, rowsB] = [readLines(a), readLines(b)];
  const [headA, headB] = [(await rowsA.next()).value?.text, (await rowsB.next()).value?.text];
  const names: string[] = headB?.split("\t") ?? [];
  if (names.length < 2)
    throw lmmFileError("ASSOC_FORMAT", b, "this is no association file: no tab-separated header.", {
      line: 1,
    });
  const problems = headA === headB ? [] : [`headers differ: ${clip(headA)} against ${clip(headB)}`];
  const place: string[] = headA?.split("\t") ?? [];
  if (!names.some((name) => place.includes(name)))
    throw lmmFileError("ASSOC_FORMAT", a, `no column of ${b} is in its header.`, { line: 1 });
  const columns = names
    .filter((name) => place.includes(name))
    .map((name) => ({
      name,
      at: [place.indexOf(name), names.indexOf(name)] as const,
      track: new Track(tolerances[name] ?? EXACT),
    }));
  const seAt = names.indexOf("se");
  let rows = 0;
  for (;;) {
    const [nextA, nextB] = [await rowsA.next(), await rowsB.next()];
    if (nextA.done !== nextB.done) {
      let more = 1;
      for await (const _ of nextA.done ? rowsB : rowsA) more++;
      problems.push(`${nextA.done ? b : a} has ${more} more row(s)`);
    }
    if (nextA.done || nextB.done) break;
    const [fieldsA, fieldsB] = [nextA.value.text.split("\t"), nextB.value.text.split("\t")];
    rows++;
    const label = fieldsB[1] ?? "";
    const se = seAt < 0 ? Number.NaN : Number(fieldsB[seAt]);
    for (const { at, track } of columns)
      track.add(rows, label, fieldsA[at[0]] ?? "", fieldsB[at[1]] ?? "", se);
  }
  return finish(rows, headA === headB, problems, columns);
}

/**
 * Compares two text kinship matrices (plain or gzip; either may hold the lower triangle only), or an entry matrix read
 * by the caller, entry by entry: relative 1e-9 or absolute 1e-12.
 * @throws KIN_FORMAT for text that is no number.
 */
export async function compareKinship(
  a: string | AsyncIterable<Float64Array>,
  b: string | AsyncIterable<Float64Array>,
  options: { relative?: number; absolute?: number } = {},
): Promise<Comparison> {
  checkOptions(options, ["relative", "absolute"], "compareKinship");
  const { relative = 1e-9, absolute = 1e-12 } = options;
  const [left, right] = [matrixRows(a)[Symbol.asyncIterator](), matrixRows(b)[Symbol.asyncIterator]()];
  const track = new Track({ kind: "relative", limit: relative });
  const problems: string[] = [];
  let rows = 0;
  for (;;) {
    const [nextA, nextB] = [await left.next(), await right.next()];
    if (nextA.done || nextB.done) {
      if (nextA.done !== nextB.done) problems.push("the matrices differ in their number of rows");
      break;
    }
    const width = Math.min(nextA.value.length, nextB.value.length);
    if (nextA.value.length !== nextB.value.length && width !== rows + 1)
      problems.push(`row ${rows + 1}: ${nextA.value.length} against ${nextB.value.length} entries`);
    for (let j = 0; j < width; j++) {
      const [x, y] = [nextA.value[j]!, nextB.value[j]!];
      if (x === y) continue;
      const difference = Math.abs(x - y);
      if (difference > absolute)
        track.note(rows + 1, () => `column ${j + 1}`, String(x), String(y), difference / Math.abs(y));
      else if (Number.isNaN(difference))
        track.note(rows + 1, () => `column ${j + 1}`, String(x), String(y), Number.POSITIVE_INFINITY);
    }
    rows++;
  }
  return finish(rows, true, problems, [{ name: "k", track }]);
}

async function* matrixRows(source: string | AsyncIterable<Float64Array>): AsyncGenerator<Float64Array> {
  if (typeof source !== "string") {
    yield* source;
    return;
  }
  for await (const { text, number } of readLines(source))
    yield Float64Array.from(text.trim().split(/\s+/), (entry) => {
      const value = Number(entry);
      if (!Number.isNaN(value) || /^[-+]?nan$/i.test(entry)) return value;
      throw lmmFileError("KIN_FORMAT", source, `${JSON.stringify(clip(entry))} is no number of a kinship.`, {
        line: number,
      });
    });
}

/** Headers of what is no association file may be long. */
const clip = (text = "nothing"): string => (text.length > 160 ? `${text.slice(0, 159)}…` : text);

function finish(
  rows: number,
  headerEqual: boolean,
  problems: string[],
  columns: ReadonlyArray<{ name: string; track: Track }>,
): Comparison {
  if (rows === 0) throw lmmError("ASSOC_FORMAT", "there are no rows to compare.");
  const compared = columns.map(({ name, track }) => track.result(name));
  return Object.freeze({
    ok: problems.length === 0 && compared.every((c) => c.failures === 0),
    rows,
    headerEqual,
    columns: compared,
    problems,
  });
}

class Track {
  readonly #tolerance: Tolerance;
  #failures = 0;
  #worst: ColumnComparison["worst"];

  constructor(tolerance: Tolerance) {
    this.#tolerance = tolerance;
  }

  add(row: number, label: string, a: string, b: string, se: number): void {
    if (a !== b) this.note(row, () => label, a, b, this.#difference(a, b, se));
  }

  note(row: number, label: () => string, a: string, b: string, difference: number): void {
    if (!(difference <= this.#tolerance.limit)) this.#failures++;
    if (!(difference <= (this.#worst?.difference ?? -1)))
      this.#worst = { row, label: label(), a, b, difference };
  }

  #difference(a: string, b: string, se: number): number {
    const [x, y] = [Number(a), Number(b)];
    const { kind } = this.#tolerance;
    const bad = Number.POSITIVE_INFINITY;
    if (kind === "exact") return bad;
    if (/^-?nan$/.test(a) && /^-?nan$/.test(b)) return 0;
    let difference = Math.abs(x - y) / Math.abs(y);
    if (kind === "se") difference = Math.abs(x - y) / se;
    if (kind === "neglog10") difference = Math.abs(x - y) / Math.max(1, y);
    if (kind === "log10") difference = Math.abs(Math.log10(x) - Math.log10(y)) / Math.max(1, -Math.log10(y));
    return Number.isNaN(difference) ? bad : difference;
  }

  result(name: string): ColumnComparison {
    return { name, tolerance: this.#tolerance, failures: this.#failures, worst: this.#worst };
  }
}
