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

describe("options that would do nothing, names that would mislead", () => {
  const matrix = out("u.npy");
  const pcoa = ["pcoa", matrix, "--out", out("pcoa.tsv")];
  const svg = ["--svg", out("pcoa.svg")];
  const permanova = ["permanova", matrix, "--column", "group"];
  beforeAll(async () => {
    const made = ["--table", fixture("table.biom"), "--tree", fixture("tree.nwk"), "--metric", "unweighted"];
    expect(await seqModel(["unifrac", ...made, "--out", matrix])).toMatchObject({ code: 0 });
  });

  const jaccard = ["unifrac", "--table", fixture("table.biom"), "--metric", "jaccard"];
  const cases: Record<string, [args: string[], said: RegExp]> = {
    "--colour alone": [[...pcoa, ...svg, "--colour", "age"], /^OPTION_MISSING .*--metadata/],
    "--colour without a picture": [[...pcoa, ...metadata, "--colour", "age"], /^OPTION_MISSING .*--svg/],
    "--metadata alone": [[...pcoa, ...svg, ...metadata], /^OPTION_CHOICE .*--colour/],
    "--tree of jaccard": [
      [...jaccard, "--tree", fixture("tree.nwk"), "--out", out("j.npy")],
      /^OPTION_CHOICE --tree has no effect on --metric jaccard/,
    ],
    "a picture named .png": [[...pcoa, "--svg", out("x.png")], /^OPTION_CHOICE .*\.svg/],
    "a model named .txt": [["export", "--model", run, "--out", out("m.txt")], /^OPTION_CHOICE .*\.onnx/],
    "no permutations": [[...permanova, ...metadata, "--permutations", "0"], /^OPTION_RANGE .*at least 1/],
  };
  it.each(Object.keys(cases))("%s", async (name) => {
    const [args, said] = cases[name]!;
    expect(await seqModel(args)).toMatchObject({ code: 2, err: expect.stringMatching(said) });
  });

  it("pcoa says what its axes are worth, and that there are no more", async () => {
    const ran = await seqModel([...pcoa, "--axes", "100"]);
    expect(ran).toMatchObject({ code: 0, err: expect.stringMatching(/^warning AXES_FEWER .*--axes 100/) });
    expect(ran.out).toMatch(/^14 samples; share of the variation: axis 1 \d+\.\d %, axis 2/);
    expect(ran.out).toMatch(/negative eigenvalues: \d+\.\d %/);
    expect((await seqModel(pcoa)).err).toBe("");
  });

  it("permanova leaves out samples that the metadata do not know", async () => {
    const lines = readFileSync(fixture("metadata.tsv"), "utf8").trimEnd().split("\n");
    const text = [...lines.slice(0, -2), lines.at(-2)!.replace(/\t[ab]\t/, "\t\t")].join("\n");
    const some = ["--metadata", fileOf("some.tsv", `${text}\n`)];
    const refused = await seqModel([...permanova, ...some]);
    expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/^METADATA_MISSING .*S13/) });
    expect(refused.err).not.toMatch(/drop/);
    const ran = await seqModel([...permanova, ...some, "--drop-missing", "--json"]);
    expect(ran.err).toMatch(/SAMPLES_DROPPED.*2 of 14 samples have no group.*S12, S13/);
    const { groups } = JSON.parse(ran.out) as { groups: Record<string, number> };
    expect(groups.a! + groups.b!).toBe(12);
  });

  it("a misspelt side of a split is named with its line", async () => {
    const split = fileOf("split.tsv", "sample_id\tsplit\nS00\ttrain\nS01\ttrian\nS02\tout\nS03\ttest\n");
    const asked = ["--table", fixture("table.biom"), ...metadata, "--metadata-column", "age"];
    const ran = await seqModel(["baseline", ...asked, "--split", split]);
    expect(ran).toMatchObject({ code: 1, err: expect.stringMatching(/^SPLIT_WORD .*:3.*"trian".*train\?/) });
  });
});

describe("what is said", () => {
  it("errors without a split that is known say so; --split tells the sides apart", async () => {
    const ask = ["explain", "--model", run, ...table, ...metadata, "--errors", out("e.json")];
    const ran = await seqModel(ask);
    expect(ran, ran.err).toMatchObject({ code: 0 });
    expect(ran.out).toMatch(/^errors of all 14 samples: .*who of them was trained on is not known.*--split/);
    const told = await seqModel([...ask, "--split", fixture("split.tsv"), "--json"]);
    const { errors } = JSON.parse(told.out) as { errors: { sides: { name: string; samples: number }[] } };
    expect(errors.sides.map(({ name, samples }) => [name, samples])).toEqual([
      ["test", 3],
      ["training", 11],
    ]);
  });

  it("inspect: sequences that all match; a tree that is taken for metadata is not printed whole", async () => {
    const ask = ["inspect", ...table.slice(0, 2)];
    const ran = await seqModel([...ask, "--sequences", fixture("rep-seqs.fasta")]);
    expect(ran.out).toMatch(/^sequences: all 40 features have one$/m);
    const wrong = await seqModel([...ask, "--metadata", fixture("tree.nwk")]);
    expect(wrong).toMatchObject({ code: 1, err: expect.stringMatching(/^METADATA_HEADER .*…/) });
    expect(wrong.err.length).toBeLessThan(500);
  });
});
