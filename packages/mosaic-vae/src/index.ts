/** Mosaic multi-omics: cells that lack any modality, read, modelled, embedded and imputed. */
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
export type { MosaicErrorCode } from "./errors.ts";
