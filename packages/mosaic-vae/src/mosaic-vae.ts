/** The model: made from data and a configuration, trained, and asked for embeddings and imputed values. */
import { checkRange, type RunOptions, resolveThreads, type Warn } from "@x/core/base";
import {
  type CompileOptions,
  compile,
  type Exported,
  type Model,
  type Schedule,
  type Trainer,
} from "@x/onnx-train";
import type { Table } from "apache-arrow";
import { checkConfig, type MosaicConfig } from "./config.ts";
import type { MosaicDataset, Registry } from "./dataset.ts";
import {
  type DecodeAllOptions,
  type DecodeOptions,
  type Decoding,
  type DecodingAll,
  decodeAllCells,
  decodeCells,
} from "./decode.ts";
import { type DifferentialOptions, differentialExpression } from "./differential.ts";
import { type Elbo, type ElboOptions, elboOf, type NegLogLikelihood, negLogLikelihoodOf } from "./elbo.ts";
import type { CellGaussians } from "./embed.ts";
import { type Embedding, type EmbedOptions, embedCells } from "./embed.ts";
import { type EvaluateOptions, type EvaluationReport, evaluateModel } from "./evaluate.ts";
import { type ExportOptions, exportModel } from "./export-onnx.ts";
import { findFacts } from "./facts.ts";
import { groupNames } from "./groups.ts";
import { type Imputed, type ImputeOptions, imputeCells } from "./impute.ts";
import { DECODERS, type Decoder, ENCODERS, type Encoder, namedPart } from "./layers.ts";
import type { FirstValues, Likelihood } from "./likelihood.ts";
import { likelihoodOf } from "./likelihood.ts";
import { type Mapped, mapQueryCells } from "./map-query.ts";
import { loadModel, type SavedModel, saveModel } from "./model-file.ts";
import { buildNetwork, type Parts } from "./network.ts";
import { type NetworkPlan, planNetwork } from "./plan.ts";
import { encodeCells, fuseAsModel, type Posteriors } from "./posteriors.ts";
import { type TrainOptions, type TrainReport, trainModel } from "./train.ts";

/** Options of `MosaicVAE.create` and `load`. */
export interface CreateOptions extends RunOptions {
  /** Likelihoods of your own by name. */
  likelihoods?: Readonly<Record<string, Likelihood>>;
  /** Encoders of your own by name. */
  encoders?: Readonly<Record<string, Encoder>>;
  /** Decoders of your own by name. */
  decoders?: Readonly<Record<string, Decoder>>;
  /** Where to compute, instead of `train.device`. */
  device?: string;
  /** Receives warnings. */
  warn?: Warn;
}

/** Everything a model consists of. @internal */
export interface ModelState {
  config: MosaicConfig;
  readonly registry: Registry;
  readonly plan: NetworkPlan;
  readonly network: Model;
  readonly likelihoods: ReadonlyMap<string, Likelihood>;
  /** Median library by batch, by modality; empty before training. */
  libraries: Readonly<Record<string, readonly number[]>>;
  /** As in `SavedModel`; empty before training. */
  means: Readonly<Record<string, readonly number[]>>;
  trainer: Trainer;
  readonly threads: number;
}

/**
 * A variational autoencoder for cells that may lack any modality (after Wu and Goodman 2018; Lopez et al. 2018; Ashuach
 * et al. 2023).
 *
 * ```ts
 * await using model = await MosaicVAE.create(dataset, { train: { epochs: 50 } });
 * await model.train(dataset);
 * const { mean } = await model.embed(dataset);
 * ```
 */
export class MosaicVAE implements AsyncDisposable {
  /** @internal */
  readonly state: ModelState;

  /** @internal */
  constructor(state: ModelState) {
    this.state = state;
  }

