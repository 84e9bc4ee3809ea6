// What a run leaves: results of any size in one Arrow file, all of its files or none, no file of a matrix that is gone.
import { join } from "node:path";
import { readIpcFile } from "@x/core";
import { openPlink } from "@x/plink-io";
import { expect, it } from "vitest";
import { gwas, joinSamples, kinship } from "../src/index.ts";
import { copyFileset, lmm, names, simulate, tempFolder, writeFileset } from "./support/files.ts";

it("more variants than one record batch holds", async () => {
  const folder = tempFolder();
  const small = simulate(20, 300);
  const many = Array.from({ length: 17_000 }, (_, j) => small.genotypes[j % 300]!);
  const prefix = writeFileset(folder, many, small.phenotypes);
  const { filters } = await gwas(prefix, { out: join(folder, "x"), report: false, miss: 1, maf: 0 });
  expect(filters.kept).toBeGreaterThan(16_384);
  expect((await readIpcFile(join(folder, "x.assoc.arrow"))).numRows).toBe(filters.kept);
});

it("a report that cannot be written leaves no result either", async () => {
  const folder = tempFolder();
  const prefix = copyFileset("mod1");
  const ran = await lmm(["gwas", "--bfile", prefix, "--out", join(folder, "x"), "--report", "/dev/full"]);
  expect(ran.err).toContain("ENOSPC");
  expect(ran.code).toBe(1);
  expect(names(folder)).toEqual([]);
});

it.each(["k.cXX.txt", "k.arrow"])("a disposed kinship is not saved as %s", async (name) => {
  const folder = tempFolder();
  await using study = await openPlink(copyFileset("mod1"));
  const k = await kinship(study, await joinSamples(study));
  await k[Symbol.asyncDispose]();
  await expect(k.save(join(folder, name))).rejects.toMatchObject({ code: "MATRIX_RELEASED" });
  expect(() => k.tile(0, 1, 0, 1)).toThrow(expect.objectContaining({ code: "MATRIX_RELEASED" }));
  expect(names(folder)).toEqual([]);
});
