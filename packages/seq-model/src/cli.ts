import { runCli } from "@x/core/base";
import { baselineCommand } from "./cli-baseline.ts";
import { explainCommand } from "./cli-explain.ts";
import { inspectCommand } from "./cli-inspect.ts";
import { pcoaCommand, permanovaCommand } from "./cli-ordination.ts";
import { exportCommand, predictCommand } from "./cli-predict.ts";
import { searchCommand } from "./cli-search.ts";
import { pretrainCommand, trainCommand } from "./cli-train.ts";
import { mergeCommand, unifracCommand } from "./cli-unifrac.ts";
import { VERSION } from "./version.ts";

await runCli({
  name: "seq-model",
  version: VERSION,
  summary: "microbiome samples from ASV sequences: UniFrac, neural models and honest baselines",
  commands: [
    unifracCommand,
    mergeCommand,
    pcoaCommand,
    permanovaCommand,
    inspectCommand,
    pretrainCommand,
    trainCommand,
    predictCommand,
    exportCommand,
    baselineCommand,
    explainCommand,
    searchCommand,
  ],
});
