// What a command line says is done or refused; nothing is passed over.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { convert, freq, missing, openPlink, subset, writeFreq, writeMissing } from "../src/index.ts";
import { plinkIo } from "./support/cli.ts";
import { makeFileset, temporaryFolder } from "./support/filesets.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const set = makeFileset(folder.path);
const path = (name: string): string => join(folder.path, name);
const files = (): string[] => readdirSync(folder.path).sort();
const before = files();

function refused(args: readonly string[], code: string): void {
  const ran = plinkIo(args, { cwd: folder.path });
  expect(ran).toMatchObject({ status: 2, stdout: "", stderr: expect.stringMatching(`^${code} `) });
  expect(files()).toEqual(before);
}

describe("refused, with nothing written", () => {
  it("a word too many", () => {
    for (const verb of ["inspect", "freq", "missing", "hardy", "subset"])
      refused([verb, "--bfile", "study", "another"], "ARGUMENT_UNEXPECTED");
    refused(["convert", "study", "one.arrow", "--out", "two.arrow"], "ARGUMENT_UNEXPECTED");
    refused(["convert", "--bfile", "study", "one.arrow", "two.arrow"], "ARGUMENT_UNEXPECTED");
  });

  it("options of the other direction or another verb", async () => {
    using elsewhere = temporaryFolder();
    const arrow = join(elsewhere.path, "x.arrow");
    await convert(set.prefix, arrow);
    refused(["convert", arrow, "y", "--as", "int8"], "CONVERT_DIRECTION");
    refused(["convert", arrow, "y", "--chunk", "5"], "CONVERT_DIRECTION");
    for (const flag of ["--nonfounders", "--keep-allele-order"])
      refused(["missing", "--bfile", "study", flag], "UNKNOWN_OPTION");
  });

  it("a fileset to standard output", async () => {
    for (const out of ["-", "/dev/stdout", "/dev/null"]) {
      refused(["subset", "--bfile", "study", "--out", out], "OUT_STDOUT");
      refused(["merge", "study", "--out", out], "OUT_STDOUT");
    }
    await using study = await openPlink(set.prefix);
    await expect(subset(study, "-")).rejects.toMatchObject({ code: "OUT_STDOUT", exitCode: 2 });
    await expect(writeMissing("-", await missing(study))).rejects.toMatchObject({ code: "OUT_STDOUT" });
    await expect(writeFreq("/dev/null", await freq(study))).resolves.toBeUndefined();
  });

  it("a folder that is not there, before anything is read", () => {
    const ran = plinkIo(["merge", "absent", "--out", path("nowhere/x")]);
    expect(ran).toMatchObject({ status: 1, stderr: expect.stringMatching(/^OUT_DIR /) });
  });
});

describe("--help", () => {
  const help = (verb: string): string => plinkIo([verb, "--help"]).stdout;

  it("offers standard output only where it works", () => {
    for (const verb of ["freq", "missing", "hardy"]) expect(help(verb)).toContain("- is standard output");
    for (const verb of ["convert", "subset", "merge", "inspect"])
      expect(help(verb)).not.toContain("standard output");
  });

  it("lists the choices", () => {
    expect(help("convert")).toContain("--as int8|float32|float64|packed");
  });
});

it("convert takes its output as a word or an option", () => {
  using out = temporaryFolder();
  const made = (name: string): string => join(out.path, name);
  for (const args of [
    ["study", made("a.arrow")],
    ["--bfile", "study", made("b.arrow")],
    ["study", "--out", made("c.arrow")],
    ["--bfile", "study", "--out", made("d.arrow")],
  ])
    expect(plinkIo(["convert", ...args], { cwd: folder.path })).toMatchObject({ status: 0, stderr: "" });
  expect(readdirSync(out.path).filter((name) => !name.includes("samples"))).toEqual([
    "a.arrow",
    "b.arrow",
    "c.arrow",
    "d.arrow",
  ]);
});
