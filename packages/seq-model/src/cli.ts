import { runCli } from "@x/core/base";
import { baselineCommand } from "./cli-baseline.ts";
import { explainCommand } from "./cli-explain.ts";
import { inspectCommand } from "./cli-inspect.ts";
import { pcoaCommand, permanovaCommand } from "./cli-ordination.ts";
import { searchCommand } from "./cli-search.ts";
import { mergeCommand, unifracCommand } from "./cli-unifrac.ts";
import { VERSION } from "./version.ts";

await runCli({
  name: "seq-model",
  version: VERSION,
  summary: "microbiome samples from ASV sequences: UniFrac, ordination and honest baselines",
  commands: [
    unifracCommand,
    mergeCommand,
    pcoaCommand,
    permanovaCommand,
    inspectCommand,
    baselineCommand,
    explainCommand,
    searchCommand,
  ],
});
