import type { CliCommand, CliProgram } from "./cli.ts";
import { commonOptions, ownOptions } from "./cli-common.ts";
import { helpRows, optionsHelp } from "./cli-options.ts";

/** What `program --help` prints. */
export function programHelp(program: CliProgram): string {
  const verbs = program.commands.filter((c) => c.name !== "");
  const plain = program.commands.find((c) => c.name === "");
  if (verbs.length === 0 && plain) return commandHelp(program, plain);
  let text = `${program.summary}\n\nUsage: ${program.name} <command> [options]\n\nCommands:\n`;
  text += helpRows(verbs.map((c) => [`  ${c.name}`, c.summary]));
  text += `\nEvery command:\n${optionsHelp(commonOptions)}`;
  if (plain) text += `\nWithout a command:\n${optionsHelp(ownOptions(plain))}`;
  return `${text}\n${program.name} <command> --help says more about one command.\n`;
}

/** What `program verb --help` prints. */
export function commandHelp(program: CliProgram, command: CliCommand): string {
  const words = [program.name, command.name, ...(command.positionals ?? []), "[options]"].filter(Boolean);
  let text = `${command.summary}\n\nUsage: ${words.join(" ")}\n`;
  const own = ownOptions(command);
  if (own.length > 0) text += `\nOptions:\n${optionsHelp(own)}`;
  const names = new Set(own.map((option) => option.name));
  const common = commonOptions.filter((option) => !names.has(option.name));
  text += `\nEvery command:\n${optionsHelp(common)}`;
  if (command.examples?.length) text += `\nExamples:\n${command.examples.map((e) => `  ${e}\n`).join("")}`;
  return text;
}
