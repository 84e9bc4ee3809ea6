import { checkOptions, checkRange } from "@x/core/base";
import { seqError } from "./errors.ts";

/** The numbers that stand for letters: 0 fills up, START begins a sequence, MASK hides a letter, N is any other letter. */
export const TOKENS: Readonly<Record<"PAD" | "A" | "C" | "G" | "T" | "START" | "MASK" | "N", number>> =
  Object.freeze({ PAD: 0, A: 1, C: 2, G: 3, T: 4, START: 5, MASK: 6, N: 7 });

/** What becomes of N and the other IUPAC codes that stand for several letters. */
export type UnknownRule = "token" | "error" | "pad";

/** Options of {@link tokenize}. */
export interface TokenizeOptions {
  /** Letters kept of a sequence, 150 by default; the START token comes on top. */
  maxLength?: number;
  /**
   * `token` (the default): a token of their own, so that the place is seen and the letter is not. `error` refuses them
   * (`FASTA_CHAR`). `pad` makes holes as AAM does.
   */
  unknown?: UnknownRule;
}

/** Other spellings of letters. */
const LETTER: Readonly<Record<string, string>> = { a: "A", c: "C", g: "G", t: "T", u: "T", U: "T" };

/** Sequences as rows of tokens of the same width. */
export interface TokenTable {
  /** Row by row. */
  readonly tokens: Uint8Array;
  /** Tokens of a row: START, the letters, then PAD. */
  readonly width: number;
  /** Letters and START of each row. */
  readonly lengths: Uint16Array;
  /** Different tokens there can be: 8, or 7 where no letter has the token N. */
  readonly vocabulary: number;
  /** Letters that are none of A C G T. */
  readonly unknown: number;
  /** Rows whose sequence was longer. */
  readonly cut: number;
}

/**
 * Turns sequences (of either case, U reads as T) into tokens, cut at `maxLength` and filled up with PAD to the longest of them. `FASTA_CHAR` and
 * `FASTA_LENGTH` (an empty sequence) name the row.
 */
export function tokenize(sequences: readonly string[], options: TokenizeOptions = {}): TokenTable {
  checkOptions(options, ["maxLength", "unknown"], "tokenize");
  const { maxLength = 150, unknown: rule = "token" } = options;
  checkRange("maxLength", maxLength, { min: 1, max: 65534, integer: true });
  const longest = sequences.reduce((most, s) => Math.max(most, s.length), 0);
  const width = Math.min(maxLength, longest) + 1;
  const tokens = new Uint8Array(sequences.length * width);
  const lengths = new Uint16Array(sequences.length);
  let [unknown, cut] = [0, 0];
  sequences.forEach((sequence, row) => {
    if (sequence === "") throw seqError("FASTA_LENGTH", `sequence ${row} is empty`, { row });
    const length = Math.min(sequence.length, maxLength);
    const at = row * width;
    tokens[at] = TOKENS.START;
    for (let i = 0; i < length; i++) {
      const letter = " ACGT".indexOf(LETTER[sequence[i]!] ?? sequence[i]!);
      if (letter > 0) {
        tokens[at + 1 + i] = letter;
        continue;
      }
      unknown++;
      if (rule === "error") {
        const message = `sequence ${row} has ${JSON.stringify(sequence[i])} at place ${i + 1}; only A, C, G and T are allowed (unknown: "token" keeps it)`;
        throw seqError("FASTA_CHAR", message, { row, column: i + 1 });
      }
      tokens[at + 1 + i] = rule === "pad" ? TOKENS.PAD : TOKENS.N;
    }
    lengths[row] = length + 1;
    if (sequence.length > maxLength) cut++;
  });
  return { tokens, width, lengths, vocabulary: rule === "token" ? 8 : 7, unknown, cut };
}
