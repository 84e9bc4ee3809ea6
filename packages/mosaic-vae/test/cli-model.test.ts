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

it("the minimal configuration: a training in seconds, whose validation ELBO improves, leaves what the README lists", () => {
  const sizes = ["--cells", "300", "--genes", "100", "--peaks", "200", "--seed", "5"];
  expect(mosaicVae("mock", "--problem", "bridge", "--out", "toy.h5ad", ...sizes).code).toBe(0);
  const config = join(import.meta.dirname, "../examples/minimal.yaml");
  const run = mosaicVae(
    "train",
    "--data",
    "toy.h5ad",
    "--config",
    config,
    "--out",
    "minimal",
    "--device",
    "cpu",
    "--json",
  );
  expect([run.code, run.err]).toEqual([0, ""]);
  const { history, best, bestEpoch } = JSON.parse(run.out);
  expect(history).toHaveLength(30);
  expect(best).toBeLessThan(history[0].validation - 1);
  expect(bestEpoch).toBeGreaterThan(1);
  // The policy is on: what it came to on this device is in the report.
  expect(readFileSync(at.path("minimal/report.html"), "utf8")).toMatch(
    /half precision gains nothing on a CPU/,
  );
  // With the policy on in earnest: products in half precision, on a CPU too, and the ELBO improves as well.
  const half = mosaicVae(
    ...`train --data toy.h5ad --config ${config} --out half --device cpu --precision float16 --epochs 8 --json`.split(
      " ",
    ),
  );
  expect([half.code, half.err]).toEqual([0, ""]);
  const other = JSON.parse(half.out);
  expect(readFileSync(at.path("half/report.html"), "utf8")).toMatch(/float16: float16 products work on cpu/);
  expect(other.best).toBeLessThan(other.history[0].validation - 1);
  expect(other.history[0].loss).not.toBe(history[0].loss);
  expect(Math.abs(other.history[0].loss / history[0].loss - 1)).toBeLessThan(0.01);
  const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
  for (const name of readdirSync(at.path("minimal")))
    expect(readme).toContain(
      name.startsWith("events.out.tfevents") ? "`events.out.tfevents.…`" : `\`${name}\``,
    );
  for (const name of [
    "config.yaml",
    "history.jsonl",
    "last.safetensors",
    "best.safetensors",
    "model.safetensors",
  ])
    expect(existsSync(at.path(join("minimal", name)))).toBe(true);
});

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
