import { runCli } from "@x/core/base";
import { evalCommand, exportCommand } from "./cli-eval.ts";
import { inspectCommand } from "./cli-inspect.ts";
import { mockCommand } from "./cli-mock.ts";
import { trainCommand } from "./cli-train.ts";
import { embedCommand, imputeCommand, mapCommand } from "./cli-use.ts";
import { VERSION } from "./version.ts";

const argv = process.argv.slice(2);
const program = {
  name: "mosaic-vae",
  version: VERSION,
  summary: "mosaic multi-omics: cells that lack any modality, read, modelled, embedded and imputed",
  commands: [
    mockCommand,
    trainCommand,
    embedCommand,
    imputeCommand,
    evalCommand,
    mapCommand,
    inspectCommand,
    exportCommand,
  ],
};
await runCli(program, argv.length === 0 ? ["--help"] : argv);
