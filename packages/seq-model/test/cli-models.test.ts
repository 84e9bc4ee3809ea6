// explain and search as programs, on a model of the fixtures.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { fineTune } from "../src/fine-tune.ts";
import { fixture, readJson, seqModel, tempFolder } from "./support/files.ts";
import { fastaFor, fixtureStudy, TINY } from "./support/study.ts";

const folder = tempFolder();
const out = (name: string): string => join(folder, name);
const study = await fixtureStudy();
const table = ["--table", fixture("table.biom"), "--sequences", out("rep-seqs.fasta"), "--threads", "1"];
const metadata = ["--metadata", fixture("metadata.tsv")];

beforeAll(async () => {
  writeFileSync(out("rep-seqs.fasta"), fastaFor(study.table.featureIds));
  const { table, target, split, sequences } = study;
  const training = { epochs: 2, batchSize: 4, device: "cpu" };
  const made = await fineTune(table, { target, split, sequences, model: TINY, training, threads: 1 });
  await using model = made.model;
  await model.save(out("model.safetensors"));
});

describe("seq-model explain", () => {
  const ask = (...more: string[]) => seqModel(["explain", "--model", folder, ...table, ...more]);

  it("writes importances, the tree, attention and errors", async () => {
    const pictures = [
      "--svg",
      out("tree.svg"),
      "--heatmap",
      out("heat.svg"),
      "--errors-svg",
      out("errors.svg"),
    ];
    const ran = await ask(
      ...["--tree", fixture("tree.nwk"), ...metadata, "--steps", "4", "--most", "12", "--out", out("i.tsv")],
      ...[...pictures, "--errors", out("errors.json"), "--json"],
    );
    expect(ran, ran.err).toMatchObject({ code: 0 });
    const said = JSON.parse(ran.out);
    expect(said).toMatchObject({ samples: 14, importances: { method: "integrated-gradients" } });
    const lines = readFileSync(out("i.tsv"), "utf8").trimEnd().split("\n");
    expect(lines[0]).toBe("feature_id\timportance\tsigned");
    expect(lines).toHaveLength(41);
    expect(lines[1]!.split("\t")[0]).toBe(said.importances.top[0].feature);
    for (const name of ["tree", "heat", "errors"])
      expect(readFileSync(out(`${name}.svg`), "utf8")).toMatch(/^<svg[\s\S]*<rect[\s\S]*<\/svg>/);
    expect((readJson(out("errors.json")) as { samples: unknown[] }).samples).toHaveLength(14);
  });

  it("attention and permutation, and what is missing is named", async () => {
    const looked = await ask("--method", "attention", "--out", out("a.arrow"));
    expect(looked, looked.err).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^attention of 14 samples/),
    });
    expect(existsSync(out("a.arrow"))).toBe(true);
    const permuted = await ask(
      "--method",
      "permutation",
      ...metadata,
      "--repeats",
      "1",
      "--out",
      out("p.tsv"),
    );
    expect(permuted, permuted.err).toMatchObject({ code: 0 });
    for (const wrong of [[], ["--svg", out("x.svg")], ["--method", "permutation", "--out", out("x.tsv")]])
      expect(await ask(...wrong)).toMatchObject({ code: 2, err: expect.stringMatching(/^OPTION_MISSING/) });
  });
});

describe("seq-model predict", () => {
  it("warns of sequences of a length that training did not see", async () => {
    const { ids, sequences } = study.sequences;
    writeFileSync(
      out("short.fasta"),
      ids.map((id, f) => `>${id}\n${sequences[f]!.slice(0, f < 30 ? 18 : 24)}\n`).join(""),
    );
    const common = ["predict", "--model", folder, "--table", fixture("table.biom"), "--threads", "1"];
    const same = await seqModel([...common, "--sequences", out("rep-seqs.fasta"), "--output", out("p.tsv")]);
    expect(same, same.err).toMatchObject({ code: 0, err: "" });
    const drifted = await seqModel([...common, "--sequences", out("short.fasta"), "--output", out("p.tsv")]);
    expect(drifted).toMatchObject({ code: 0 });
    expect(drifted.err).toMatch(/SEQUENCE_LENGTHS.*2 groups of lengths: 18 bp \(75 %\), 24 bp \(25 %\)/);
    expect(drifted.err).toMatch(/75 % of the sequences have a length that training did not see/);
  });
});

