import { fileError, type XError, xError } from "@x/core/base";

/** Every code an `@x/lmm` call can fail with, apart from those of `@x/core` (files, memory, options) and `@x/plink-io`. */
export type LmmErrorCode =
  | "MATRIX_RELEASED"
  | "PHENO_NAN"
  | "PHENO_INF"
  | "PHENO_RANGE"
  | "PHENO_PARSE"
  | "PHENO_CONSTANT"
  | "PHENO_COLUMN"
  | "SCALE"
  | "NO_ANALYZED_SAMPLES"
  | "COUNT_MISMATCH"
  | "DUP_SAMPLE"
  | "ID_COLUMNS"
  | "COVAR_PARSE"
  | "COVAR_NAN"
  | "COVAR_INF"
  | "COVAR_RANGE"
  | "COVAR_RANK"
  | "COVAR_COLUMN"
  | "DF"
  | "SNP_LIST"
  | "DUP_VARIANT_ID"
  | "NO_VARIANTS_AFTER_FILTER"
  | "BIMBAM_SHAPE"
  | "BIMBAM_PARSE"
  | "BIMBAM_RANGE"
  | "ANNOT_PARSE"
  | "INPUT_CHANGED"
  | "CATEGORY_LEVELS"
  | "EIG_FORMAT"
  | "EIG_N"
  | "EIG_PARSE"
  | "EIG_NAN"
  | "EIG_TRUNCATED"
  | "EIG_ORTHO"
  | "EIG_HASH"
  | "KIN_N"
  | "KIN_SHAPE"
  | "KIN_NAN"
  | "KIN_PARSE"
  | "KIN_TRUNCATED"
  | "KIN_ZERO"
  | "KIN_ASYMMETRIC"
  | "KIN_ID_ORDER"
  | "KIN_FORMAT"
  | "KIN_HASH"
  | "COHORT_MISMATCH"
  | "ASSOC_FORMAT"
  | "SHARD_SET"
  | "SHARD_HASH"
  | "NOT_IMPLEMENTED"
  | "OPTION_RANGE"
  | "OPTION_MISSING"
  | "OPTION_CONFLICT"
  | "UNKNOWN_OPTION"
  | "TYPED_ARRAY_LIMIT"
  | "MEM_PREFLIGHT";

/** An `XError` with one of our codes; `usage` makes a command line end with exit 2 instead of 1. */
export function lmmError(
  code: LmmErrorCode,
  message: string,
  options: { details?: Record<string, unknown>; cause?: unknown; usage?: boolean } = {},
): XError {
  return xError(code, message, options);
}

/** The same for a place in a file; `line` counts from 1. */
export function lmmFileError(
  code: LmmErrorCode,
  path: string,
  message: string,
  details: { line?: number; byte?: number; column?: number } & Record<string, unknown> = {},
): XError {
  return fileError(code, path, message, details);
}
