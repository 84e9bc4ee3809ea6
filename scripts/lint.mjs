// One verdict over every static check; each prints only when it has something to say.
import { spawnSync } from "node:child_process";
import { shell } from "./packages.mjs";

const checks = [
  ["format and lint", "biome", ["check", "--error-on-warnings", "."]],
  ["house rules", "node", ["scripts/house-rules.mjs"]],
  ["types of tests and scripts", "tsc", ["-p", "tsconfig.json"]],
  ["unused exports and dependencies", "knip", []],
  ["package shape", "node", ["scripts/package-shape.mjs"]],
  ["rustfmt", "cargo", ["fmt", "--check"]],
  ["clippy", "cargo", ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]],
];

let failed = 0;
for (const [title, command, args] of checks) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: "utf8",
    maxBuffer: 1 << 26,
    shell,
  });
  const ok = status === 0;
  console.log(`${ok ? "✓" : "✗"} ${title}`);
  if (ok) continue;
  failed++;
  console.log(error ? error.message : `${stdout}${stderr}`);
}
process.exitCode = failed > 0 ? 1 : 0;
