import { schemaError } from "./dataframe.ts";
import { assembleDataset, kindOf, type MosaicDataset } from "./dataset.ts";
import { mosaicFileError } from "./errors.ts";
import { openHdf5 } from "./hdf5/open.ts";
import { openSparse } from "./matrix.ts";
import { asTexts, toFloat64 } from "./numbers.ts";
import { FEATURE_TYPES } from "./places.ts";
import { makeUnique, placedModality, type ReadOptions } from "./read-anndata.ts";
import type { ArrayNode, GroupNode, Tree } from "./tree.ts";

/** Options of `read10xH5`. */
export interface Read10xOptions extends ReadOptions {
  /** What features are called by: their names (`CD3E`, repeated ones get `-1`) or their ids (`ENSG…`). Names by default. */
  featureNames?: "name" | "id";
  /** Which genome of a file of version 2 that holds several. */
  genome?: string;
}

/**
 * Opens a 10x Genomics `.h5` of version 3 (Cell Ranger 3 and later) or 2. Gene Expression becomes `rna`, Peaks `atac`,
 * Antibody Capture `adt`; other types are left out with a warning. All cells have all of them. Errors: `H5AD_SCHEMA`
 * (another layout), `CSR_INDPTR`, `CSR_INDEX` (on read), `DUP_SAMPLE`, and those of damaged HDF5.
 */
export async function read10xH5(path: string, options: Read10xOptions = {}): Promise<MosaicDataset> {
  const tree = await openHdf5(path);
  try {
    const group = await findGroup(tree, options.genome);
    const texts = async (...names: string[]): Promise<string[] | undefined> => {
      for (const name of names) {
        const node = await group.get(name);
        if (node?.type === "array") return asTexts(await (node as ArrayNode).read());
      }
      return undefined;
    };
    const shapeNode = await group.get("shape");
    const shape = shapeNode?.type === "array" ? toFloat64(await shapeNode.read(), "shape") : [];
    const warn = options.warn ?? (() => {});
    if (shape.length !== 2) throw schemaError(tree, `${group.path} has no shape: it is no 10x matrix`);
    /** Small files are passed around without their names. */
    const numbered = (what: string, count: number): string[] => {
      const message = `${path}: there are no names of ${what}s; they are called ${what}_1 to ${what}_${count}`;
      warn({ code: "FEATURE_NAMES", message, details: { what } });
      return Array.from({ length: count }, (_, i) => `${what}_${i + 1}`);
    };
    const barcodes = (await texts("barcodes")) ?? numbered("cell", shape[1]!);
    const ids = (await texts("features/id", "genes")) ?? numbered("gene", shape[0]!);
    const names = options.featureNames === "id" ? ids : ((await texts("features/name", "gene_names")) ?? ids);
    // Features × cells by columns are cells × features by rows.
    const matrix = await openSparse(tree, group, "csr", [shape[1]!, shape[0]!], options.memoryLimit);
    if (barcodes.length !== matrix.rows || names.length !== matrix.columns)
      throw mosaicFileError(
        "DATASET_SHAPE",
        path,
        `${barcodes.length} barcodes and ${names.length} features for a matrix of ${matrix.rows} × ${matrix.columns}`,
      );
    const types = (await texts("features/feature_type")) ?? names.map(() => "Gene Expression");
    const modalities = [];
    for (const type of new Set(types)) {
      const kind = Object.hasOwn(FEATURE_TYPES, type) ? FEATURE_TYPES[type] : undefined;
      const columns = types.flatMap((t, i) => (t === type ? [i] : []));
      if (kind === undefined) {
        const message = `${path}: ${columns.length} features of type ${type} were left out`;
        warn({ code: "MODALITY_UNKNOWN", message, details: { type } });
        continue;
      }
      const features = makeUnique(
        columns.map((j) => names[j]!),
        `${path}: ${kind}`,
        warn,
      );
      modalities.push({ kind, columns: Int32Array.from(columns), features });
    }
    return assembleDataset({
      cellIds: barcodes,
      obs: undefined,
      modalities: modalities.map(({ kind, columns, features }) =>
        placedModality(
          {
            name: kind,
            kind: kindOf(kind),
            matrix,
            features,
            available: new Uint8Array(matrix.rows).fill(1),
          },
          columns.length === matrix.columns ? undefined : columns,
        ),
      ),
      batchKey: options.batchKey,
      allowEmpty: options.allowEmpty ?? false,
      path,
      close: () => tree[Symbol.asyncDispose](),
    });
  } catch (e) {
    await tree[Symbol.asyncDispose]();
    throw e;
  }
}

/** `matrix` in version 3, a genome in version 2. */
async function findGroup(tree: Tree, genome: string | undefined): Promise<GroupNode> {
  const matrix = await tree.root.get("matrix");
  if (matrix?.type === "group") return matrix;
  const genomes: GroupNode[] = [];
  for (const name of await tree.root.children()) {
    const node = await tree.root.get(name);
    if (node?.type === "group" && (await node.get("indptr")) && (genome === undefined || name === genome))
      genomes.push(node);
  }
  if (genomes.length === 1) return genomes[0]!;
  const names = genomes.map((g) => g.path.slice(1)).join(", ");
  if (genomes.length > 1) throw schemaError(tree, `it holds several genomes (${names}): say which`);
  throw schemaError(tree, "this is HDF5 but no 10x matrix: it has neither matrix nor a genome with barcodes");
}
