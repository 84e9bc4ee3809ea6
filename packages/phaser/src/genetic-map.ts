import {
  collectWarnings,
  parseStrictNumber,
  type ReadLinesOptions,
  readChunks,
  readLineBlocks,
  xError,
} from "@x/core/base";
import { phaserError, phaserFileError } from "./errors.ts";

/** How a map file lays out its columns. */
export type MapLayout = "shapeit" | "plink" | "eagle";

/** Options of {@link readGeneticMap}. */
export interface GeneticMapOptions {
  /** The chromosome wanted, with or without `chr`; `MAP_CHROM` when the file has only others. */
  readonly chrom?: string;
  /** Stops the read. */
  readonly signal?: AbortSignal;
}

/** Genetic positions of one chromosome: straight lines between the points of a map. */
export interface GeneticMap {
  /** The chromosome, as the file names it; "" for {@link uniformMap}. */
  readonly chrom: string;
  /** Base pairs of the points, strictly ascending. */
  readonly positions: Float64Array;
  /** Centimorgans of the points, never descending. */
  readonly cm: Float64Array;
  /** Centimorgans at ascending base pair positions; outside the map it goes on at 1 cM/Mb. */
  at(positions: ArrayLike<number>): Float64Array;
}

/** Of places no map covers. */
const CM_PER_BP = 1e-6;

/**
 * The map of a chromosome from what an option gives: a map, the file of one, or nothing.
 *
 * @throws MAP_CHROM when it is of another chromosome; the errors of {@link readGeneticMap}.
 */
export async function mapFor(
  given: GeneticMap | string | undefined,
  chrom: string,
  signal: AbortSignal | undefined,
): Promise<GeneticMap> {
  if (given === undefined) return uniformMap();
  if (typeof given === "string") {
    return await readGeneticMap(given, { chrom, ...(signal === undefined ? {} : { signal }) });
  }
  if (typeof given?.at !== "function" || typeof given.chrom !== "string") {
    throw xError("OPTION_VALUE", "map must be a file name or a genetic map", {
      usage: true,
      details: { option: "map" },
    });
  }
  if (given.chrom === "" || sameChrom(given.chrom, chrom)) return given;
  throw phaserError("MAP_CHROM", `the map is for chromosome ${given.chrom}, the genotypes are of ${chrom}`);
}

/** What SHAPEIT assumes without a map: 1 cM/Mb, 0 at position 0. */
export function uniformMap(): GeneticMap {
  return new PointMap("", new Float64Array([0]), new Float64Array([0]));
}

/**
 * Reads a genetic map, plain or gzipped. The layout is found from the columns: SHAPEIT `pos chr cM`, PLINK and Beagle
 * `chr id cM pos` (no header), Eagle `chr pos rate cM` (header). Base pairs must ascend and centimorgans must not
 * descend (`MAP_ORDER`), all must be finite (`MAP_NAN`); of several chromosomes one must be chosen (`MAP_CHROM`).
 *
 * @throws MAP_FORMAT, MAP_ORDER, MAP_NAN, MAP_CHROM with the line; the errors of reading lines.
 */
export async function readGeneticMap(path: string, options: GeneticMapOptions = {}): Promise<GeneticMap> {
  const { chrom: wanted, signal } = options;
  const lines: ReadLinesOptions = { blank: "skip", name: path, warn: collectWarnings().warn, signal };
  let layout: MapLayout | undefined;
  let header = false;
  let chrom: string | undefined;
  const others = new Set<string>();
  const points = new Points();
  const add = (line: number, text: string): void => {
    const fields = text.trim().split(/[ \t]+/);
    if (layout === undefined) {
      if (!header && looksLikeHeader(fields)) {
        header = true;
        layout = layoutByNames(fields);
        if (layout) return;
        throw phaserFileError("MAP_FORMAT", path, unknownLayout(fields), { line });
      }
      layout = layoutByFields(fields);
      if (!layout) throw phaserFileError("MAP_FORMAT", path, unknownLayout(fields), { line });
    }
    const point = pick(fields, layout);
    if (!point) {
      const message = `${fields.length} columns, ${layout === "shapeit" ? 3 : 4} expected`;
      throw phaserFileError("MAP_FORMAT", path, message, { line });
    }
    if (point.chrom !== chrom) {
      if (wanted !== undefined && !sameChrom(point.chrom, wanted)) {
        others.add(point.chrom);
        return;
      }
      chrom ??= point.chrom;
      if (chrom !== point.chrom) {
        const message = `the map holds chromosomes ${chrom} and ${point.chrom}; say which one is wanted`;
        throw phaserFileError("MAP_CHROM", path, message, { line });
      }
    }
    const [pos, value] = [finite(point.pos, path, line, "position"), finite(point.cm, path, line, "cM")];
    const wrong = points.add(pos, value);
    if (wrong) throw phaserFileError("MAP_ORDER", path, wrong, { line });
  };
  // A map has a hundred thousand lines: in small blocks, and nothing of a line is kept but its two numbers.
  for await (const { first, lines: block } of readLineBlocks(pieces(path, signal), lines)) {
    block.forEach((text, i) => {
      add(first + i, text);
    });
  }
  if (points.length === 0) {
    const names = [...others].slice(0, 5).join(", ");
    const message =
      others.size > 0 ? `the map is for chromosome ${names}, not ${wanted}` : "the map holds no points";
    throw phaserFileError(others.size > 0 ? "MAP_CHROM" : "MAP_FORMAT", path, message);
  }
  return new PointMap(chrom!, points.positions(), points.cm());
}

