// Runs on disk from the command line: nothing is lost by a slip, and what is interrupted says how to go on.
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { mock, readH5ad, writeMock } from "../src/index.ts";
import { folder, sha } from "./support.ts";

const at = folder();
const bin = join(import.meta.dirname, "../bin/mosaic-vae.mjs");

function mosaicVae(line: string): { code: number | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [bin, ...line.split(" ")], { encoding: "utf8", cwd: at.path(".") });
  return { code: run.status, out: run.stdout, err: run.stderr };
}
const digest = (name: string): string => sha(readFileSync(at.path(name)));

beforeAll(() => {
  const made = mosaicVae(
    "mock --problem bridge --out b.h5ad --config-out b.yaml --cells 120 --genes 20 --peaks 24 --seed 3",
  );
  expect(made).toMatchObject({ code: 0, err: "" });
  const trained = mosaicVae("train --data b.h5ad --config b.yaml --out run --epochs 3 --device cpu");
  expect(trained).toMatchObject({ code: 0, err: "" });
});

it("no verb writes over what it reads", () => {
  const files = ["b.h5ad", "b.yaml", "run/model.safetensors", "run/config.yaml"];
  const before = files.map(digest);
  copyFileSync(at.path("run/model.safetensors"), at.path("model.html"));
  for (const [line, code] of [
    ["embed --model run --data b.h5ad --out b.h5ad", "OUT_IS_INPUT"],
    ["map --model run --data b.h5ad --out b.h5ad", "OUT_IS_INPUT"],
    ["impute --model run --data b.h5ad --out b.h5ad --target atac", "OUT_IS_INPUT"],
    ["eval --model run --data b.h5ad --html run/model.safetensors", "OUT_IS_INPUT"],
    ["eval --model model.html --data b.h5ad --html model.html", "OUT_IS_INPUT"],
    ["train --data b.h5ad --config run/config.yaml --out run --overwrite", "OUT_IS_INPUT"],
    ["train --data b.h5ad --config b.yaml --out b.yaml", "OUT_IS_INPUT"],
    ["train --data b.h5ad --out b.h5ad --overwrite", "OUT_IS_INPUT"],
    ["mock --problem bridge --out same --config-out same", "OUT_TWICE"],
  ]) {
    const { code: exit, err } = mosaicVae(line!);
    expect([line, exit, err.split(" ")[0]]).toEqual([line, 2, code]);
  }
  expect(files.map(digest)).toEqual(before);
});

it("a run is replaced by --overwrite only, and gone on with only where there is one", () => {
  const before = digest("run/model.safetensors");
  const again = "train --data b.h5ad --config b.yaml --out run --epochs 1 --device cpu --seed 9";
  expect(mosaicVae(again)).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^RUN_EXISTS .*--resume run.*--overwrite/),
  });
  expect(digest("run/model.safetensors")).toBe(before);
  mkdirSync(at.path("empty"));
  expect(mosaicVae("train --resume empty").err).toMatch(/^RUN_MISSING /);
  writeFileSync(at.path("empty/config.yaml"), readFileSync(at.path("run/config.yaml")));
  expect(mosaicVae("train --resume empty").err).toMatch(/^RUN_MISSING .*last\.safetensors/);
  for (const option of ["--config b.yaml", "--out other", "--seed 12345", "--overwrite"])
    expect(mosaicVae(`train --resume run ${option}`)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^OPTION_VALUE .*--resume run/),
    });
  expect(mosaicVae("train --resume run --out run --seed 3").code).toBe(0);
  const other = mosaicVae(`${again.replace("--out run", "--out second")} --overwrite`);
  expect(other).toMatchObject({ code: 0, err: "" });
  expect(mosaicVae(`${again.replace("--out run", "--out second")} --overwrite`).code).toBe(0);
});

it("a file is no folder for a run, and a run that cannot begin leaves none", () => {
  for (const out of ["e.yaml", "e.yaml/deeper/run"]) {
    writeFileSync(at.path("e.yaml"), "train: {}\n");
    expect(mosaicVae(`train --data b.h5ad --out ${out}`)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^OUT_DIR .*file; --out names the folder of the run\n$/),
    });
  }
  expect(mosaicVae("train --data b.h5ad --out failed --rna layers/nope").err).not.toMatch(/\n\s+at /);
  expect(mosaicVae("train --data b.h5ad --config b.yaml --out failed --device cuda:77").code).not.toBe(0);
  expect(existsSync(at.path("failed"))).toBe(false);
});

it("another ending is refused before the work", () => {
  for (const out of ["--out x.txt", "--out x.h5ad --config-out x.json"])
    expect(mosaicVae(`mock --problem bridge ${out}`)).toMatchObject({
      code: 2,
      err: expect.stringMatching(
        /^OPTION_VALUE --(config-)?out x\.(txt|json): what is written is \.(h5ad|yaml)/,
      ),
    });
  expect(existsSync(at.path("x.txt"))).toBe(false);
  expect(mosaicVae("train --data b.yaml --config b.h5ad --out swapped").err).toMatch(
    /^CONFIG b\.h5ad: this is an HDF5 file, as cells are; a configuration is YAML or JSON/,
  );
  expect(mosaicVae("embed --model nowhere --data b.h5ad --out z.csv").err).toMatch(
    /^OPTION_VALUE --out z.csv/,
  );
  expect(mosaicVae("impute --model nowhere --data b.h5ad --target rna --out z.csv").err).toMatch(
    /^OPTION_VALUE --out z.csv/,
  );
});

