import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

/**
 * The mouse set that GEMMA's papers and manual use. It is GPL data and not part of this repository:
 * X_MOUSE names a folder that has it, `../shared/data/lmm/mouse_hs1940` is where ours lies.
 */
export function mouseFolder() {
  const candidates = [process.env.X_MOUSE, join(dirname(root), "shared/data/lmm/mouse_hs1940")];
  return candidates.find((folder) => folder && existsSync(join(folder, "mouse_hs1940.bed"))) ?? null;
}

/** One of our commands, started straight by the Node that runs the benchmark. */
export function ours(name, args) {
  const home = { lmm: "lmm", "plink-io": "plink-io", phaser: "phaser" }[name];
  return { command: process.execPath, args: [join(root, "packages", home, "bin", `${name}.mjs`), ...args] };
}
