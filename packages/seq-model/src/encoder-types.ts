/** What an encoder can be taught about samples, by name. */
import { xError } from "@x/core/base";

/** One kind of encoder: distances between sample embeddings, numbers of each sample read off them, or both. */
export interface EncoderType {
  /** Metric whose distances the embeddings reproduce; none learns numbers only. */
  readonly pairs?: string;
  /** Numbers of each sample that a linear head predicts. */
  readonly values?: number;
  /** Where these come from: Faith PD of the tree, or the user. */
  readonly valuesFrom?: "faith-pd" | "user";
  /** On the head's outputs. */
  readonly activation?: "none" | "sigmoid";
}

const pairs = (metric: string): EncoderType => ({ pairs: metric });

const types = new Map<string, EncoderType>([
  ["unifrac", pairs("unweighted")],
  ["weighted", pairs("weighted-normalized")],
  ["generalized", pairs("generalized")],
  ["bray-curtis", pairs("bray-curtis")],
  ["jaccard", pairs("jaccard")],
  ["aitchison", pairs("aitchison")],
  ["faith-pd", { values: 1, valuesFrom: "faith-pd" }],
  ["taxonomy", { values: 7, valuesFrom: "user" }],
  ["combined", { pairs: "unweighted", values: 1, valuesFrom: "faith-pd" }],
]);

/** Names of the encoder types there are. */
export function encoderTypes(): string[] {
  return [...types.keys()];
}

/** Adds an encoder type of your own: its values come with `encoderValues`. `ENCODER_TYPE` for a name that is taken. */
export function registerEncoderType(name: string, type: EncoderType): void {
  if (types.has(name))
    throw xError("ENCODER_TYPE", `there is an encoder type ${name} already`, { usage: true });
  if (type.pairs === undefined && !(type.values !== undefined && type.values >= 1))
    throw xError("ENCODER_TYPE", `the encoder type ${name} learns nothing: give it pairs or values`, {
      usage: true,
    });
  types.set(name, type);
}

/** An encoder type. `ENCODER_TYPE` lists those there are. */
export function encoderType(name: string): EncoderType {
  const found = types.get(name);
  if (found) return found;
  const message = `there is no encoder type ${name}; there are ${encoderTypes().join(", ")}`;
  throw xError("ENCODER_TYPE", message, { usage: true, details: { name, known: encoderTypes() } });
}