  /**
   * An untrained model for the features and batches of a data set. Errors: `CONFIG`, `UNKNOWN_OPTION`, `OPTION_RANGE`,
   * `LIKELIHOOD`, and those of reading.
   */
  static async create(
    dataset: MosaicDataset,
    config: MosaicConfig = {},
    options: CreateOptions = {},
  ): Promise<MosaicVAE> {
    checkConfig(config);
    const rows = Int32Array.from({ length: dataset.cells }, (_, i) => i);
    const facts = await findFacts(dataset, rows, 0, options);
    const counts = Object.fromEntries(Object.entries(facts).map(([name, f]) => [name, f.counts]));
    const names = groupNames(dataset, config.loss?.groups);
    const { registry } = dataset;
    const plan = planNetwork(config, { registry, counts, groupNames: names }, options.likelihoods);
    const first: Record<string, FirstValues> = {};
    for (const m of plan.modalities)
      first[m.name] = { means: m.binary ? facts[m.name]!.shares : facts[m.name]!.means };
    return make({ config, registry, plan, libraries: {}, first }, options);
  }

  /**
   * A trained model from `model.safetensors`, or the run folder that holds it. Errors: `MODEL_FORMAT`,
   * `CHECKPOINT_FORMAT`, `CHECKPOINT_TRUNCATED`, `CHECKPOINT_VERSION`, `CHECKPOINT_KEYS`.
   */
  static async load(path: string, options: CreateOptions = {}): Promise<MosaicVAE> {
    const { file, saved } = loadModel(path);
    const model = await make(saved, options);
    await model.state.trainer.load(file);
    return model;
  }

  /** How it was configured. */
  get config(): MosaicConfig {
    return this.state.config;
  }

  /** The features and batches it knows. */
  get registry(): Registry {
    return this.state.registry;
  }

  /** Trains it; a second call trains further. See `TrainOptions` for checkpoints and resuming. */
  async train(dataset: MosaicDataset, options: TrainOptions = {}): Promise<TrainReport> {
    return trainModel(this.state, dataset, options);
  }

  /** Posteriors of all cells, fused and by modality. Data with other features are aligned to the registry first. */
  async embed(dataset: MosaicDataset, options: EmbedOptions = {}): Promise<Embedding> {
    return embedCells(this.state, dataset, options);
  }

  /** What each encoder says of the cells, modality by modality, before fusion. */
  async encode(dataset: MosaicDataset, options: EmbedOptions = {}): Promise<Posteriors> {
    return encodeCells(this.state, dataset, options);
  }

  /**
   * Fuses posteriors of `encode` as this model does it, all of them or those of some modalities; the prior where a cell
   * has none.
   */
  async fusePosteriors(posteriors: Posteriors, modalities?: readonly string[]): Promise<CellGaussians> {
    return fuseAsModel(this.state, posteriors, modalities);
  }

  /** Expected values of all modalities at once, batch of cells by batch of cells: also of those a cell lacks. */
  decodeAll(dataset: MosaicDataset, options: DecodeAllOptions = {}): AsyncGenerator<DecodingAll> {
    return decodeAllCells(this.state, dataset, options);
  }

  /** −log p(x | z) of each cell by modality and in all, at weight 1: how badly the decoders explain what was measured. */
  async negLogLikelihood(dataset: MosaicDataset, options: ElboOptions = {}): Promise<NegLogLikelihood> {
    return negLogLikelihoodOf(this.state, dataset, options);
  }

  /** Expected values of one modality, batch of cells by batch of cells: also for cells that lack it. */
  decode(dataset: MosaicDataset, modality: string, options: DecodeOptions = {}): AsyncGenerator<Decoding> {
    return decodeCells(this.state, dataset, modality, options);
  }

  /** Imputes one modality: expected values for all cells, with predictive intervals where wanted. */
  async impute(dataset: MosaicDataset, modality: string, options: ImputeOptions = {}): Promise<Imputed> {
    return imputeCells(this.state, dataset, modality, options);
  }

  /** Evidence lower bound of each cell and its parts. */
  async elbo(dataset: MosaicDataset, options: ElboOptions = {}): Promise<Elbo> {
    return elboOf(this.state, dataset, options);
  }

  /** Embeds new cells, of new batches too; needs none of the data the model was trained on. */
  async mapQuery(query: MosaicDataset, options: EmbedOptions = {}): Promise<Mapped> {
    return mapQueryCells(this.state, query, options);
  }

