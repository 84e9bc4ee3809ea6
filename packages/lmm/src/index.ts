export { type AssociateOptions, type AssociationRun, associate } from "./associate.ts";
export { associateLoco, type LocoChromosome, type LocoOptions, type LocoRun } from "./associate-loco.ts";
export { associateTraits, type TraitsRun } from "./associate-traits.ts";
export type { AssociationTypes } from "./association-arrow.ts";
export type { AssociationColumns, AssociationTest } from "./association-columns.ts";
export type { AssociationWork } from "./association-pass.ts";
export {
  type BimbamOptions,
  type DosageBlock,
  type DosageReadOptions,
  type DosageStudy,
  openBimbam,
} from "./bimbam.ts";
export type { Category, CategoryLevel } from "./categories.ts";
export type { Cohort, Dropped, DropReason } from "./cohort.ts";
export type { CovariateInflation } from "./collinearity.ts";
export {
  ASSOC_TOLERANCES,
  type ColumnComparison,
  type Comparison,
  compareAssoc,
  compareKinship,
  type Tolerance,
  type WorstRow,
} from "./compare.ts";
export { type Diagnostics, type KinshipCondition, kinshipCondition } from "./diagnostics.ts";
export { DualEigen, type DualEigenFacts } from "./dual-eigen.ts";
export {
  DualKinship,
  type DualKinshipFacts,
  type DualKinshipOptions,
  dualKinship,
} from "./dual-kinship.ts";
export { type Decomposition, type EigenOptions, eigen } from "./eigen.ts";
export { type EigenLoadOptions, type EigenSource, type GemmaEigenFiles, loadEigen } from "./eigen-load.ts";
export { Eigen, type EigenFacts, type EigenSaveOptions, type NegativeEigenvalues } from "./eigen-matrix.ts";
export type { LmmErrorCode } from "./errors.ts";
export type { FilterCounts, FilterOptions } from "./filter.ts";
export type { GemmaMode } from "./gemma/modes.ts";
export { gwas } from "./gwas.ts";
export type { GwasOptions, GwasResult } from "./gwas-options.ts";
export { type JoinOptions, joinSamples } from "./join-samples.ts";
export { type JoinTraitsOptions, joinTraits, type TraitCohort, type TraitGroup } from "./join-traits.ts";
export type { Shard } from "./journal/shard.ts";
export { type KinshipMode, type KinshipOptions, kinship } from "./kinship.ts";
export {
  Kinship,
  type KinshipChoice,
  type KinshipFacts,
  type KinshipLoadOptions,
  type KinshipSaveOptions,
} from "./kinship-matrix.ts";
export { kinshipTwins, type TwinFacts, type TwinPair } from "./kinship-twins.ts";
export { kinshipWithout } from "./loco.ts";
export { type MergeOptions, mergeShards } from "./merge.ts";
export {
  type AssociateMultivariateOptions,
  associateMultivariate,
  type MultivariateRun,
} from "./multivariate.ts";
export {
  type JoinMultivariateOptions,
  joinMultivariate,
  type MultivariateCohort,
} from "./multivariate-cohort.ts";
export type { MultivariateColumns, MultivariateTest } from "./multivariate-columns.ts";
export type {
  MultivariateEstimate,
  MultivariateNullModel,
  MultivariateSearchOptions,
} from "./multivariate-null.ts";
export { type LambdaOptions, type Likelihoods, type NullModel, nullModel } from "./null-model.ts";
export type { EigenRoute } from "./obtain-eigen.ts";
export { type Pca, type PcaOptions, pca, withComponents } from "./pca.ts";
export {
  estimateMemory,
  type GwasPlan,
  planGwas,
  type Route,
  type RouteChoice,
  type RoutePlan,
  type StagePlan,
  type StudySize,
} from "./plan.ts";
export { planStudy } from "./plan-study.ts";
export { type QqPoints, qqTable } from "./qq-table.ts";
export { type ManhattanData, type ManhattanOptions, manhattanSvg } from "./report/manhattan.ts";
export { genomicInflation, type QqOptions, qqSvg } from "./report/qq.ts";
export type { JoinOn, SampleSource } from "./sample-table.ts";
export {
  type FailedVariant,
  type ProblemCounts,
  VARIANT_PROBLEMS,
  type VariantProblem,
} from "./variant-problems.ts";
export { type WriteGemmaAssocOptions, writeGemmaAssoc } from "./write-gemma-assoc.ts";
export { writeGemmaMultivariate } from "./write-gemma-multi.ts";
