import { type CliCommand, option, runCli } from "@x/core/base";
import { compareCommand } from "./cli-compare.ts";
import { gemmaCommand } from "./cli-gemma.ts";
import { gwasCommand } from "./cli-gwas.ts";
import { mergeCommand } from "./cli-merge.ts";
import { planCommand } from "./cli-plan.ts";
import { isGemmaCommand, joinPhenotypes, refuseNotYet } from "./gemma/options.ts";
import { VERSION } from "./version.ts";

const SUMMARY = `mixed-model GWAS with GEMMA's numbers; GEMMA's own command lines work as they are

GEMMA's form: lmm -bfile PREFIX (-gk 1 | -k FILE -lmm 1) [options]
  lmm -bfile study -gk 1 -o k
  lmm -bfile study -k output/k.cXX.txt -lmm 1 -o study
In one go:    lmm gwas --bfile study --out study`;

const words = process.argv.slice(2);
const argv = words.length === 0 ? ["--help"] : words;
const help = argv[0] === "help" || argv.some((word) => ["--help", "-h", "--version"].includes(word));

/** A difference found by `lmm compare` is no error, but scripts must see it. */
let different = false;
const verbs = [
  checkFirst(gwasCommand(argv)),
  compareCommand(() => {
    different = true;
  }),
  mergeCommand(argv),
  planCommand,
];
// A word that is no verb must be named as an unknown command, so GEMMA's form is offered to its own lines only.
const gemma = isGemmaCommand(argv) || help ? [checkFirst(gemmaCommand(argv))] : [];
await runCli(
  { name: "lmm", version: VERSION, summary: SUMMARY, commands: [...verbs, ...gemma] },
  joinPhenotypes(argv),
);
if (different) process.exitCode ||= 1;

/** An option GEMMA has and we lack must be named as such, not as unknown, so it is looked for before parsing. */
function checkFirst(command: CliCommand): CliCommand {
  if (help || (command.name !== "" && command.name !== argv[0])) return command;
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
  const name = word.replace(/^--?/, "").replace(/=.*$/s, "");
  return option.list(name, "", { aliases: [`-${name}`], implied: [] });
}
