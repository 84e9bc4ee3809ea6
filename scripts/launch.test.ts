// A bin started under an older Node: inside the workspace it goes on under the pinned Node, elsewhere it says what it needs.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
// @ts-expect-error plain JavaScript without declarations
import { publishedPackages, quoted, root, shell } from "./packages.mjs";

// Stands in for an old Node; the relaunched process is the real thing.
const fakeOld = `data:text/javascript,if(!process.env.X_RELAUNCHED)Object.defineProperty(process.versions,"node",{value:"20.20.2"})`;
const start = (bin: string, ...args: string[]) =>
  spawnSync(process.execPath, ["--import", fakeOld, bin, ...args], { encoding: "utf8" });

const bins = (
  publishedPackages() as { folder: string; manifest: { bin?: Record<string, string> } }[]
).flatMap(({ folder, manifest }) =>
  Object.entries(manifest.bin ?? {}).map(([name, path]) => [name, join(root, folder, path)]),
);

test.each(bins)(
  "%s runs on under the workspace's Node, arguments and exit code passed through",
  (name, bin) => {
    const version = start(bin!, "--version");
    expect(version.stdout).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+`));
    expect(version.status).toBe(0);
    expect(start(bin!, "--no-such-option").status).toBe(2);
  },
);

test("outside a workspace it exits 2 with one line naming the version it needs", () => {
  const folder = mkdtempSync(join(tmpdir(), "x-launch-"));
  try {
    const core = join(folder, "node_modules/@x/core");
    mkdirSync(core, { recursive: true });
    cpSync(join(root, "packages/core/dist"), join(core, "dist"), { recursive: true });
    cpSync(join(root, "packages/core/package.json"), join(core, "package.json"));
    writeFileSync(
      join(folder, "tool.mjs"),
      `import { launch } from "@x/core/launch";\nawait launch(import.meta.url, "./cli.js");\n`,
    );
    const { status, stderr } = start(join(folder, "tool.mjs"));
    expect(status).toBe(2);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toContain("Node 22.12");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the workspace's node_modules/.bin holds every bin", () => {
  for (const [name] of bins) {
    const bin = quoted(join(root, "node_modules/.bin", name!));
    const { status } = spawnSync(bin, ["--version"], { encoding: "utf8", shell });
    expect(status, name).toBe(0);
  }
});
