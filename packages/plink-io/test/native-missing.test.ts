// Without the compiled kernels: one line and exit 1 where they are needed, and the rest works.
import { spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, it } from "vitest";
import { BIN } from "./support/cli.ts";
import { makeFileset, temporaryFolder } from "./support/filesets.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const hook = join(folder.path, "hook.mjs");
writeFileSync(
  hook,
  `import { registerHooks } from "node:module";
  const source = 'throw Object.assign(new Error("no kernels here. Fix: npm install them"), { code: "NATIVE_MISSING" })';
  registerHooks({
    resolve: (name, context, next) =>
      name === "@x/native-linalg"
        ? { url: "data:text/javascript," + encodeURIComponent(source), shortCircuit: true }
        : next(name, context),
  });`,
);

function withoutKernels(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const all = ["--import", pathToFileURL(hook).href, BIN, ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { encoding: "utf8" });
  return { status, stdout, stderr };
}

it("freq ends with NATIVE_MISSING and the loader's message", () => {
  const { prefix } = makeFileset(folder.path);
  for (const extra of [[], ["--json"]]) {
    const ran = withoutKernels("freq", "--bfile", prefix, "--out", join(folder.path, "out"), ...extra);
    expect(ran.status).toBe(1);
    expect(ran.stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(ran.stderr).toMatch(/NATIVE_MISSING.*no kernels here\. Fix: npm install them/);
    expect(ran.stderr).not.toMatch(/\bat /);
    expect(readdirSync(folder.path).filter((name) => name.includes("out"))).toEqual([]);
  }
});

it("--help and --version need none", () => {
  expect(withoutKernels("--version")).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^plink-io \d/),
  });
  expect(withoutKernels("freq", "--help")).toMatchObject({ status: 0, stderr: "" });
});
