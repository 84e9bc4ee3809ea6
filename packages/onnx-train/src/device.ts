/** Which processor a session runs on, and why. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { trainError } from "./errors.ts";
import { Graph, inGraph, type Precision } from "./graph.ts";
import { cast } from "./ops-elementwise.ts";
import { matmul } from "./ops-linear.ts";
import { encodeModel } from "./proto.ts";
import { ask } from "./runtime.ts";
import { toModel } from "./to-model.ts";

/** What a run was asked to use, what it uses, and the reason where these differ. */
export interface DeviceReport {
  /** `cpu` or `cuda:0`. */
  readonly used: string;
  /** As asked. */
  readonly asked: string;
  /** One sentence. */
  readonly why: string;
}

/** Sessions are made through this, so that a device is tried before it is reported. */
export interface Made {
  readonly session: number;
  readonly device: DeviceReport;
}

/** The libraries that the CUDA provider consists of, as onnxruntime-node looks for them. */
export const CUDA_LIBRARIES: readonly string[] = [
  "libonnxruntime_providers_shared.so",
  "libonnxruntime_providers_cuda.so",
];

/** The folder that onnxruntime-node loads its libraries from, or undefined where it is not installed. */
export function libraryFolder(): string | undefined {
  try {
    let folder = dirname(createRequire(import.meta.url).resolve("onnxruntime-node"));
    while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
    return join(folder, "bin", "napi-v6", process.platform, process.arch);
  } catch {
    return undefined;
  }
}

/** Why CUDA cannot even be tried, or undefined. */
export function missingCuda(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64")
    return `onnxruntime-node has CUDA for linux-x64 only, this is ${process.platform}-${process.arch}`;
  const folder = libraryFolder();
  if (!folder) return "onnxruntime-node is not installed";
  const missing = CUDA_LIBRARIES.filter((name) => !existsSync(join(folder, name)));
  if (missing.length === 0) return undefined;
  return `CUDA provider library not found: ${missing.map((name) => join(folder, name)).join(", ")}`;
}

/** The number after `cuda:`; undefined for the CPU. `DEVICE_UNKNOWN` for any other word. */
function parseDevice(asked: string): number | "auto" | undefined {
  if (asked === "auto") return "auto";
  if (asked === "cpu") return undefined;
  const found = /^cuda(?::(\d{1,3}))?$/.exec(asked);
  if (found) return Number(found[1] ?? 0);
  throw trainError(
    "DEVICE_UNKNOWN",
    `device must be auto, cpu, cuda or cuda:N, got ${JSON.stringify(asked)}`,
    {
      usage: true,
      details: { device: asked },
    },
  );
}

/** What sessions are made with. */
export interface SessionOptions {
  readonly threads: number;
  /** `low` gives memory back between calls instead of keeping it. */
  readonly memory: "fast" | "low";
  /** Prefix of a profile to write. */
  readonly profile?: string | undefined;
}

/** Makes a session where `asked` says; `auto` takes CUDA if it works and the CPU otherwise. `DEVICE_UNAVAILABLE` when `cuda` was asked for by name and does not work. */
export async function createSession(
  model: Uint8Array,
  asked: string,
  options: SessionOptions,
): Promise<Made> {
  const device = parseDevice(asked);
  const make = async (providers: readonly unknown[]): Promise<number> =>
    (await ask({ kind: "create", model, options: sessionOptions(providers, options) })).session!;
  if (device === undefined)
    return { session: await make(["cpu"]), device: { used: "cpu", asked, why: "as asked" } };
  const id = device === "auto" ? 0 : device;
  const missing = missingCuda();
  let why = missing && `${missing} (\`onnx-train doctor\` says what can be done)`;
  if (!why) {
    try {
      const session = await make([{ name: "cuda", deviceId: id }, "cpu"]);
      const reason = device === "auto" ? "CUDA works on this machine" : "as asked";
      return { session, device: { used: `cuda:${id}`, asked, why: reason } };
    } catch (e) {
      why = `CUDA could not be started: ${(e as Error).message}`;
    }
  }
  if (device !== "auto")
    throw trainError("DEVICE_UNAVAILABLE", `${asked}: ${why}`, { details: { device: asked, why } });
  return { session: await make(["cpu"]), device: { used: "cpu", asked, why } };
}

function sessionOptions(providers: readonly unknown[], options: SessionOptions): Record<string, unknown> {
  return {
    executionProviders: providers,
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    enableCpuMemArena: options.memory === "fast",
    // Planned memory would be faster only where shapes change little between calls; here it costs a tenth more and gains nothing.
    enableMemPattern: false,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: options.threads > 1 ? "0" : "1" } } },
    ...(options.profile && { enableProfiling: true, profileFilePrefix: options.profile }),
  };
}

/** What matrix products will be computed in, and why not in what was asked. */
export interface PrecisionReport {
  /** What is used. */
  readonly used: Precision;
  /** As asked. */
  readonly asked: string;
  /** One sentence. */
  readonly why: string;
}

/** Tries a product in this type on this device, since onnxruntime has some types for some devices only. */
export async function choosePrecision(asked: Precision | "auto", device: string): Promise<PrecisionReport> {
  if (asked === "float32") return { used: "float32", asked, why: "as asked" };
  const wanted = asked === "auto" ? (device === "cpu" ? "float32" : "bfloat16") : asked;
  if (wanted === "float32") return { used: "float32", asked, why: "half precision gains nothing on a CPU" };
  const graph = new Graph("probe");
  graph.precision = wanted;
  const x = graph.input("x", "float32", [2, 2]);
  graph.output(inGraph(graph, () => [cast(matmul(x, x), "float32")]));
  const options = { threads: 1, memory: "fast" } as const;
  try {
    const { session } = await createSession(encodeModel(toModel(graph)), device, options);
    const feeds = { x: { dtype: "float32" as const, dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) } };
    const outputs = [graph.outputs[0]!.name];
    const { values } = await ask({ kind: "run", session, feeds, read: {}, write: {}, outputs });
    await ask({ kind: "release", session, slots: [] });
    if (Array.from(values![outputs[0]!]!.data, Number).join() === "7,10,15,22")
      return { used: wanted, asked, why: `${wanted} products work on ${device}` };
    return { used: "float32", asked, why: `${wanted} products on ${device} give wrong numbers` };
  } catch (e) {
    return { used: "float32", asked, why: `${device} has no ${wanted} products: ${(e as Error).message}` };
  }
}
