import { tableFromColumns, writeIpcFile } from "@x/core";
import {
  atomicWriter,
  type CliCommand,
  type CliContext,
  checkOutputs,
  type OptionSpec,
  option,
  xError,
} from "@x/core/base";
import {
  DATA_OPTION,
  DEVICE_OPTION,
  EMPTY_OPTION,
  emptyAllowed,
  MODEL_OPTION,
  openNewCells,
  PLACE_OPTIONS,
  protectModel,
  shared,
} from "./cli-data.ts";
import type { MosaicDataset } from "./dataset.ts";
import type { Embedding } from "./embed.ts";
import { MosaicVAE } from "./mosaic-vae.ts";
import { writeH5ad } from "./write-h5ad.ts";

const DATA = { ...DATA_OPTION, required: true };
const outOption = (help: string): OptionSpec => option.output("out", help, { required: true });

/** `mosaic-vae embed`. */
export const embedCommand: CliCommand = {
  name: "embed",
  summary: "positions of cells in the space of a model",
  options: [
    MODEL_OPTION,
    DATA,
    outOption("z.arrow, z.tsv or z.h5ad (obsm/X_mosaicvae)"),
    option.list("modalities", "use these only, e.g. rna", { value: "NAMES" }),
    ...PLACE_OPTIONS,
    EMPTY_OPTION,
    DEVICE_OPTION,
  ],
  examples: ["mosaic-vae embed --model run/ --data cells.h5ad --out z.tsv --modalities rna --allow-empty"],
  run: (context) => {
    const write = writerFor(context);
    return withModel(context, async (model, dataset) => {
      const { modalities } = context.options;
      const names = Array.isArray(modalities) && modalities.length > 0 ? { modalities } : {};
      const given = { ...names, ...emptyAllowed(context), ...shared(context) };
      return save(context, write, dataset, await model.embed(dataset, given));
    });
  },
};

/** `mosaic-vae map`. */
export const mapCommand: CliCommand = {
  name: "map",
  summary: "put new cells, of new batches too, beside those a model was trained on",
  options: [
    MODEL_OPTION,
    DATA,
    outOption("z.arrow, z.tsv or z.h5ad"),
    ...PLACE_OPTIONS,
    EMPTY_OPTION,
    DEVICE_OPTION,
  ],
  examples: ["mosaic-vae map --model run/ --data query.h5ad --out z.arrow"],
  run: (context) => {
    const write = writerFor(context);
    return withModel(context, async (model, dataset) => {
      const mapped = await model.mapQuery(dataset, { ...emptyAllowed(context), ...shared(context) });
      const { overlaps, newBatches } = mapped;
      if (!context.json) {
        for (const o of overlaps)
          context.print(`${o.modality}: ${o.found} of ${o.wanted} features of the model`);
        if (newBatches.length > 0) context.print(`new batches: ${newBatches.join(", ")}`);
      }
      return { ...(await save(context, write, dataset, mapped)), overlaps, newBatches };
    });
  },
};

/** `mosaic-vae impute`. */
export const imputeCommand: CliCommand = {
  name: "impute",
  summary: "expected values of a modality for all cells, also for those that lack it",
  random: true,
  options: [
    MODEL_OPTION,
    DATA,
    outOption("an .h5ad file with the values in X"),
    option.text("target", "the modality", { value: "NAME", required: true }),
    option.number("interval", "with bounds that hold with this probability", {
      range: { min: 0, max: 0.999 },
    }),
    option.number("library", "scale all cells to this library", { range: { min: 1e-6 } }),
    option.text("transform-batch", "as if all cells were of this batch", { value: "BATCH" }),
    ...PLACE_OPTIONS,
    EMPTY_OPTION,
    DEVICE_OPTION,
  ],
  examples: ["mosaic-vae impute --model run/ --data cells.h5ad --target atac --out y.h5ad"],
  run: (context) => {
    const { options, seed } = context;
    const out = String(options.out);
    if (!out.endsWith(".h5ad"))
      throw xError("OPTION_VALUE", `--out ${out}: imputed values are written as .h5ad`, { usage: true });
    return withModel(context, async (model, dataset) => {
      const found = await model.impute(dataset, String(options.target), {
        ...(options.interval !== undefined && { interval: Number(options.interval) }),
        ...(options.library !== undefined && { library: Number(options.library) }),
        ...(options["transform-batch"] !== undefined && {
          transformBatch: String(options["transform-batch"]),
        }),
        ...(seed !== undefined && { seed }),
        ...emptyAllowed(context),
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
    });
  },
};

/** Opens model and data, and closes them. */
export async function withModel<T>(
  context: CliContext,
  work: (model: MosaicVAE, dataset: MosaicDataset) => Promise<T>,
): Promise<T> {
  const { options } = context;
  protectModel(String(options.model));
  checkOutputs([options.out, options.html].filter((path) => path !== undefined).map(String));
  const device = options.device === undefined ? {} : { device: String(options.device) };
  await using model = await MosaicVAE.load(String(options.model), { ...shared(context), ...device });
  await using dataset = await openNewCells(context, String(options.data), model.config.data);
  return await work(model, dataset);
}

type EmbeddingWriter = (path: string, dataset: MosaicDataset, embedding: Embedding) => Promise<unknown>;

/** How positions are written, by the ending of the name. */
const WRITERS: Readonly<Record<string, EmbeddingWriter>> = {
  h5ad: (path, { cellIds, obs }, { mean, variance, latent }) =>
    writeH5ad(path, {
      cellIds,
      obs,
      obsm: {
        X_mosaicvae: { columns: latent, values: mean },
        X_mosaicvae_variance: { columns: latent, values: variance },
      },
    }),
  arrow: (path, dataset, { mean, latent, cells }) => {
    const column = (d: number): Float32Array =>
      Float32Array.from({ length: cells }, (_, i) => mean[i * latent + d]!);
    const columns = Object.fromEntries(Array.from({ length: latent }, (_, d) => [`z${d + 1}`, column(d)]));
    return writeIpcFile(path, tableFromColumns({ cell: dataset.cellIds, ...columns }));
  },
  tsv: writeTsv,
  txt: writeTsv,
};

async function writeTsv(
  path: string,
  dataset: MosaicDataset,
  { mean, latent, cells }: Embedding,
): Promise<void> {
  await using writer = atomicWriter(path);
  const names = Array.from({ length: latent }, (_, d) => `z${d + 1}`);
  await writer.write(`cell\t${names.join("\t")}\n`);
  for (let i = 0; i < cells; i++)
    await writer.write(`${dataset.cellIds[i]}\t${mean.subarray(i * latent, (i + 1) * latent).join("\t")}\n`);
  await writer.commit();
}

/** Refuses another ending before anything is computed. */
function writerFor({ options }: CliContext): EmbeddingWriter {
  const out = String(options.out);
  const write = WRITERS[/\.(h5ad|arrow|tsv|txt)$/.exec(out)?.[1] ?? ""];
  if (write) return write;
  throw xError("OPTION_VALUE", `--out ${out}: .arrow, .tsv or .h5ad`, { usage: true });
}

async function save(
  context: CliContext,
  write: EmbeddingWriter,
  dataset: MosaicDataset,
  embedding: Embedding,
): Promise<{ out: string; cells: number; latent: number }> {
  const out = String(context.options.out);
  const { cells, latent } = embedding;
  await write(out, dataset, embedding);
  if (!context.json) context.print(`${out}: ${cells} cells × ${latent} dimensions`);
  return { out, cells, latent };
}
