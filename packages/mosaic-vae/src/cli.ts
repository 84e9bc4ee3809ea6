import { runCli } from "@x/core/base";
import { inspectCommand } from "./cli-inspect.ts";
import { mockCommand } from "./cli-mock.ts";
import { VERSION } from "./version.ts";

const argv = process.argv.slice(2);
const program = {
  name: "mosaic-vae",
  version: VERSION,
  summary: "mosaic multi-omics: cells that lack any modality, read, modelled, embedded and imputed",
  commands: [mockCommand, inspectCommand],
};
await runCli(program, argv.length === 0 ? ["--help"] : argv);
