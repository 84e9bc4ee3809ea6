/** Searching for settings of a training without looking at the samples it will be judged by. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { nearestName, xError } from "@x/core/base";
import type { FeatureTable } from "./feature-table.ts";
import { type FineTuneOptions, fineTune } from "./fine-tune.ts";
import { type Fingerprint, hashOf, sequencesHash, tableHash, treeHash, weightsHash } from "./fingerprint.ts";
import { modelConfig } from "./model-config.ts";
import { MODEL_FILE } from "./model-file.ts";
import type { TrialFunction, TrialRun } from "./search.ts";
import type { SearchSpace, TrialValues } from "./search-space.ts";
import { type Split, splitSamples } from "./split.ts";
import type { Target } from "./targets.ts";
import { trainingConfig } from "./training-options.ts";

/** What is searched where nothing else is said. */
export const DEFAULT_SPACE: SearchSpace = {
  learningRate: { log: [1e-4, 1e-2] },
  weightDecay: { log: [1e-3, 1e-1] },
  headDropout: { choice: [0, 0.1, 0.3] },
  head: { choice: ["linear", "residual"] },
};

/** Splits the training side once more: settings are chosen by its second part, the test samples stay unseen. */
export function innerSplit(
  split: Split,
  options: { groups?: ReadonlyMap<string, string>; groupName?: string; seed: number; share?: number },
): Split {
  const { groups, groupName = "group", seed, share = 0.25 } = options;
  const inner = splitSamples(split.train, {
    testSize: share,
    seed,
    ...(groups && { groups: split.train.map((id) => groups.get(id) ?? id), groupName }),
  });
  return { ...inner, how: `${share} of the training samples, ${inner.how}` };
}

/**
 * A run for `search`: trains with the trial's values for as many epochs as its budget and says R² or accuracy of the
 * second side of `split`. The trial's folder keeps the model of its last run. Its `inputs` say what all trials learn from.
 */
export function trainingTrial(
  table: FeatureTable,
  options: FineTuneOptions & { split: Split },
): TrialFunction {
  const targets = Array.isArray(options.target) ? options.target : [options.target];
  const metric = targets[0].classes.length > 0 ? "accuracy" : "r2";
  const run = async ({ values, budget, folder }: TrialRun): Promise<number> => {
    const { model, training } = settingsOf(values);
    const { model: trained, result } = await fineTune(table, {
      ...options,
      model: { ...options.model, ...model },
      training: { ...options.training, ...training, epochs: budget, bestMetric: metric },
    });
    await using _ = trained;
    await mkdir(folder, { recursive: true });
    await trained.save(join(folder, MODEL_FILE));
    return result.history[result.bestEpoch]?.validation.scores[metric] ?? Number.NaN;
  };
  return Object.assign(run, { inputs: inputsOf(table, options, targets) });
}

function inputsOf(
  table: FeatureTable,
  options: FineTuneOptions & { split: Split },
  targets: readonly Target[],
): Fingerprint {
  const { split, sequences, tree, from, leaveOut, groups, sampleWeights, categorical } = options;
  const { distances, encoderValues, missingTips, missingLength, alpha, unknown, model, training } = options;
  const { seed, transform, groupColumn, ridgeStart, keepAuxiliary } = options;
  return {
    table: tableHash(table),
    "target columns": targets.map(({ name }) => name).join(", "),
    "target values": hashOf(...targets.flatMap(({ values, classes }) => [values, classes])),
    "training samples": hashOf(split.train),
    "validation samples": hashOf(split.test),
    sequences: sequences ? sequencesHash(sequences) : "none",
    tree: tree ? treeHash(tree) : "none",
    encoder: from ? weightsHash(from.weights) : "none",
    options: hashOf(
      JSON.stringify({ missingTips, missingLength, alpha, unknown, model, training, seed }),
      JSON.stringify({ transform, leaveOut, groups, groupColumn, ridgeStart, keepAuxiliary }),
      sampleWeights && Float64Array.from(sampleWeights),
      encoderValues && Float64Array.from(encoderValues),
      distances?.ids,
      distances?.toArray(),
      categorical?.columns.flatMap((c) => [c, JSON.stringify(categorical.metadata.column(c).values)]),
    ),
  };
}

/** Refuses names that neither the network nor its training has. `SEARCH_SPACE` with the nearest one. */
export function checkNames(space: SearchSpace): void {
  settingsOf(Object.fromEntries(Object.keys(space).map((name) => [name, 0])));
}

type Settings = Pick<FineTuneOptions, "model" | "training">;

/** Values by name as settings: `learningRate`, `dim`, and parts of others as `layers.asv`, `losses.target`, `mask.ratio`. */
export function settingsOf(values: TrialValues): Required<Settings> {
  const rooms = { model: modelConfig(), training: trainingConfig() };
  const made: { model: Record<string, unknown>; training: Record<string, unknown> } = {
    model: {},
    training: {},
  };
  for (const [name, value] of Object.entries(values)) {
    const [head, part] = name.split(".") as [string, string?];
    const room = Object.hasOwn(rooms.model, head) ? "model" : "training";
    const known = (rooms[room] as unknown as Record<string, unknown>)[head];
    const fits = part === undefined ? Object.hasOwn(rooms[room], head) : known && Object.hasOwn(known, part);
    if (!fits) throw unknownName(name, rooms);
    if (part === undefined) made[room][head] = value;
    else made[room][head] = { ...(made[room][head] as object | undefined), [part]: value };
  }
  return made as Required<Settings>;
}

function unknownName(name: string, rooms: { model: object; training: object }): Error {
  const names = Object.values(rooms).flatMap((room) =>
    Object.entries(room).flatMap(([head, value]) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.keys(value).map((part) => `${head}.${part}`)
        : [head],
    ),
  );
  const near = nearestName(name, names);
  const hint = near === undefined ? `; there are ${names.join(", ")}` : `; did you mean ${near}?`;
  return xError("SEARCH_SPACE", `no setting is called ${name}${hint}`, { usage: true, details: { name } });
}
