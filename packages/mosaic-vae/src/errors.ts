import { fileError, xError } from "@x/core/base";

/** Every code the data half of `@x/mosaic-vae` can fail with, apart from those of `@x/core` (files, memory, options). */
export type MosaicErrorCode =
  | "HDF5_FORMAT"
  | "HDF5_TRUNCATED"
  | "HDF5_EXTERNAL_LINK"
  | "HDF5_FILTER"
  | "HDF5_CHUNK"
  | "HDF5_UNSUPPORTED"
  | "DECOMPRESS_LIMIT"
  | "ZARR_FORMAT"
  | "H5AD_SCHEMA"
  | "CSR_INDPTR"
  | "CSR_INDEX"
  | "COUNTS"
  | "VALUE_TYPE"
  | "DUP_SAMPLE"
  | "DUP_FEATURE"
  | "NO_MODALITY"
  | "MODALITY_UNKNOWN"
  | "DATASET_SHAPE"
  | "ROW_RANGE"
  | "REGISTRY_OVERLAP"
  | "REGISTRY_MISSING"
  | "OBS_COLUMN"
  | "SPLIT"
  | "MOCK"
  | "CONFIG"
  | "LIKELIHOOD"
  | "NOT_FINITE"
  | "MODEL_FORMAT"
  | "RUN_EXISTS"
  | "RUN_MISSING"
  | "PLOT"
  | "LABELS";

/** An `XError` with one of our codes; `usage` makes a command line end with exit 2 instead of 1. */
export const mosaicError: typeof xError<MosaicErrorCode> = xError;

/** The same for a place in a file; lines and columns count from 1, bytes from 0. */
export const mosaicFileError: typeof fileError<MosaicErrorCode> = fileError;
