import { readLines, readTable, type Warn } from "@x/core/base";
import { cycleIn, cycleMessage } from "./check-people.ts";
import { phaserFileError } from "./errors.ts";

/** A child with its parents; null where a parent is unknown. */
export interface Family {
  /** Sample name. */
  readonly child: string;
  /** Sample name, or null. */
  readonly father: string | null;
  /** Sample name, or null. */
  readonly mother: string | null;
}

/**
 * One sample name a line (the first word counts; the warning EXTRA_COLUMNS says that there are others), as `--haploids`
 * and `--samples` take it. Empty lines are skipped.
 *
 * @throws DUP_SAMPLE with the line; the errors of reading lines.
 */
export async function readSampleList(
  path: string,
  options: { signal?: AbortSignal; warn?: Warn } = {},
): Promise<string[]> {
  const lines = new Map<string, number>();
  let told = false;
  for await (const { number: line, text } of readLines(path, { blank: "skip", ...options })) {
    const words = text.trim().split(/[ \t]+/);
    const name = words[0]!;
    if (words.length > 1 && !told) {
      told = true;
      const message = `${path}:${line}: ${words.length} words; the first of each line (${name}) is taken for the name of a sample, the others are not read`;
      options.warn?.({ code: "EXTRA_COLUMNS", message, details: { path, line, words: words.length } });
    }
    const before = lines.get(name);
    if (before !== undefined) {
      throw phaserFileError("DUP_SAMPLE", path, `sample ${name} is listed in line ${before} already`, {
        line,
      });
    }
    lines.set(name, line);
  }
  return [...lines.keys()];
}

/**
 * A pedigree: `kid father mother`, one child a line, `NA` or `0` for an unknown parent (SHAPEIT's format).
 *
 * @throws PEDIGREE: a child twice, or somebody as their own parent or ancestor; COLUMNS with the line.
 */
export async function readPedigree(path: string, options: { signal?: AbortSignal } = {}): Promise<Family[]> {
  const table = await readTable(path, { width: 3, blank: "skip", ...options });
  const [children, fathers, mothers] = table.columns as [string[], string[], string[]];
  const known = (name: string): string | null => (name === "NA" || name === "0" ? null : name);
  const seen = new Map<string, number>();
  const families = children.map((child, row) => {
    const line = table.lineOf(row);
    const [father, mother] = [known(fathers[row]!), known(mothers[row]!)];
    if (seen.has(child)) {
      const message = `child ${child} stands in line ${seen.get(child)} already; a child has one line`;
      throw phaserFileError("PEDIGREE", path, message, { line });
    }
    if (child === father || child === mother || (father !== null && father === mother)) {
      const message = `child ${child} has parents ${father} and ${mother}; that cannot be`;
      throw phaserFileError("PEDIGREE", path, message, { line });
    }
    seen.set(child, line);
    return { child, father, mother };
  });
  const cycle = cycleIn(families);
  if (cycle) throw phaserFileError("PEDIGREE", path, cycleMessage(cycle), { line: seen.get(cycle[0]!)! });
  return families;
}

/** Child, father and mother by their number among the samples; −1 where unknown or not among them. */
export function numberedFamilies(
  pedigree: readonly Family[],
  samples: readonly string[],
): [child: number, father: number, mother: number][] {
  const at = new Map(samples.map((name, i) => [name, i]));
  const number = (name: string | null): number => (name === null ? -1 : (at.get(name) ?? -1));
  return pedigree.map((f) => [number(f.child), number(f.father), number(f.mother)]);
}
