/** The command-line kit: one table describes a program, `runCli` does what all our programs have in common. */

import { existsSync } from "node:fs";
import { allOptions } from "./cli-common.ts";
import { commandHelp, programHelp } from "./cli-help.ts";
import { type FileUse, type OptionSpec, type OptionValues, parseOptions } from "./cli-options.ts";
import { fromSystemError, isXError, type XError, xError } from "./errors.ts";
import { nearestName } from "./options.ts";
import { type OnProgress, terminalProgress } from "./progress.ts";
import { checkOutputs, protectInputs, withInputs } from "./run-files.ts";
import { removeTemps } from "./temps.ts";
import type { Warn, Warning } from "./warnings.ts";

export { commonOptions } from "./cli-common.ts";

/** What a command gets besides its own options. */
export interface CliContext {
  /** Values by option name, common options included. */
  options: OptionValues;
  /** Words that are no options, in order. */
  positionals: readonly string[];
  /** Aborts on SIGINT, SIGTERM and when the reader of standard output goes away. */
  signal: AbortSignal;
  /** The progress line on a terminal. */
  onProgress: OnProgress;
  /** Prints a warning to stderr, unless `--quiet`. */
  warn: Warn;
  /** Was `--json` given? */
  json: boolean;
  /** Was `--quiet` given? */
  quiet: boolean;
  /** `--threads`. */
  threads: number | undefined;
  /** `--seed`, where the command is `random`. */
  seed: number | undefined;
  /** `--memory-limit` in bytes. */
  memoryLimit: number | undefined;
  /** Prints a line of results to stdout. */
  print(line: string): void;
}

/** One verb of a program, or a program of a single purpose. */
export interface CliCommand {
  /** The verb; "" for the command that runs without one. */
  name: string;
  /** One line. */
  summary: string;
  /** Its own options; the common ones are added. */
  options: readonly OptionSpec[];
  /** Names of the words that are no options, e.g. `["FILESET"]`; `"FILE..."` takes any number, `"[FILE]"` may be left out. */
  positionals?: readonly string[];
  /** What files the positionals name, in order; the last holds for those that follow too. */
  files?: readonly (FileUse | null)[];
  /** Does it draw random numbers? Only then has it `--seed`. */
  random?: boolean;
  /** A command line or two to copy. */
  examples?: readonly string[];
  /** Does the work; what it returns is printed under `--json`. */
  run(context: CliContext): Promise<unknown>;
}

/** A program: its name, version and verbs. */
export interface CliProgram {
  /** What users type. */
  name: string;
  /** What `--version` prints. */
  version: string;
  /** One line, printed above the help. */
  summary: string;
  /** The verbs, in the order of the help. */
  commands: readonly CliCommand[];
}

/** After a signal the work gets this long to stop and clean up. */
const GRACE_MS = 5000;

/** What each signal makes a program exit with. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Runs a program and sets `process.exitCode`: 0 ok, 1 failed, 2 usage, 130 / 143 interrupted, 141 when the reader of
 * stdout went away. Errors go to stderr as `CODE message`, under `--json` as `{"error":{code,message,details}}`; stack
 * traces are printed for bugs only. The first SIGINT or SIGTERM aborts `signal`, temporary files are removed in any
 * case; the second one ends the process at once.
 */
export async function runCli(
  program: CliProgram,
  argv: readonly string[] = process.argv.slice(2),
): Promise<number> {
  const life = watchSignals();
  let json = argv.includes("--json");
  let code = 0;
  try {
    const found = findCommand(program, argv);
    if ("text" in found) await print(found.text);
    else {
      const printing: Promise<void>[] = [];
      const context = startContext(program, found.command, found.argv, { signal: life.signal, printing });
      json = context.json;
      using _progress = context.onProgress as OnProgress & Disposable;
      const result = await withInputs(() => {
        guardInputs(found.command, context);
        return found.command.run(context);
      });
      life.signal.throwIfAborted();
      await Promise.all(printing);
      if (json && result !== undefined) await print(`${toJson(result)}\n`);
    }
  } catch (e) {
    code = life.exitCode ?? report(e, json);
    if (life.exitCode !== undefined && life.exitCode !== 141) {
      process.stderr.write(`${program.name}: interrupted, unfinished files were removed\n`);
    }
  } finally {
    life.stop();
    removeTemps();
  }
  process.exitCode = code;
  return code;
}

/** The command and its arguments, or the text that `--help` and `--version` ask for. */
function findCommand(
  program: CliProgram,
  argv: readonly string[],
): { command: CliCommand; argv: readonly string[] } | { text: string } {
  const verbs = program.commands.filter((c) => c.name !== "");
  const plain = program.commands.find((c) => c.name === "");
  const named = verbs.find((c) => c.name === argv[0]);
  const end = argv.indexOf("--");
  const flags = end < 0 ? argv : argv.slice(0, end);
  if (flags.includes("--version")) return { text: `${program.name} ${program.version}\n` };
  const wantsHelp = flags.includes("--help") || flags.includes("-h") || argv[0] === "help";
  const asked = argv[0] === "help" ? verbs.find((c) => c.name === argv[1]) : named;
  if (wantsHelp && asked) return { text: commandHelp(program, asked) };
  if (wantsHelp || (argv.length === 0 && !plain)) return { text: programHelp(program) };
  if (named) return { command: named, argv: argv.slice(1) };
  const names = verbs.map((c) => c.name);
  const word = argv[0] ?? "";
  const near = word.startsWith("-") ? undefined : nearestName(word, names);
  // A misspelt verb, unless it is a file for the command that runs without one.
  if (plain && (near === undefined || existsSync(word))) return { command: plain, argv };
  const hint = near === undefined ? `see ${program.name} --help` : `did you mean ${near}?`;
  const details = { command: argv[0], nearest: near };
  throw xError("UNKNOWN_COMMAND", `${program.name} has no command ${argv[0]}; ${hint}`, {
    details,
    usage: true,
  });
}

