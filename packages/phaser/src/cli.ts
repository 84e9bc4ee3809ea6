import { runCli } from "@x/core/base";
import { checkCommand } from "./cli-check.ts";
import { ligateCommand } from "./cli-ligate.ts";
import { phaseCommand } from "./cli-phase.ts";
import { planCommand } from "./cli-plan.ts";
import { rareCommand } from "./cli-rare.ts";
import { switchCommand } from "./cli-switch.ts";
import { VERSION } from "./version.ts";

const argv = process.argv.slice(2);
const program = {
  name: "phaser",
  version: VERSION,
  summary: "haplotypes with at most one ALT a position: phasing, and how good it is",
  commands: [phaseCommand, rareCommand, ligateCommand, switchCommand, checkCommand, planCommand],
};
await runCli(program, argv.length === 0 ? ["--help"] : argv);
