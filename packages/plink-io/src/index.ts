export type { ArrowPaths, ConvertOptions } from "./convert.ts";
export { convert } from "./convert.ts";
export type { CountOptions } from "./counts.ts";
export { variantCounts } from "./counts.ts";
export type { ReportOptions } from "./frequency.ts";
export { freq } from "./frequency.ts";
export { hardy } from "./hardy.ts";
export type { ChromosomeCount, Inspection, SexCounts } from "./inspect.ts";
export { inspect } from "./inspect.ts";
export { merge } from "./merge.ts";
export type { MissingTables } from "./missing.ts";
export { missing } from "./missing.ts";
export { openPlink } from "./open.ts";
export { writeFreq, writeHardy, writeMissing } from "./plink/write.ts";
export type { SelectionLists, SubsetOptions } from "./subset.ts";
export { selectStudy, subset } from "./subset.ts";
export type {
  CountTypes,
  FreqTypes,
  HardyTypes,
  NameColumn,
  SampleMissingTypes,
  SampleTypes,
  VariantMissingTypes,
  VariantTypes,
} from "./table-types.ts";
export type {
  BimColumns,
  BlockOptions,
  ExpectedFileset,
  FamColumns,
  GenotypeEncoding,
  GenotypeOptions,
  OpenOptions,
  PackedBlock,
  PlinkPaths,
  PlinkStudy,
  PlinkWarning,
  RunningOptions,
  SelectOptions,
} from "./types.ts";
export type { GenotypeBlock, PlinkData, WriteOptions, Written } from "./write.ts";
export { writePlink } from "./write.ts";
