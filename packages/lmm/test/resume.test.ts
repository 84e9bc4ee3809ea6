// Killed runs that go on, and runs in pieces.
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { gwas, mergeShards } from "../src/index.ts";
import { copyFileset, lmm, names, randoms, simulate, tempFolder, writeFileset } from "./support/files.ts";

const { genotypes, phenotypes } = simulate(300, 2500);
const prefix = writeFileset(tempFolder(), genotypes, phenotypes);
const RESULTS = ["x.assoc.arrow", "x.assoc.txt"];
const whole = tempFolder();
const reference = await gwas(prefix, { out: join(whole, "x") });

function expectSame(folder: string, as = whole): void {
  for (const file of RESULTS)
    expect(readFileSync(join(folder, file)).equals(readFileSync(join(as, file))), file).toBe(true);
}

/** Kills runs at random moments, goes on with each; gives how many left something to go on with. */
async function killAndResume(fileset: string, as: string, wanted: number, flags: string[]): Promise<number> {
  const args = (folder: string): string[] => [
    "gwas",
    "--bfile",
    fileset,
    "--out",
    join(folder, "x"),
    ...flags,
  ];
  const more = ["--chunk", "32", "--resume"];
  const first = await lmm([...args(tempFolder()), ...more]);
  expect(first).toMatchObject({ code: 0 });
  let usual = first.ms;
  const random = randoms(11);
  let kills = 0;
  let continued = 0;
  const attempt = async (): Promise<void> => {
    const folder = tempFolder();
    for (let round = 0; round < 5; round++) {
      const ran = await lmm([...args(folder), ...more], {
        started: (child) => setTimeout(() => child.kill("SIGKILL"), usual * (0.3 + 1.2 * random())),
      });
      if (ran.signal !== "SIGKILL") {
        // Two run at once, so a kill comes at up to one and a half times a run; this one came too late all the same.
        usual = Math.min(usual, ran.ms);
        break;
      }
      kills++;
      if (names(folder).includes(".x.journal")) continued++;
      for (const file of RESULTS)
        if (names(folder).includes(file))
          expect(readFileSync(join(folder, file)).equals(readFileSync(join(as, file)))).toBe(true);
    }
    // Another block size and thread count than before: the bytes do not know.
    expect(await lmm([...args(folder), "--resume", "--threads", "1"])).toMatchObject({ code: 0 });
    expectSame(folder, as);
    expect(names(folder)).toEqual(["x.assoc.arrow", "x.assoc.txt", "x.log.txt", "x.report.html"]);
  };
  while (kills < wanted) await Promise.all([attempt(), attempt()]);
  return continued;
}

it("kill-9-midwrite: --resume ends byte-equal after 50 kills, and leaves no journal", async () => {
  expect(await killAndResume(prefix, whole, 50, [])).toBeGreaterThan(0);
});

it("a killed leave-one-chromosome-out run goes on where it was, whatever the chromosome", async () => {
  const fileset = writeFileset(tempFolder(), genotypes, phenotypes);
  const bim = readFileSync(`${fileset}.bim`, "utf8").trimEnd().split("\n");
  const fifth = Math.ceil(bim.length / 5);
  writeFileSync(
    `${fileset}.bim`,
    bim.map((line, j) => `${1 + Math.floor(j / fifth)}${line.slice(1)}\n`).join(""),
  );
  const folder = tempFolder();
  await gwas(fileset, { out: join(folder, "x"), loco: true });
  expect(await killAndResume(fileset, folder, 20, ["--loco"])).toBeGreaterThan(0);
});

it("sigterm-slurm: the requeued run goes on from the journal", async () => {
  const folder = tempFolder();
  const stop = new AbortController();
  let blocks = 0;
  const first = gwas(prefix, {
    out: join(folder, "x"),
    chunk: 64,
    resume: true,
    signal: stop.signal,
    onProgress: ({ stage }) => {
      if (stage === "association" && ++blocks === 20) stop.abort();
    },
  });
  await expect(first).rejects.toThrow();
  expect(names(folder)).toEqual([".x.journal"]);
  let tested = 0;
  await gwas(prefix, {
    out: join(folder, "x"),
    chunk: 64,
    resume: true,
    onProgress: ({ stage, total }) => {
      if (stage === "association") tested = total;
    },
  });
  expect(tested).toBeLessThanOrEqual(2500 - 18 * 64);
  expectSame(folder);
});