describe("seq-model train", () => {
  const small = ["--embedding-dim", "8", "--attention-heads", "2", "--attention-layers", "1,0,0,0,0"];
  const quick = [...small, "--epochs", "2", "--batch-size", "4", "--nuc-penalty", "0", "--device", "cpu"];
  const ask = (...more: string[]) => seqModel(["train", ...table, ...metadata, ...quick, ...more]);

  it("chooses by validation samples, judges by the test samples, and calibrates intervals", async () => {
    const run = out("run");
    const ran = await ask(
      ...["--metadata-column", "age", "--validation-size", "0.4", "--coverage", "0.5"],
      ...["--baselines", "--shuffle-asvs", "--dropout", "0.1", "--length-buckets", "2", "--output-dir", run],
    );
    expect(ran, ran.err).toMatchObject({ code: 0 });
    expect(ran.out).toMatch(/test samples: age: R² .*inside their interval/);
    expect(ran.out).toMatch(/simple models of age: /);
    const report = readJson(join(run, "metrics.json")) as {
      test: { samples: number; outputs: { name: string; mae: number; coverage: number }[] };
      split: { train: number; validation: number; test: number };
      baselines: { results: { model: string }[]; verdict: string };
    };
    expect(report.test.outputs[0]).toMatchObject({ name: "age", coverage: expect.any(Number) });
    const { train, validation, test } = report.split;
    expect([train + validation + test, test]).toEqual([14, report.test.samples]);
    expect(validation).toBeGreaterThan(1);
    expect(report.baselines.results.map(({ model }) => model)).toContain("ridge-hellinger");
    const predict = ["predict", "--model", run, ...table, "--output", out("wide.tsv"), "--intervals"];
    const said = await seqModel(predict);
    expect(said, said.err).toMatchObject({ code: 0 });
    const [header, first] = readFileSync(out("wide.tsv"), "utf8").split("\n");
    expect(header).toBe("sample_id\tage\tage low\tage high");
    const [, age, low, high] = first!.split("\t").map(Number);
    expect(low!).toBeLessThan(age!);
    expect(high!).toBeGreaterThan(age!);
    const none = await seqModel([
      "predict",
      "--model",
      folder,
      ...table,
      "--output",
      out("x.tsv"),
      "--intervals",
    ]);
    expect(none).toMatchObject({ code: 1, err: expect.stringMatching(/^CONFORMAL .*without --coverage/) });
  });

  it("classes: AUROC and who was taken for whom", async () => {
    const run = out("classes");
    const ran = await ask(
      "--metadata-column",
      "group",
      "--classifier",
      "--test-size",
      "0.5",
      "--output-dir",
      run,
    );
    expect(ran, ran.err).toMatchObject({ code: 0 });
    expect(ran.out).toMatch(/test samples: accuracy .*\na: AUROC .*\nb: AUROC .*\nis \\ said/);
    const { test } = readJson(join(run, "metrics.json")) as {
      test: { samples: number; confusion: number[][]; classes: { name: string; auroc: number }[] };
    };
    expect(test.confusion.flat().reduce((a, b) => a + b, 0)).toBe(test.samples);
    expect(test.classes.map(({ name }) => name)).toEqual(["a", "b"]);
  });

  it("an epoch cannot be chosen by nobody", async () => {
    const ran = await ask(
      "--metadata-column",
      "age",
      "--validation-size",
      "0",
      "--output-dir",
      out("nobody"),
    );
    expect(ran).toMatchObject({ code: 2, err: expect.stringMatching(/^OPTION_CHOICE .*--best-metric last/) });
  });
});

describe("15.2 seq-model search", () => {
  const space = {
    learningRate: { choice: [0.003] },
    "losses.nucleotide": { choice: [0] },
    dim: { choice: [8] },
  };
  const ask = (...more: string[]) =>
    seqModel([
      "search",
      ...table,
      ...metadata,
      "--metadata-column",
      "age",
      "--space",
      out("space.json"),
      ...more,
    ]);

  it("halves, keeps each trial's model, judges the best on samples it never saw, and goes on where it was", async () => {
    writeFileSync(out("space.json"), JSON.stringify(space));
    const options = [
      "--trials",
      "2",
      "--eta",
      "2",
      "--epochs",
      "2",
      "--least-epochs",
      "1",
      "--output-dir",
      out("search"),
      "--json",
    ];
    const ran = await ask(...options);
    expect(ran, ran.err).toMatchObject({ code: 0 });
    const said = JSON.parse(ran.out);
    expect(said).toMatchObject({ runs: 3, failed: 0, best: { values: { learningRate: 0.003, dim: 8 } } });
    expect(Number.isFinite(said.test.mae)).toBe(true);
    expect(existsSync(said.best.model)).toBe(true);
    const before = readFileSync(out("search/search.json"), "utf8");
    const again = await ask(...options);
    expect(JSON.parse(again.out)).toEqual(said);
    expect(readFileSync(out("search/search.json"), "utf8")).toBe(before);
  });

  it("unknown settings are named with the nearest", async () => {
    writeFileSync(out("space.json"), JSON.stringify({ learningrate: { choice: [1] } }));
    const ran = await ask("--output-dir", out("other"));
    expect(ran).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^SEARCH_SPACE .*did you mean learningRate/),
    });
    writeFileSync(out("space.json"), "{");
    expect((await ask("--output-dir", out("other"))).err).toMatch(/^SEARCH_SPACE .*no JSON/);
  });
});
