import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { MOCK_FILES, readH5ad } from "../src/index.ts";
import { folder, GOLDEN, sha } from "./support.ts";

const at = folder();
const root = join(import.meta.dirname, "../../..");

/** The bin as built. */
function mosaicVae(...args: string[]): { code: number | null; out: string; err: string } {
  const bin = join(root, "packages/mosaic-vae/bin/mosaic-vae.mjs");
  const run = spawnSync(process.execPath, [bin, ...args], { encoding: "utf8", cwd: at.path(".") });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

it("mock --all: six files and six configurations that name them, the same each time", () => {
  const small = ["--cells", "40", "--genes", "10", "--peaks", "12", "--proteins", "4", "--seed", "3"];
  const { code, out } = mosaicVae("mock", "--all", ...small);
  expect([code, out.trim().split("\n").length]).toEqual([0, 6]);
  const names = Object.values(MOCK_FILES).sort();
  expect(readdirSync(at.path("examples/mock")).sort()).toEqual(names.map((name) => `${name}.h5ad`));
  expect(readdirSync(at.path("configs/examples")).sort()).toEqual(names.map((name) => `${name}.yaml`));
  for (const name of names) {
    const path = /path: "(.*)"/.exec(readFileSync(at.path(`configs/examples/${name}.yaml`), "utf8"))?.[1];
    expect(existsSync(join(at.path("configs/examples"), path!))).toBe(true);
  }
  expect(mosaicVae("mock", "--problem", "bridge", "--out", "one.h5ad", "--json", ...small).code).toBe(0);
  const [one, all] = [at.path("one.h5ad"), at.path("examples/mock/mock_bridge_rna_atac.h5ad")];
  expect(sha(readFileSync(one))).toBe(sha(readFileSync(all)));
});

it("mock: knobs reach the generator; one of --problem and --all is needed", async () => {
  const { code } = mosaicVae(
    "mock",
    "--problem",
    "mosaic",
    "--out",
    "m.h5ad",
    "--coverage-rna",
    "0.2",
    "--clusters",
    "3",
  );
  expect(code).toBe(0);
  await using cells = await readH5ad(at.path("m.h5ad"));
  expect(cells.modalities.get("rna")!.available.reduce((a, b) => a + b, 0)).toBeLessThan(240);
  expect(new Set(cells.obs.getChild("cluster")!).size).toBe(3);
  expect(mosaicVae("mock").code).toBe(2);
  expect(mosaicVae("mock", "--problem", "pared").err).toMatch(/paired/);
});

it("inspect: what is there, for people and as JSON; one line for a file that is none", () => {
  const { code, out } = mosaicVae("inspect", join(GOLDEN, "cells.h5ad"));
  expect(code).toBe(0);
  expect(out).toMatch(/h5ad, 30 cells\nrna\t20 cells × 12 features, .* counts from 0 to/);
  expect(out).toMatch(/atac\t20 cells × 9 features, .* 0 and 1/);
  expect(out).toMatch(/rna\+atac\+adt: 10/);
  const json = JSON.parse(mosaicVae("inspect", join(GOLDEN, "tenx3.h5"), "--json").out);
  expect([json.format, json.cells, json.modalities.length]).toEqual(["10x", 30, 2]);
  const bad = mosaicVae("inspect", at.file("bad.h5ad", "not HDF5 at all, but long enough"));
  expect([bad.code, bad.err.trim().split("\n").length, bad.err]).toEqual([
    1,
    1,
    expect.stringMatching(/^HDF5_FORMAT /),
  ]);
});