it("cells of unknown batch, or with their modalities elsewhere, are taken with a warning or by options", async () => {
  const { dataset } = mock("paired", { cells: 30, features: { rna: 20, atac: 24 }, seed: 3 });
  const { dataset: bridge } = await readBridge();
  const { writeH5ad } = await import("../src/index.ts");
  const rna = bridge.modalities.get("rna")!;
  const values = new Float32Array(30 * rna.features.length).fill(2);
  const columns = rna.features.length;
  const matrix = { columns, values };
  await writeH5ad(at.path("query.h5ad"), {
    cellIds: dataset.cellIds,
    varNames: rna.features,
    X: matrix,
    layers: { mine: matrix },
  });
  const mapped = mosaicVae("map --model run --data query.h5ad --out q.tsv --rna layers/mine");
  expect(mapped).toMatchObject({ code: 0, err: expect.stringMatching(/^warning BATCH_UNKNOWN .*batch/) });
  const embedded = mosaicVae("embed --model run --data query.h5ad --out q2.tsv --rna X");
  expect(embedded.code).toBe(0);
  expect(digest("q.tsv")).toBe(digest("q2.tsv"));
  writeFileSync(
    at.path("forms.yaml"),
    "data:\n  batchKey: batch\n  modalities:\n    rna: { at: layers/counts, kind: rna }\n    atac: { at: obsm/X_atac, features: uns/atac_names }\n",
  );
  expect(
    mosaicVae("train --data b.h5ad --config forms.yaml --out forms --epochs 1 --device cpu"),
  ).toMatchObject({ code: 0, err: "" });
});

async function readBridge(): Promise<{ dataset: Awaited<ReturnType<typeof readH5ad>> }> {
  return { dataset: await readH5ad(at.path("b.h5ad"), { rna: "layers/counts" }, { allowEmpty: true }) };
}

it("a page of an evaluation shows what imputing is worth, and the curves of its run", () => {
  expect(mosaicVae("mock --problem paired --out p.h5ad --cells 60 --genes 20 --peaks 24 --seed 3").code).toBe(
    0,
  );
  expect(mosaicVae("train --data p.h5ad --out paired --epochs 2 --device cpu").code).toBe(0);
  expect(mosaicVae("eval --model paired --data p.h5ad --labels cluster --html e.html").code).toBe(0);
  const page = readFileSync(at.path("e.html"), "utf8");
  expect(page).toMatch(
    /<th>label silhouette: types lie apart \(labelSilhouette\)<\/th><td>[\d.]+<\/td><td>1<\/td>/,
  );
  expect(page).toMatch(/median of the features.{1,6} correlation/);
  const measured = mosaicVae("eval --model paired --data p.h5ad --labels libsize_rna");
  expect(measured).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^LABELS column libsize_rna holds /),
  });
  expect(
    mosaicVae("impute --model paired --data p.h5ad --out y.h5ad --target adt --transform-batch nope").err,
  ).toMatch(/^OBS_COLUMN the model knows no batch nope/);
  expect(page).toMatch(/imputed rna: RMSE, of the means of the training cells/);
  expect(page).toMatch(/<h2>Training<\/h2>.*validation/);
});

it("a training that is told to stop names its checkpoint, and goes on to the same history", async () => {
  const line = (out: string): string[] =>
    `train --data b.h5ad --config b.yaml --out ${out} --epochs 40 --device cpu --threads 1`.split(" ");
  expect(mosaicVae(line("whole").join(" ")).code).toBe(0);
  const child = spawn(process.execPath, [bin, ...line("stopped")], { cwd: at.path(".") });
  let err = "";
  child.stderr.on("data", (text) => {
    err += text;
  });
  const ended = new Promise((done) => child.once("close", done));
  const last = at.path("stopped/last.safetensors");
  while (!existsSync(last)) await new Promise((done) => setTimeout(done, 20));
  child.kill("SIGTERM");
  expect(await ended).toBe(143);
  expect(err).toMatch(
    /warning INTERRUPTED stopped\/last\.safetensors holds step \d+; .*train --resume stopped/,
  );
  expect(mosaicVae("train --resume stopped --threads 1").code).toBe(0);
  const [a, b] = ["whole", "stopped"].map((name) =>
    readFileSync(at.path(`${name}/history.jsonl`), "utf8")
      .trim()
      .split("\n")
      .map((text) => {
        const { seconds: _, cellsPerSecond: __, ...rest } = JSON.parse(text);
        return rest;
      }),
  );
  expect(b).toEqual(a);
});

it("the commands of the README run, one after the other", async () => {
  const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
  const home = folder();
  const { dataset, ...rest } = mock("bridge", { cells: 60, seed: 8 });
  for (const name of ["multiome.h5ad", "query.h5ad"]) await writeMock(home.path(name), { dataset, ...rest });
  const lines = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)]
    .flatMap((block) => block[1]!.split("\n"))
    .map((line) => line.replace(/\s+#.*/, "").trim())
    .filter((line) => line.startsWith("mosaic-vae "));
  expect(lines.length).toBeGreaterThanOrEqual(9);
  for (const line of lines) {
    const words = line.split(" ").slice(1);
    if (words[0] === "train") words.push("--epochs", "2", "--device", "cpu");
    const run = spawnSync(process.execPath, [bin, ...words], { encoding: "utf8", cwd: home.path(".") });
    expect([line, run.status, run.stderr]).toEqual([line, 0, ""]);
  }
});
