import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { checkOutputs } from "../src/run-files.ts";
import { runScript, tempFolder } from "./temp-folder.ts";

const folder = tempFolder();
const at = (name: string, text?: string): string => {
  const path = join(folder, name);
  if (text !== undefined) writeFileSync(path, text);
  return path;
};

const PROGRAM = `
  import { runCli } from "$SRC/cli.ts";
  import { writeFileAtomic } from "$SRC/files.ts";
  const options = [
    { name: "in", type: "string", file: { role: "input" }, help: "" },
    { name: "set", type: "string", file: { role: "input", endings: [".bed", ".bim"] }, help: "" },
    { name: "lists", type: "list", file: { role: "input" }, help: "" },
    { name: "out", type: "string", file: { role: "output" }, help: "" },
    { name: "log", type: "string", file: { role: "output" }, help: "" },
    { name: "prefix", type: "string", help: "its files are known late" },
  ];
  const run = async ({ options }) => {
    console.error("ran");
    if (options.out) await writeFileAtomic(options.out, "new");
    if (options.prefix) await writeFileAtomic(options.prefix + ".bed", "new");
  };
  await runCli({ name: "demo", version: "1", summary: "", commands: [
    { name: "go", summary: "", options, positionals: ["[FILE...]"], files: [{ role: "input" }], run },
  ] });`;
const demo = (...args: string[]) => runScript(folder, PROGRAM, { args: ["go", ...args] }).exit;

describe("inputs of a run", () => {
  const input = at("in.vcf", "old");
  at("in.vcf.csi", "index");
  at("set.bed", "old");
  linkSync(input, at("hard.vcf"));
  symlinkSync(input, at("soft.vcf"));
  mkdirSync(at("sub"));

  it.each([
    ["--in", input, "--out", input],
    ["--in", input, "--out", join(folder, "sub", "..", "in.vcf")],
    ["--in", input, "--out", at("soft.vcf")],
    ["--in", at("soft.vcf"), "--out", input],
    ["--in", input, "--out", at("hard.vcf")],
    ["--in", input, "--out", at("new.vcf"), "--log", at("in.vcf.csi")],
    ["--set", at("set"), "--out", at("set.bed")],
    ["--lists", `x,${input}`, "--out", input],
    [at("none"), input, "--out", input],
  ])("are never an output: %s %s %s %s", async (...args) => {
    const { code, stderr } = await demo(...args);
    expect(code).toBe(2);
    expect(stderr).toContain("OUT_IS_INPUT");
    expect(stderr).not.toContain("ran");
    expect(readFileSync(input, "utf8")).toBe("old");
    expect(readFileSync(at("in.vcf.csi"), "utf8")).toBe("index");
  });

  it("nor where the name of the output is made later", async () => {
    const { code, stderr } = await demo("--set", at("set"), "--prefix", at("set"));
    expect(code).toBe(2);
    expect(stderr).toContain("OUT_IS_INPUT");
    expect(readFileSync(at("set.bed"), "utf8")).toBe("old");
  });

  it("two outputs are two files", async () => {
    const { code, stderr } = await demo("--out", at("twice"), "--log", join(folder, "sub", "..", "twice"));
    expect([code, stderr.split(" ")[0]]).toEqual([2, "OUT_TWICE"]);
  });

  it("devices, standard output and files of earlier runs may be written", async () => {
    at("earlier.txt", "earlier");
    const args = ["--in", input, "--out", at("earlier.txt"), "--log", "-"];
    expect((await demo(...args)).code).toBe(0);
    expect(readFileSync(at("earlier.txt"), "utf8")).toBe("new");
    expect((await demo("--in", "/dev/null", "--out", "/dev/null", "--log", "/dev/null")).code).toBe(0);
  });

  it("are compared by libraries too", () => {
    expect(() => checkOutputs([at("hard.vcf")], [input])).toThrow(/hard\.vcf: this file is read/);
    expect(() => checkOutputs([at("other.vcf"), "-"], [input, "-"])).not.toThrow();
  });
});
