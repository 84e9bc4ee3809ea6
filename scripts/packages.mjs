// The packages we publish, in the order in which they depend on each other.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** npm's tools are `.cmd` files on Windows, which only a shell starts; quote what may hold spaces. */
export const shell = process.platform === "win32";
export const quoted = (path) => (shell ? `"${path}"` : path);

export const root = fileURLToPath(new URL("..", import.meta.url));

/** The packages that hold a compiled `.node`. */
export const doors = ["native/linalg", "native/phasing"];

/** @returns {{ folder: string, manifest: { name: string, version: string, bin?: Record<string, string> } }[]} */
export function publishedPackages() {
  const folders = [...readdirSync(join(root, "packages")).map((name) => `packages/${name}`), ...doors];
  return folders
    .filter((folder) => existsSync(join(root, folder, "package.json")))
    .map((folder) => ({
      folder,
      manifest: JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")),
    }))
    .filter(({ manifest }) => !manifest.private);
}
