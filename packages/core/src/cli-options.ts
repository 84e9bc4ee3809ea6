/** Command-line options from a table: GNU style, and GEMMA's single-dash names where an option lists them. */
import { type XError, xError } from "./errors.ts";
import { parseBytes } from "./memory.ts";
import { parseStrictNumber } from "./numbers.ts";
import { type Range, rangeError, unknownOption } from "./options.ts";

/** What the text after an option becomes. `list` is comma separated and may be repeated; `bytes` knows 8G and 500M. */
export type OptionType = "flag" | "string" | "int" | "number" | "list" | "bytes";

/**
 * What a command does with the file a word names. A run that would write one of the files it reads is refused before it
 * begins: `OUT_IS_INPUT`.
 */
export interface FileUse {
  /** Is it read or written? */
  role: "input" | "output";
  /** Where the word is a prefix: what is put behind it, e.g. `[".bed", ".bim", ".fam"]`. */
  endings?: readonly string[];
}

/** One option of a command. */
export interface OptionSpec {
  /** Without dashes; `--name` always works, and `--no-name` for flags. Its value is stored under this name. */
  name: string;
  /** Further spellings with their dashes: `["-bfile", "-t"]`. */
  aliases?: readonly string[];
  /** What its text becomes. */
  type: OptionType;
  /** One line. */
  help: string;
  /** Bounds of numbers: `OPTION_RANGE` outside. */
  range?: Range;
  /** The only texts allowed: `OPTION_CHOICE` otherwise. */
  choices?: readonly string[];
  /** Value when it is not given. */
  default?: OptionValue;
  /** Value when the option stands alone, for options like GEMMA's `-gk` (= `-gk 1`). */
  implied?: OptionValue;
  /** Placeholder in the help, e.g. `FILE`. */
  value?: string;
  /** `OPTION_MISSING` when it is not given. */
  required?: boolean;
  /** Given where its text names a file (a `list`: several). */
  file?: FileUse;
}

/** A parsed value. */
export type OptionValue = string | number | boolean | readonly string[];

/** The values of a command's options by name. */
export type OptionValues = Record<string, OptionValue | undefined>;

/** What the command line held. */
export interface ParsedOptions {
  /** Values by name; defaults filled in. */
  options: OptionValues;
  /** The words that are no options, in order. */
  positionals: string[];
}

/**
 * Parses arguments by the table. Errors, all with exit code 2: `UNKNOWN_OPTION` (with the nearest name),
 * `OPTION_VALUE` (value missing, or given to a flag), `OPTION_RANGE`, `OPTION_CHOICE`, `OPTION_REPEATED`,
 * `OPTION_MISSING`. `--` ends the options; `-` is an ordinary value. With `words`, the names of a command's positionals,
 * also `ARGUMENT_MISSING` and `ARGUMENT_UNEXPECTED`.
 */
export function parseOptions(
  argv: readonly string[],
  specs: readonly OptionSpec[],
  where = "this command",
  words?: readonly string[],
): ParsedOptions {
  const byName = new Map(specs.flatMap((spec) => spellings(spec).map((name) => [name, spec] as const)));
  const options: OptionValues = Object.create(null);
  const positionals: string[] = [];
  const set = (spec: OptionSpec, shown: string, value: OptionValue): void => {
    const before = options[spec.name];
    if (before === undefined) options[spec.name] = value;
    else if (spec.type === "list") options[spec.name] = [...(before as string[]), ...(value as string[])];
    else if (before !== value)
      throw usage("OPTION_REPEATED", `${shown} is given twice with different values`, shown);
  };

  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!;
    if (arg === "--") {
      positionals.push(...argv.slice(i + 1));
      break;
    }
    if (!looksLikeOption(arg)) {
      positionals.push(arg);
      continue;
    }
    const equals = arg.indexOf("=");
    const shown = equals < 0 ? arg : arg.slice(0, equals);
    const inline = equals < 0 ? undefined : arg.slice(equals + 1);
    const spec = byName.get(shown);
    if (!spec) {
      const off = shown.startsWith("--no-") ? byName.get(`--${shown.slice(5)}`) : undefined;
      if (off?.type !== "flag" || inline !== undefined) throw unknownOption(shown, [...byName.keys()], where);
      set(off, shown, false);
    } else if (spec.type === "flag") {
      if (inline !== undefined) throw usage("OPTION_VALUE", `${shown} takes no value`, shown);
      set(spec, shown, true);
    } else {
      const next = argv[i + 1];
      if (inline !== undefined) set(spec, shown, convert(spec, shown, inline));
      else if (next !== undefined && next !== "--" && !looksLikeOption(next) && canTake(spec, next)) {
        set(spec, shown, convert(spec, shown, next));
        i++;
      } else if (spec.implied !== undefined) set(spec, shown, spec.implied);
      else throw usage("OPTION_VALUE", `${shown} needs a value${spec.value ? ` ${spec.value}` : ""}`, shown);
    }
  }
  if (words) checkPositionals(where, words, positionals);
  for (const spec of specs) {
    if (options[spec.name] === undefined && spec.default !== undefined) options[spec.name] = spec.default;
    if (options[spec.name] !== undefined || !spec.required) continue;
    throw usage(
      "OPTION_MISSING",
      `${where} needs ${spellings(spec)[0]}${spec.value ? ` ${spec.value}` : ""}`,
      spec.name,
    );
  }
  return { options, positionals };
}

