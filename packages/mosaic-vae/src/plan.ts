/** A configuration and a registry, resolved into all the numbers that a network is built from. */
import {
  checkConfig,
  type GroupKind,
  type HeadsConfig,
  type InputTransform,
  type ModalityConfig,
  type ModelConfig,
  type MosaicConfig,
} from "./config.ts";
import type { ModalityKind, Registry } from "./dataset.ts";
import { mosaicError } from "./errors.ts";
import { defaultLikelihood, LIKELIHOODS, type Likelihood, likelihoodOf } from "./likelihood.ts";
import { finalValue, type WeightSchedule } from "./schedule.ts";

/** One modality of a network. */
export interface PlannedModality {
  readonly name: string;
  readonly kind: ModalityKind;
  readonly features: number;
  /** Name of its likelihood. */
  readonly likelihood: string;
  readonly input: InputTransform;
  /** Names of its encoder and decoder. */
  readonly encoder: string;
  readonly decoder: string;
  readonly expertWeight: number;
  /** Is `expertWeight` where the learning of it begins? */
  readonly expertLearned: boolean;
  /** Counts below this are tallied by feature; 0 where the log Γ terms are computed by element. */
  readonly tally: number;
  readonly counts: boolean;
  readonly binary: boolean;
  readonly weight: WeightSchedule;
  /** The weight a validation loss uses. */
  readonly finalWeight: number;
}

/** A network. */
export interface NetworkPlan {
  readonly latent: number;
  readonly hidden: readonly number[];
  readonly dropout: number;
  readonly layerNorm: boolean;
  readonly fusion: NonNullable<ModelConfig["fusion"]>;
  readonly dispersion: NonNullable<ModelConfig["dispersion"]>;
  readonly batches: number;
  readonly batchCovariate: boolean;
  readonly modalities: readonly PlannedModality[];
  readonly beta: WeightSchedule;
  readonly finalBeta: number;
  readonly paired: "jeffreys" | "means" | "none";
  readonly pairedWeight: WeightSchedule;
  readonly modalityDropout: number;
  readonly heads: HeadsConfig;
  readonly groupKind: GroupKind;
  /** Number of groups that heads compare; 0 where no head does. */
  readonly groups: number;
  /** The names behind `groups`. */
  readonly groupNames: readonly string[];
}

/** Counts from this on are added one by one: tables stay small, and such counts are few. */
const TALLY = 16;

/** What a plan is made from, besides the configuration. */
export interface PlanFacts {
  readonly registry: Registry;
  /** Do the measured cells hold whole numbers of at least 0? By modality. */
  readonly counts: Readonly<Record<string, boolean>>;
  /** Groups of the heads. */
  readonly groupNames: readonly string[];
}

/** Many peaks, most of them empty: with their full weight they speak louder than what they know (docs/design/mosaic-vae.md). */
const USUAL: Partial<Record<ModalityKind, { weight: number; expertWeight: number }>> = {
  atac: { weight: 0.3, expertWeight: 0.25 },
};

/** Cells a step by default. */
export const BATCH_SIZE = 64;
/** Learning rate by default. */
export const RATE = 4e-3;
/** Steps that epochs make by default. */
const STEPS = 1750;

/** Epochs by default for so many steps an epoch. */
export function usualEpochs(perEpoch: number): number {
  return Math.min(100, Math.max(10, Math.round(STEPS / Math.max(1, perEpoch))));
}

/** Resolves a configuration. `CONFIG`, `LIKELIHOOD`, `OPTION_RANGE`, `UNKNOWN_OPTION`. */
export function planNetwork(
  config: MosaicConfig,
  { registry, counts, groupNames }: PlanFacts,
  own: Readonly<Record<string, Likelihood>> = {},
): NetworkPlan {
  checkConfig(config);
  const { model = {}, loss = {} } = config;
  const names = registry.modalities.map((m) => m.name);
  for (const name of Object.keys(model.modalities ?? {}))
    if (!names.includes(name))
      throw mosaicError("CONFIG", `model.modalities names ${name}; the data have ${names.join(", ")}`, {
        usage: true,
      });
  const dispersion = model.dispersion ?? "gene";
  const modalities = registry.modalities.map((m): PlannedModality => {
    const given: ModalityConfig = model.modalities?.[m.name] ?? {};
    const kind = m.kind as ModalityKind;
    const likelihood = given.likelihood ?? defaultLikelihood(kind, counts[m.name] ?? true);
    const chosenLikelihood = likelihoodOf(likelihood, own);
    const { counts: needsCounts, binary, input } = chosenLikelihood;
    const chosen = given.input ?? input;
    const usual = USUAL[kind] ?? { weight: 1, expertWeight: 1 };
    const weight = given.weight ?? usual.weight;
    const ours = chosenLikelihood === LIKELIHOODS[likelihood];
    const tallied = ours && ["nb", "zinb", "nb-mixture"].includes(likelihood) && dispersion === "gene";
    return {
      name: m.name,
      kind,
      features: m.features.length,
      likelihood,
      // A binary likelihood gets 0 and 1 already.
      input: binary && chosen === "binary" ? "none" : chosen,
      encoder: given.encoder ?? "dense",
      decoder: given.decoder ?? "dense",
      expertWeight: typeof given.expertWeight === "number" ? given.expertWeight : usual.expertWeight,
      expertLearned: given.expertWeight === "learned",
      tally: tallied ? TALLY : 0,
      counts: needsCounts,
      binary,
      weight,
      finalWeight: finalValue(weight),
    };
  });
  const heads = loss.heads ?? {};
  const grouped = ["mmd", "sinkhorn", "gw", "coral", "adversarial"].some((name) =>
    Object.hasOwn(heads, name),
  );
  const batches = registry.batches.length;
  const beta = loss.beta ?? { from: 0, to: 0.2, epochs: 3 };
  return {
    latent: model.latent ?? 20,
    hidden: model.hidden ?? [128],
    dropout: model.dropout ?? 0.1,
    layerNorm: model.layerNorm ?? true,
    fusion: model.fusion ?? "poe",
    dispersion,
    batches,
    batchCovariate: (model.batchCovariate ?? true) && batches > 1,
    modalities,
    beta,
    finalBeta: finalValue(beta),
    paired: loss.paired?.kind ?? "jeffreys",
    pairedWeight: loss.paired?.weight ?? 0.5,
    modalityDropout: loss.modalityDropout ?? 0.2,
    heads,
    groupKind: loss.groups ?? (batches > 1 ? "batch" : "pattern"),
    groups: grouped ? groupNames.length : 0,
    groupNames,
  };
}
