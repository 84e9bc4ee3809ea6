// The verbs of a model, one after the other on one small data set.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readH5ad } from "../src/index.ts";
import { folder } from "./support.ts";

const at = folder();
const bin = join(import.meta.dirname, "../bin/mosaic-vae.mjs");

function mosaicVae(...args: string[]): { code: number | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [bin, ...args], { encoding: "utf8", cwd: at.path(".") });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

it("mock, train, embed, impute, eval, map, export", async () => {
  const small = ["--cells", "120", "--genes", "20", "--peaks", "24", "--seed", "3"];
  expect(
    mosaicVae("mock", "--problem", "bridge", "--out", "b.h5ad", "--config-out", "b.yaml", ...small).code,
  ).toBe(0);
  const trained = mosaicVae(
    ..."train --data b.h5ad --config b.yaml --out run --epochs 8 --device cpu --precision auto --json".split(
      " ",
    ),
  );
  expect(trained.err).toBe("");
  const report = JSON.parse(trained.out);
  expect(report.history.at(-1).validation).toBeLessThan(report.history[0].validation);
  const files = readdirSync(at.path("run"));
  for (const name of [
    "config.yaml",
    "history.jsonl",
    "report.html",
    "metrics.json",
    "last.safetensors",
    "best.safetensors",
    "model.safetensors",
  ])
    expect(files).toContain(name);
  expect(readFileSync(at.path("run/history.jsonl"), "utf8").trim().split("\n")).toHaveLength(8);

  const use = ["--model", "run", "--data", "b.h5ad"];
  expect(mosaicVae("embed", ...use, "--out", "z.tsv").code).toBe(0);
  expect(readFileSync(at.path("z.tsv"), "utf8").trim().split("\n")).toHaveLength(121);
  expect(mosaicVae("embed", ...use, "--out", "z.arrow").code).toBe(0);
  expect(mosaicVae("embed", ...use, "--out", "z.h5ad").code).toBe(0);
  expect(mosaicVae("embed", ...use, "--out", "z.csv").code).toBe(2);
  expect(mosaicVae("impute", ...use, "--target", "atac", "--out", "y.h5ad", "--interval", "0.9").code).toBe(
    0,
  );
  await using imputed = await readH5ad(at.path("y.h5ad"), { atac: "X" }, { allowEmpty: true });
  expect(imputed.modalities.get("atac")!.features).toHaveLength(24);
  const scores = mosaicVae("eval", ...use, "--labels", "cluster", "--html", "e.html", "--json");
  expect(scores.err).toBe("");
  expect(JSON.parse(scores.out).verdict).toMatch(/baseline/);
  expect(readFileSync(at.path("e.html"), "utf8")).toContain("<svg");
  expect(mosaicVae("map", ...use, "--out", "q.tsv").out).toMatch(/20 of 20 features/);
  expect(mosaicVae("export", "--model", "run", "--out", "m.onnx", "--decode", "rna").code).toBe(0);
  expect(existsSync(at.path("m.onnx"))).toBe(true);

  writeFileSync(at.path("wrong.yaml"), "train:\n  epoch: 3\n");
  const wrong = mosaicVae("train", "--data", "b.h5ad", "--config", "wrong.yaml", "--out", "no");
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringMatching(/UNKNOWN_OPTION.*epochs/)]);
});
