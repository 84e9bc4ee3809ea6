/** What this machine can train on, and what to do where it cannot. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { CUDA_LIBRARIES, choosePrecision, createSession, libraryFolder, missingCuda } from "./device.ts";
import { Graph, inGraph } from "./graph.ts";
import { matmul } from "./ops-linear.ts";
import { encodeModel } from "./proto.ts";
import { ask } from "./runtime.ts";
import { toModel } from "./to-model.ts";

/** One thing that was looked at. */
export interface Finding {
  /** What it is about. */
  readonly name: string;
  /** Is it as it should be? */
  readonly ok: boolean;
  /** What was found. */
  readonly found: string;
  /** What to do; absent where nothing is wrong. */
  readonly advice?: string;
}

/** Looks at onnxruntime-node, the CUDA libraries and the card, and tries a product on each device. */
export async function doctor(): Promise<Finding[]> {
  const folder = libraryFolder();
  if (!folder) {
    const advice =
      "npm install onnxruntime-node (without network access to GitHub and NuGet: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node)";
    return [{ name: "onnxruntime-node", ok: false, found: "not installed", advice }];
  }
  const version = runtimeVersion();
  const findings: Finding[] = [{ name: "onnxruntime-node", ok: true, found: `${version} in ${folder}` }];
  findings.push(await tryDevice("cpu"));
  findings.push(driver());
  findings.push(libraries(folder, version));
  if (missingCuda() === undefined) findings.push(await tryDevice("cuda"));
  return findings;
}

function runtimeVersion(): string {
  try {
    return createRequire(import.meta.url)("onnxruntime-node/package.json").version;
  } catch {
    return "of unknown version";
  }
}

function driver(): Finding {
  const found = existsSync("/proc/driver/nvidia/version") || existsSync("/dev/nvidia0");
  return found
    ? { name: "NVIDIA driver", ok: true, found: "loaded" }
    : {
        name: "NVIDIA driver",
        ok: false,
        found: "not loaded: no GPU in this machine, or not visible in this container",
        advice:
          "on a machine with a GPU: install the driver; in a container: start it with --gpus all (Docker) or --nv (Apptainer)",
      };
}

function libraries(folder: string, version: string): Finding {
  const missing = CUDA_LIBRARIES.filter((name) => !existsSync(join(folder, name)));
  const name = "CUDA provider libraries";
  if (missing.length === 0) return { name, ok: true, found: folder };
  return {
    name,
    ok: false,
    found: missingCuda() ?? missing.join(", "),
    advice: [
      `with network: npm rebuild onnxruntime-node, with ONNXRUNTIME_NODE_INSTALL=cuda12 (pnpm: approve its build first);`,
      `without: take the NuGet package Microsoft.ML.OnnxRuntime.Gpu.Linux ${version} (a zip file) on another machine and copy`,
      `runtimes/linux-x64/native/libonnxruntime_providers_{shared,cuda}.so into ${folder}.`,
      "CUDA 12.x and cuDNN 9 must be found by the loader (LD_LIBRARY_PATH).",
    ].join(" "),
  };
}

async function tryDevice(device: string): Promise<Finding> {
  const graph = new Graph("probe");
  const x = graph.input("x", "float32", [2, 2]);
  graph.output(inGraph(graph, () => [matmul(x, x)]));
  const name = `training on ${device}`;
  try {
    const made = await createSession(encodeModel(toModel(graph)), device, { threads: 1, memory: "fast" });
    await ask({ kind: "release", session: made.session, slots: [] });
    const half = await choosePrecision("auto", made.device.used);
    return { name, ok: true, found: `works (${made.device.used}, matrix products up to ${half.used})` };
  } catch (e) {
    const advice =
      device === "cpu"
        ? "reinstall onnxruntime-node"
        : "check CUDA 12.x and cuDNN 9 with ldconfig -p | grep -E 'cudart|cudnn'";
    return { name, ok: false, found: (e as Error).message, advice };
  }
}
