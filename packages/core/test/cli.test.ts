import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { type Child, runScript, tempFolder } from "./temp-folder.ts";

const folder = tempFolder();

/** A program whose verbs do what the tests need. */
const PROGRAM = `
  import { setTimeout as wait } from "node:timers/promises";
  import { runCli } from "$SRC/cli.ts";
  import { xError } from "$SRC/errors.ts";
  import { atomicWriter } from "$SRC/files.ts";
  const commands = [
    {
      name: "add", summary: "Adds numbers", positionals: ["A", "B"], examples: ["demo add 1 2"],
      options: [{ name: "scale", aliases: ["-s"], type: "number", range: { min: 0 }, default: 1, help: "factor" }],
      async run(c) {
        c.warn({ code: "DEMO", message: "a warning", details: {} });
        const sum = c.options.scale * (Number(c.positionals[0]) + Number(c.positionals[1]));
        if (!c.json) c.print(String(sum));
        return { sum, values: Float64Array.of(sum, NaN), big: 2n ** 60n, threads: c.threads, memory: c.memoryLimit };
      },
    },
    { name: "draw", summary: "Draws", options: [], random: true, async run(c) { c.print(String(c.seed)); } },
    { name: "fail", summary: "Fails", options: [], async run() { throw xError("BED_SIZE", "cut short", { details: { found: 1 } }); } },
    { name: "bug", summary: "Has a bug", options: [], async run() { null.x; } },
    {
      name: "slow", summary: "Writes slowly", positionals: ["OUT"], options: [{ name: "deaf", type: "flag", help: "" }],
      async run(c) {
        await using out = atomicWriter(c.positionals[0], { signal: c.options.deaf ? undefined : c.signal });
        console.error("started");
        for (;;) { await out.write("x".repeat(300000)); await wait(5); }
      },
    },
    { name: "many", summary: "Prints much", options: [], async run(c) {
        for (let i = 0; i < 1e5 && !c.signal.aborted; i++) { c.print("line " + i); if (i % 1000 === 0) await wait(1); }
    } },
  ];
  await runCli({ name: "demo", version: "1.2.3", summary: "A demonstration", commands });`;

/** A program that also runs without a verb. */
const PLAIN = `
  import { runCli } from "$SRC/cli.ts";
  const run = async (c) => c.print("ran " + c.positionals.join());
  const gwas = { name: "gwas", summary: "", options: [], run };
  const file = { name: "file", summary: "", options: [], positionals: ["[FILE]"], run };
  const plain = { name: "", summary: "", options: [{ name: "b", aliases: ["-b"], type: "string", required: true, help: "" }], run };
  const program = { name: "plain", version: "1.2.3", summary: "", commands: [gwas, file, plain] };
  await runCli(program);`;
const plain = (...args: string[]): Child => runScript(folder, PLAIN, { args });

const demo = (...args: string[]): Child => runScript(folder, PROGRAM, { args });

