import { fileError, xError } from "@x/core/base";

/** Every code a call of `@x/gam-warmstart` can fail with, apart from those of `@x/core` (files, tables, memory, options). */
export type GamErrorCode =
  | "FORMULA_SYNTAX"
  | "FORMULA_TERM"
  | "FORMULA_FUNCTION"
  | "FORMULA_ARGUMENT"
  | "FORMULA_RESPONSE"
  | "UNKNOWN_COLUMN"
  | "COLUMN_TYPE"
  | "COLUMN_LENGTH"
  | "ALL_MISSING"
  | "NO_ROWS"
  | "NOT_FINITE"
  | "FACTOR_LEVELS"
  | "FACTOR_UNSEEN"
  | "BASIS_SIZE"
  | "KNOTS"
  | "RESPONSE_RANGE"
  | "RESPONSE_CONSTANT"
  | "WEIGHTS"
  | "OFFSET"
  | "MORE_COEFFICIENTS_THAN_ROWS"
  | "SEPARATION"
  | "NOT_CONVERGED"
  | "FAMILY"
  | "PREDICT_RANGE"
  | "TERM_UNKNOWN"
  | "GROUPS"
  | "COMPARE"
  | "MODEL_FORMAT"
  | "MODEL_VERSION"
  | "MODEL_HASH"
  | "NOT_SUPPORTED"
  | "ARTIFACT_FORMAT"
  | "ARTIFACT_VERSION"
  | "ARTIFACT_HASH"
  | "ARTIFACT_VALUES"
  | "ARTIFACT_TRUNCATED"
  | "ARTIFACT_PATH"
  | "ARTIFACT_LIMIT"
  | "ARTIFACT_CREATED";

/** An `XError` with one of our codes; `usage` makes a command line end with exit 2 instead of 1. */
export const gamError: typeof xError<GamErrorCode> = xError;

/** The same for a place in a file; lines and columns count from 1, bytes from 0. */
export const gamFileError: typeof fileError<GamErrorCode> = fileError;
