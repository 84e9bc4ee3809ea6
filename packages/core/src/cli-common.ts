/** The options that our programs share. */
import type { CliCommand } from "./cli.ts";
import type { OptionSpec } from "./cli-options.ts";

/** Options every program has. */
export const commonOptions: readonly OptionSpec[] = [
  {
    name: "threads",
    type: "int",
    range: { min: 1, max: 1024 },
    value: "N",
    help: "worker threads; all cores by default, results do not depend on it",
  },
  {
    name: "memory-limit",
    type: "bytes",
    range: { min: 1 },
    value: "SIZE",
    help: "memory to plan with, e.g. 8G",
  },
  { name: "json", type: "flag", help: "results and errors as JSON" },
  { name: "quiet", type: "flag", help: "no progress, no warnings" },
  { name: "help", aliases: ["-h"], type: "flag", help: "show this help" },
  { name: "version", type: "flag", help: "show the version" },
];

const SEED: OptionSpec = {
  name: "seed",
  type: "int",
  range: { min: 0 },
  value: "N",
  help: "seed of everything random",
};

/** What a command has of its own: its options, and `--seed` where it draws random numbers. */
export function ownOptions(command: CliCommand): readonly OptionSpec[] {
  const has = command.options.some((option) => option.name === SEED.name);
  return command.random && !has ? [...command.options, SEED] : command.options;
}

/** All that a command understands; its own options come before common ones of the same name. */
export function allOptions(command: CliCommand): readonly OptionSpec[] {
  const own = ownOptions(command);
  const names = new Set(own.map((option) => option.name));
  return [...own, ...commonOptions.filter((option) => !names.has(option.name))];
}
