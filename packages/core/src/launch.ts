/**
 * Starts a CLI under a Node that can run it. Plain syntax, and nothing newer than Node 14 is imported: this file must
 * load where the rest cannot.
 */
import { spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import * as nodeModule from "node:module";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const NEEDED = [22, 12];

/**
 * Imports `cli` (a path relative to the calling bin) when this Node is at least 22.12; otherwise runs the same command
 * line with the pinned Node of the workspace that the bin lives in, or ends with exit code 2 and one line.
 */
export async function launch(importMetaUrl: string, cli: string): Promise<void> {
  if (isNewEnough(process.versions.node)) {
    const url = new URL(cli, importMetaUrl);
    if (isNotBuilt(url)) {
      process.stderr.write("NOT_BUILT not built: run npm run build\n");
      process.exitCode = 2;
      return;
    }
    cacheCompiledCode();
    await import(url.href).catch(reportBadKernels);
    return;
  }
  const bin = realpathSync(fileURLToPath(importMetaUrl));
  const node = process.env.X_RELAUNCHED ? "" : findPinnedNode(dirname(bin));
  if (node === "") {
    const wanted = `Node ${NEEDED.join(".")} or newer`;
    process.stderr.write(
      `NODE_VERSION ${wanted} is needed, this is ${process.versions.node}: https://nodejs.org\n`,
    );
    process.exitCode = 2;
    return;
  }
  await relaunch(node, bin);
}

/** A missing `cli` in a checkout of ours; in an installed package it would be a bug. */
function isNotBuilt(url: URL): boolean {
  if (existsSync(url)) return false;
  const bin = fileURLToPath(url);
  return !bin.split(sep).includes("node_modules") && findWorkspace(dirname(bin)) !== "";
}

/** Kernels that npm left out, or a bad X_SIMD, are no bugs: one line instead of a stack trace. */
function reportBadKernels(e: Error & { code?: string }): void {
  if (e.code !== "NATIVE_MISSING" && e.code !== "OPTION_RANGE") throw e;
  process.stderr.write(`${e.code} ${e.message}\n`);
  process.exitCode = e.code === "OPTION_RANGE" ? 2 : 1;
}

function isNewEnough(version: string): boolean {
  const parts = version.split(".").map(Number);
  const major = parts[0] || 0;
  return major > NEEDED[0]! || (major === NEEDED[0] && (parts[1] || 0) >= NEEDED[1]!);
}

/** Node 22 can keep compiled code between runs, which makes the next start faster. */
function cacheCompiledCode(): void {
  const enable = (nodeModule as { enableCompileCache?: () => void }).enableCompileCache;
  if (enable) enable();
}

/** The dev dependency `node` of the workspace above a folder; "" where there is none. */
function findPinnedNode(folder: string): string {
  const workspace = findWorkspace(folder);
  const name = process.platform === "win32" ? "node.exe" : "node";
  const node = join(workspace, "node_modules", "node", "bin", name);
  return workspace !== "" && existsSync(node) ? node : "";
}

/** The workspace above a folder; "" where there is none. */
function findWorkspace(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, "pnpm-workspace.yaml"))) return at;
    if (dirname(at) === at) return "";
  }
}

/** The same command line under another Node: stdio inherited, signals passed on, its exit code ours. */
function relaunch(node: string, bin: string): Promise<void> {
  const env = Object.assign({}, process.env, { X_RELAUNCHED: "1" });
  const child = spawn(node, process.execArgv.concat([bin], process.argv.slice(2)), { stdio: "inherit", env });
  const signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  const handlers = signals.map((name) => () => void child.kill(name));
  signals.forEach((name, i) => {
    process.on(name, handlers[i]!);
  });
  return new Promise((done) => {
    const finish = (code: number): void => {
      signals.forEach((name, i) => {
        process.off(name, handlers[i]!);
      });
      process.exitCode = code;
      done();
    };
    child.on("error", (e) => {
      process.stderr.write(`NODE_VERSION ${node} could not be started: ${e.message}\n`);
      finish(2);
    });
    child.on("exit", (code, signal) => {
      const number: Record<string, number> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGKILL: 137 };
      finish(code === null ? number[signal || ""] || 1 : code);
    });
  });
}
