import type { MosaicDataset } from "./dataset.ts";
import { openHdf5 } from "./hdf5/open.ts";
import type { Places } from "./places.ts";
import { type ReadOptions, readAnndata } from "./read-anndata.ts";

/**
 * Opens an `.h5ad` file of any anndata version; matrices stay in the file and are read by rows. Without `places`,
 * RNA is `layers/counts` or `X` (split by `var/feature_types` where that names several), ATAC and ADT are looked for
 * in `obsm` by their usual names. A cell lacks a modality where `obs/has_<name>` says so; a row of zeros does not.
 * Errors: `H5AD_SCHEMA`, `CSR_INDPTR`, `CSR_INDEX` (on read), `DATASET_SHAPE`, `DUP_SAMPLE`, `NO_MODALITY`,
 * `MODALITY_UNKNOWN`, `OBS_COLUMN`, those of the file system and those of damaged HDF5 (`HDF5_…`,
 * `DECOMPRESS_LIMIT`).
 *
 * ```ts
 * await using cells = await readH5ad("multiome.h5ad", { rna: "X", atac: "obsm/X_atac" }, { batchKey: "batch" });
 * ```
 */
export async function readH5ad(
  path: string,
  places?: Places,
  options: ReadOptions = {},
): Promise<MosaicDataset> {
  return readAnndata(await openHdf5(path), places, options);
}
