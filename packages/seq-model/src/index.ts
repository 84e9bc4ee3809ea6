export { aamPath, aamWeights, type WeightArray } from "./aam-weights.ts";
export {
  type AttentionMap,
  type AttentionSvgOptions,
  attentionMap,
  attentionSvg,
  sequenceNames,
} from "./attention-svg.ts";
export { type AugmentOptions, augmentSamples, shuffleAsvs } from "./augment.ts";
export {
  type BaselineModel,
  type BaselineOptions,
  type BaselineReport,
  type BaselineResult,
  baseline,
} from "./baseline.ts";
export {
  type BatchTargetOptions,
  type BatchTargets,
  batchTargets,
  ENCODER_TARGETS,
  type EncoderTarget,
  fileTargets,
} from "./batch-targets.ts";
export {
  type CategoryCodes,
  type CategoryColumn,
  encodeCategories,
  fitCategories,
} from "./categories.ts";
export { auroc, type ClassCounts, type ClassDetail, ClassMetrics, classAurocs } from "./class-metrics.ts";
export {
  type Conformal,
  conformalIntervals,
  coverageOf,
  type Intervals,
  quantileConformal,
  splitConformal,
} from "./conformal.ts";
export {
  DISTANCE_FORMATS,
  type DistanceFormat,
  type ReadDistancesOptions,
  readDistances,
  type WriteDistancesOptions,
  writeDistances,
} from "./distance-files.ts";
export { DistanceMatrix, type DistanceRows } from "./distance-matrix.ts";
export {
  DIVERSITIES,
  type Diversity,
  type DiversityValues,
  faithPd,
  observedFeatures,
  shannon,
} from "./diversity.ts";
export { type EncoderType, encoderTypes, registerEncoderType } from "./encoder-types.ts";
export {
  type ErrorAnalysis,
  type ErrorAnalysisOptions,
  type ErrorCorrelation,
  errorAnalysis,
  type SampleError,
} from "./error-analysis.ts";
export { type ErrorSvgOptions, errorSvg } from "./error-svg.ts";
export type { SeqErrorCode } from "./errors.ts";
export {
  EXPLAIN_METHODS,
  type ExplainMethod,
  type ExplainOptions,
  explain,
  type FeatureImportance,
} from "./explain.ts";
export { FeatureTable, type FeatureTableParts, type TableSelection } from "./feature-table.ts";
export type { CountRange } from "./feeds.ts";
export { type CategoricalInput, type FineTuneOptions, fineTune } from "./fine-tune.ts";
export type { Fingerprint } from "./fingerprint.ts";
export { type ImportanceSvgOptions, importanceTreeSvg } from "./importance-svg.ts";
export { type Inspection, type InspectWith, inspectTable } from "./inspect.ts";
export { type Joined, type JoinMetadataOptions, joinMetadata } from "./join-metadata.ts";
export type { MaskOptions } from "./letter-masks.ts";
export {
  type MetricNumbers,
  TABLE_METRICS,
  type TableMetric,
  TREE_METRICS,
  type TreeMetric,
} from "./metrics.ts";
export { AAM_CONFIG, type ModelOptions, modelConfig } from "./model-config.ts";
export type { ModelFacts, TargetFacts } from "./model-file.ts";
export type {
  CountEmbedding,
  KinTargets,
  ModelConfig,
  Predictions,
  Predictor,
  SampleBatch,
  StackLayers,
} from "./model-interfaces.ts";
export type { TargetLossConfig, TargetLossKind } from "./model-losses.ts";
export type { WeightMap } from "./model-weights.ts";
export type { LossWeights } from "./network.ts";
export { type Pcoa, type PcoaOptions, pcoa } from "./pcoa.ts";
export { type PcoaSvgOptions, pcoaSvg } from "./pcoa-svg.ts";
export { type Permanova, type PermanovaOptions, permanova } from "./permanova.ts";
export { planUnifrac, type UnifracPlan, type UnifracSize } from "./plan.ts";
export { type PassStatistics, predictInPasses } from "./prediction-passes.ts";
export { type PretrainOptions, pretrain, type RunFolder, type TrainedModel } from "./pretrain.ts";
export { pinball, sortedQuantiles, uncrossed } from "./quantiles.ts";
export { openQza, type Qza } from "./qza.ts";
export { type Rarefied, type RarefyOptions, rarefy } from "./rarefy.ts";
export { type BiomFile, type BiomStreamOptions, openBiom, readBiom } from "./read-biom.ts";
export { readFasta, type Sequences, sequencesOf } from "./read-fasta.ts";
export {
  type CategoricalColumn,
  type Metadata,
  type MetadataColumn,
  metadataOf,
  type NumericColumn,
  readMetadata,
} from "./read-metadata.ts";
export { parseTree, type ReadNewickOptions, readNewick, Tree } from "./read-newick.ts";
export { type ClassScores, classScores, type RegressionScores, regressionScores } from "./scores.ts";
export {
  type SearchOptions,
  type SearchResult,
  search,
  type TrialFunction,
  type TrialRun,
  type TrialScore,
} from "./search.ts";
export type { SearchRange, SearchSpace, TrialValues } from "./search-space.ts";
export { type LoadOptions, type PredictTableOptions, SeqModel, type TablePredictions } from "./seq-model.ts";
export {
  type SequenceBatch,
  type SequenceBatchOptions,
  type SequenceCache,
  sequenceBatch,
  sequenceCache,
} from "./sequence-batches.ts";
export {
  type LengthFindings,
  type LengthGroup,
  type LengthProfile,
  lengthFindings,
  lengthProfile,
} from "./sequence-lengths.ts";
export { limitSplit, readSplit, type Split, type SplitOptions, splitSamples } from "./split.ts";
export {
  RegressionMetrics,
  type RegressionSums,
  Reservoir,
  type StreamedScores,
} from "./streaming-metrics.ts";
export {
  mergeStripes,
  readStripes,
  type StripeOptions,
  type StripePart,
  stripeCount,
  unifracStripes,
  writeStripes,
} from "./stripes.ts";
export {
  applyTargetTransform,
  type FitTransformOptions,
  fitTargetTransform,
  invertTargetTransform,
  type ShiftScale,
  TARGET_TRANSFORMS,
  type TargetTransform,
  type TargetTransformKind,
  type UseTransformOptions,
} from "./target-transform.ts";
export { classTarget, numericTarget, type Target } from "./targets.ts";
export { TOKENS, type TokenizeOptions, type TokenTable, tokenize, type UnknownRule } from "./tokens.ts";
export type { EpochReport, TrainingResult } from "./training.ts";
export type { Variation } from "./training-data.ts";
export { type BatchPlan, planBatch, type StepSize, stepBytes } from "./training-memory.ts";
export {
  type BestMetric,
  type Freeze,
  type RateSchedule,
  type TrainingConfig,
  type TrainingOptions,
  trainingConfig,
} from "./training-options.ts";
export {
  type DistanceOptions,
  distances,
  type Phylogeny,
  phylogeny,
  type SamplePairs,
  type TableDistanceOptions,
  type TreeOptions,
  type UnifracOptions,
  unifrac,
} from "./unifrac.ts";
export type { Validation } from "./validation.ts";
