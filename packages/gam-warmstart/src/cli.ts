import { runCli } from "@x/core/base";
import { crossFitCommand } from "./cli-crossfit.ts";
import { fitCommand } from "./cli-fit.ts";
import {
  artifactCommand,
  compareCommand,
  diagnoseCommand,
  predictCommand,
  reportCommand,
  summaryCommand,
} from "./cli-model.ts";
import { VERSION } from "./version.ts";

const SUMMARY = `generalised additive models with mgcv's numbers, and fits that start from each other

  gam-warmstart fit data.csv 'y ~ s(x0) + s(id, bs="re")' --out model.json
  gam-warmstart predict model.json new.csv --se
  gam-warmstart crossfit data.csv 'y ~ s(x0) + s(id, bs="re")' --group id`;

const words = process.argv.slice(2);
const argv = words.length === 0 ? ["--help"] : words;
const commands = [
  fitCommand(argv),
  predictCommand,
  summaryCommand,
  crossFitCommand(argv),
  compareCommand,
  diagnoseCommand,
  reportCommand(argv),
  artifactCommand,
];
await runCli({ name: "gam-warmstart", version: VERSION, summary: SUMMARY, commands }, argv);
