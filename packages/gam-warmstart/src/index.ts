export {
  ARTIFACT_SCHEMA,
  type FitArtifact,
  type GlobalFitSummary,
  isFiniteTerm as isFinite,
  isUsable,
  SATURATED_RHO,
  type SerializableBasisMeta,
  type SerializableMatrix,
  sameArtifact,
  type TermArtifact,
} from "./artifact/artifact.ts";
export type { CaptureOptions } from "./artifact/capture.ts";
export { Fingerprint } from "./artifact/fingerprint.ts";
export {
  descriptorKey,
  type FitDescriptor,
  roleOf,
  type TermShape,
  termIdentity,
} from "./artifact/identity.ts";
export { parseArtifact, readArtifact, writeArtifact } from "./artifact/read.ts";
export { fromBlockName, type TermRole } from "./artifact/role.ts";
export { type ArtifactStore, openStore, type StoreEntry, type StoreOptions } from "./artifact/store.ts";
export {
  type Gauge,
  projectBeta,
  RHO_CLAMP,
  type Transfer,
  type TransferDone,
  type TransferOptions,
  type TransferProvenance,
  type TransferRefusal,
  type TransferRefused,
  type TransferResult,
  type TransferTarget,
  transfer,
} from "./artifact/transfer.ts";
export { withRows } from "./attach.ts";
export type { Band, BandOptions } from "./bands.ts";
export { type ComparisonRow, compare, type DevianceTest, type ModelComparison } from "./compare.ts";
export {
  type ColdFold,
  type CrossFit,
  type CrossFitCost,
  type CrossFitOptions,
  crossFit,
  type Fold,
} from "./cross-fit.ts";
export type { Column, DataLike, DataSet, FactorColumn, NumberColumn, PlainColumn } from "./data/columns.ts";
export { type ReadDataOptions, readData } from "./data/read-data.ts";
export type { BasisCheck, Concurvity, ConcurvityRow } from "./diagnose.ts";
export type { Certificate, IterationCounts } from "./engine-types.ts";
export * from "./family.ts";
export { type FitOptions, fit } from "./fit.ts";
export { captureArtifact, GamModel, type ResidualKind, type RowCounts, readModel } from "./model.ts";
export { type EffectOptions, effectSvg } from "./plot/effect.ts";
export { type ResidualOptions, type ResidualPanel, residualSvg } from "./plot/residuals.ts";
export type { PosteriorDraws, PosteriorOptions } from "./posterior.ts";
export type { Prediction, PredictOptions } from "./predict.ts";
export type { Method, ModelOptions } from "./prepare.ts";
export { type ReportOptions, reportHtml } from "./report/html.ts";
export type { FoldScore } from "./score.ts";
export type { FitStart, TermStart } from "./start.ts";
export type { Survival, SurvivalOptions } from "./survival.ts";
export type { CoefficientRow, SmoothRow } from "./tables.ts";
