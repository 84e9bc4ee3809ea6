/** Inference models: open lengths, weights inside, compared with the trainer before they are written. */
import { basename } from "node:path";
import { OutputFiles } from "@x/core/base";
import type { Batch } from "./batches.ts";
import { fitShapes } from "./batches.ts";
import { createSession } from "./device.ts";
import { bytesOf, type Data } from "./dtype.ts";
import { trainError } from "./errors.ts";
import type { Graph, Initializer, Tensor } from "./graph.ts";
import type { Model } from "./model.ts";
import type { ParamSpec } from "./params.ts";
import { encodeModel } from "./proto.ts";
import { ask } from "./runtime.ts";
import { toModel, usedInputs } from "./to-model.ts";
import { evalGraph, named } from "./train-graph.ts";
import type { Trainer } from "./trainer.ts";
import { flatten, type Tree, unflatten } from "./tree.ts";

/** Options of `exportOnnx`. */
export interface ExportOptions {
  /** Which outputs of the model; all by default. Inputs that none of them needs are left out. */
  readonly outputs?: readonly string[];
  /** Key-value metadata: vocabularies, preprocessing. The registry of `compile` is added. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** A batch to compare on; numbers made up by default, with the lengths of `compile`. */
  readonly check?: Batch;
  /** Weights beyond this many bytes go to a file beside the model; 1 GB by default. */
  readonly externalAbove?: number;
}

/** What was written. */
export interface Exported {
  /** The model, and the file of its weights where that is apart. */
  readonly files: readonly string[];
  /** Names of its inputs. */
  readonly inputs: readonly string[];
  /** Names of its outputs. */
  readonly outputs: readonly string[];
  /** Largest difference from the trainer, relative to the largest number of that output. */
  readonly difference: number;
}

/** float32 sums in another order differ by this much at most. */
const TOLERANCE = 1e-4;

/**
 * Writes a model that onnxruntime runs in Node, in browsers and in Python, with the trainer's present weights.
 * `EXPORT_MISMATCH` (and no file) where its outputs are not those of the trainer.
 */
export async function exportOnnx(
  trainer: Trainer,
  path: string,
  options: ExportOptions = {},
): Promise<Exported> {
  const { model, labels } = trainer.plan;
  const weights = await trainer.weights();
  const { graph, made } = evalGraph(
    model,
    (root) => weightInitializers(root, model, weights),
    (shape) => shape,
  );
  const outputs = options.outputs ?? Object.keys(made.outputs ?? {});
  const chosen = outputs.map((name): [string, Tensor] => {
    const t = made.outputs?.[name];
    if (t) return [name, t];
    const known = Object.keys(made.outputs ?? {}).join(", ") || "none";
    throw trainError("GRAPH_NAME", `${model.name} has no output ${name}; it has ${known}`, { usage: true });
  });
  if (chosen.length === 0)
    throw trainError(
      "GRAPH_NAME",
      `${model.name} returns a loss only: return { loss, outputs: { … } } to export`,
      {
        usage: true,
      },
    );
  named(Object.fromEntries(chosen), graph);
  const inputs = usedInputs(graph).map((t) => t.name);
  graph.inputs.splice(0, graph.inputs.length, ...graph.inputs.filter((t) => inputs.includes(t.name)));
  const metadata = { registry: labels.registry, config: labels.config, ...options.metadata };
  const inside = encodeModel(toModel(graph, { metadata }));
  const difference = await compare(trainer, inside, { inputs, outputs, ...options });
  const total = graph.initializers.reduce((n, i) => n + i.data.byteLength, 0);
  await using files = new OutputFiles();
  if (total <= (options.externalAbove ?? 1e9)) await files.open(path).write(inside);
  else {
    const data = externalData(basename(path));
    await files.open(path).write(encodeModel(toModel(graph, { metadata, external: data.place })));
    const writer = files.open(`${path}.data`);
    for (const part of data.parts) await writer.write(bytesOf(part));
  }
  return { files: await files.commit(), inputs, outputs, difference };
}

function weightInitializers(
  root: Graph,
  model: Model,
  weights: Readonly<Record<string, { shape: readonly number[]; data: Float32Array }>>,
): Tree<Tensor> {
  const leaves = flatten<ParamSpec>(model.params).map(([path]) => {
    const { shape, data } = weights[path]!;
    return root.initializer(path, "float32", shape, data);
  });
  return unflatten(model.params, leaves) as unknown as Tree<Tensor>;
}

/** Small constants stay in the file; weights go one after the other beside it. */
function externalData(name: string): {
  place: (i: Initializer) => { location: string; offset: number; length: number } | undefined;
  parts: Data[];
} {
  const parts: Data[] = [];
  let offset = 0;
  return {
    parts,
    place({ data }) {
      if (data.byteLength < 1024) return undefined;
      const at = { location: `${name}.data`, offset, length: data.byteLength };
      parts.push(data);
      offset += data.byteLength;
      return at;
    },
  };
}

async function compare(
  trainer: Trainer,
  bytes: Uint8Array,
  { inputs, outputs, check }: { inputs: readonly string[]; outputs: readonly string[]; check?: Batch },
): Promise<number> {
  const { model, steps } = trainer.plan;
  const sizes = new Map(steps.inputs.map(({ name, shape }) => [name, shape.reduce((a, b) => a * b, 1)]));
  const madeUp = (name: string): number[] => {
    const whole = model.inputs[name]!.dtype !== "float32";
    return Array.from({ length: sizes.get(name)! }, (_, i) => (whole ? 0 : Math.sin(i + 1)));
  };
  const batch = check ?? Object.fromEntries(Object.keys(model.inputs).map((name) => [name, madeUp(name)]));
  const expected = await trainer.evaluate(batch);
  const { session } = await createSession(bytes, trainer.device.used, { threads: 1, memory: "fast" });
  try {
    const feeds = fitShapes(model.inputs, inputs, batch);
    const { values } = await ask({ kind: "run", session, feeds, read: {}, write: {}, outputs });
    let worst = 0;
    for (const name of outputs) {
      const [a, b] = [expected.outputs[name]!.data, values![name]!.data];
      let largest = 1e-6;
      let far = 0;
      for (let i = 0; i < a.length; i++) {
        largest = Math.max(largest, Math.abs(Number(a[i])));
        const d = Math.abs(Number(a[i]) - Number(b[i]));
        far = Math.max(far, Number.isNaN(d) && !Object.is(a[i], b[i]) ? Number.POSITIVE_INFINITY : d || 0);
      }
      worst = Math.max(worst, a.length === b.length ? far / largest : Number.POSITIVE_INFINITY);
    }
    if (worst <= TOLERANCE) return worst;
    throw trainError(
      "EXPORT_MISMATCH",
      `the exported model differs from the trained one by ${worst}; nothing was written`,
      {
        details: { difference: worst, tolerance: TOLERANCE },
      },
    );
  } finally {
    await ask({ kind: "release", session, slots: [] });
  }
}
