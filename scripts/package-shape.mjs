// publint and are-the-types-wrong over every published package.
import { spawnSync } from "node:child_process";
import { publishedPackages, shell } from "./packages.mjs";

let failed = false;
for (const { folder } of publishedPackages()) {
  for (const [command, args] of [
    ["publint", ["run", folder, "--strict", "--pack", "npm"]],
    ["attw", ["--pack", folder, "--profile", "esm-only", "--no-emoji"]],
  ]) {
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", shell });
    if (status === 0) continue;
    failed = true;
    console.log(`${command} ${folder}\n${stdout}${stderr}`);
  }
}
process.exitCode = failed ? 1 : 0;
