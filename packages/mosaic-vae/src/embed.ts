/** Posteriors of cells. */
import { checkOptions, type RunOptions, type Warn } from "@x/core/base";
import { batches } from "./batches.ts";
import type { MosaicDataset } from "./dataset.ts";
import { mosaicError } from "./errors.ts";
import { feedOf } from "./feed.ts";
import type { ModelState } from "./mosaic-vae.ts";

/** Options of `embed`. */
export interface EmbedOptions extends RunOptions {
  /** Modalities that may be used; all by default. */
  modalities?: readonly string[];
  /** Also the posterior of each modality alone. */
  single?: boolean;
  /** Cells a call; 512. */
  batchSize?: number;
  /** Bytes to plan with. */
  memoryLimit?: number;
  /** Embed cells without any of the modalities at the prior; `NO_MODALITY` by default. */
  allowEmpty?: boolean;
  /** Receives warnings. */
  warn?: Warn;
}

/** A Gaussian for each cell, row-major. */
export interface CellGaussians {
  /** cells × latent. */
  readonly mean: Float32Array;
  /** cells × latent. */
  readonly variance: Float32Array;
}

/** Posteriors of cells. */
export interface Embedding extends CellGaussians {
  /** Number of cells. */
  readonly cells: number;
  /** Number of dimensions. */
  readonly latent: number;
  /** Posterior of each modality alone, if asked for; the prior where a cell lacks it. */
  readonly single: Readonly<Record<string, CellGaussians>>;
}

/** What `encode` asks for beside the embedding. */
interface Encoded extends Embedding {
  readonly experts: Readonly<Record<string, CellGaussians>>;
}

/** Names of the options every call has. */
export const RUN_OPTIONS = ["signal", "onProgress", "threads", "seed", "memoryLimit"] as const;

/** `CONFIG` for what is no list of names. */
export function checkList(name: string, value: unknown): void {
  if (value === undefined || (Array.isArray(value) && value.every((v) => typeof v === "string"))) return;
  throw mosaicError("CONFIG", `${name} must be a list of names, got ${JSON.stringify(value)}`, {
    usage: true,
    details: { option: name },
  });
}

/** Embeds all cells in their order, in bounded memory. */
export async function embedCells(
  state: ModelState,
  dataset: MosaicDataset,
  options: EmbedOptions & { experts?: boolean } = {},
): Promise<Encoded> {
  const { plan } = state;
  checkOptions(
    options,
    ["modalities", "single", "batchSize", "allowEmpty", "warn", "experts", ...RUN_OPTIONS],
    "embed",
  );
  checkList("modalities", options.modalities);
  checkNames(state, options.modalities ?? []);
  if (options.modalities && !options.allowEmpty) requireAny(dataset, options.modalities);
  const source = await batches(dataset, {
    registry: state.registry,
    counts: countNames(state),
    batchSize: options.batchSize ?? 512,
    cache: "stream",
    allowEmpty: options.allowEmpty ?? false,
    ...pick(options),
  });
  const make = (): CellGaussians => ({
    mean: new Float32Array(dataset.cells * plan.latent),
    variance: new Float32Array(dataset.cells * plan.latent),
  });
  const all = make();
  const names = options.single ? plan.modalities.map((m) => m.name) : [];
  const single = Object.fromEntries(names.map((name) => [name, make()]));
  const expertNames = options.experts ? (options.modalities ?? plan.modalities.map((m) => m.name)) : [];
  const experts = Object.fromEntries(expertNames.map((name) => [name, make()]));
  const outputs = ["mean", "logVariance", ...names.flatMap((n) => [`mean.${n}`, `logVariance.${n}`])];
  for (const n of expertNames) outputs.push(`expert.mean.${n}`, `expert.logVariance.${n}`);
  let done = 0;
  for await (const batch of source.epoch(0)) {
    options.signal?.throwIfAborted();
    const feed = feedOf(batch, { plan, ...(options.modalities && { encode: options.modalities }) });
    const found = await state.trainer.compute(feed, outputs);
    const put = (to: CellGaussians, suffix: string, prefix = ""): void => {
      const at = done * plan.latent;
      to.mean.set(found[`${prefix}mean${suffix}`]!.data as Float32Array, at);
      (found[`${prefix}logVariance${suffix}`]!.data as Float32Array).forEach((v, i) => {
        to.variance[at + i] = Math.exp(v);
      });
    };
    put(all, "");
    for (const name of names) put(single[name]!, `.${name}`);
    for (const name of expertNames) put(experts[name]!, `.${name}`, "expert.");
    done += batch.rows.length;
    options.onProgress?.({ stage: "embed", done, total: dataset.cells });
  }
  return { ...all, cells: dataset.cells, latent: plan.latent, single, experts };
}

/** `MODALITY_UNKNOWN` for a name the model does not know. */
export function checkNames(state: ModelState, names: readonly string[]): void {
  const known = state.plan.modalities.map((m) => m.name);
  for (const name of names)
    if (!known.includes(name))
      throw mosaicError("MODALITY_UNKNOWN", `the model has no modality ${name}; it has ${known.join(", ")}`, {
        usage: true,
        details: { modality: name },
      });
}

function requireAny(dataset: MosaicDataset, names: readonly string[]): void {
  const masks = names.map((name) => dataset.modalities.get(name)?.available);
  for (let i = 0; i < dataset.cells; i++) {
    if (masks.some((mask) => mask?.[i])) continue;
    const message = `cell ${dataset.cellIds[i]} has none of ${names.join(", ")}; leave it out or allow it (allowEmpty, --allow-empty)`;
    throw mosaicError("NO_MODALITY", message, { details: { row: i } });
  }
}

/** Modalities whose likelihood takes counts only. */
export function countNames(state: ModelState): string[] {
  return state.plan.modalities.filter((m) => m.counts).map((m) => m.name);
}

/** The options that `batches` shares. */
export function pick(options: { signal?: AbortSignal; memoryLimit?: number; warn?: Warn }): {
  signal?: AbortSignal;
  memoryLimit?: number;
  warn?: Warn;
} {
  const { signal, memoryLimit, warn } = options;
  return { ...(signal && { signal }), ...(memoryLimit && { memoryLimit }), ...(warn && { warn }) };
}
