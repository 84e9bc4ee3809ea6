/** Short forms of the options that commands have. */
import type { FileUse, OptionSpec, OptionType } from "./cli-options.ts";

/** What an option has besides its name, its type and its help. */
export type OptionExtras = Omit<OptionSpec, "name" | "type" | "help" | "file">;

/** Makes an option. */
export type OptionMaker<Extras = OptionExtras> = (name: string, help: string, extras?: Extras) => OptionSpec;

/** Extras of an option that names a file; `endings` where its text is a prefix. */
export type FileExtras = OptionExtras & Pick<FileUse, "endings">;

/**
 * Options by what their text becomes: `option.int("threads", "worker threads", { range: { min: 1 } })`. `input` and `output`
 * name a file, so that no run writes over what it reads.
 */
export const option: {
  /** On or off; `--no-name` turns it off. */
  readonly flag: OptionMaker;
  /** Any text. */
  readonly text: OptionMaker;
  /** A whole number. */
  readonly int: OptionMaker;
  /** A number. */
  readonly number: OptionMaker;
  /** Comma-separated texts; may be repeated. */
  readonly list: OptionMaker<OptionExtras & Pick<OptionSpec, "file">>;
  /** A size, e.g. 8G. */
  readonly bytes: OptionMaker;
  /** A file that is read. */
  readonly input: OptionMaker<FileExtras>;
  /** A file that is written. */
  readonly output: OptionMaker<FileExtras>;
} = {
  flag: maker("flag"),
  text: maker("string"),
  int: maker("int"),
  number: maker("number"),
  list: maker("list"),
  bytes: maker("bytes"),
  input: fileMaker("input"),
  output: fileMaker("output"),
};

function maker(type: OptionType): OptionMaker<Partial<OptionSpec>> {
  return (name, help, extras) => ({ name, type, help, ...extras });
}

function fileMaker(role: FileUse["role"]): OptionMaker<FileExtras> {
  return (name, help, { endings, ...extras } = {}) => ({
    name,
    type: "string",
    value: "FILE",
    file: endings ? { role, endings } : { role },
    help,
    ...extras,
  });
}
