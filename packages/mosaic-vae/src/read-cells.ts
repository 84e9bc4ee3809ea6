import { statSync } from "node:fs";
import { fileError } from "@x/core/base";
import type { MosaicDataset } from "./dataset.ts";
import { openHdf5 } from "./hdf5/open.ts";
import type { Places } from "./places.ts";
import { type Read10xOptions, read10xH5 } from "./read-10x.ts";
import { readArrow } from "./read-arrow.ts";
import { readH5ad } from "./read-h5ad.ts";
import { readH5mu } from "./read-h5mu.ts";
import { readZarr } from "./read-zarr.ts";

/** What a file of cells is. */
export type CellsFormat = "h5ad" | "h5mu" | "10x" | "zarr" | "arrow";

/** Tells the format of a file of cells by what is in it, not by its name. Errors of opening HDF5; `ENOENT`. */
export async function cellsFormat(path: string): Promise<CellsFormat> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw fileError("ENOENT", path, "no such file or folder");
  if (stat.isDirectory()) return "zarr";
  if (/\.(arrow|feather|ipc)$/i.test(path)) return "arrow";
  await using tree = await openHdf5(path);
  const names = await tree.root.children();
  if (names.includes("mod")) return "h5mu";
  if (names.includes("obs") || names.includes("var") || names.includes("X")) return "h5ad";
  if (names.includes("matrix")) return "10x";
  for (const name of names) {
    const node = await tree.root.get(name);
    if (node?.type === "group" && (await node.get("indptr"))) return "10x";
  }
  return "h5ad"; // whose reader says what is missing
}

/**
 * Opens a file of cells of any format we read: `.h5ad`, `.h5mu`, 10x `.h5`, a zarr store, or an Arrow file (one
 * modality, named in `places`, `rna` by default). Errors: those of its reader.
 */
export async function readCells(
  path: string,
  places?: Places,
  options: Read10xOptions = {},
): Promise<MosaicDataset> {
  switch (await cellsFormat(path)) {
    case "h5mu":
      return readH5mu(path, places, options);
    case "10x":
      return read10xH5(path, options);
    case "zarr":
      return readZarr(path, places, options);
    case "arrow": {
      const name = Object.keys(places ?? {})[0] ?? "rna";
      return readArrow({ [name]: path }, options);
    }
    default:
      return readH5ad(path, places, options);
  }
}