/** Names are compared without `chr`. */
export function sameChrom(a: string, b: string): boolean {
  const bare = (chrom: string): string => chrom.replace(/^chr/i, "");
  return bare(a) === bare(b);
}

function looksLikeHeader(fields: readonly string[]): boolean {
  return (
    fields.filter((f) => parseStrictNumber(f) !== undefined).length <= 1 && /[a-z]/i.test(fields.join(""))
  );
}

function layoutByNames(fields: readonly string[]): MapLayout | undefined {
  const names = fields.map((f) => f.toLowerCase());
  if (fields.length === 3 && /^(pos|position|bp)/.test(names[0]!)) return "shapeit";
  if (fields.length === 4 && /^#?chr/.test(names[0]!) && /^(pos|bp)/.test(names[1]!)) return "eagle";
  return undefined;
}

/** Without a header: three columns are SHAPEIT's, four PLINK's. */
function layoutByFields(fields: readonly string[]): MapLayout | undefined {
  if (fields.length === 3) return "shapeit";
  return fields.length === 4 ? "plink" : undefined;
}

function unknownLayout(fields: readonly string[]): string {
  const shown = fields.slice(0, 6).join(" ");
  return `no known map begins with "${shown}"; wanted are "pos chr cM", "chr id cM pos" or, with a header, "chr position rate cM"`;
}

function pick(
  f: readonly string[],
  layout: MapLayout,
): { chrom: string; pos: string; cm: string } | undefined {
  if (f.length !== (layout === "shapeit" ? 3 : 4)) return undefined;
  if (layout === "shapeit") return { pos: f[0]!, chrom: f[1]!, cm: f[2]! };
  if (layout === "plink") return { chrom: f[0]!, cm: f[2]!, pos: f[3]! };
  return { chrom: f[0]!, pos: f[1]!, cm: f[3]! };
}

function finite(text: string, path: string, line: number, what: string): number {
  const value = parseStrictNumber(text);
  if (value !== undefined && Number.isFinite(value)) return value;
  if (/^[+-]?(nan|inf(inity)?|na)$/i.test(text)) {
    throw phaserFileError("MAP_NAN", path, `the ${what} is ${text}; every point needs a finite number`, {
      line,
    });
  }
  throw phaserFileError("MAP_FORMAT", path, `the ${what} is "${text}", a number was expected`, { line });
}

/** The file's bytes, so few at once that the lines of one piece are gone before the next. */
async function* pieces(path: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  for await (const chunk of readChunks(path, { signal })) {
    for (let at = 0; at < chunk.length; at += PIECE) yield chunk.subarray(at, at + PIECE);
  }
}
const PIECE = 2 ** 16;

/** Points as they are read, in order. */
class Points {
  length = 0;
  #positions = new Float64Array(1024);
  #cm = new Float64Array(1024);

  /** Adds one, or says why it cannot follow the last. A point given twice: the later one counts. */
  add(position: number, cm: number): string | undefined {
    const last = this.length - 1;
    if (last >= 0) {
      const [before, value] = [this.#positions[last]!, this.#cm[last]!];
      if (position < before) return `position ${position} comes after ${before}: the map must ascend`;
      if (cm < value) return `${cm} cM comes after ${value} cM: a genetic map cannot go back`;
      if (position === before) this.length--;
    }
    if (this.length === this.#cm.length) {
      this.#positions = grown(this.#positions);
      this.#cm = grown(this.#cm);
    }
    this.#positions[this.length] = position;
    this.#cm[this.length++] = cm;
    return undefined;
  }

  positions(): Float64Array {
    return this.#positions.slice(0, this.length);
  }

  cm(): Float64Array {
    return this.#cm.slice(0, this.length);
  }
}

function grown(values: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const out = new Float64Array(2 * values.length);
  out.set(values);
  return out;
}

class PointMap implements GeneticMap {
  readonly chrom: string;
  readonly positions: Float64Array;
  readonly cm: Float64Array;

  constructor(chrom: string, positions: Float64Array, cm: Float64Array) {
    this.chrom = chrom;
    this.positions = positions;
    this.cm = cm;
  }

  at(positions: ArrayLike<number>): Float64Array {
    const out = new Float64Array(positions.length);
    const [p, c] = [this.positions, this.cm];
    const last = p.length - 1;
    let next = 0;
    for (let i = 0; i < out.length; i++) {
      const x = positions[i]!;
      while (next <= last && p[next]! <= x) next++;
      if (next === 0) out[i] = c[0]! - (p[0]! - x) * CM_PER_BP;
      else if (next > last) out[i] = c[last]! + (x - p[last]!) * CM_PER_BP;
      else {
        const share = (x - p[next - 1]!) / (p[next]! - p[next - 1]!);
        out[i] = c[next - 1]! + share * (c[next]! - c[next - 1]!);
      }
    }
    return out;
  }
}
