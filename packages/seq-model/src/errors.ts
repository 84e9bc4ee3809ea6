import { type FilePlace, fileError, type XError, xError } from "@x/core/base";

/** Every code a call of `@x/seq-model` can fail with, apart from those of `@x/core` (files, tables, memory, options). */
export type SeqErrorCode =
  | "BIOM_FORMAT"
  | "BIOM_HDF5"
  | "BIOM_INDEX"
  | "BIOM_SHAPE"
  | "BIOM_VALUE"
  | "DUP_FEATURE"
  | "DUP_SAMPLE"
  | "QZA_FORMAT"
  | "QZA_TYPE"
  | "FASTA_FORMAT"
  | "FASTA_CHAR"
  | "FASTA_LENGTH"
  | "TREE_PARSE"
  | "TREE_LENGTH"
  | "TREE_TIP"
  | "TREE_DUP_TIP"
  | "TREE_NEEDED"
  | "EMPTY_SAMPLE"
  | "EMPTY_TABLE"
  | "SAMPLE_UNKNOWN"
  | "FEATURE_UNKNOWN"
  | "SEQUENCE_MISSING"
  | "METADATA_HEADER"
  | "METADATA_TYPE"
  | "METADATA_DUP"
  | "METADATA_COLUMN"
  | "METADATA_MISSING"
  | "CATEGORY_UNSEEN"
  | "TARGET_NUMERIC"
  | "TARGET_MISSING"
  | "TARGET_SAMPLES"
  | "TARGET_TRANSFORM"
  | "TARGET_CLASSES"
  | "SPLIT_EMPTY"
  | "SPLIT_SAMPLES"
  | "SPLIT_WORD"
  | "CONFORMAL"
  | "EXPLAIN_TRUTH"
  | "SEARCH_SPACE"
  | "SEARCH_FOLDER"
  | "SEARCH_FAILED"
  | "RAREFY_COUNTS"
  | "RAREFY_DEPTH"
  | "STRIPES"
  | "GROUPS"
  | "MATRIX_FORMAT"
  | "MATRIX_VALUES"
  | "DISTANCE_NAN"
  | "NOT_FINITE"
  | "MEMORY_BATCH"
  | "RESUME"
  | "MODEL_FORMAT"
  | "MODEL_KEYS"
  | "SAMPLE_WEIGHTS"
  | "CLASS_WEIGHTS"
  | "SPLIT_GROUPS"
  | "GROUP_MISSING"
  | "RUN_EXISTS";

/** An error of this package. */
export function seqError(code: SeqErrorCode, message: string, details: Record<string, unknown> = {}): XError {
  return xError(code, message, { details });
}

/** An error about a file. */
export function seqFileError(code: SeqErrorCode, path: string, message: string, place?: FilePlace): XError {
  return fileError(code, path, message, place);
}

/** The first few ids of many, for a message; the error's details hold all of them. */
export function listIds(ids: readonly string[]): string {
  const shown = ids.slice(0, 5).map((id) => (id.length > 40 ? `${id.slice(0, 37)}…` : id));
  return `${shown.join(", ")}${ids.length > 5 ? ` and ${ids.length - 5} more` : ""}`;
}

/** The ids that stand more than once, each once. */
export function duplicates(ids: readonly string[]): string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const id of ids) {
    if (seen.has(id)) twice.add(id);
    seen.add(id);
  }
  return [...twice];
}
