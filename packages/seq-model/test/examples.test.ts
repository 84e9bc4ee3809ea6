import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { bin, golden, tempFolder } from "./support/files.ts";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const run = (args: string[], cwd?: string): string =>
  execFileSync(process.execPath, args, { encoding: "utf8", ...(cwd ? { cwd } : {}) });

it("the quickstart runs and stands in the README", () => {
  const example = at("../examples/quickstart.ts");
  const out = run([example, golden("."), join(tempFolder(), "d.npy")]);
  expect(out).toMatch(
    /^14 samples; S00 and S01 are 0\.\d+ apart\nthe first axis explains .* %\ngroups: pseudo-F .*, p 0\.\d+/,
  );
  expect(readFileSync(at("../README.md"), "utf8")).toContain(readFileSync(example, "utf8").trim());
});

// Beside the workspace's packages, so that the blocks find them by name.
const home = at("../../../node_modules/.cache");
mkdirSync(home, { recursive: true });
const folder = mkdtempSync(join(home, "tutorial-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("the blocks of the UniFrac tutorial run", () => {
  for (const name of ["table.biom", "tree.nwk", "metadata.tsv"])
    copyFileSync(golden(name), join(folder, name));
  const text = readFileSync(at("../../../docs/tutorials/unifrac.md"), "utf8");
  const blocks = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(([, kind, code]) => ({
    kind,
    code: code!,
  }));
  for (const line of blocks.filter((b) => b.kind === "sh").flatMap((b) => b.code.trim().split("\n"))) {
    expect(line).toMatch(/^seq-model /);
    run([bin, ...line.split(" ").slice(1)], folder);
  }
  const code = blocks.filter((b) => b.kind === "ts").map((b) => b.code);
  expect(code.length).toBeGreaterThan(3);
  writeFileSync(join(folder, "blocks.mjs"), code.join("\n"));
  const out = run(["blocks.mjs"], folder);
  expect(out).toMatch(/rarefied to 200, seed 1/);
  expect(out.trimEnd()).toMatch(/true$/);
  expect(readFileSync(join(folder, "pcoa.svg"), "utf8")).toContain("<circle");
});
