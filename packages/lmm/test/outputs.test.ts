// What happens to output files when things go wrong.
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { associationSchema, readIpcFile } from "@x/core";
import { openPlink } from "@x/plink-io";
import type { Schema } from "apache-arrow";
import { expect, it } from "vitest";
import { associate, eigen, gwas, joinSamples, kinship, writeGemmaAssoc } from "../src/index.ts";
import { bin, copyFileset, lmm, names, node, simulate, tempFolder, writeFileset } from "./support/files.ts";

const data = tempFolder();
const prefix = copyFileset("mod1", data);

it("out-nodir", async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "file"), "");
  for (const out of [join(folder, "missing/x"), join(folder, "file/x")]) {
    const ran = await lmm(["gwas", "--bfile", prefix, "--out", out]);
    expect(ran).toMatchObject({ code: 1, out: "" });
    expect(ran.err).toMatch(/^OUT_DIR /);
    expect((await lmm(["-bfile", prefix, "-gk", "1", "-outdir", out])).err).toMatch(/OUT_DIR/);
  }
  expect(names(folder)).toEqual(["file"]);
});

it("GEMMA's output folder is made when absent", async () => {
  const folder = tempFolder();
  expect(await lmm(["-bfile", prefix, "-gk", "1", "-o", "k", "-outdir", join(folder, "new")])).toMatchObject({
    code: 0,
  });
  expect(names(join(folder, "new"))).toEqual(["k.cXX.txt", "k.log.txt"]);
});

it("out-exists: replaced, atomically", async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "x.assoc.txt"), "old");
  await gwas(prefix, { out: join(folder, "x") });
  expect(readFileSync(join(folder, "x.assoc.txt"), "utf8")).toMatch(/^chr\trs\tps/);
  expect(names(folder)).toEqual(["x.assoc.arrow", "x.assoc.txt", "x.log.txt", "x.report.html"]);
});

it("out-enospc: nothing stands under a final name", async (context) => {
  const folder = tempFolder();
  const small = join(folder, "small");
  mkdirSync(small);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", small]).status === 0;
  if (!mounted) return context.skip("a small file system cannot be mounted here");
  try {
    const big = copyFileset("demo", folder);
    for (const args of [
      ["-bfile", big, "-gk", "1", "-outdir", small],
      ["gwas", "--bfile", big, "--out", join(small, "x")],
    ]) {
      const ran = await lmm(args);
      expect(ran.code).toBe(1);
      expect(ran.err).toMatch(/ENOSPC/);
      expect(names(small)).toEqual([]);
    }
  } finally {
    execFileSync("umount", [small]);
  }
});

it.skipIf(!existsSync("/dev/full"))("out-devfull", async () => {
  await using study = await openPlink(prefix);
  const cohort = await joinSamples(study);
  await using k = await kinship(study, cohort);
  await expect(k.save("/dev/full", { format: "text" })).rejects.toMatchObject({ code: "ENOSPC" });
  await using e = await eigen(k, cohort);
  await expect(writeGemmaAssoc(associate(study, cohort, e), "/dev/full", { study })).rejects.toMatchObject({
    code: "ENOSPC",
  });
});

it("out-epipe: a closed stdout ends quietly", async () => {
  const folder = tempFolder();
  const command = `"${node}" "${bin}" compare --json "${prefix}.none" x 2>&1 | head -c 0; "${node}" "${bin}" plan --samples 9 --variants 9 2>"${folder}/err" | head -c 0; echo "\${PIPESTATUS[0]}"`;
  const { stdout } = await promisify(execFile)("bash", ["-c", command]);
  expect(["0", "141"]).toContain(stdout.trim());
  expect(readFileSync(join(folder, "err"), "utf8")).toBe("");
});

it("results, batches and the Arrow file have the same types: 13 columns of the association schema", async () => {
  const folder = tempFolder();
  await using study = await openPlink(prefix);
  const cohort = await joinSamples(study);
  await using k = await kinship(study, cohort);
  await using e = await eigen(k, cohort);
  const { results, columns } = await gwas(study, { out: join(folder, "x"), report: false });
  const batches = [];
  for await (const batch of associate(study, cohort, e)) batches.push(batch);
  const types = (s: Schema): string[] => s.fields.map((f) => `${f.name}: ${f.type}${f.nullable ? "?" : ""}`);
  const wanted = types(associationSchema).filter(
    (text) => !/^(l_mle|p_lrt|p_score|.*_(lrt|score)):/.test(text),
  );
  expect(wanted.length).toBe(13);
  expect(types(results.schema)).toEqual(wanted);
  expect(types(batches[0]!.schema)).toEqual(wanted);
  const file = await readIpcFile(join(folder, "x.assoc.arrow"));
  expect(types(file.schema)).toEqual(wanted);
  expect(results.numRows).toBe(columns.index.length);
  const rows = (table: Iterable<unknown>): string => JSON.stringify([...table]);
  expect(rows(results)).toBe(rows(batches.flatMap((batch) => [...batch])));
  expect(rows(results)).toBe(rows(file));
});

it("out-two-writers: the second is refused, or both leave whole files", async () => {
  const folder = tempFolder();
  const { genotypes, phenotypes } = simulate(300, 2000);
  const study = writeFileset(tempFolder(), genotypes, phenotypes);
  const both = await Promise.all(
    [1, 2].map(() => lmm(["gwas", "--bfile", study, "--out", join(folder, "x")])),
  );
  for (const ran of both.filter((r) => r.code !== 0)) expect(ran.err).toMatch(/LOCKED/);
  expect(both.some((r) => r.code === 0)).toBe(true);
  const lines = readFileSync(join(folder, "x.assoc.txt"), "utf8").trimEnd().split("\n");
  expect(lines.every((line) => line.split("\t").length === 12)).toBe(true);
  expect(names(folder)).toEqual(["x.assoc.arrow", "x.assoc.txt", "x.log.txt", "x.report.html"]);
});

it("a path that the run would write twice is refused before anything is made", async () => {
  const [folder, fileset] = [tempFolder(), copyFileset("demo")];
  const run = ["gwas", "--bfile", fileset, "--out", join(folder, "x")];
  for (const [flag, name] of [
    ["--report", "x.assoc.txt"],
    ["--save-kinship", "x.log.txt"],
    ["--save-eigen", "x.report.html"],
    ["--save-kinship", `../${basename(folder)}/x.assoc.arrow`],
  ] as const) {
    const ran = await lmm([...run, flag, `${folder}/${name}`]);
    expect(ran).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^OUT_TWICE.*two outputs have this name/),
    });
  }
  expect(names(folder)).toEqual([]);
});
