// Signals and kills.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { gwas } from "../src/index.ts";
import { lmm, names, randoms, simulate, tempFolder, writeFileset } from "./support/files.ts";

const { genotypes, phenotypes } = simulate(400, 3000);
const prefix = writeFileset(tempFolder(), genotypes, phenotypes);
const FINAL = ["x.assoc.arrow", "x.assoc.txt"];

it("kill-9-midwrite: a final name is absent or complete, 50 times", async () => {
  const whole = tempFolder();
  const start = performance.now();
  const reference = await lmm([
    "gwas",
    "--bfile",
    prefix,
    "--out",
    join(whole, "x"),
    "--save-kinship",
    join(whole, "k.txt"),
  ]);
  expect(reference, reference.err).toMatchObject({ code: 0 });
  const usual = performance.now() - start;
  const random = randoms(7);
  let complete = 0;
  const attempt = async (): Promise<void> => {
    const folder = tempFolder();
    await lmm(
      ["gwas", "--bfile", prefix, "--out", join(folder, "x"), "--save-kinship", join(folder, "k.txt")],
      {
        started: (child) => setTimeout(() => child.kill("SIGKILL"), usual * 1.1 * random()),
      },
    );
    for (const file of [...FINAL, "k.txt"])
      if (names(folder).includes(file)) {
        complete++;
        expect(readFileSync(join(folder, file)).equals(readFileSync(join(whole, file))), file).toBe(true);
      }
    // What a killed run left behind does not stand in the way of the next one.
    if (complete === 1)
      expect(await lmm(["gwas", "--bfile", prefix, "--out", join(folder, "x")])).toMatchObject({ code: 0 });
  };
  for (let round = 0; round < 25; round++) await Promise.all([attempt(), attempt()]);
});

it.each([
  ["sigint", "SIGINT", 130],
  ["sigterm-slurm", "SIGTERM", 143],
] as const)("%s: nothing is left, exit %s %i within 2 s", { retry: 3 }, async (_id, signal, code) => {
  for (const delay of [250, 500, 900]) {
    const folder = tempFolder();
    let sent = 0;
    const ran = await lmm(["gwas", "--bfile", prefix, "--out", join(folder, "x"), "--chunk", "16"], {
      started: (child) =>
        setTimeout(() => {
          sent = performance.now();
          child.kill(signal);
        }, delay),
    });
    const took = performance.now() - sent;
    if (ran.code === 0) continue;
    // Before our handlers stand the signal itself ends the process.
    expect(ran.code === code || ran.signal === signal, JSON.stringify(ran)).toBe(true);
    expect(ran.err).not.toMatch(/\n\s+at /);
    expect(took).toBeLessThan(2000);
    expect(names(folder).filter((name) => name.endsWith(".tmp") || name.endsWith(".lock"))).toEqual([]);
  }
});

it("an AbortSignal rejects with its reason and leaves no file", async () => {
  const folder = tempFolder();
  const reason = new Error("enough");
  const stop = new AbortController();
  const run = gwas(prefix, {
    out: join(folder, "x"),
    chunk: 16,
    signal: stop.signal,
    onProgress: ({ stage }) => {
      if (stage === "association") stop.abort(reason);
    },
  });
  await expect(run).rejects.toBe(reason);
  expect(names(folder)).toEqual([]);
});
