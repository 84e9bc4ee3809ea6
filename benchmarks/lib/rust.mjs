import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.mjs";

/**
 * Builds an example binary of one of our crates in release mode and gives its path, or null when the crate has no such
 * example or it does not build: a benchmark then says so and goes on.
 */
export function buildExample(crate, folder, example) {
  if (!existsSync(join(root, "native/crates", folder, "examples", `${example}.rs`))) return null;
  const args = ["build", "--release", "--quiet", "-p", crate, "--example", example];
  const { status, error } = spawnSync("cargo", args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  if (error || status !== 0) return null;
  const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
  return join(target, "release/examples", process.platform === "win32" ? `${example}.exe` : example);
}
