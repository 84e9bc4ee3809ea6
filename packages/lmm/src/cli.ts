import { type CliCommand, type CliProgram, runCli } from "@x/core/base";
import { compareCommand } from "./cli-compare.ts";
import { gemmaCommand } from "./cli-gemma.ts";
import { gwasCommand } from "./cli-gwas.ts";
import { planCommand } from "./cli-plan.ts";
import { isGemmaCommand, refuseNotYet } from "./gemma/options.ts";
import { VERSION } from "./version.ts";

const program = (commands: readonly CliCommand[]): CliProgram => ({
  name: "lmm",
  version: VERSION,
  summary: "mixed-model GWAS with GEMMA's numbers; GEMMA's own command lines work as they are",
  commands,
});

const argv = process.argv.slice(2);
const gemma = isGemmaCommand(argv) ? checkFirst(gemmaCommand(argv)) : gemmaCommand(argv);
await runCli(program([gwasCommand(argv), compareCommand, planCommand, gemma]), argv);

/** An option GEMMA has and we lack must be named as such, not as unknown, so it is looked for before parsing. */
function checkFirst(command: CliCommand): CliCommand {
  if (argv.some((word) => ["--help", "-h", "--version"].includes(word))) return command;
  try {
    refuseNotYet(argv);
    return command;
  } catch (e) {
    const anything = { ...command, options: [], positionals: ["[WORD...]"] };
    return {
      ...anything,
      run: () => Promise.reject(e),
      options: argv.filter((a) => a.startsWith("-")).map(asFlag),
    };
  }
}

/** Makes the parser accept a word, so that the refusal above is what gets reported. */
function asFlag(word: string): CliCommand["options"][number] {
  return { name: word.replace(/^--?/, ""), aliases: [word], type: "string", implied: "", help: "" };
}
