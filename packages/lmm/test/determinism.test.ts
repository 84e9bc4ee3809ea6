// Same bytes for any thread count, block size, place and language; scalar kernels within a bound.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { compareAssoc, estimateMemory } from "../src/index.ts";
import { copyFileset, lmm, tempFolder } from "./support/files.ts";

const folder = tempFolder();
const prefix = copyFileset("demo", folder);
const bytes = (file: string): Buffer => readFileSync(join(folder, file));
let count = 0;

async function run(args: readonly string[] = [], env: Record<string, string> = {}): Promise<string> {
  const out = `r${count++}`;
  const ran = await lmm(
    [
      "gwas",
      "--bfile",
      prefix,
      "-c",
      `${prefix}.covar.txt`,
      "--out",
      join(folder, out),
      "--save-kinship",
      join(folder, `${out}.k`),
      "--without-report",
      ...args,
    ],
    { env },
  );
  expect(ran, ran.err).toMatchObject({ code: 0 });
  return out;
}

const first = run();

it.each([
  ["one thread", ["--threads", "1"], {}],
  ["two threads", ["--threads", "2"], {}],
  ["five threads", ["--threads", "5"], {}],
  ["blocks of 1", ["--chunk", "1"], {}],
  ["blocks of 7", ["--chunk", "7"], {}],
  ["blocks of 4096", ["--chunk", "4096"], {}],
  ["clock-locale", [], { LC_ALL: "de_DE.UTF-8", LANG: "de_DE.UTF-8", TZ: "Pacific/Auckland" }],
  ["threads-many", [], { UV_THREADPOOL_SIZE: "1", RAYON_NUM_THREADS: "512" }],
  ["RAYON_NUM_THREADS=0", [], { UV_THREADPOOL_SIZE: "512", RAYON_NUM_THREADS: "0" }],
] as const)(
  "%s: the same bytes in every result",
  async (_name, args, env) => {
    const [a, b] = [await first, await run(args, env)];
    for (const end of ["assoc.txt", "assoc.arrow", "k"])
      expect(bytes(`${b}.${end}`).equals(bytes(`${a}.${end}`)), end).toBe(true);
  },
  300_000,
);

// Block buffers are about a tenth of a study this small: the limit lies between the largest and the smallest block's plan.
it("a low memory limit shrinks the block, not the result", async () => {
  const a = await first;
  const size = { samples: 502, variants: 4800, analyzed: 480, covariates: 3, threads: 2 };
  const least = estimateMemory({ ...size, chunk: 64 }).total;
  expect(estimateMemory(size).total).toBeGreaterThan(least + 1e6);
  const limit = least + 5e5;
  const b = await run(["--threads", "2", "--memory-limit", String(Math.ceil(limit))]);
  expect(bytes(`${b}.assoc.txt`).equals(bytes(`${a}.assoc.txt`))).toBe(true);
});

it("X_SIMD=scalar: results within 2e-6 standard errors and 1e-6 relative of the fastest path", async () => {
  const a = await first;
  const b = await run([], { X_SIMD: "scalar" });
  const result = await compareAssoc(join(folder, `${b}.assoc.txt`), join(folder, `${a}.assoc.txt`), {
    limits: { beta: 2e-6, se: 1e-6, logl_H1: 1e-6, l_remle: 1e-6, p_wald: 1e-6 },
  });
  expect(result.columns.filter((c) => c.failures > 0)).toEqual([]);
});
