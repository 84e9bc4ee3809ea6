// Rules no linter knows: files stay small, imports follow the layers, the binding has one importer a package, exports
// of the binding guard against panics. `node scripts/house-rules.mjs [root]`; prints each breach, exits 1 if any.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

const MAX_LINES = 500;
const root = process.argv[2] ?? ".";
const problems = [];
const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" })
  .trim()
  .split("\n")
  .filter((file) => existsSync(join(root, file)));

/** What each package of ours may import (ARCHITECTURE.md, "Layers"). */
const allowed = {
  core: [],
  "plink-io": ["core", "native-linalg"],
  "gam-warmstart": ["core", "native-linalg"],
  "onnx-train": ["core"],
  "seq-model": ["core", "native-linalg", "onnx-train"],
  lmm: ["core", "native-linalg", "plink-io"],
  "mosaic-vae": ["core", "onnx-train"],
  phaser: ["core", "native-phasing", "plink-io"],
};

for (const file of files) {
  if (!/\.([mc]?[jt]s|[jt]sx|rs|py|sh)$/.test(file)) continue;
  const text = readFileSync(join(root, file), "utf8");
  checkLength(file, text);
  if (/^packages\/[^/]+\/(src|bin)\//.test(file)) checkImports(file, text);
  if (/^native\/[^/]+\/src\/.*\.rs$/.test(file) && !file.startsWith("native/crates/"))
    checkGuards(file, text);
}

for (const problem of problems) console.log(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

function checkLength(file, text) {
  const isTest =
    /(^|\/)(test|tests|examples)\//.test(file) || /\.test\.ts$/.test(file) || /\/tests\.rs$/.test(file);
  const lines = text.split("\n").length - 1;
  if (!isTest && lines > MAX_LINES)
    problems.push(`${file}: ${lines} lines (at most ${MAX_LINES}): two rooms in one file?`);
}

function checkImports(file, text) {
  const home = file.split("/")[1];
  if (!Object.hasOwn(allowed, home)) {
    problems.push(`${file}: package ${home} is missing from the layer table in scripts/house-rules.mjs`);
  }
  for (const specifier of new Set(specifiers(text))) {
    if (specifier.startsWith(".")) {
      const target = posix.join(posix.dirname(file), specifier);
      if (!target.startsWith(`packages/${home}/`))
        problems.push(`${file}: ${specifier} leaves its package (import that package by its name)`);
      continue;
    }
    const [, ours, path] = /^@x\/([^/]+)(\/.*)?$/.exec(specifier);
    if (ours !== home && !allowed[home]?.includes(ours))
      problems.push(`${file}: ${home} may not import @x/${ours} (layers point down only)`);
    if (path?.startsWith("/src")) problems.push(`${file}: imports another package's src (${specifier})`);
    if (ours.startsWith("native-") && file !== `packages/${home}/src/native.ts`)
      problems.push(`${file}: only src/native.ts may import @x/${ours}`);
  }
}

/** Our packages wherever a text quotes them, so that no spelling of require gets by, and relative paths it imports. */
function specifiers(text) {
  const ours = text.matchAll(/["'`](@x\/[a-z][a-z0-9-]*(?:\/[\w./-]*)?)["'`]/g);
  const relative = text.matchAll(
    /(?:\bfrom|\bimport|\brequire(?:\.resolve)?|\bURL|\bcreateRequire\s*\([^)]*\))\s*\(?\s*["'`](\.{1,2}(?:\/[^"'`\n]*)?)["'`]/g,
  );
  return [...ours, ...relative].map((match) => match[1]);
}

/** napi runs an export without `catch_unwind` bare: its panic would end Node. Structs and objects run nothing. */
function checkGuards(file, text) {
  const exported =
    /#\[napi(\((?:[^"\]]|"[^"]*")*\))?\](?:\s*(?:#\[[^\]]*\]|\/\/[^\n]*))*\s*(?:pub(?:\([^)]*\))?\s+)?(?:(?:async|unsafe)\s+)*fn\s+(\$?\w+)/g;
  for (const [, attribute, name] of text.matchAll(exported)) {
    if (!/\bcatch_unwind\b/.test(attribute ?? ""))
      problems.push(`${file}: #[napi] fn ${name} lacks catch_unwind`);
  }
}
