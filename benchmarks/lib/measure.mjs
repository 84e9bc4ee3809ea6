import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** GNU time reads the child's own rusage; without it CPU and peak memory stay unknown, and only the wall clock counts. */
const GNU_TIME = existsSync("/usr/bin/time") && process.platform === "linux" ? "/usr/bin/time" : null;

/** Gives every command files of its own. */
let measured = 0;

/**
 * Runs one command to its end.
 *
 * @returns {Promise<{ wall: number, cpu: number | null, peak: number | null, output: string }>} seconds and bytes
 */
export async function measure({ command, args, cwd, env }) {
  const own = join(tmpdir(), `bench-${process.pid}-${++measured}`);
  const note = `${own}-time`;
  const log = `${own}-stderr`;
  const [file, list] = GNU_TIME
    ? [GNU_TIME, ["-o", note, "-f", "%U %S %M", command, ...args]]
    : [command, args];
  const stderr = openSync(log, "w");
  try {
    const started = performance.now();
    const { code, output } = await finish(
      spawn(file, list, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", stderr] }),
    );
    const wall = (performance.now() - started) / 1000;
    if (code !== 0) {
      const said = readFileSync(log, "utf8").trim().split("\n").filter(Boolean);
      // Our errors begin with their code, Node's crashes name an Error in the middle of a stack trace.
      const telling = said.find((line) => /^(?:[A-Z]+_[A-Z_]+ |\w*Error\b)/.test(line)) ?? said[0];
      throw new Error(`exit ${code}: ${(telling ?? "it said nothing").slice(0, 200)}`);
    }
    if (!GNU_TIME) return { wall, cpu: null, peak: null, output };
    const [user, system, kilobytes] = readFileSync(note, "utf8")
      .trim()
      .split("\n")
      .at(-1)
      .split(" ")
      .map(Number);
    return { wall, cpu: user + system, peak: kilobytes * 1024, output };
  } finally {
    closeSync(stderr);
    rmSync(note, { force: true });
    rmSync(log, { force: true });
  }
}

function finish(child) {
  return new Promise((resolve, reject) => {
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code: code ?? signal, output }));
  });
}

/**
 * Runs the contenders in turn, round after round, each round starting with another one: drift of the machine (heat,
 * neighbours, page cache) then falls on all of them alike.
 *
 * @param contenders `{ name, steps: [{ command, args, cwd?, env? }], before?, after? }`; the steps of one are timed together
 * @returns by name: `{ wall, cpu, peak, runs, outputs }` with medians and what was printed to stdout, or
 *   `{ failed }` with the message when a command did not end well
 */
export async function compete(contenders, { repeats, log = () => {} }) {
  const runs = new Map(contenders.map(({ name }) => [name, []]));
  const failed = new Map();
  for (let round = 0; round < repeats; round++) {
    for (let i = 0; i < contenders.length; i++) {
      const contender = contenders[(round + i) % contenders.length];
      if (failed.has(contender.name)) continue;
      log(`${contender.name} ${round + 1}/${repeats}`);
      try {
        await contender.before?.();
        const steps = [];
        for (const step of contender.steps) steps.push(await measure(step));
        await contender.after?.();
        runs.get(contender.name).push(together(steps));
      } catch (error) {
        failed.set(contender.name, error.message);
      }
    }
  }
  return Object.fromEntries(
    contenders.map(({ name }) => [
      name,
      failed.has(name) ? { failed: failed.get(name) } : summary(runs.get(name)),
    ]),
  );
}

function together(steps) {
  const sum = (key) =>
    steps.some((step) => step[key] === null) ? null : steps.reduce((s, step) => s + step[key], 0);
  const peak = steps.some((step) => step.peak === null) ? null : Math.max(...steps.map((step) => step.peak));
  return { wall: sum("wall"), cpu: sum("cpu"), peak, outputs: steps.map((step) => step.output) };
}

function summary(runs) {
  return {
    wall: median(runs.map((run) => run.wall)),
    cpu: median(runs.map((run) => run.cpu)),
    peak: median(runs.map((run) => run.peak)),
    outputs: runs.flatMap((run) => run.outputs),
    runs: runs.map(({ wall, cpu, peak }) => ({ wall, cpu, peak })),
  };
}

/** JSON lines that a contender's runs printed, all of them. */
export function saidJson(result) {
  if (!result || result.failed) return [];
  return result.outputs.flatMap((output) =>
    output
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line)),
  );
}

export function median(values) {
  if (values.length === 0 || values.includes(null)) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
