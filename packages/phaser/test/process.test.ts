// What becomes of the files when the process is killed, told to stop, or the disk is full.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import { phase, writeBcf } from "../src/index.ts";
import { simulate, toVcf } from "./simulate.ts";
import { folder, phaser } from "./support.ts";

const at = folder();
const bin = join(import.meta.dirname, "../bin/phaser.mjs");
const input = at.file("in.vcf", toVcf(simulate({ people: 120, positions: 400, seed: 71 }), { missing: 90 }));
const args = (output: string, iterations: string): string[] => [
  ...["phase", "--input", input, "--output", output, "--mcmc-iterations", iterations],
  ...["--seed", "5", "--threads", "2"],
];

/** A run in the middle of its iterations, and how it ends after `signal`. */
async function stopped(output: string, signal: "SIGKILL" | "SIGINT") {
  const child = spawn(process.execPath, [bin, ...args(output, "1p,10000m")], { stdio: "ignore" });
  const ended = new Promise<[number | null, string | null]>((resolve) => {
    child.on("exit", (code, name) => resolve([code, name]));
  });
  await busy(child.pid!);
  child.kill(signal);
  return await ended;
}

/** Starting and reading take less than two seconds of CPU time, the iterations hours. */
async function busy(pid: number): Promise<void> {
  const stat = `/proc/${pid}/stat`;
  if (!existsSync(stat)) return setTimeout(5000);
  const ticks = (): number =>
    readFileSync(stat, "utf8")
      .split(" ")
      .slice(13, 15)
      .reduce((sum, t) => sum + Number(t), 0);
  while (ticks() < 200) await setTimeout(50);
}

it("killed in the middle: the file of an earlier run stays whole, and the same command makes the same bytes", async () => {
  const output = at.path("killed.bcf");
  expect(phaser(...args(output, "1p,2m")).code).toBe(0);
  const first = readFileSync(output);
  for (let i = 0; i < 2; i++) {
    expect(await stopped(output, "SIGKILL")).toEqual([null, "SIGKILL"]);
    expect(readFileSync(output)).toEqual(first);
  }
  expect(phaser(...args(output, "1p,2m")).code).toBe(0);
  expect(readFileSync(output)).toEqual(first);
  expect(readdirSync(at.path(".")).filter((name) => name.includes("killed"))).toEqual([
    "killed.bcf",
    "killed.bcf.csi",
  ]);
});

it("interrupted: it ends by itself, hours before its last iteration, and leaves nothing", async () => {
  expect(await stopped(at.path("stopped.bcf"), "SIGINT")).toEqual([130, null]);
  expect(readdirSync(at.path(".")).filter((name) => name.includes("stopped"))).toEqual([]);
});

it("cancelled between samples: an iteration that has hundreds to go does not finish", async () => {
  const stop = new AbortController();
  let ended = 0;
  await using phased = phase(input, {
    mcmcIterations: "10000m",
    signal: stop.signal,
    threads: 1,
    onProgress(p) {
      ended = p.iteration?.number ?? 0;
      if (p.stage === "phasing" && p.done > 0) stop.abort();
    },
  });
  await expect(writeBcf(phased, at.path("cancelled.bcf"))).rejects.toThrow(/aborted/);
  expect(ended).toBeLessThan(50);
  expect(existsSync(at.path("cancelled.bcf"))).toBe(false);
});

it("a full disk is an error by name, and nothing stays on it", ({ skip }) => {
  const disk = at.path("disk");
  mkdirSync(disk);
  const command = [process.execPath, bin, ...args(join(disk, "out.vcf"), "1p,1m")].join(" ");
  const script = `mount -t tmpfs -o size=32k none ${disk} || exit 99; ${command}; echo "exit $?"; ls -A ${disk}`;
  const run = spawnSync("unshare", ["-m", "sh", "-c", script], { encoding: "utf8" });
  if (run.error || run.status === 99 || /unshare/.test(run.stderr))
    return skip("no right to mount a small disk");
  expect(run.stdout).toBe("exit 1\n");
  expect(run.stderr).toMatch(/^ENOSPC .*out\.vcf/m);
});
