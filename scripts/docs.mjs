// Builds the API reference (docs/api) from every package; a warning is an error.
import { spawnSync } from "node:child_process";
import { shell } from "./packages.mjs";

const { status } = spawnSync("typedoc", [], { stdio: "inherit", shell });
process.exitCode = status ?? 1;
