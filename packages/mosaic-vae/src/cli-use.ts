import { tableFromColumns, writeIpcFile } from "@x/core";
import { atomicWriter, type CliCommand, type CliContext, xError } from "@x/core/base";
import { DATA_OPTION, DEVICE_OPTION, MODEL_OPTION, openCells, shared } from "./cli-data.ts";
import type { MosaicDataset } from "./dataset.ts";
import type { Embedding } from "./embed.ts";
import { MosaicVAE } from "./mosaic-vae.ts";
import { writeH5ad } from "./write-h5ad.ts";

const DATA = { ...DATA_OPTION, required: true };
const OUT = { name: "out", type: "string", value: "FILE", required: true, file: { role: "output" } } as const;

/** `mosaic-vae embed`. */
export const embedCommand: CliCommand = {
  name: "embed",
  summary: "positions of cells in the space of a model",
  options: [
    MODEL_OPTION,
    DATA,
    { ...OUT, help: "z.arrow, z.tsv or z.h5ad (obsm/X_mosaicvae)" },
    { name: "modalities", type: "list", value: "NAMES", help: "use these only, e.g. rna" },
    DEVICE_OPTION,
  ],
  examples: ["mosaic-vae embed --model run/ --data cells.h5ad --out z.tsv --modalities rna"],
  run: (context) =>
    withModel(context, async (model, dataset) => {
      const { modalities } = context.options;
      const names = Array.isArray(modalities) && modalities.length > 0 ? { modalities } : {};
      const embedding = await model.embed(dataset, { ...names, ...shared(context) });
      return save(context, dataset, embedding);
    }),
};

/** `mosaic-vae map`. */
export const mapCommand: CliCommand = {
  name: "map",
  summary: "put new cells, of new batches too, beside those a model was trained on",
  options: [MODEL_OPTION, DATA, { ...OUT, help: "z.arrow, z.tsv or z.h5ad" }, DEVICE_OPTION],
  examples: ["mosaic-vae map --model run/ --data query.h5ad --out z.arrow"],
  run: (context) =>
    withModel(context, async (model, dataset) => {
      const mapped = await model.mapQuery(dataset, shared(context));
      const { overlaps, newBatches } = mapped;
      if (!context.json) {
        for (const o of overlaps)
          context.print(`${o.modality}: ${o.found} of ${o.wanted} features of the model`);
        if (newBatches.length > 0) context.print(`new batches: ${newBatches.join(", ")}`);
      }
      return { ...(await save(context, dataset, mapped)), overlaps, newBatches };
    }),
};

/** `mosaic-vae impute`. */
export const imputeCommand: CliCommand = {
  name: "impute",
  summary: "expected values of a modality for all cells, also for those that lack it",
  random: true,
  options: [
    MODEL_OPTION,
    DATA,
    { ...OUT, help: "an .h5ad file with the values in X" },
    { name: "target", type: "string", value: "NAME", help: "the modality", required: true },
    {
      name: "interval",
      type: "number",
      range: { min: 0, max: 0.999 },
      help: "with bounds that hold with this probability",
    },
    { name: "library", type: "number", range: { min: 1e-6 }, help: "scale all cells to this library" },
    { name: "transform-batch", type: "string", value: "BATCH", help: "as if all cells were of this batch" },
    DEVICE_OPTION,
  ],
  examples: ["mosaic-vae impute --model run/ --data cells.h5ad --target atac --out y.h5ad"],
  run: (context) =>
    withModel(context, async (model, dataset) => {
      const { options, seed } = context;
      const out = String(options.out);
      if (!out.endsWith(".h5ad"))
        throw xError("OPTION_VALUE", `--out ${out}: imputed values are written as .h5ad`, { usage: true });
      const found = await model.impute(dataset, String(options.target), {
        ...(options.interval !== undefined && { interval: Number(options.interval) }),
        ...(options.library !== undefined && { library: Number(options.library) }),
        ...(options["transform-batch"] !== undefined && {
          transformBatch: String(options["transform-batch"]),
        }),
        ...(seed !== undefined && { seed }),
        ...shared(context),
      });
      const columns = found.features.length;
      const bytes = await writeH5ad(out, {
        cellIds: dataset.cellIds,
        obs: dataset.obs,
        varNames: found.features,
        X: { columns, values: found.mean },
        ...(found.lower &&
          found.upper && {
            layers: { lower: { columns, values: found.lower }, upper: { columns, values: found.upper } },
          }),
      });
      if (!context.json) context.print(`${out}: ${dataset.cells} cells × ${columns} features`);
      return { out, cells: dataset.cells, features: columns, bytes };
    }),
};

/** Opens model and data, and closes them. */
export async function withModel<T>(
  context: CliContext,
  work: (model: MosaicVAE, dataset: MosaicDataset) => Promise<T>,
): Promise<T> {
  const { options } = context;
  const device = options.device === undefined ? {} : { device: String(options.device) };
  await using model = await MosaicVAE.load(String(options.model), { ...shared(context), ...device });
  await using dataset = await openCells(context, String(options.data), model.config.data);
  return await work(model, dataset);
}

async function save(
  context: CliContext,
  dataset: MosaicDataset,
  { mean, variance, latent, cells }: Embedding,
): Promise<{ out: string; cells: number; latent: number }> {
  const out = String(context.options.out);
  if (out.endsWith(".h5ad"))
    await writeH5ad(out, {
      cellIds: dataset.cellIds,
      obs: dataset.obs,
      obsm: {
        X_mosaicvae: { columns: latent, values: mean },
        X_mosaicvae_variance: { columns: latent, values: variance },
      },
    });
  else if (out.endsWith(".arrow")) {
    const column = (d: number): Float32Array =>
      Float32Array.from({ length: cells }, (_, i) => mean[i * latent + d]!);
    const columns = Object.fromEntries(Array.from({ length: latent }, (_, d) => [`z${d + 1}`, column(d)]));
    await writeIpcFile(out, tableFromColumns({ cell: dataset.cellIds, ...columns }));
  } else if (/\.(tsv|txt)$/.test(out)) {
    await using writer = atomicWriter(out);
    const names = Array.from({ length: latent }, (_, d) => `z${d + 1}`);
    await writer.write(`cell\t${names.join("\t")}\n`);
    for (let i = 0; i < cells; i++)
      await writer.write(
        `${dataset.cellIds[i]}\t${mean.subarray(i * latent, (i + 1) * latent).join("\t")}\n`,
      );
    await writer.commit();
  } else throw xError("OPTION_VALUE", `--out ${out}: .arrow, .tsv or .h5ad`, { usage: true });
  if (!context.json) context.print(`${out}: ${cells} cells × ${latent} dimensions`);
  return { out, cells, latent };
}
