export {
  checkOneAllele,
  type OneAlleleOptions,
  type OneAlleleReport,
  type Violation,
} from "./check-one-allele.ts";
export type { PhaserErrorCode } from "./errors.ts";
export {
  type GeneticMap,
  type GeneticMapOptions,
  type MapLayout,
  readGeneticMap,
  uniformMap,
} from "./genetic-map.ts";
export { type HaplotypeBatchOptions, haplotypeBatches } from "./haplotype-batches.ts";
export { type LigateJoin, type LigateOptions, type LigateReport, ligate } from "./ligate.ts";
export { type Family, readPedigree, readSampleList } from "./lists.ts";
export { type Conflict, type ExcludedPosition, Loci, type LociCounts } from "./loci.ts";
export { type BatchOptions, lociFromBatches } from "./loci-from-batches.ts";
export { type Contig, type LociReadOptions, openVcf, type VcfFile } from "./open-vcf.ts";
export { phase } from "./phase.ts";
export type { BatchTargets, PhaseTargets } from "./phase-inputs.ts";
export type { PhaseOptions, PhaseProgress } from "./phase-options.ts";
export { type PhaseRareOptions, phaseRare } from "./phase-rare.ts";
export type {
  MendelError,
  PedigreeSummary,
  PhaseConflict,
  PhaseIteration,
  PhaseSummary,
  ReferenceSummary,
  ScaffoldSummary,
} from "./phase-summary.ts";
export { type PhaseConfidence, Phased } from "./phased.ts";
export { PhasedRare, type RareCarriers, type RareReason, type RareSummary } from "./phased-rare.ts";
export {
  type Chunk,
  type ChunkPlan,
  type PieceSize,
  type PlanOptions,
  phaseMemory,
  planChunks,
} from "./plan.ts";
export {
  type MacRate,
  type NearRate,
  type SampleRate,
  type SiteRate,
  type SwitchErrorOptions,
  type SwitchErrorReport,
  type SwitchRate,
  switchError,
} from "./switch-error.ts";
export { type FormatField, type VcfWriteOptions, writeBcf, writeVcf } from "./write-vcf.ts";
