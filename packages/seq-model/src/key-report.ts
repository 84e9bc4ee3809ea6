/** What of a pretrained model a new one takes over: every key is accounted for. */
import { flatten, type ParamSpec, type Tree } from "@x/onnx-train";
import { listIds, seqError } from "./errors.ts";
import type { ModelConfig } from "./model-interfaces.ts";
import type { WeightMap } from "./model-weights.ts";
import { networkParams } from "./network-params.ts";

/** How the weights of a file fit the encoder of a network. */
export interface EncoderReport {
  /** Taken over. */
  readonly loaded: readonly string[];
  /** Keys the encoder has. */
  readonly expected: number;
  /** Numbers taken over. */
  readonly parameters: number;
  /** Keys of the encoder that the file lacks: they start at random. */
  readonly missing: readonly string[];
  /** Keys of the file that the encoder does not have. */
  readonly unexpected: readonly string[];
}

/** Does this weight belong to the encoder, and not to what is predicted from it? */
export function ofEncoder(path: string): boolean {
  return ["asv/", "clades/", "sample/"].some((start) => path.startsWith(start));
}

/**
 * The weights of an encoder that fit a network, and the account of them. Prefixes of wrappers (`_orig_mod.`, `module.`) are
 * taken off. `MODEL_KEYS` names tensors of other shapes, and says so when nothing fits at all.
 */
export function takeEncoder(
  weights: WeightMap,
  config: ModelConfig,
  path: string,
): { taken: WeightMap; report: EncoderReport } {
  const bare = new Map([...weights].map(([name, w]) => [name.replace(/^(?:_orig_mod\.|module\.)+/, ""), w]));
  const expected = flatten<ParamSpec>(networkParams(config) as Tree<ParamSpec>).filter(([name]) =>
    ofEncoder(name),
  );
  const shapes = new Map(expected.map(([name, { shape }]) => [name, shape]));
  const misfits = [...bare].filter(
    ([name, { shape }]) => shapes.has(name) && String(shapes.get(name)) !== String(shape),
  );
  if (misfits.length > 0) {
    const shown = misfits.map(([name, { shape }]) => `${name} [${shape}] instead of [${shapes.get(name)}]`);
    const message = `${path} has tensors of other shapes: ${listIds(shown)}`;
    throw seqError("MODEL_KEYS", message, { mismatched: misfits.map(([name]) => name) });
  }
  const taken = new Map([...bare].filter(([name]) => shapes.has(name)));
  const report: EncoderReport = {
    loaded: [...taken.keys()],
    expected: expected.length,
    parameters: [...taken.values()].reduce((n, { data }) => n + data.length, 0),
    missing: [...shapes.keys()].filter((name) => !taken.has(name)),
    unexpected: [...bare.keys()].filter((name) => !shapes.has(name) && ofEncoder(name)),
  };
  if (taken.size > 0) return { taken, report };
  const message = `${path} has none of the ${expected.length} weights of the encoder; it has ${listIds([...bare.keys()])}`;
  throw seqError("MODEL_KEYS", message, { missing: report.missing });
}

/** One line on what was taken over, and one for each kind of key that does not match. */
export function encoderLines({ loaded, expected, parameters, missing, unexpected }: EncoderReport): string[] {
  return [
    `Loaded ${loaded.length}/${expected} keys (${parameters.toLocaleString("en-US")} parameters)`,
    ...(missing.length > 0 ? [`missing, started at random: ${missing.join(", ")}`] : []),
    ...(unexpected.length > 0 ? [`unexpected, left out: ${unexpected.join(", ")}`] : []),
  ];
}

/** `Frozen: X, trainable: Y (Z %)`. */
export function frozenLine({ frozen, trained }: { frozen: number; trained: number }): string {
  const share = (100 * trained) / Math.max(1, frozen + trained);
  const count = (n: number): string => n.toLocaleString("en-US");
  return `Frozen: ${count(frozen)}, trainable: ${count(trained)} (${share.toFixed(1)} %)`;
}
