/** Mosaic multi-omics: cells that lack any modality, read, modelled, embedded and imputed. */

export { type Aligned, type AlignOptions, alignTo, type Overlap } from "./align.ts";
export {
  type BatchesOptions,
  type BatchModality,
  type BatchSource,
  batches,
  type MosaicBatch,
} from "./batches.ts";
export type {
  DataConfig,
  FusionKind,
  GroupKind,
  HeadConfig,
  HeadsConfig,
  InputTransform,
  LossConfig,
  ModalityConfig,
  ModelConfig,
  MosaicConfig,
  TrainConfig,
} from "./config.ts";
export { readConfig } from "./config-file.ts";
export { type ModalitySummary, type PassOptions, requireCounts, summarize } from "./counts.ts";
export { type CsrBlock, csrToDense, denseToCsr, gatherRows, rowSums } from "./csr.ts";
export {
  type Modality,
  type ModalityData,
  type ModalityKind,
  type MosaicData,
  type MosaicDataset,
  mosaicDataset,
  type RegisteredModality,
  type Registry,
  type RowsOptions,
} from "./dataset.ts";
export type { DecodeAllOptions, DecodeOptions, Decoding, DecodingAll } from "./decode.ts";
export type { DifferentialOptions } from "./differential.ts";
export type { Elbo, ElboOptions, NegLogLikelihood } from "./elbo.ts";
export type { CellGaussians, Embedding, EmbedOptions } from "./embed.ts";
export type { MosaicErrorCode } from "./errors.ts";
export type { EvaluateOptions, EvaluationReport, ImputationScore } from "./evaluate.ts";
export type { ExportOptions } from "./export-onnx.ts";
export {
  type FeatureSums,
  featureSums,
  type HighlyVariableOptions,
  highlyVariable,
  inverseDocumentFrequency,
  mostFound,
  selectFeatures,
} from "./features.ts";
export type { Imputed, ImputeOptions } from "./impute.ts";
export {
  type BodySpec,
  DECODERS,
  type Decoder,
  ENCODERS,
  type Encoder,
  type Specs,
  type Weights,
} from "./layers.ts";
export { layout } from "./layout.ts";
export { type LeidenOptions, leiden } from "./leiden.ts";
export {
  type Decoded,
  type FirstValues,
  type HeadInput,
  type HeadSpec,
  LIKELIHOODS,
  type Likelihood,
} from "./likelihood.ts";
export type { Mapped } from "./map-query.ts";
export { type Mock, type MockTruth, mock } from "./mock.ts";
export {
  MOCK_FILES,
  type MockModality,
  type MockOptions,
  type MockProblem,
  type MockSettings,
} from "./mock-options.ts";
export { type CreateOptions, MosaicVAE } from "./mosaic-vae.ts";
export { type Neighbours, nearest, type Points } from "./neighbours.ts";
export type { Place, Places } from "./places.ts";
export { type FuseOptions, fusePosteriors, type ModalityPosterior, type Posteriors } from "./posteriors.ts";
export { type Preprocessed, type PreprocessReport, type PreprocessSteps, preprocess } from "./preprocess.ts";
export { type Read10xOptions, read10xH5 } from "./read-10x.ts";
export type { ReadOptions } from "./read-anndata.ts";
export { type ArrowModality, type ArrowTable, type ReadArrowOptions, readArrow } from "./read-arrow.ts";
export { type CellsFormat, cellsFormat, readCells } from "./read-cells.ts";
export { readH5ad } from "./read-h5ad.ts";
export { readH5mu } from "./read-h5mu.ts";
export { readZarr } from "./read-zarr.ts";
export { scatterSvg } from "./scatter.ts";
export type { ScheduleSpec, WeightSchedule } from "./schedule.ts";
export { auroc, averagePrecision, pearson } from "./scores-features.ts";
export { type IntegrationScores, integrationScores } from "./scores-integration.ts";
export {
  adjustedRand,
  type LabelScore,
  neighbourLabels,
  normalizedMutualInformation,
  scoreLabels,
  transferLabels,
} from "./scores-labels.ts";
export { type Matching, matching } from "./scores-matching.ts";
export { type Split, type SplitOptions, splitCells } from "./split.ts";
export { lsi, type Svd, type SvdOptions, truncatedSvd } from "./svd.ts";
export type { EpochReport, TrainOptions, TrainReport } from "./train.ts";
export { binarize, clr, log1p, normalizeTotal, tfidf } from "./transform.ts";
export {
  type DenseMatrix,
  type H5ad,
  type MatrixInput,
  type Unstructured,
  type WriteH5adOptions,
  writeH5ad,
} from "./write-h5ad.ts";
export { mockConfig, writeMock } from "./write-mock.ts";
