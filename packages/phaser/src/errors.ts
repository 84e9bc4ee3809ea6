import { fileError, type XError, xError } from "@x/core/base";

/** Every code an `@x/phaser` call can fail with, apart from those of `@x/core` (files, memory, options). */
export type PhaserErrorCode =
  | "BGZF_TRUNCATED"
  | "BGZF_NO_EOF"
  | "BGZF_BLOCK"
  | "BGZF_DATA"
  | "GZIP_DATA"
  | "NOT_BGZF"
  | "INDEX_STALE"
  | "INDEX_FORMAT"
  | "VCF_HEADER"
  | "VCF_COLUMNS"
  | "VCF_GT"
  | "VCF_GT_ALLELE"
  | "VCF_NO_GT"
  | "VCF_PL"
  | "VCF_INFO"
  | "BCF_VERSION"
  | "BCF_LENGTH"
  | "BCF_DICT"
  | "BCF_RECORD"
  | "LINE_TOO_LONG"
  | "PLOIDY"
  | "UNSORTED"
  | "DUP_SAMPLE"
  | "DUP_SITE"
  | "REF_MISMATCH"
  | "TOO_MANY_ALTS"
  | "SUPERSITE_CONFLICT"
  | "REFERENCE_UNPHASED"
  | "REGION"
  | "REGION_REQUIRED"
  | "NO_VARIANTS"
  | "NO_SAMPLES"
  | "SAMPLE_UNKNOWN"
  | "NO_COMMON_SAMPLES"
  | "NO_COMMON_VARIANTS"
  | "LOCI_RELEASED"
  | "LOCI_RANGE"
  | "HAPLOTYPE_SHAPE"
  | "HAPLOTYPE_CODE"
  | "GENOTYPE_SHAPE"
  | "POS_RANGE"
  | "MAP_FORMAT"
  | "MAP_ORDER"
  | "MAP_NAN"
  | "MAP_CHROM"
  | "PEDIGREE"
  | "OUT_FORMAT"
  | "NO_FILES"
  | "SAMPLES_DIFFER"
  | "CHUNK_CHROM"
  | "CHUNK_ORDER"
  | "CHUNK_OVERLAP"
  | "TOO_LARGE"
  | "BAD_SCHEDULE"
  | "BAD_STUDY";

/** An `XError` with one of our codes; `usage` makes a command line end with exit 2 instead of 1. */
export function phaserError(
  code: PhaserErrorCode,
  message: string,
  options: { details?: Record<string, unknown>; cause?: unknown; usage?: boolean } = {},
): XError {
  return xError(code, message, options);
}

/** The same for a place in a file; `line` counts from 1. */
export function phaserFileError(
  code: PhaserErrorCode,
  path: string,
  message: string,
  details: { line?: number } & Record<string, unknown> = {},
): XError {
  return fileError(code, path, message, details);
}
