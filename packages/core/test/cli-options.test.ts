import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type OptionSpec, optionsHelp, parseOptions } from "../src/cli-options.ts";
import { option } from "../src/option.ts";

const specs: OptionSpec[] = [
  { name: "bfile", aliases: ["-bfile"], type: "string", value: "PREFIX", help: "fileset" },
  { name: "gk", aliases: ["-gk"], type: "int", range: { min: 1, max: 2 }, implied: 1, help: "kinship" },
  { name: "lmm", aliases: ["-lmm"], type: "int", range: { min: 1, max: 4 }, implied: 1, help: "tests" },
  {
    name: "maf",
    aliases: ["-maf"],
    type: "number",
    range: { min: 0, max: 0.5 },
    default: 0.01,
    help: "frequency",
  },
  { name: "notsnp", aliases: ["-notsnp"], type: "flag", help: "no filter" },
  { name: "n", aliases: ["-n"], type: "list", help: "phenotypes" },
  { name: "mode", type: "string", choices: ["centered", "standardized"], help: "kind" },
  { name: "memory", type: "bytes", help: "memory" },
  { name: "shift", type: "number", help: "any number" },
];
const parse = (line: string): Record<string, unknown> => ({
  ...parseOptions(line.split(" ").filter(Boolean), specs).options,
});
const refusal = (line: string, code: string): void =>
  expect(() => parse(line)).toThrow(expect.objectContaining({ code, exitCode: 2 }));

describe("parseOptions", () => {
  it("reads GEMMA's single-dash names and GNU's double-dash ones", () => {
    expect(parse("-bfile x -lmm 1 -maf 0.05 -notsnp")).toEqual({
      bfile: "x",
      lmm: 1,
      maf: 0.05,
      notsnp: true,
    });
    expect(parse("--bfile=x --lmm=4 --no-notsnp")).toEqual({ bfile: "x", lmm: 4, maf: 0.01, notsnp: false });
  });

  it("options that may stand alone take a number when one follows", () => {
    expect(parse("-gk -bfile x")).toMatchObject({ gk: 1, bfile: "x" });
    expect(parse("-gk 2 -lmm")).toMatchObject({ gk: 2, lmm: 1 });
    expect(parseOptions(["-gk", "file"], specs)).toMatchObject({ options: { gk: 1 }, positionals: ["file"] });
    refusal("-gk 3", "OPTION_RANGE");
  });

  it("lists, sizes, negative numbers, - and --", () => {
    expect(parse("-n 1,2 -n 3 --memory 8G --shift -1.5")).toMatchObject({
      n: ["1", "2", "3"],
      memory: 8e9,
      shift: -1.5,
    });
    expect(parseOptions(["-", "--bfile", "-", "--", "--maf"], specs)).toMatchObject({
      options: { bfile: "-" },
      positionals: ["-", "--maf"],
    });
  });

  it.each([
    ["--bfil x", "UNKNOWN_OPTION"],
    ["-bflie x", "UNKNOWN_OPTION"],
    ["--no-bfile", "UNKNOWN_OPTION"],
    ["--__proto__ x", "UNKNOWN_OPTION"],
    ["--bfile", "OPTION_VALUE"],
    ["--bfile --maf 0.1", "OPTION_VALUE"],
    ["--notsnp=1", "OPTION_VALUE"],
    ["--maf 0.6", "OPTION_RANGE"],
    ["--maf nan", "OPTION_RANGE"],
    ["--maf 1e400", "OPTION_RANGE"],
    ["--maf 0x1", "OPTION_RANGE"],
    ["--lmm 1.5", "OPTION_RANGE"],
    ["--lmm=", "OPTION_RANGE"],
    ["--memory 8Q", "OPTION_RANGE"],
    ["--mode other", "OPTION_CHOICE"],
    ["--bfile a --bfile b", "OPTION_REPEATED"],
  ])("refuses %s as %s", (line, code) => refusal(line, code));

  it("names the nearest option and the missing one", () => {
    expect(() => parseOptions(["-bflie", "x"], specs, "lmm gwas")).toThrow(
      "lmm gwas has no option -bflie; did you mean -bfile?",
    );
    const needed: OptionSpec[] = [{ name: "out", type: "string", value: "FILE", help: "", required: true }];
    expect(() => parseOptions([], needed, "lmm gwas")).toThrow("lmm gwas needs --out FILE");
  });

  it("any words give options or an XError with exit code 2, and never touch a prototype", () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom("-gk", "--maf", "-n", "--", "-", "1", "--__proto__", "constructor"),
    );
    fc.assert(
      fc.property(fc.array(word), (words) => {
        try {
          const { options } = parseOptions(words, specs);
          expect(Object.keys(options).every((name) => specs.some((s) => s.name === name))).toBe(true);
        } catch (e) {
          expect(e).toMatchObject({ exitCode: 2 });
        }
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
    );
  });
});

describe("optionsHelp", () => {
  it("lines up spellings and texts", () => {
    expect(optionsHelp(specs.slice(0, 5))).toBe(
      "  --bfile, -bfile PREFIX  fileset\n" +
        "  --gk, -gk INT           kinship\n" +
        "  --lmm, -lmm INT         tests\n" +
        "  --maf, -maf NUMBER      frequency (default 0.01)\n" +
        "  --notsnp, -notsnp       no filter\n",
    );
  });

  it("lists choices, marks what is required, writes one-letter names with one dash first", () => {
    const more: OptionSpec[] = [
      { name: "p", aliases: ["-p"], type: "string", value: "FILE", help: "phenotypes", required: true },
      {
        name: "as",
        type: "string",
        value: "FORM",
        choices: ["text", "arrow"],
        default: "text",
        help: "form",
      },
    ];
    expect(optionsHelp(more)).toBe(
      "  -p, --p FILE  phenotypes (required)\n" + "  --as FORM     form (one of text, arrow; default text)\n",
    );
    expect(() => parseOptions([], more, "gemma")).toThrow("gemma needs -p FILE");
    expect(() => parseOptions(["stray"], more, "gemma", [])).toThrow('does not know what to do with "stray"');
  });
});

it("short forms are the tables they stand for", () => {
  expect(option.int("gk", "kinship", { range: { min: 1 }, implied: 1 })).toEqual({
    name: "gk",
    type: "int",
    help: "kinship",
    range: { min: 1 },
    implied: 1,
  });
  const [read, written] = [
    option.input("k", "kinship", { aliases: ["-k"] }),
    option.output("out", "results", { value: "PREFIX", endings: [".txt", ".arrow"] }),
  ];
  expect(read).toEqual({
    name: "k",
    aliases: ["-k"],
    type: "string",
    value: "FILE",
    file: { role: "input" },
    help: "kinship",
  });
  expect(written).toMatchObject({
    value: "PREFIX",
    file: { role: "output", endings: [".txt", ".arrow"] },
  });
  expect(written).not.toHaveProperty("endings");
});