it("a journal of another run, or a torn one, is not gone on with", async () => {
  const folder = tempFolder();
  const stop = new AbortController();
  const run = gwas(prefix, {
    out: join(folder, "x"),
    maf: 0.2,
    chunk: 64,
    resume: true,
    signal: stop.signal,
    onProgress: ({ stage, done }) => {
      if (stage === "association" && done > 1500) stop.abort();
    },
  });
  await expect(run).rejects.toThrow();
  const journal = readFileSync(join(folder, ".x.journal"));
  await gwas(prefix, { out: join(folder, "x"), resume: true });
  expectSame(folder);
  const other = tempFolder();
  await gwas(prefix, { out: join(other, "x"), maf: 0.2 });
  const random = randoms(3);
  for (let round = 0; round < 10; round++) {
    const torn = Buffer.from(journal.subarray(0, Math.ceil(journal.length * random())));
    if (round % 2) torn[Math.floor(torn.length * random())]! ^= 0xff;
    writeFileSync(join(folder, ".x.journal"), torn);
    await gwas(prefix, { out: join(folder, "x"), maf: 0.2, resume: true });
    for (const file of RESULTS)
      expect(readFileSync(join(folder, file)).equals(readFileSync(join(other, file))), file).toBe(true);
  }
});

it("N shards merged are the bytes of one run, in any order", async () => {
  for (const count of [1, 3, 8, 20]) {
    const folder = tempFolder();
    const shards: string[] = [];
    for (let index = count; index >= 1; index--) {
      const shard = await gwas(prefix, {
        out: join(folder, "x"),
        shard: { index, count },
        chunk: 7 + 50 * index,
      });
      shards.push(...shard.files);
    }
    expect(names(folder)).toEqual(shards.map((path) => path.slice(folder.length + 1)).sort());
    const merged = await mergeShards(shards, { out: join(folder, "x") });
    expectSame(folder);
    expect(merged.filters).toEqual(reference.filters);
    expect(merged.nullModel).toEqual(reference.nullModel);
    expect([...merged.cohort.analyzed]).toEqual([...reference.cohort.analyzed]);
  }
});

const eight = tempFolder();
const made = Array.from({ length: 8 }, (_, i) => join(eight, `x.shard-${i + 1}-of-8`));
for (const index of [1, 2, 3, 4, 5, 6, 7, 8])
  await gwas(prefix, { out: join(eight, "x"), shard: { index, count: 8 } });

it("shard-missing: absent, doubled, of another run, of another N", async () => {
  const out = join(tempFolder(), "y");
  const refused = async (paths: string[], message: RegExp): Promise<void> => {
    const ran = await lmm(["merge", ...paths, "--out", out]);
    expect(ran).toMatchObject({ code: 1, out: "" });
    expect(ran.err).toMatch(/^SHARD_SET /);
    expect(ran.err).toMatch(message);
    expect(names(dirname(out))).toEqual([]);
  };
  await refused(
    made.filter((_, i) => i !== 2),
    /missing: 3/,
  );
  await refused([...made, made[2]!], /more than once: 3/);
  const others = tempFolder();
  const foreign = join(others, "x.shard-3-of-8");
  const ninth = join(others, "x.shard-3-of-9");
  await gwas(prefix, { out: join(others, "x"), shard: { index: 3, count: 8 }, maf: 0.05 });
  await gwas(prefix, { out: join(others, "x"), shard: { index: 3, count: 9 } });
  await refused(
    made.map((path, i) => (i === 2 ? foreign : path)),
    /filter is .*maf 0\.05/,
  );
  await refused(
    made.map((path, i) => (i === 2 ? ninth : path)),
    /one of 9 shards/,
  );
});

it("shard-trunc: a cut shard, and any other file", async () => {
  const folder = tempFolder();
  const cut = join(folder, "cut");
  copyFileSync(made[3]!, cut);
  const size = readFileSync(cut).length;
  for (const bytes of [size - 1, size - 500, Math.floor(size / 2), 10, 0]) {
    truncateSync(cut, bytes);
    await expect(
      mergeShards(
        made.map((path, i) => (i === 3 ? cut : path)),
        { out: join(folder, "y") },
      ),
    ).rejects.toMatchObject({ code: "SHARD_HASH", details: { path: cut } });
  }
  await expect(mergeShards([`${prefix}.bim`], { out: join(folder, "y") })).rejects.toMatchObject({
    code: "SHARD_HASH",
  });
  const other = copyFileset("demo", folder);
  await expect(mergeShards(made, { out: join(folder, "y"), fileset: other })).rejects.toMatchObject({
    code: "COHORT_MISMATCH",
  });
  expect(names(folder).filter((name) => name.startsWith("y"))).toEqual([]);
});

it("--shard and --resume say what is wrong with them", async () => {
  for (const bad of ["0/8", "9/8", "3", "a/b", "1/0"])
    expect(await lmm(["gwas", "--bfile", prefix, "--out", "y", "--shard", bad])).toMatchObject({ code: 2 });
  await expect(gwas(prefix, { resume: true })).rejects.toMatchObject({ code: "OPTION_MISSING" });
});
