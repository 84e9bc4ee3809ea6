// What a newcomer does wrong on the command line, and what is said about it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { fineTune } from "../src/fine-tune.ts";
import { planUnifrac } from "../src/index.ts";
import { fileOf, fixture, seqModel, tempFolder } from "./support/files.ts";
import { fastaFor, fixtureStudy, TINY } from "./support/study.ts";

const folder = tempFolder();
const out = (name: string): string => join(folder, name);
const run = out("run");
const study = await fixtureStudy();
const table = ["--table", fixture("table.biom"), "--sequences", out("rep-seqs.fasta"), "--threads", "1"];
const metadata = ["--metadata", fixture("metadata.tsv")];

beforeAll(async () => {
  mkdirSync(run);
  writeFileSync(out("rep-seqs.fasta"), fastaFor(study.table.featureIds));
  const { table, target, split, sequences } = study;
  const training = { epochs: 1, batchSize: 4, device: "cpu" };
  const made = await fineTune(table, { target, split, sequences, model: TINY, training, threads: 1 });
  await using model = made.model;
  await model.save(join(run, "model.safetensors"));
  for (const name of ["best", "last"]) writeFileSync(join(run, `${name}.safetensors`), name);
});

describe("the folder of a run as an input", () => {
  const train = ["train", ...table, ...metadata, "--metadata-column", "age", "--epochs", "1"];
  const cases: Record<string, string[]> = {
    "predict --output": ["predict", "--model", run, ...table, "--output", join(run, "model.safetensors")],
    "predict --embeddings": [
      ...["predict", "--model", run, ...table, "--output", out("p.tsv")],
      ...["--embeddings", join(run, "best.safetensors")],
    ],
    explain: ["explain", "--model", run, ...table, "--out", join(run, "last.safetensors")],
    export: ["export", "--model", `${run}/`, "--out", join(run, "model.safetensors")],
    train: [...train, "--pretrained-encoder", run, "--overwrite", "--output-dir", run],
  };
  it.each(Object.keys(cases))("%s never writes over its model", async (name) => {
    const files = ["model", "best", "last"].map((file) => join(run, `${file}.safetensors`));
    const before = files.map((file) => readFileSync(file));
    const ran = await seqModel(cases[name]!);
    expect(ran, ran.err).toMatchObject({ code: 2, err: expect.stringMatching(/^OUT_IS_INPUT /) });
    expect(files.map((file) => readFileSync(file))).toEqual(before);
  });

  it("--output-dir that is a file, or below one, is named", async () => {
    const taken = fileOf("taken", "text");
    for (const [place, code] of [
      [taken, "OUT_DIR"],
      [join(taken, "run"), "OUT_DIR"],
      [out("rep-seqs.fasta"), "OUT_IS_INPUT"],
    ]) {
      const ran = await seqModel([...train, "--output-dir", place!]);
      expect(ran.err).toMatch(new RegExp(`^${code} `));
      expect(ran.err).not.toMatch(/\n\s+at /);
    }
    expect(readFileSync(taken, "utf8")).toBe("text");
  });
});

it("pcoa does not write over the names beside its matrix", async () => {
  const matrix = out("m.npy");
  const made = ["--table", fixture("table.biom"), "--metric", "jaccard", "--out", matrix];
  expect(await seqModel(["unifrac", ...made])).toMatchObject({ code: 0 });
  expect(existsSync(`${matrix}.ids.txt`)).toBe(true);
  const ran = await seqModel(["pcoa", matrix, "--out", `${matrix}.ids.txt`]);
  expect(ran).toMatchObject({ code: 2, err: expect.stringMatching(/^OUT_IS_INPUT /) });
});

it("planUnifrac counts the bytes of the numbers that are written", () => {
  const size = { samples: 1000, branches: 10, metric: "unweighted" } as const;
  expect(planUnifrac(size).fileBytes).toBe(128 + 8e6);
  expect(planUnifrac({ ...size, float32: true }).fileBytes).toBe(128 + 4e6);
});
