import { createHash } from "node:crypto";
import { type ByteSource, type RunOptions, readLineBlocks, sourceName } from "@x/core/base";
import { duplicates, listIds, seqError, seqFileError } from "./errors.ts";
import type { FeatureTable } from "./feature-table.ts";
import { openQza, qzaFile } from "./qza.ts";
import { sniffFile } from "./sniff.ts";

/** Sequences by name, in the order of the file. */
export interface Sequences {
  /** Names: the first word after `>`. */
  readonly ids: readonly string[];
  /** Upper-case letters A C G T and IUPAC codes; U reads as T. */
  readonly sequences: readonly string[];
  /** For messages. */
  readonly path: string;
}

/** Letters of the IUPAC alphabet that stand for one or several of A C G T. */
const LETTERS = /^[ACGTRYSWKMBDHVN]*$/;

/**
 * Reads FASTA (also gzipped) or a `.qza` with it. Lower case becomes upper case, U becomes T; letters outside the IUPAC
 * alphabet are refused with line and column (`FASTA_CHAR`), gaps too: aligned sequences are not what a sequencer read.
 * Further `FASTA_FORMAT`, `DUP_FEATURE`.
 */
export async function readFasta(
  source: ByteSource,
  options: Pick<RunOptions, "signal"> = {},
): Promise<Sequences> {
  const path = sourceName(source);
  const zipped = typeof source === "string" && source !== "-" && (await sniffFile(source)) === "zip";
  const text = zipped ? qzaFile(await openQza(source), ".fasta", "FeatureData[Sequence]") : source;
  const [ids, sequences]: [string[], string[]] = [[], []];
  let parts: string[] = [];
  let started = 0;
  const finish = (): void => {
    if (ids.length === 0) return;
    const sequence = parts.join("");
    const id = ids.at(-1)!;
    if (sequence === "") throw seqFileError("FASTA_FORMAT", path, `${id} has no sequence`, { line: started });
    sequences.push(sequence);
    parts = [];
  };
  const blocks = readLineBlocks(text, {
    name: path,
    blank: "skip",
    maxField: 2 ** 28,
    signal: options.signal,
  });
  for await (const { first, lines } of blocks) {
    for (const [k, line] of lines.entries()) {
      const number = first + k;
      if (!line.startsWith(">")) {
        if (ids.length === 0) {
          const message = "the first line of FASTA begins with > and the name of a sequence";
          throw seqFileError("FASTA_FORMAT", path, message, { line: number });
        }
        parts.push(letters(line, path, number));
        continue;
      }
      finish();
      const id = /^>\s*(\S+)/.exec(line)?.[1];
      if (!id) throw seqFileError("FASTA_FORMAT", path, "a sequence has no name", { line: number });
      ids.push(id);
      started = number;
    }
  }
  finish();
  if (ids.length === 0) throw seqFileError("FASTA_FORMAT", path, "there is no sequence in it");
  const twice = duplicates(ids);
  if (twice.length > 0) {
    throw seqFileError("DUP_FEATURE", path, `${twice.length} names stand more than once: ${listIds(twice)}`, {
      features: twice,
    });
  }
  return { ids, sequences, path };
}

/** Tidies the letters of a line, or names the first that is none. */
function letters(line: string, path: string, number: number): string {
  const text = line.trimEnd().toUpperCase().replaceAll("U", "T");
  if (LETTERS.test(text)) return text;
  const at = [...text].findIndex((letter) => !LETTERS.test(letter));
  const letter = JSON.stringify(text[at]);
  const why = /[-.]/.test(text[at]!) ? "a gap: take the sequences before alignment" : "no IUPAC nucleotide";
  throw seqFileError("FASTA_CHAR", path, `${letter} is ${why}`, { line: number, column: at + 1 });
}

/**
 * The sequence of every feature of a table, in the table's order: looked up by name, by the md5 sum that QIIME 2 names
 * them by, or the name itself where it is a sequence (of either case, U reads as T). `SEQUENCE_MISSING` lists the features without one.
 */
export function sequencesOf(table: FeatureTable, known?: Sequences): string[] {
  const byName = new Map(known?.ids.map((id, at) => [id, known.sequences[at]!]));
  const md5 = (sequence: string): string => createHash("md5").update(sequence).digest("hex");
  const hashed = table.featureIds.some((id) => /^[0-9a-f]{32}$/.test(id) && !byName.has(id));
  if (hashed) for (const sequence of known?.sequences ?? []) byName.set(md5(sequence), sequence);
  const own = (id: string): string | undefined => {
    const sequence = id.toUpperCase().replaceAll("U", "T");
    return id.length >= 20 && LETTERS.test(sequence) ? sequence : undefined;
  };
  const found = table.featureIds.map((id) => byName.get(id) ?? own(id));
  const missing = table.featureIds.filter((_, f) => found[f] === undefined);
  if (missing.length === 0) return found as string[];
  const where = known ? `${known.path} has no sequence of` : "no sequences are given for";
  const message = `${where} ${missing.length} of ${found.length} features: ${listIds(missing)}`;
  throw seqError("SEQUENCE_MISSING", message, { features: missing });
}
