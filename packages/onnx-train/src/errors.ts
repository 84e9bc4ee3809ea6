import { fileError, xError } from "@x/core/base";

/** Every code an `@x/onnx-train` call can fail with, apart from those of `@x/core` (files, options). */
export type OnnxTrainErrorCode =
  | "GRAPH_SHAPE"
  | "GRAPH_DTYPE"
  | "GRAPH_SCOPE"
  | "GRAPH_NAME"
  | "NOT_DIFFERENTIABLE"
  | "ONNX_FORMAT"
  | "ONNX_EXTERNAL_PATH"
  | "RUNTIME_MISSING"
  | "RUNTIME"
  | "DEVICE_UNKNOWN"
  | "DEVICE_UNAVAILABLE"
  | "BATCH_SHAPE"
  | "TRAINER_CLOSED"
  | "TRAINER_BUSY"
  | "CHECKPOINT_FORMAT"
  | "CHECKPOINT_TRUNCATED"
  | "CHECKPOINT_VERSION"
  | "CHECKPOINT_KEYS"
  | "CHECKPOINT_REGISTRY"
  | "EXPORT_MISMATCH";

/** An `XError` with one of our codes; `usage` makes a command line end with exit 2 instead of 1. */
export const trainError: typeof xError<OnnxTrainErrorCode> = xError;

/** The same for a place in a file; lines and columns count from 1, bytes from 0. */
export const trainFileError: typeof fileError<OnnxTrainErrorCode> = fileError;
