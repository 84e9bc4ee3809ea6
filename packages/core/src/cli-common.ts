/** The options that our programs share. */
import type { CliCommand } from "./cli.ts";
import type { OptionSpec } from "./cli-options.ts";
import { option } from "./option.ts";

/** Options every program has. */
export const commonOptions: readonly OptionSpec[] = [
  option.int("threads", "worker threads; all cores by default, results do not depend on it", {
    range: { min: 1, max: 1024 },
    value: "N",
  }),
  option.bytes("memory-limit", "memory to plan with, e.g. 8G", { range: { min: 1 }, value: "SIZE" }),
  option.flag("json", "results and errors as JSON"),
  option.flag("quiet", "errors only: no progress, no warnings, no summary"),
  option.flag("help", "show this help", { aliases: ["-h"] }),
  option.flag("version", "show the version"),
];

const SEED: OptionSpec = option.int("seed", "seed of everything random", { range: { min: 0 }, value: "N" });

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
