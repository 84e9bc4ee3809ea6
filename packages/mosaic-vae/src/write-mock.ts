import { csrToDense } from "./csr.ts";
import type { Mock } from "./mock.ts";
import { MOCK_LATENT } from "./mock.ts";
import type { MockModality } from "./mock-options.ts";
import { type DenseMatrix, type MatrixInput, type WriteH5adOptions, writeH5ad } from "./write-h5ad.ts";

/**
 * Writes a mock data set as `.h5ad`: measured RNA in `X` and `layers/counts`, ATAC and ADT in `obsm/X_atac` and
 * `obsm/X_adt`; the truth in `layers/truth_counts`, `layers/truth_frac`, `obsm/truth_atac`, `obsm/truth_atac_prob`,
 * `obsm/truth_adt`, `obsm/truth_adt_mean` and `obsm/z_true`. Uncompressed unless asked: the same mock gives
 * the same bytes on every machine. Returns the size.
 */
export async function writeMock(path: string, mock: Mock, options: WriteH5adOptions = {}): Promise<number> {
  const { dataset, truth, settings } = mock;
  const obsm: Record<string, MatrixInput> = { z_true: { columns: MOCK_LATENT, values: truth.latent } };
  const uns: Record<string, readonly string[]> = {};
  const dense = (name: MockModality, values: Float32Array): DenseMatrix => ({
    columns: settings.features[name],
    values,
  });
  for (const [name, drawn, expected] of [
    ["atac", "truth_atac", "truth_atac_prob"],
    ["adt", "truth_adt", "truth_adt_mean"],
  ] as const) {
    const modality = dataset.modalities.get(name);
    if (!modality) continue;
    const seen = await modality.rows(0, dataset.cells);
    obsm[`X_${name}`] = name === "adt" ? dense(name, csrToDense(seen)) : seen;
    obsm[drawn] = dense(name, truth.drawn[name]!);
    obsm[expected] = dense(name, truth.expected[name]!);
    uns[`${name}_names`] = modality.features;
  }
  const rna = dataset.modalities.get("rna")!;
  const layers = {
    counts: rna,
    truth_counts: dense("rna", truth.drawn.rna!),
    truth_frac: dense("rna", truth.expected.rna!),
  };
  const { problem, seed, clusters, noise, libraryScale, batchShift, batchScale } = settings;
  const about = {
    problem,
    seed,
    n_clusters: clusters,
    latent_dim: MOCK_LATENT,
    noise,
    library_scale: libraryScale,
    batch_shift: batchShift,
    batch_scale: batchScale,
  };
  const data = {
    cellIds: dataset.cellIds,
    obs: dataset.obs,
    varNames: rna.features,
    X: rna,
    layers,
    obsm,
    uns: { ...uns, mosaic: about },
  };
  return writeH5ad(path, data, { compression: "none", ...options });
}

/** The configuration with which `mosaic-vae train` starts on a mock file, as YAML. `data` is the path it will name. */
export function mockConfig(mock: Mock, data: string): string {
  const { settings } = mock;
  const places: Readonly<Record<MockModality, string>> = {
    rna: "layers/counts",
    atac: "obsm/X_atac",
    adt: "obsm/X_adt",
  };
  return [
    `# ${settings.problem}: ${settings.modalities.join(" + ")}, ${settings.cells} cells, seed ${settings.seed}`,
    "data:",
    `  path: ${JSON.stringify(data)}`,
    "  batchKey: batch",
    "  modalities:",
    ...settings.modalities.map((name) => `    ${name}: ${places[name]}`),
    "model:",
    "  latent: 16",
    "train:",
    "  epochs: 50",
    `  seed: ${settings.seed}`,
    "",
  ].join("\n");
}