  /** Features that differ between two groups of cells, given as rows; see `DifferentialOptions`. */
  async differentialExpression(
    dataset: MosaicDataset,
    groupA: ArrayLike<number>,
    groupB: ArrayLike<number>,
    options: DifferentialOptions = {},
  ): Promise<Table> {
    return differentialExpression(this.state, dataset, groupA, groupB, options);
  }

  /** Scores of embedding and imputation beside simple baselines. */
  async evaluate(dataset: MosaicDataset, options: EvaluateOptions = {}): Promise<EvaluationReport> {
    return evaluateModel(this.state, dataset, options);
  }

  /** Writes an inference model for onnxruntime in Node, browsers or Python. */
  async exportOnnx(path: string, options: ExportOptions = {}): Promise<Exported> {
    return exportModel(this.state, path, options);
  }

  /**
   * Sets the weight of the KL divergence: in `elbo`, in what `save` stores, and in the loss and the validation ELBO of a
   * later `train`. `OPTION_RANGE` below 0.
   */
  setBeta(beta: number): void {
    checkRange("beta", beta, { min: 0 });
    Object.assign(this.state.plan, { beta, finalBeta: beta });
    this.state.config = { ...this.state.config, loss: { ...this.state.config.loss, beta } };
  }

  /** Writes the model as one file; returns its path. */
  async save(path: string): Promise<string> {
    return saveModel(this.state, path);
  }

  /** Frees the sessions. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.state.trainer[Symbol.asyncDispose]();
  }
}

async function make(
  saved: SavedModel & { first?: Readonly<Record<string, FirstValues>> },
  options: CreateOptions,
): Promise<MosaicVAE> {
  const { registry, plan, means = {} } = saved;
  const libraries = saved.libraries ?? {};
  const config = options.device
    ? { ...saved.config, train: { ...saved.config.train, device: options.device } }
    : saved.config;
  const likelihoods = new Map(
    plan.modalities.map((m) => [m.name, likelihoodOf(m.likelihood, options.likelihoods)]),
  );
  const parts = new Map(
    plan.modalities.map((m): [string, Parts] => [
      m.name,
      {
        likelihood: likelihoods.get(m.name)!,
        encoder: namedPart("encoder", m.encoder, ENCODERS, options.encoders),
        decoder: namedPart("decoder", m.decoder, DECODERS, options.decoders),
      },
    ]),
  );
  const network = buildNetwork(plan, parts, saved.first);
  const threads = resolveThreads(options.threads);
  const state = { config, registry, plan, network, likelihoods, libraries, means, threads };
  const trainer = await compileNetwork(state, { batchSize: 2 });
  return new MosaicVAE({ ...state, trainer });
}

/** What a compiled network is for. @internal */
export interface CompileFor {
  readonly batchSize: number;
  readonly tails?: Readonly<Record<string, number>>;
  readonly schedules?: Readonly<Record<string, Schedule>>;
  readonly options?: CompileOptions;
}

/** Compiles the network; without tails and schedules for evaluation only. @internal */
export async function compileNetwork(
  state: Omit<ModelState, "trainer">,
  { batchSize, tails = {}, schedules = {}, options = {} }: CompileFor,
): Promise<Trainer> {
  const { plan, network, config, registry, libraries } = state;
  const { train = {} } = config;
  const dims: Record<string, number> = { cells: batchSize };
  for (const m of plan.modalities) if (m.tally > 0) dims[`tail.${m.name}`] = tails[m.name] ?? 1;
  const names = ["beta", "paired", ...plan.modalities.map((m) => `weight.${m.name}`)];
  for (const name of Object.keys(plan.heads)) names.push(`head.${name}`);
  const zero = Object.fromEntries(names.map((name) => [name, 0]));
  return compile(network, {
    dims,
    device: train.device ?? "auto",
    precision: train.precision ?? "float32",
    clip: train.clip ?? 50,
    seed: train.seed ?? 0,
    threads: state.threads,
    schedules: { ...zero, ...schedules },
    config: { config, registry, plan, libraries } satisfies SavedModel,
    registry: {
      modalities: registry.modalities.map(({ name, hash, features }) => ({
        name,
        hash,
        features: features.length,
      })),
      batches: registry.batches,
    },
    ...options,
  });
}
