import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lockOutput } from "@x/core";
import { afterAll, describe, expect, it } from "vitest";
import { openPlink, subset, writePlink } from "../src/index.ts";
import { BIN, plinkIo } from "./support/cli.ts";
import { makeFileset, temporaryFolder } from "./support/filesets.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const set = makeFileset(folder.path);
const NOBODY = 65534;

describe("outputs", () => {
  it("out-nodir", () => {
    writeFileSync(join(folder.path, "afile"), "");
    for (const out of [join(folder.path, "nowhere", "x"), join(folder.path, "afile", "x")]) {
      const ran = plinkIo(["freq", "--bfile", set.prefix, "--out", out]);
      expect(ran).toMatchObject({ status: 1, stderr: expect.stringMatching(/^OUT_DIR /) });
    }
    for (const verb of ["subset", "convert"]) {
      const ran = plinkIo([verb, "--bfile", set.prefix, "--out", join(folder.path, "nowhere/x.arrow")]);
      expect(ran).toMatchObject({ status: 1, stderr: expect.stringMatching(/^OUT_DIR /) });
    }
    if (process.getuid?.() !== 0) return;
    using open = temporaryFolder();
    spawnSync("chmod", ["755", folder.path, open.path]);
    const ran = plinkIo(["freq", "--bfile", set.prefix, "--out", join(open.path, "x")], { uid: NOBODY });
    expect(ran).toMatchObject({ status: 1, stderr: expect.stringMatching(/^OUT_DIR .*read-only/) });
  });

  it("out-exists", async () => {
    const out = join(folder.path, "twice");
    writeFileSync(`${out}.frq`, "old");
    expect(plinkIo(["freq", "--bfile", set.prefix, "--out", out]).status).toBe(0);
    expect(readFileSync(`${out}.frq`, "utf8")).toMatch(/^ CHR/);
    await using study = await openPlink(set.prefix);
    await subset(study, out);
    await expect(subset(study, out, { overwrite: false })).rejects.toMatchObject({ code: "OUT_EXISTS" });
  });

  it("out-enospc", () => {
    const mount = join(folder.path, "small");
    mkdirSync(mount);
    const big = makeFileset(folder.path, { n: 400, p: 2000, name: "big" });
    const inner = `mount -t tmpfs -o size=64k none ${mount} && "$@"; code=$?; ls -A ${mount}; exit $code`;
    const unshare = spawnSync("unshare", ["-m", "true"]);
    if (unshare.status !== 0) return console.warn("out-enospc is skipped: no private mounts here");
    for (const args of [
      ["subset", "--out", join(mount, "x")],
      ["convert", "--out", join(mount, "x.arrow")],
      ["hardy", "--out", join(mount, "x")],
    ]) {
      const ran = spawnSync(
        "unshare",
        ["-m", "sh", "-c", inner, "sh", process.execPath, BIN, ...args, "--bfile", big.prefix],
        { encoding: "utf8" },
      );
      expect(ran.stderr).toMatch(/^ENOSPC /);
      expect(ran.status).toBe(1);
      expect(ran.stdout.split("\n").filter((name) => name.startsWith("x"))).toEqual([]);
      expect(ran.stdout).not.toContain(".tmp");
    }
  });

  it("out-devfull", () => {
    const ran = plinkIo(["freq", "--bfile", set.prefix, "--out", "/dev/full"]);
    expect(ran).toMatchObject({ status: 1, stderr: expect.stringMatching(/^ENOSPC /) });
  });

  it("out-epipe", async () => {
    const big = makeFileset(folder.path, { n: 8, p: 40_000, name: "wide" });
    const child = spawn("sh", [
      "-c",
      `"$0" "$@" | head -1; exit 0`,
      process.execPath,
      BIN,
      "freq",
      "--bfile",
      big.prefix,
      "--out",
      "-",
    ]);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text) => {
      stdout += text;
    });
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    await new Promise((resolve) => child.on("close", resolve));
    expect(stdout).toMatch(/^ CHR +SNP/);
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).not.toContain("    at ");
  });

  it("out-two-writers", async () => {
    const out = join(folder.path, "locked");
    await using study = await openPlink(set.prefix);
    {
      await using _lock = lockOutput(out);
      const ran = plinkIo(["subset", "--bfile", set.prefix, "--out", out]);
      expect(ran).toMatchObject({ status: 1, stderr: expect.stringMatching(/^LOCKED /) });
      expect(plinkIo(["freq", "--bfile", set.prefix, "--out", out]).stderr).toMatch(/^LOCKED /);
    }
    await subset(study, out);
    expect(readFileSync(`${out}.bed`)).toEqual(readFileSync(`${set.prefix}.bed`));
  });

  it("a failed write leaves nothing behind", async () => {
    const out = join(folder.path, "failed");
    await using study = await openPlink(set.prefix);
    const broken = async function* () {
      yield* study.blocks({ range: [0, 10] });
      throw new Error("stopped");
    };
    const data = { samples: study.fam, variants: study.bim, genotypes: broken() };
    await expect(writePlink(out, data)).rejects.toThrow("stopped");
    const short = {
      samples: study.samples,
      variants: study.variants,
      genotypes: study.genotypes({ range: [0, 10] }),
    };
    await expect(writePlink(out, short)).rejects.toMatchObject({ code: "COUNT_MISMATCH" });
    expect(readdirSync(folder.path).filter((name) => name.includes("failed"))).toEqual([]);
    expect(existsSync(`${out}.bed`)).toBe(false);
  });
});

