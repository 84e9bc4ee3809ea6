import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "@x/core/base";
import { readSafetensors } from "@x/onnx-train";
import { expect } from "vitest";

const SCRIPT = join(import.meta.dirname, "train-and-say.ts");

/** Starts a training; kills it `after` milliseconds behind its first step, unless that is undefined. */
async function run(out: string, after?: number): Promise<boolean> {
  const child = spawn(process.execPath, [SCRIPT, out], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<boolean>((done) => child.once("exit", (code) => done(code === 0)));
  await Promise.race([new Promise((done) => child.stdout.once("data", done)), ended]);
  const timer = after === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), after);
  const whole = await ended;
  clearTimeout(timer);
  return whole;
}

/** Kills a training at random moments; what it leaves is whole each time, and in the end it is that of one that was left alone. */
export async function surviveKills(alone: string, killed: string, kills: number): Promise<void> {
  expect(await run(alone)).toBe(true);
  const random = new Random(11, 0);
  let killedOnes = 0;
  for (let i = 0; i < kills; i++) {
    if (!(await run(killed, Math.floor(random.uniform() * 600)))) killedOnes++;
    for (const name of ["last", "best", "model"]) {
      const file = join(killed, `${name}.safetensors`);
      if (existsSync(file))
        expect(readSafetensors(file).tensors.size, `${name} after kill ${i}`).toBeGreaterThan(0);
    }
  }
  expect(killedOnes).toBeGreaterThan(0);
  expect(await run(killed)).toBe(true);
  for (const name of ["last", "best", "model"]) {
    const [a, b] = [alone, killed].map((folder) => readFileSync(join(folder, `${name}.safetensors`)));
    expect(b!.equals(a!), name).toBe(true);
  }
  expect(readdirSync(killed).filter((name) => name.endsWith(".safetensors"))).toHaveLength(3);
}
