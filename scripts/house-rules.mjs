// Rules no linter knows: files stay small, imports follow the layers, the binding has one importer a package.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const MAX_LINES = 500;
const problems = [];
const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { encoding: "utf8" })
  .trim()
  .split("\n");

/** What each package of ours may import (ARCHITECTURE.md, "Layers"). */
const allowed = {
  core: [],
  "plink-io": ["core", "native-linalg"],
  lmm: ["core", "native-linalg", "plink-io"],
};

for (const file of files) {
  if (!/\.(ts|mts|mjs|js|rs)$/.test(file)) continue;
  const text = readFileSync(file, "utf8");
  const isTest =
    /(^|\/)(test|tests|examples)\//.test(file) || /\.test\.ts$/.test(file) || /\/tests\.rs$/.test(file);
  const lines = text.split("\n").length - 1;
  if (!isTest && lines > MAX_LINES)
    problems.push(`${file}: ${lines} lines (at most ${MAX_LINES}): two rooms in one file?`);

  const home = /^packages\/([^/]+)\/(src|bin)\//.exec(file)?.[1];
  if (!home) continue;
  if (!allowed[home])
    problems.push(`${file}: package ${home} is missing from the layer table in scripts/house-rules.mjs`);
  for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g)) {
    const [, ours, path] = /^@x\/([^/]+)(\/.*)?$/.exec(specifier) ?? [];
    if (ours && ours !== home && !allowed[home]?.includes(ours)) {
      problems.push(`${file}: ${home} may not import @x/${ours} (layers point down only)`);
    }
    if (path?.startsWith("/src")) problems.push(`${file}: imports another package's src (${specifier})`);
    if (ours === "native-linalg" && !file.endsWith("/src/native.ts")) {
      problems.push(`${file}: only src/native.ts may import @x/native-linalg`);
    }
    if (/^(\.\.\/){2,}.*packages\//.test(specifier))
      problems.push(`${file}: reaches into another package (${specifier})`);
  }
}

for (const problem of problems) console.log(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