function startContext(
  program: CliProgram,
  command: CliCommand,
  argv: readonly string[],
  { signal, printing }: { signal: AbortSignal; printing: Promise<void>[] },
): CliContext {
  const where = `${program.name} ${command.name}`.trim();
  const { options, positionals } = parseOptions(argv, allOptions(command), where, command.positionals ?? []);
  const [json, quiet] = [options.json === true, options.quiet === true];
  return {
    options,
    positionals,
    signal,
    json,
    quiet,
    onProgress: terminalProgress(quiet ? { write: () => {} } : process.stderr),
    warn: quiet ? () => {} : (warning) => printWarning(warning, json),
    threads: options.threads as number | undefined,
    seed: options.seed as number | undefined,
    memoryLimit: options["memory-limit"] as number | undefined,
    print(line) {
      const printed = print(`${line}\n`);
      printed.catch(() => {}); // awaited with the others at the end
      printing.push(printed);
    },
  };
}

/** What the command reads is protected, and what it writes compared with it, before anything runs. */
function guardInputs(command: CliCommand, { options, positionals }: CliContext): void {
  const outputs: string[] = [];
  const use = (file: FileUse | null | undefined, paths: readonly string[]): void => {
    if (file?.role === "input") protectInputs(paths, file.endings);
    else if (file) outputs.push(...paths.flatMap((p) => (file.endings ?? [""]).map((ending) => p + ending)));
  };
  for (const { name, file } of command.options) {
    const value = options[name];
    if (value !== undefined) use(file, Array.isArray(value) ? value : [String(value)]);
  }
  for (const [i, word] of positionals.entries()) use(command.files?.[i] ?? command.files?.at(-1), [word]);
  checkOutputs(outputs);
}

interface Life {
  signal: AbortSignal;
  exitCode: number | undefined;
  stop(): void;
}

let onStdoutError: ((e: NodeJS.ErrnoException) => void) | undefined;

/** Signals and a closed stdout abort the work; a second signal, or no end in time, ends the process. */
function watchSignals(): Life {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const end = (code: number, why: XError, signal: NodeJS.Signals): void => {
    if (life.exitCode !== undefined) endNow(signal);
    life.exitCode = code;
    controller.abort(why);
    timer = setTimeout(() => endNow(signal), GRACE_MS);
    timer.unref();
  };
  /** By the signal itself: `process.exit` would wait for worker threads that are still busy. */
  const endNow = (signal: NodeJS.Signals): void => {
    removeTemps();
    life.stop();
    process.kill(process.pid, signal);
  };
  const handlers = (Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]).map(
    (name) => [name, () => end(SIGNALS[name], xError("CANCELLED", `interrupted by ${name}`), name)] as const,
  );
  const onPipe = (e: NodeJS.ErrnoException): void => {
    if (e.code !== "EPIPE" || life.exitCode !== undefined) return;
    end(141, xError("EPIPE", "the reader of stdout went away"), "SIGTERM");
  };
  for (const [name, handler] of handlers) process.on(name, handler);
  // Stays for good: an error event without a listener would end the process with a stack trace.
  if (!onStdoutError) process.stdout.on("error", (e) => onStdoutError?.(e));
  onStdoutError = onPipe;
  const life: Life = {
    signal: controller.signal,
    exitCode: undefined,
    stop() {
      clearTimeout(timer);
      for (const [name, handler] of handlers) process.off(name, handler);
    },
  };
  return life;
}

/** Prints an error and says what to exit with. */
function report(e: unknown, json: boolean): number {
  if ((e as NodeJS.ErrnoException)?.code === "EPIPE") return 141;
  const known = isXError(e) ? e : xError("INTERNAL", e instanceof Error ? (e.stack ?? e.message) : String(e));
  process.stderr.write(json ? `${toJson({ error: known.toJSON() })}\n` : `${known}\n`);
  return known.exitCode;
}

function printWarning(warning: Warning, json: boolean): void {
  process.stderr.write(json ? `${toJson({ warning })}\n` : `warning ${warning.code} ${warning.message}\n`);
}

/** A full disk behind stdout loses results like any other: ENOSPC, not silence. */
function print(text: string): Promise<void> {
  return new Promise((done, fail) => {
    const ended = (e?: Error | null): void => (e ? fail(fromSystemError(e, "standard output")) : done());
    try {
      process.stdout.write(text, ended);
    } catch (e) {
      ended(e as Error); // files and devices are written at once
    }
  });
}

/** JSON with BigInt as text, typed arrays as arrays, NaN and infinities as null. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, v) => {
    if (typeof v === "bigint") return v.toString();
    if (ArrayBuffer.isView(v) && !(v instanceof DataView))
      return Array.from(v as unknown as Iterable<number>);
    return v;
  });
}