/** Before required options are missed: a stray word is often why they are missing. */
function checkPositionals(where: string, names: readonly string[], found: readonly string[]): void {
  const needed = names.filter((name) => !name.startsWith("[")).length;
  const many = names.some((name) => name.includes("..."));
  if (found.length < needed) {
    throw xError("ARGUMENT_MISSING", `${where} needs ${names.join(" ")}`, { usage: true });
  }
  if (found.length <= names.length || many) return;
  const message = `${where} does not know what to do with ${JSON.stringify(found[names.length])}`;
  throw xError("ARGUMENT_UNEXPECTED", message, { usage: true });
}

/** All spellings of an option, the usual one first: a one-letter name is usually written with one dash. */
function spellings(spec: OptionSpec): string[] {
  const [long, aliases] = [`--${spec.name}`, spec.aliases ?? []];
  return spec.name.length === 1 ? [...aliases, long] : [long, ...aliases];
}

/** `-` and negative numbers are values. */
function looksLikeOption(arg: string): boolean {
  return arg.length > 1 && arg[0] === "-" && parseStrictNumber(arg) === undefined;
}

/** An option that may stand alone only takes a next word that fits its type. */
function canTake(spec: OptionSpec, text: string): boolean {
  return (
    spec.implied === undefined || (spec.type !== "int" && spec.type !== "number") || /^[-+.\d]/.test(text)
  );
}

function convert(spec: OptionSpec, shown: string, text: string): OptionValue {
  if (
    spec.choices &&
    !(spec.type === "list" ? text.split(",") : [text]).every((t) => spec.choices!.includes(t))
  ) {
    throw usage(
      "OPTION_CHOICE",
      `${shown} must be one of ${spec.choices.join(", ")}, got ${JSON.stringify(text)}`,
      shown,
    );
  }
  if (spec.type === "string") return text;
  if (spec.type === "list") return text.split(",").filter((part) => part !== "");
  const range = { ...(spec.type === "number" ? {} : { integer: true }), ...spec.range };
  const value = spec.type === "bytes" ? parseBytes(text) : parseStrictNumber(text);
  const inside =
    value !== undefined &&
    Number.isFinite(value) &&
    value >= (range.min ?? Number.NEGATIVE_INFINITY) &&
    value <= (range.max ?? Number.POSITIVE_INFINITY) &&
    (!range.integer || Number.isSafeInteger(value));
  if (!inside) throw rangeError(shown, JSON.stringify(text), range);
  return value;
}

function usage(code: string, message: string, option: string): XError {
  return xError(code, message, { details: { option }, usage: true });
}

/** The help lines of options: spellings, placeholder, text; choices, default or that it is required. */
export function optionsHelp(specs: readonly OptionSpec[]): string {
  const rows = specs.map((spec) => {
    const value = spec.type === "flag" ? "" : ` ${spec.value ?? spec.type.toUpperCase()}`;
    const extra = [
      spec.choices && `one of ${spec.choices.join(", ")}`,
      spec.default !== undefined && spec.default !== false && `default ${spec.default}`,
      spec.required && "required",
    ].filter(Boolean);
    const text = extra.length > 0 ? `${spec.help} (${extra.join("; ")})` : spec.help;
    return [`  ${spellings(spec).join(", ")}${value}`, text] as const;
  });
  return helpRows(rows);
}

/** Two columns; a first column that is too wide gets its own line. */
export function helpRows(rows: readonly (readonly [left: string, right: string])[]): string {
  const width = Math.min(34, Math.max(0, ...rows.map(([left]) => left.length)) + 2);
  return rows
    .map(([left, right]) => {
      const gap = left.length + 2 > width ? `\n${" ".repeat(width)}` : " ".repeat(width - left.length);
      return `${left}${gap}${right}\n`;
    })
    .join("");
}
