/** A model on disk: one safetensors file of weights whose metadata say everything else that is needed to use it. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { readSafetensors } from "@x/onnx-train";
import type { WeightArray } from "./aam-weights.ts";
import type { CategoryColumn } from "./categories.ts";
import type { Conformal } from "./conformal.ts";
import { seqFileError } from "./errors.ts";
import type { CountRange } from "./feeds.ts";
import { modelConfig } from "./model-config.ts";
import type { ModelConfig } from "./model-interfaces.ts";
import { type WeightMap, writeWeights } from "./model-weights.ts";
import type { LengthProfile } from "./sequence-lengths.ts";
import type { TargetTransform } from "./target-transform.ts";
import type { UnknownRule } from "./tokens.ts";
import type { TrainingConfig } from "./training-options.ts";

/** The file of a run's folder that holds the trained model. */
export const MODEL_FILE = "model.safetensors";
/** Of what stands beside the weights; a newer one is refused. */
const FORMAT = 1;

/** What a model predicts. */
export interface TargetFacts {
  /** Names of the columns, one an output; the one column of a classifier. */
  readonly names: readonly string[];
  /** Names of classes; empty for numbers. */
  readonly classes: readonly string[];
  /** Of numbers, fitted on the training samples. */
  readonly transform: TargetTransform;
  /** How far each output is to be widened for an interval, from validation samples. */
  readonly conformal?: readonly Conformal[];
  /** Column whose categories the transform goes by. */
  readonly transformColumn?: string;
}

/** Everything about a model but its weights; plain data. */
export interface ModelFacts {
  /** Form of the network. */
  readonly config: ModelConfig;
  /** How it was trained last. */
  readonly training: TrainingConfig;
  /** Counts of the training samples. */
  readonly counts: CountRange;
  /** What becomes of letters other than A, C, G and T. */
  readonly unknown: UnknownRule;
  /** Columns of metadata it takes as input. */
  readonly categories: readonly CategoryColumn[];
  /** What it predicts; an encoder has none. */
  readonly target?: TargetFacts;
  /** Lengths of the sequences it was trained on last. */
  readonly lengths?: LengthProfile;
  /** How counts came about: a rarefaction. */
  readonly history: readonly string[];
}

/** Writes a model, atomically. The same model gives the same bytes. */
export async function writeModel(path: string, facts: ModelFacts, weights: WeightMap): Promise<void> {
  await writeWeights(path, weights, { format: `x-seq-model ${FORMAT}`, facts: JSON.stringify(facts) });
}

/** Reads a model, or that of a run's folder. `MODEL_FORMAT` for other files, those of a newer version, and lost fields. */
export function readModel(path: string): {
  file: string;
  facts: ModelFacts;
  weights: Map<string, WeightArray>;
} {
  const folder = existsSync(path) && statSync(path).isDirectory();
  const file = folder ? join(path, MODEL_FILE) : path;
  const { tensors, metadata } = readSafetensors(file);
  const version = /^x-seq-model (\d+)$/.exec(metadata.format ?? "")?.[1];
  if (version === undefined)
    throw seqFileError("MODEL_FORMAT", file, "a safetensors file, but no model of this package");
  if (Number(version) > FORMAT) {
    const message = `written by a newer version (format ${version}, this one reads up to ${FORMAT}); update @x/seq-model`;
    throw seqFileError("MODEL_FORMAT", file, message);
  }
  const facts = parseFacts(file, metadata.facts ?? "");
  const weights = new Map(
    [...tensors].map(([name, { shape, data }]) => [name, { shape, data: data as Float32Array }]),
  );
  return { file, facts, weights };
}

function parseFacts(file: string, text: string): ModelFacts {
  let facts: Partial<ModelFacts>;
  try {
    facts = JSON.parse(text);
  } catch {
    throw seqFileError("MODEL_FORMAT", file, "its facts are no JSON");
  }
  const missing = ["config", "training", "counts", "unknown", "categories", "history"].filter(
    (name) => facts[name as "config"] === undefined,
  );
  if (missing.length > 0) throw seqFileError("MODEL_FORMAT", file, `its facts lack ${missing.join(", ")}`);
  const { target } = facts;
  // JSON has no Infinity.
  const conformal = target?.conformal?.map((c) => ({ ...c, width: c.width ?? Number.POSITIVE_INFINITY }));
  return {
    ...(facts as ModelFacts),
    config: modelConfig(facts.config!),
    ...(target && conformal && { target: { ...target, conformal } }),
  };
}
