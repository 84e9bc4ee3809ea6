import { fileError, type XError, xError } from "@x/core/base";

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

/** An `XError` with one of our codes. */
export function trainError(
  code: OnnxTrainErrorCode,
  message: string,
  options: { details?: Record<string, unknown>; cause?: unknown; usage?: boolean } = {},
): XError {
  return xError(code, message, options);
}

/** The same for a file. */
export function trainFileError(
  code: OnnxTrainErrorCode,
  path: string,
  message: string,
  details: { byte?: number; [detail: string]: unknown } = {},
): XError {
  return fileError(code, path, message, details);
}
