// Builds the API reference (docs/api) from every package; a warning is an error.
import { spawnSync } from "node:child_process";

const { status } = spawnSync("typedoc", [], { stdio: "inherit" });
process.exitCode = status ?? 1;