describe("runCli", () => {
  it("runs a verb: result on stdout, warnings on stderr", async () => {
    expect(await demo("add", "1", "2", "-s", "2").exit).toMatchObject({
      code: 0,
      stdout: "6\n",
      stderr: "warning DEMO a warning\n",
    });
    expect(await demo("add", "1", "2", "--quiet").exit).toMatchObject({ code: 0, stdout: "3\n", stderr: "" });
  });

  it("--json prints the result and the common options arrive", async () => {
    const { stdout, stderr } = await demo("add", "1", "2", "--json", "--threads", "3", "--memory-limit", "8G")
      .exit;
    expect(JSON.parse(stdout)).toEqual({
      sum: 3,
      values: [3, null],
      big: "1152921504606846976",
      threads: 3,
      memory: 8e9,
    });
    expect(JSON.parse(stderr)).toMatchObject({ warning: { code: "DEMO" } });
  });

  it.each([
    [["fail"], 1, "BED_SIZE cut short\n"],
    [["ad"], 2, "UNKNOWN_COMMAND demo has no command ad; did you mean add?\n"],
    [["add", "1"], 2, "ARGUMENT_MISSING demo add needs A B\n"],
    [["fail", "--seed", "1"], 2, "UNKNOWN_OPTION demo fail has no option --seed\n"],
    [["fail", "x"], 2, 'ARGUMENT_UNEXPECTED demo fail does not know what to do with "x"\n'],
    [
      ["add", "1", "2", "--scal", "2"],
      2,
      "UNKNOWN_OPTION demo add has no option --scal; did you mean --scale?\n",
    ],
    [
      ["fail", "--threads", "0"],
      2,
      'OPTION_RANGE --threads must be a whole number from 1 to 1024, got "0"\n',
    ],
  ])("%j exits with %i and one line", async (args, code, stderr) => {
    expect(await demo(...args).exit).toMatchObject({ code, stdout: "", stderr });
  });

  it("--seed is there for commands that draw random numbers", async () => {
    expect((await demo("draw", "--seed", "7").exit).stdout).toBe("7\n");
    expect((await demo("draw", "--help").exit).stdout).toContain("Options:\n  --seed N  seed of");
    expect((await demo("fail", "--help").exit).stdout).not.toContain("--seed");
  });

  it.each([
    [["gwsa"], 2, "UNKNOWN_COMMAND plain has no command gwsa; did you mean gwas?\n"],
    [["-gwas"], 2, "UNKNOWN_OPTION plain has no option -gwas\n"],
    [["something"], 2, 'ARGUMENT_UNEXPECTED plain does not know what to do with "something"\n'],
    [["-b", "x", "y"], 2, 'ARGUMENT_UNEXPECTED plain does not know what to do with "y"\n'],
    [["file", "x", "y"], 2, 'ARGUMENT_UNEXPECTED plain file does not know what to do with "y"\n'],
    [[], 2, "OPTION_MISSING plain needs -b\n"],
    [["-b", "gwsa"], 0, ""],
  ])("with a command that needs no verb, %j exits with %i", async (args, code, stderr) => {
    expect(await plain(...args).exit).toMatchObject({ code, stderr });
  });

  it("errors are JSON under --json; a bug shows its stack", async () => {
    const { code, stderr } = await demo("fail", "--json").exit;
    expect(code).toBe(1);
    expect(JSON.parse(stderr)).toEqual({
      error: { code: "BED_SIZE", message: "cut short", details: { found: 1 } },
    });
    expect((await demo("bug").exit).stderr).toMatch(/^INTERNAL TypeError: [\s\S]* at /);
  });

  it("--help and --version", async () => {
    expect((await demo("--version").exit).stdout).toBe("demo 1.2.3\n");
    const help = await demo("--help").exit;
    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help.stdout).toMatch(
      /^A demonstration\n\nUsage: demo <command> \[options\]\n\nCommands:\n {2}add +Adds numbers\n/,
    );
    expect((await demo().exit).stdout).toBe(help.stdout);
    const add = (await demo("add", "--help").exit).stdout;
    expect(add).toContain("Usage: demo add A B [options]\n");
    expect(add).toContain("  --scale, -s NUMBER  factor (default 1)\n");
    expect(add).toContain("Examples:\n  demo add 1 2\n");
    expect((await demo("help", "add").exit).stdout).toBe(add);
  });

  it.each([["--version"], ["--help"], ["add", "1", "2"], ["add", "1", "2", "--json"]])(
    "a full disk behind standard output is an error: %s",
    async (...args) => {
      const shell = `$SCRIPT ${args.join(" ")} > /dev/full`;
      const { code, stderr } = await runScript(folder, PROGRAM, { shell }).exit;
      expect(stderr).toMatch(/ENOSPC/);
      expect(stderr).not.toContain("final name");
      expect(stderr).not.toMatch(/\n\s+at /);
      expect(code).toBe(1);
    },
  );

  it.each([
    ["SIGINT", 130, "slow"],
    ["SIGTERM", 143, "slow"],
  ] as const)("%s exits with %i and leaves no file", async (signal, code, name) => {
    const out = join(folder, `${name}-${signal}`);
    const child = demo("slow", out);
    await child.said("started");
    child.kill(signal);
    expect(await child.exit).toMatchObject({
      code,
      stderr: "started\ndemo: interrupted, unfinished files were removed\n",
    });
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(folder).filter((f) => f.startsWith(`.${name}-${signal}`))).toEqual([]);
  });

  it("a second SIGINT ends work that does not listen, without leaving a file", async () => {
    const child = demo("slow", join(folder, "deaf"), "--deaf");
    await child.said("started");
    // Two signals that come before the process runs again are one: on a busy machine the second is sent until it tells.
    const again = setInterval(() => child.kill("SIGINT"), 200);
    child.kill("SIGINT");
    const { signal } = await child.exit;
    clearInterval(again);
    expect(signal).toBe("SIGINT"); // shells report it as 130
    expect(readdirSync(folder).filter((f) => f.includes("deaf"))).toEqual([]);
  });

  it("ends quietly when the reader of stdout goes away", async () => {
    const shell = "($SCRIPT many; echo $? >&2) | head -n 1";
    const { stdout, stderr } = await runScript(
      folder,
      PROGRAM.replace(/await runCli\((.*)\);$/, 'await runCli($1, ["many"]);'),
      {
        shell: shell.replace(" many", ""),
      },
    ).exit;
    expect(stdout).toBe("line 0\n");
    expect(stderr).toBe("141\n");
  });
});