describe("exit codes", () => {
  it("2 for usage", () => {
    expect(plinkIo(["freq", "--bfiel", "x"])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^UNKNOWN_OPTION .*--bfile/),
    });
    expect(plinkIo(["frek"])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^UNKNOWN_COMMAND .*freq/),
    });
    expect(plinkIo(["freq"])).toMatchObject({ status: 2, stderr: expect.stringMatching(/^OPTION_MISSING /) });
    for (const chunk of ["-1", "0", "1.5", "NaN", "1e9"])
      expect(plinkIo(["convert", "--bfile", set.prefix, "--out", "x.arrow", "--chunk", chunk])).toMatchObject(
        { status: 2, stderr: expect.stringMatching(/^OPTION_(RANGE|VALUE) /) },
      );
  });

  it("130 for Ctrl-C, with nothing left", async () => {
    const out = join(folder.path, "stopped");
    const [n, p] = [20_000, 2_000];
    const prefix = join(folder.path, "long");
    writeFileSync(`${prefix}.bed`, Buffer.concat([Buffer.of(0x6c, 0x1b, 1), Buffer.alloc((p * n) / 4)]));
    writeFileSync(`${prefix}.bim`, Array.from({ length: p }, (_, j) => `1 v${j} 0 ${j} A C\n`).join(""));
    writeFileSync(`${prefix}.fam`, Array.from({ length: n }, (_, i) => `${i} i${i} 0 0 0 -9\n`).join(""));
    const child = spawn(process.execPath, [
      BIN,
      "convert",
      "--bfile",
      prefix,
      "--out",
      `${out}.arrow`,
      "--as",
      "float64",
      "--chunk",
      "1",
    ]);
    const ended = new Promise((resolve) => child.on("close", resolve));
    const writing = (): boolean => readdirSync(folder.path).some((name) => name.startsWith(".stopped.arrow"));
    while (!writing() && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(readdirSync(folder.path).filter((name) => name.includes("stopped"))).toEqual([]);
  });

  it("--json prints results and errors as JSON", () => {
    const ran = plinkIo(["inspect", "--bfile", set.prefix, "--json"]);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      samples: 101,
      variants: 300,
      layout: "variant",
      chromosomes: [{ name: "1", variants: 100 }, {}, {}],
    });
    const failed = plinkIo(["inspect", "--bfile", join(folder.path, "absent"), "--json"]);
    expect(JSON.parse(failed.stderr)).toMatchObject({ error: { code: "ENOENT" } });
  });
});

it.each([
  ["subset", (prefix: string) => ["subset", "--bfile", prefix, "--out", prefix]],
  ["merge", (prefix: string) => ["merge", prefix, "--out", prefix]],
])("%s never writes over the fileset it reads", (_verb, args) => {
  using folder = temporaryFolder();
  const { prefix } = makeFileset(folder.path, { n: 5, p: 7 });
  const before = readFileSync(`${prefix}.bed`);
  const ran = plinkIo(args(prefix));
  expect(ran.stderr).toContain("OUT_IS_INPUT");
  expect(ran.status).toBe(2);
  expect(readFileSync(`${prefix}.bed`).equals(before)).toBe(true);
});
