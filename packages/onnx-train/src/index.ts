/** Neural models written, trained and exported from TypeScript through onnxruntime-node alone. */

export type { Operand } from "./apply.ts";
export { type Batch, shuffledRows } from "./batches.ts";
export type { CheckpointLabels, KeyReport, Misfit, TrainState } from "./checkpoint.ts";
export { type CompileOptions, compile } from "./compile.ts";
export { constant } from "./constants.ts";
export type { DeviceReport, PrecisionReport } from "./device.ts";
export { doctor, type Finding } from "./doctor.ts";
export type { Data, DType } from "./dtype.ts";
export type { OnnxTrainErrorCode } from "./errors.ts";
export { type Exported, type ExportOptions, exportOnnx } from "./export.ts";
export { grad } from "./grad.ts";
export { type Dim, type Precision, scope, type Tensor } from "./graph.ts";
export { inspectOnnx, type OnnxInfo, type OnnxValue } from "./inspect.ts";
export * from "./layers.ts";
export * from "./likelihoods.ts";
export { type LiveLineOptions, liveLine } from "./live-line.ts";
export {
  type HistoryLine,
  type LossCurve,
  type LossReportOptions,
  lossCurves,
  lossReportHtml,
  readHistory,
} from "./loss-report.ts";
export * from "./losses.ts";
export { type ChunkFunction, type Keep, mapChunks } from "./map-chunks.ts";
export type { SparseRows } from "./messages.ts";
export {
  graph,
  type InputSpec,
  type Model,
  type ModelResult,
  type ModelStart,
  type StepContext,
  type TensorsOf,
  type TypedInput,
} from "./model.ts";
export {
  abs,
  add,
  and,
  cast,
  div,
  equal,
  erf,
  exp,
  floor,
  gelu,
  greater,
  greaterOrEqual,
  less,
  lessOrEqual,
  log,
  maximum,
  minimum,
  mul,
  neg,
  not,
  or,
  pow,
  reciprocal,
  relu,
  sigmoid,
  sign,
  softplus,
  sqrt,
  stopGradient,
  sub,
  tanh,
  where,
} from "./ops-elementwise.ts";
export { gather, gatherElements, oneHot, type TopValues, topK } from "./ops-index.ts";
export { matmul } from "./ops-linear.ts";
export { cumSum, layerNorm, logSoftmax, logSumExp, max, mean, softmax, sum, variance } from "./ops-reduce.ts";
export {
  type Around,
  concat,
  expand,
  pad,
  reshape,
  slice,
  split,
  transpose,
  zerosLike,
} from "./ops-shape.ts";
export {
  type AdamWOptions,
  adamW,
  linearRamp,
  type Optimizer,
  type Schedule,
  type SgdOptions,
  sgd,
  warmupCosine,
} from "./optimizer.ts";
export { accumulate, EMA, emaWeights, withEma } from "./optimizer-wrappers.ts";
export {
  type DenseParams,
  denseParams,
  type Init,
  type NormParams,
  normParams,
  type ParamSpec,
  param,
  stackParams,
} from "./params.ts";
export { type Expert, productOfExperts } from "./product-of-experts.ts";
export { readSafetensors, type Safetensors, type Stored, writeSafetensors } from "./safetensors.ts";
export { type ScanLayersOptions, scanLayers } from "./scan-layers.ts";
export {
  cosine,
  cosineRestarts,
  oneCycle,
  Plateau,
  type PlateauOptions,
  type PlateauState,
} from "./schedules.ts";
export * from "./special.ts";
export { tensorBoardTracker } from "./tensorboard.ts";
export { jsonlTracker, type RunTracker, type TrackOptions, track } from "./tracker.ts";
export { type Evaluation, type NumberArray, type Step, Trainer } from "./trainer.ts";
export { flatten, type Tree, unflatten } from "./tree.ts";
