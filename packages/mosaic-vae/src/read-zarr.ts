import type { MosaicDataset } from "./dataset.ts";
import type { Places } from "./places.ts";
import { type ReadOptions, readAnndata } from "./read-anndata.ts";

/**
 * Opens an anndata zarr store (a folder, zarr version 2 or 3); places and options as for `readH5ad`. Errors:
 * `ZARR_FORMAT` (no store, damaged metadata, an unknown codec) and those of `readH5ad`.
 */
export async function readZarr(
  path: string,
  places?: Places,
  options: ReadOptions = {},
): Promise<MosaicDataset> {
  const { openZarr } = await import("./zarr.ts"); // only who reads zarr loads its codecs
  return readAnndata(openZarr(path), places, options);
}
