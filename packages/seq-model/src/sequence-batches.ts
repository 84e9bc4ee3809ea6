import { checkOptions, checkRange, Random } from "@x/core/base";
import { seqError } from "./errors.ts";
import type { FeatureTable } from "./feature-table.ts";
import { type Sequences, sequencesOf } from "./read-fasta.ts";
import { type TokenizeOptions, type TokenTable, tokenize } from "./tokens.ts";

/** Every different sequence of a table, tokenised once. */
export interface SequenceCache {
  /** The different sequences. */
  readonly table: TokenTable;
  /** The row of each feature: features of one sequence share it. */
  readonly rowOf: Uint32Array;
  /** Place of each row's sequence in alphabetical order: what does not depend on the order of the table. */
  readonly order: Uint32Array;
  /** Different lengths among the sequences, shortest first: more than one hints at mixed regions. */
  readonly sequenceLengths: readonly number[];
}

/** Options of {@link sequenceBatch}. */
export interface SequenceBatchOptions {
  /** ASVs a sample at most, 1,024 by default. */
  tokenLimit?: number;
  /** Which ones where there are more: those with most counts (the alphabet decides among equals), the first of the table, or drawn (needs `seed`). */
  sampling?: "abundance" | "first" | "random";
  /** Seed of the drawing. */
  seed?: number;
  /** Number of the drawing, so that every epoch can draw anew. */
  step?: number;
}

/** Some samples, every sequence among them once. */
export interface SequenceBatch {
  /** Rows of {@link SequenceCache.table} that occur, ascending. */
  readonly unique: Uint32Array;
  /** Tokens of those rows, cut to the longest of them. */
  readonly tokens: Uint8Array;
  /** Tokens a row. */
  readonly width: number;
  /** ASVs of the sample that has most: the width of the three arrays below. */
  readonly slots: number;
  /** Sample by sample: where in `unique` each ASV stands; 0 in empty slots. */
  readonly sequence: Int32Array;
  /** Counts; 0 in empty slots. */
  readonly counts: Float32Array;
  /** 1 where a slot holds an ASV. */
  readonly mask: Uint8Array;
}

/** Tokenises each different sequence of a table once. Errors as {@link sequencesOf} and {@link tokenize}. */
export function sequenceCache(
  table: FeatureTable,
  known?: Sequences,
  options: TokenizeOptions = {},
): SequenceCache {
  const sequences = sequencesOf(table, known);
  const rows = new Map<string, number>();
  const rowOf = Uint32Array.from(sequences, (sequence) => {
    const row = rows.get(sequence) ?? rows.size;
    rows.set(sequence, row);
    return row;
  });
  const different = [...rows.keys()];
  const lengths = [...new Set(different.map((s) => s.length))].sort((a, b) => a - b);
  const order = new Uint32Array(different.length);
  Array.from(different, (_, row) => row)
    .sort((a, b) => (different[a]! < different[b]! ? -1 : 1))
    .forEach((row, at) => {
      order[row] = at;
    });
  return { table: tokenize(different, options), rowOf, order, sequenceLengths: lengths };
}

/**
 * Lays out some samples (places in the table) for a model: every sequence once, padded to the longest that occurs, and
 * each sample's ASVs padded to the sample with most. Features without counts do not occur. `EMPTY_SAMPLE` for a sample
 * without any.
 */
export function sequenceBatch(
  table: FeatureTable,
  cache: SequenceCache,
  samples: ArrayLike<number>,
  options: SequenceBatchOptions = {},
): SequenceBatch {
  checkOptions(options, ["tokenLimit", "sampling", "seed", "step"], "sequenceBatch");
  const limit = checkRange("tokenLimit", options.tokenLimit ?? 1024, { min: 1, integer: true });
  const chosen = Array.from(samples, (sample) => entriesOf(table, cache, sample, limit, options));
  const unique = Uint32Array.from(
    new Set(chosen.flatMap((c) => c.map((e) => cache.rowOf[table.indices[e]!]!))),
  ).sort();
  const place = new Map(Array.from(unique, (row, at) => [row, at]));
  const slots = chosen.reduce((most, c) => Math.max(most, c.length), 0);
  const [sequence, counts, mask] = [
    new Int32Array(chosen.length * slots),
    new Float32Array(chosen.length * slots),
    new Uint8Array(chosen.length * slots),
  ];
  chosen.forEach((entries, s) => {
    entries.forEach((e, slot) => {
      const at = s * slots + slot;
      sequence[at] = place.get(cache.rowOf[table.indices[e]!]!)!;
      counts[at] = table.values[e]!;
      mask[at] = 1;
    });
  });
  return { unique, ...tokenRows(cache.table, unique), slots, sequence, counts, mask };
}

/** Rows of a token table, cut to the longest of them. */
function tokenRows(table: TokenTable, rows: Uint32Array): { tokens: Uint8Array; width: number } {
  const width = rows.reduce((most, row) => Math.max(most, table.lengths[row]!), 0);
  const tokens = new Uint8Array(rows.length * width);
  rows.forEach((row, at) => {
    tokens.set(table.tokens.subarray(row * table.width, row * table.width + width), at * width);
  });
  return { tokens, width };
}

/** The entries of a sample that a batch takes, in the table's order. */
function entriesOf(
  table: FeatureTable,
  { rowOf, order }: SequenceCache,
  sample: number,
  limit: number,
  options: SequenceBatchOptions,
): number[] {
  const entries: number[] = [];
  for (let e = table.indptr[sample]!; e < table.indptr[sample + 1]!; e++)
    if (table.values[e]! > 0) entries.push(e);
  if (entries.length === 0) {
    const id = table.sampleIds[sample];
    throw seqError("EMPTY_SAMPLE", `sample ${id} has no counts`, { samples: [id] });
  }
  if (entries.length <= limit) return entries;
  const { sampling = "abundance", seed = 0, step = 0 } = options;
  if (sampling === "first") return entries.slice(0, limit);
  // By sequence: neither ties nor draws may depend on the order of the table's features.
  const placeOf = (entry: number): number => order[rowOf[table.indices[entry]!]!]!;
  entries.sort((a, b) => placeOf(a) - placeOf(b) || table.values[b]! - table.values[a]! || a - b);
  if (sampling === "random") {
    new Random(seed, step * table.sampleIds.length + sample).shuffle(entries);
  } else entries.sort((a, b) => table.values[b]! - table.values[a]!);
  return entries.slice(0, limit).sort((a, b) => a - b);
}
