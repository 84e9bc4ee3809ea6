// Each house rule against a small repository that breaks it.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";

const script = join(import.meta.dirname, "house-rules.mjs");
let root = "";

afterEach(() => rmSync(root, { recursive: true, force: true }));

/** What the rules say about a repository of these files. */
function check(files: Record<string, string>): { status: number | null; lines: string[] } {
  root = mkdtempSync(join(tmpdir(), "x-rules-"));
  execFileSync("git", ["init", "--quiet"], { cwd: root });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const { status, stdout } = spawnSync(process.execPath, [script, root], { encoding: "utf8" });
  return { status, lines: stdout.trimEnd().split("\n").filter(Boolean) };
}

const long = "\n".repeat(501);
const leaves = (path: string) => `${path} leaves its package`;
const door = "only src/native.ts may import @x/native-linalg";

test.each<[path: string, text: string, message: string]>([
  ...["ts", "tsx", "mts", "cts", "cjs", "mjs", "js", "rs", "py", "sh"].map(
    (end): [string, string, string] => [`scripts/long.${end}`, long, "501 lines (at most 500)"],
  ),
  ["packages/core/src/a.ts", 'import "@x/lmm";', "core may not import @x/lmm"],
  ["packages/plink-io/src/a.ts", 'export * from "@x/lmm";', "plink-io may not import @x/lmm"],
  ["packages/lmm/src/a.ts", 'import { x } from "@x/core/src/a.ts";', "imports another package's src"],
  ["packages/what/src/a.ts", "", "package what is missing from the layer table"],
  ["packages/toString/src/a.ts", "", "package toString is missing from the layer table"],
  ["packages/lmm/src/a.ts", 'import "../../core/src/a.ts";', leaves("../../core/src/a.ts")],
  ["packages/lmm/src/gemma/a.ts", 'import "../../../core/src/a.ts";', leaves("../../../core/src/a.ts")],
  ["packages/lmm/src/a.ts", 'await import("../../core/dist/a.js");', leaves("../../core/dist/a.js")],
  ["packages/lmm/src/a.ts", 'import x from "../../lmm-x/src/a.ts";', leaves("../../lmm-x/src/a.ts")],
  ["packages/lmm/bin/a.mjs", 'import "../../core/dist/a.js";', leaves("../../core/dist/a.js")],
  [
    "packages/lmm/src/a.cjs",
    'require("../../../native/linalg/index.js");',
    leaves("../../../native/linalg/index.js"),
  ],
  ["packages/lmm/src/a.ts", 'createRequire(import.meta.url)("../../core");', leaves("../../core")],
  ["packages/lmm/src/a.ts", 'import x from "@x/native-linalg";', door],
  ["packages/lmm/src/a.ts", "await import(`@x/native-linalg`);", door],
  ["packages/lmm/src/a.cjs", "require('@x/native-linalg');", door],
  ["packages/lmm/src/a.ts", 'createRequire(import.meta.url)("@x/native-linalg");', door],
  ["packages/lmm/src/a.ts", 'const load = createRequire(here);\nload("@x/native-linalg");', door],
  ["packages/lmm/src/gemma/src/native.ts", 'import x from "@x/native-linalg";', door],
  ["packages/lmm/bin/native.mjs", 'import x from "@x/native-linalg";', door],
  [
    "packages/core/src/native.ts",
    'import x from "@x/native-linalg";',
    "core may not import @x/native-linalg",
  ],
  ["native/linalg/src/a.rs", "#[napi]\npub fn bare() {}", "#[napi] fn bare lacks catch_unwind"],
  [
    "native/linalg/src/a.rs",
    '#[napi(ts_return_type = "Promise<number[]>")]\n#[allow(x)]\n/// Text.\npub async fn bare() {}',
    "#[napi] fn bare lacks catch_unwind",
  ],
  [
    "native/linalg/src/a.rs",
    "impl A {\n    #[napi(getter)]\n    fn n(&self) {}\n}",
    "#[napi] fn n lacks catch_unwind",
  ],
])("%s with %j", (path, text, message) => {
  const { status, lines } = check({ [path]: text });
  expect(lines).toEqual([expect.stringContaining(message)]);
  expect(lines[0]).toMatch(new RegExp(`^${path.replaceAll(".", "\\.")}: `));
  expect(status).toBe(1);
});

test("what is allowed passes", () => {
  const found = check({
    "packages/core/src/a.ts": 'export * from "./deep/b.ts";',
    "packages/core/src/deep/b.ts": 'import "../a.ts";\ncreateRequire(import.meta.url)("../../package.json");',
    "packages/lmm/src/native.ts": 'import x from "@x/native-linalg";\nimport "@x/core/base";',
    "packages/lmm/src/a.ts": 'import "@x/plink-io";',
    "packages/lmm/test/long.test.ts": long,
    "scripts/almost.py": "\n".repeat(500),
    "native/linalg/src/a.rs":
      "#[napi]\npub struct A;\n#[napi]\nimpl A {\n    #[napi(catch_unwind)]\n    pub fn b() {}\n}\nfn c() {}",
  });
  expect(found).toEqual({ status: 0, lines: [] });
});

test("this repository keeps its rules", () => {
  const { stdout } = spawnSync(process.execPath, [script, join(import.meta.dirname, "..")], {
    encoding: "utf8",
  });
  expect(stdout).toBe("");
});
