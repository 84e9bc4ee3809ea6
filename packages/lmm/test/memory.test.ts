// Predictions and refusals; the gigabyte version is memory.scale.test.ts.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { memoryLimit } from "@x/core/base";
import { describe, expect, it } from "vitest";
import { estimateMemory, gwas, planGwas } from "../src/index.ts";
import { copyFileset, lmm, names, tempFolder } from "./support/files.ts";

/** A fileset of many people and few variants. */
function tall(n: number): string {
  const prefix = join(tempFolder(), "tall");
  const lines: string[] = [];
  for (let i = 0; i < n; i++) lines.push(`f${i} i${i} 0 0 1 ${i % 97}`);
  writeFileSync(`${prefix}.fam`, `${lines.join("\n")}\n`);
  writeFileSync(`${prefix}.bim`, "1 a 0 1 A C\n1 b 0 2 A C\n");
  writeFileSync(
    `${prefix}.bed`,
    Buffer.concat([Buffer.of(0x6c, 0x1b, 1), Buffer.alloc(2 * Math.ceil(n / 4), 0xe4)]),
  );
  return prefix;
}

describe("mem-preflight", () => {
  it("n = 200,000 is refused within seconds, with the parts and what helps", { retry: 3 }, async () => {
    const ran = await lmm([
      "plan",
      "--samples",
      "200000",
      "--variants",
      "95000",
      "--route",
      "primal",
      "--check",
    ]);
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(
      /^MEM_PREFLIGHT needs 6\d\d GB.*\n(.*\n)*.*320 GB\n(.*\n)*What helps: analyse fewer people.*The dual route \(--route dual\)/,
    );
    const many = await lmm([
      "plan",
      "--samples",
      "200000",
      "--variants",
      "300000",
      "--route",
      "primal",
      "--check",
    ]);
    expect(many.err).toMatch(/What helps: /);
    expect(many.err).not.toMatch(/dual/);
    const prefix = tall(200_000);
    const start = performance.now();
    await expect(gwas(prefix, { route: "primal" })).rejects.toMatchObject({ code: "MEM_PREFLIGHT" });
    // Reading 200,000 lines is part of it.
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it("mem-alloc-fail: without the check the allocation itself fails cleanly and Node goes on", async () => {
    const prefix = tall(200_000);
    const overcommit = readFileSync("/proc/sys/vm/overcommit_memory", "utf8").trim();
    if (overcommit !== "1")
      await expect(
        gwas(prefix, { memoryLimit: Number.POSITIVE_INFINITY, route: "primal" }),
      ).rejects.toMatchObject({
        code: "ALLOC",
      });
    await gwas(copyFileset("mod2"));
  });

  it("mem-cgroup: a container's limit counts", () => {
    const root = tempFolder();
    mkdirSync(join(root, "proc/self"), { recursive: true });
    mkdirSync(join(root, "sys/fs/cgroup"), { recursive: true });
    writeFileSync(join(root, "proc/meminfo"), "MemTotal: 25000000 kB\nMemAvailable: 24000000 kB\n");
    writeFileSync(join(root, "proc/self/cgroup"), "0::/\n");
    writeFileSync(join(root, "sys/fs/cgroup/memory.max"), "2000000000\n");
    expect(memoryLimit({ root, env: {} }).bytes).toBe(2_000_000_000);
    expect(estimateMemory({ samples: 12_000, variants: 1000, route: "primal" }).total).toBeGreaterThan(
      2_000_000_000,
    );
  });
});

it("a limit below the smallest block is refused before any file is written", async () => {
  const folder = tempFolder();
  const ran = await lmm([
    "gwas",
    "--bfile",
    copyFileset("demo"),
    "--out",
    join(folder, "x"),
    "--memory-limit",
    "50M",
  ]);
  expect(ran.code).toBe(1);
  expect(ran.err).toMatch(/^MEM_PREFLIGHT[\s\S]*below what Node itself takes.*\n$/);
  expect(names(folder)).toEqual([]);
});

it("predicts a small run within 100 MB, in log and JSON", async () => {
  const folder = tempFolder();
  const ran = await lmm(["gwas", "--bfile", copyFileset("demo"), "--out", join(folder, "x"), "--json"]);
  const { memory, stages } = JSON.parse(ran.out);
  expect(Math.abs(memory.predicted.total - memory.measuredBytes)).toBeLessThan(100e6);
  expect(stages.map((s: { stage: string }) => s.stage)).toEqual([
    "reading",
    "joining",
    "kinship",
    "eigen",
    "null model",
    "association",
    "writing",
  ]);
  for (const s of stages)
    expect(Object.keys(s)).toEqual(["stage", "wallSeconds", "cpuSeconds", "rssBytes", "peakRssBytes"]);
});

it("--json has one shape in both forms", async () => {
  const [folder, prefix] = [tempFolder(), copyFileset("mod2")];
  const json = async (args: string[]) => {
    const ran = await lmm([...args, "--json", "--threads", "2"], { cwd: folder });
    expect(ran, ran.err).toMatchObject({ code: 0 });
    const result = JSON.parse(ran.out);
    expect(result.memory.predicted.total).toBeGreaterThan(1e8);
    expect(result).toMatchObject({ threads: 2, simd: expect.any(String), warnings: expect.any(Array) });
    expect(result.command).toBe(`lmm ${args.join(" ")} --json --threads 2`);
    return Object.keys(result).sort();
  };
  const gemma = ["-bfile", prefix, "-outdir", "o"];
  const gk = await json([...gemma, "-gk", "1", "-o", "k"]);
  const association = await json([...gemma, "-k", "o/k.cXX.txt", "-lmm", "1"]);
  const gwas = await json(["gwas", "--bfile", prefix, "--out", "x"]);
  expect(gwas.filter((key) => key !== "lambdaGC")).toEqual(association);
  expect(
    association.filter((key) => !["nullModel", "degenerate", "work", "diagnostics"].includes(key)),
  ).toEqual(gk);
});

it("planGwas: parts add up, and the matrices dominate large studies", () => {
  const plan = planGwas({ samples: 50_000, variants: 500_000, analyzed: 40_000 });
  expect(plan.route).toBe("primal");
  expect(plan.memory.total).toBe(plan.memory.parts.reduce((a, p) => a + p.bytes, 0));
  expect(plan.memory.total).toBe(Math.max(...plan.stages.map((s) => s.memory.total)));
  expect(plan.memory.total / (8 * (50_000 ** 2 + 40_000 ** 2))).toBeGreaterThan(1);
  expect(plan.memory.total / (8 * (50_000 ** 2 + 40_000 ** 2))).toBeLessThan(1.1);
});

it("planGwas: sums of real numbers and chromosomes left out in turn are counted", () => {
  const size = { samples: 1940, analyzed: 1410, variants: 12_226, threads: 2 } as const;
  const total = (more: object): number => planGwas({ ...size, ...more }).memory.total;
  // Measured on the mouse set: -gk 2 254 MB, --loco 351 to 418 MB.
  expect(total({ route: "primal", real: true }) / 254e6).toBeGreaterThan(1);
  expect(total({ route: "primal", real: true }) / 254e6).toBeLessThan(1.25);
  expect(total({ route: "primal", loco: 20 }) / 418e6).toBeGreaterThan(1);
  expect(total({ route: "primal", loco: 20 }) / 351e6).toBeLessThan(1.25);
  expect(total({ route: "dual", kinshipVariants: 1500, loco: 20 })).toBeGreaterThan(
    total({ route: "dual", kinshipVariants: 1500 }) + 8 * 1500 ** 2,
  );
});
