import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { runCommand, SRC, tempFolder } from "./temp-folder.ts";

const folder = tempFolder();
const at = (...parts: string[]): string => join(folder, ...parts);

// A workspace with a bin, and the Node that runs these tests as its pinned one.
mkdirSync(at("ws/packages/p/bin"), { recursive: true });
mkdirSync(at("ws/node_modules/node/bin"), { recursive: true });
mkdirSync(at("alone"), { recursive: true });
writeFileSync(at("ws/pnpm-workspace.yaml"), "");
symlinkSync(process.execPath, at("ws/node_modules/node/bin/node"));
const bin = `import { launch } from "${SRC}launch.ts"; await launch(import.meta.url, "./cli.mjs");`;
const cli = `
  console.log(JSON.stringify({ args: process.argv.slice(2), relaunched: process.env.X_RELAUNCHED ?? "" }));
  if (process.argv[2] === "wait") { setInterval(() => {}, 1000); process.on("SIGTERM", () => process.exit(143)); }
  else process.exitCode = Number(process.argv[2] ?? 0);`;
for (const place of ["ws/packages/p/bin", "alone"]) {
  writeFileSync(at(place, "p.mjs"), bin);
  writeFileSync(at(place, "cli.mjs"), cli);
}
symlinkSync(at("ws/packages/p/bin/p.mjs"), at("p-link.mjs"));
// Makes the first process look like an old Node; the relaunched one tells the truth.
writeFileSync(
  at("old.mjs"),
  `if (!process.env.X_RELAUNCHED || process.env.STILL_OLD) {
     const versions = { ...process.versions, node: "22.11.0" };
     Object.defineProperty(process, "versions", { value: versions });
   }`,
);

const oldNode = findOldNode();
const asOld = (script: string, ...args: string[]): string[] => [
  process.execPath,
  "--import",
  at("old.mjs"),
  script,
  ...args,
];

describe("launch", () => {
  it("imports the CLI under a new Node", async () => {
    const { code, stdout } = await runCommand([process.execPath, at("alone/p.mjs"), "3", "a b"]).exit;
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toEqual({ args: ["3", "a b"], relaunched: "" });
  });

  it("says that a checkout is not built, and leaves a broken package to Node", async () => {
    for (const place of ["ws/packages/p/bin", "alone"]) {
      writeFileSync(at(place, "unbuilt.mjs"), bin.replace("./cli.mjs", "../dist/cli.js"));
    }
    expect(await runCommand([process.execPath, at("ws/packages/p/bin/unbuilt.mjs")]).exit).toMatchObject({
      code: 2,
      stdout: "",
      stderr: "NOT_BUILT not built: run npm run build\n",
    });
    const alone = await runCommand([process.execPath, at("alone/unbuilt.mjs")]).exit;
    expect(alone).toMatchObject({ code: 1, stderr: expect.stringContaining("ERR_MODULE_NOT_FOUND") });
  });

  it.each(["ws/packages/p/bin/p.mjs", "p-link.mjs"])(
    "under an old Node runs %s with the workspace's",
    async (script) => {
      const { code, stdout, stderr } = await runCommand(asOld(at(script), "3", "a b")).exit;
      expect({ code, stderr }).toEqual({ code: 3, stderr: "" });
      expect(JSON.parse(stdout)).toEqual({ args: ["3", "a b"], relaunched: "1" });
    },
  );

  it("passes signals on and returns the exit code", async () => {
    const child = runCommand(asOld(at("ws/packages/p/bin/p.mjs"), "wait"));
    await child.said("relaunched");
    child.kill("SIGTERM");
    expect((await child.exit).code).toBe(143);
  });

  it("without a workspace, or when that Node is old too, says in one line what it needs", async () => {
    const line = /^NODE_VERSION Node 22\.12 or newer is needed, this is 22\.11\.0: .*\n$/;
    const alone = await runCommand(asOld(at("alone/p.mjs"))).exit;
    expect(alone).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(line) });
    const env = { ...process.env, STILL_OLD: "1" };
    const loop = await runCommand(asOld(at("ws/packages/p/bin/p.mjs")), env).exit;
    expect(loop).toMatchObject({ code: 2, stderr: expect.stringMatching(line) });
  });

  it("imports nothing but old builtins and uses no syntax newer than Node 14's", () => {
    const source = readFileSync(join(SRC, "launch.ts"), "utf8");
    const imported = [...source.matchAll(/from "(.*)"/g)].map((m) => m[1]);
    expect(imported).toEqual(["node:child_process", "node:fs", "node:module", "node:path", "node:url"]);
    const code = stripTypeScriptTypes(source).replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    expect(code).not.toMatch(
      /\?\?=|\|\|=|&&=|#\w|\.at\(|static \{|\bawait using\b|replaceAll|findLast|hasOwn/,
    );
  });

  it.skipIf(oldNode === "")("works under the old Node of this machine", async () => {
    const js = (file: string): string => stripTypeScriptTypes(readFileSync(join(SRC, file), "utf8"));
    writeFileSync(at("ws/packages/p/bin/launch.mjs"), js("launch.ts"));
    writeFileSync(at("ws/packages/p/bin/real.mjs"), bin.replace(`${SRC}launch.ts`, "./launch.mjs"));
    const { code, stdout, stderr } = await runCommand([oldNode, at("ws/packages/p/bin/real.mjs"), "4"]).exit;
    expect({ code, stderr }).toEqual({ code: 4, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({ args: ["4"], relaunched: "1" });
  });
});

/** A Node on the PATH that is too old for us; "" where there is none. */
function findOldNode(): string {
  for (const folder of (process.env.PATH ?? "").split(":")) {
    const node = join(folder, "node");
    if (!existsSync(node)) continue;
    const [major, minor] = execFileSync(node, ["--version"]).toString().slice(1).split(".").map(Number) as [
      number,
      number,
    ];
    if (major < 22 || (major === 22 && minor < 12)) return node;
  }
  return "";
}
