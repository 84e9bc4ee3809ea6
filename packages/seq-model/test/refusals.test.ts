// What the programs refuse or tell instead of doing something else than was asked.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { fileOf, fixture, readJson, seqModel, tempFolder } from "./support/files.ts";
import { fastaFor, fixtureStudy } from "./support/study.ts";

const folder = tempFolder();
const out = (name: string): string => join(folder, name);
const { table, metadata: known } = await fixtureStudy();
const ids = table.sampleIds;
const input = ["--table", fixture("table.biom"), "--sequences", out("rep-seqs.fasta"), "--threads", "1"];
const metadata = ["--metadata", fixture("metadata.tsv")];
const small = ["--embedding-dim", "8", "--attention-heads", "2", "--attention-layers", "1,0,0,0,0"];
const quick = [...small, "--epochs", "1", "--batch-size", "4", "--nuc-penalty", "0", "--device", "cpu"];
const train = (...more: string[]) => seqModel(["train", ...input, ...metadata, ...quick, ...more]);
const rows = (text: readonly string[]): string => `sample_id\tsplit\n${text.join("\n")}\n`;
const whole = ids.map((id, i) => `${id}\t${i < 9 ? "train" : "test"}`);

beforeAll(() => writeFileSync(out("rep-seqs.fasta"), fastaFor(table.featureIds)));

describe("train", () => {
  it("refuses options that would have no effect, before it writes anything", async () => {
    const target = join(folder, "idle");
    for (const [options, why] of [
      [["--column", "age", "--freeze-base"], /^OPTION_CHOICE --freeze-base needs --pretrained-encoder/],
      [["--column", "age", "--freeze-asvs"], /^OPTION_CHOICE --freeze-asvs needs/],
      [
        ["--column", "age", "--best-metric", "accuracy"],
        /^OPTION_CHOICE --best-metric accuracy is of classes/,
      ],
      [
        ["--column", "group", "--classifier", "--best-metric", "mae"],
        /^OPTION_CHOICE --best-metric mae is of num/,
      ],
      [["--column", "age", "--resume-from", target], /^RESUME .*no run to go on with/],
      [["--column", "age", "--test-size", "1"], /^OPTION_RANGE/],
      [["--column", "age", "--class-weights", "1,1"], /^CLASS_WEIGHTS .*no classes/],
    ] as const) {
      const ran = await train(...options, "--output-dir", target);
      expect(ran.code, ran.err).toBeGreaterThan(0);
      expect(ran.err).toMatch(why);
    }
    expect(existsSync(target)).toBe(false);
  });

  it("class weights are one for each class", async () => {
    for (const weights of ["1,2,3", "1,-1", "1,x"]) {
      const ran = await train(
        ...["--column", "group", "--classifier", "--class-weights", weights, "--output-dir", out("weights")],
      );
      expect(ran).toMatchObject({
        code: 2,
        err: expect.stringMatching(/^CLASS_WEIGHTS .* 2 numbers .* a, b/),
      });
    }
  });

  it("a sample stands in a split once; those the table lacks are told", async () => {
    const twice = fileOf("split.tsv", rows([...whole, whole[0]!, whole[0]!]));
    expect(await train("--column", "age", "--split", twice, "--output-dir", out("twice"))).toMatchObject({
      code: 1,
      err: expect.stringMatching(new RegExp(`^SPLIT_SAMPLES .*more than once: ${ids[0]}`)),
    });
    const more = fileOf("split.tsv", rows([...whole, "nobody\ttest"]));
    const ran = await seqModel([
      "baseline",
      ...input.slice(0, 2),
      ...metadata,
      "--column",
      "age",
      "--split",
      more,
    ]);
    expect(ran).toMatchObject({
      code: 0,
      err: expect.stringMatching(/SPLIT_UNKNOWN.*1 of 15 samples .*nobody/),
    });
  });

  it("a split that breaks groups up is refused, and a sample without a group", async () => {
    const text = (groups: readonly string[]): string =>
      `sample_id\tage\thost\n${ids.map((id, i) => `${id}\t${i}\t${groups[i]}`).join("\n")}\n`;
    const hosts = ids.map((_, i) => `h${i >> 1}`);
    const ask = (file: string, ...more: string[]) =>
      seqModel([
        "baseline",
        ...input.slice(0, 2),
        "--metadata",
        file,
        "--column",
        "age",
        "--group",
        "host",
        ...more,
      ]);
    const split = fileOf("split.tsv", rows(whole));
    const broken = await ask(fileOf("m.tsv", text(hosts)), "--split", split);
    expect(broken).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^SPLIT_GROUPS .*host: 1 groups .*: h4 /),
    });
    const kept = fileOf("split.tsv", rows(ids.map((id, i) => `${id}\t${i < 8 ? "train" : "test"}`)));
    expect(await ask(fileOf("m.tsv", text(hosts)), "--split", kept)).toMatchObject({ code: 0 });
    const without = await ask(fileOf("m.tsv", text(hosts.map((h, i) => (i === 3 ? "" : h)))));
    expect(without).toMatchObject({
      code: 1,
      err: expect.stringMatching(new RegExp(`^GROUP_MISSING .*1 samples have no host .*${ids[3]}`)),
    });
  });

  it("search and baseline learn one column", async () => {
    for (const verb of ["baseline", "search"]) {
      const ran = await seqModel([
        ...[verb, ...input.slice(0, 2), ...metadata, "--column", "age,age2"],
        ...(verb === "search" ? ["--output-dir", out("several")] : []),
      ]);
      expect(ran).toMatchObject({
        code: 2,
        err: expect.stringMatching(/^OPTION_CHOICE .*predicts one column/),
      });
    }
  });

  it("a finished run is not written over unasked, nor touched by one that fails; few samples give no interval", async () => {
    const run = out("run");
    const ran = await train("--column", "age", "--output-dir", run);
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.out).toMatch(/, no finite interval/);
    const few = readJson(join(run, "metrics.json")) as { split: { validation: number }; test: object };
    expect(ran.err).toContain(`90 % needs ≥ 9 calibration samples, there are ${few.split.validation}`);
    expect(few.test).toMatchObject({ outputs: [{ unbounded: true }] });
    expect(JSON.stringify(few.test)).not.toContain("coverage");
    const predicted = await seqModel([
      "predict",
      "--model",
      run,
      ...input,
      "--output",
      out("wide.tsv"),
      "--intervals",
    ]);
    expect(predicted).toMatchObject({ code: 0, err: expect.stringMatching(/CONFORMAL_FEW.*≥ 9/) });
    const log = readFileSync(join(run, "history.jsonl"), "utf8");
    expect(log).not.toBe("");
    const again = await train("--column", "age", "--output-dir", run);
    expect(again).toMatchObject({ code: 2, err: expect.stringMatching(/^RUN_EXISTS .*finished run/) });
    const failed = await train("--column", "age", "--lr", "11", "--overwrite", "--output-dir", run);
    expect(failed).toMatchObject({ code: 2, err: expect.stringMatching(/^OPTION_RANGE/) });
    expect(readFileSync(join(run, "history.jsonl"), "utf8")).toBe(log);
    const other = await train("--column", "age", "--lr", "0.5", "--resume-from", run, "--output-dir", run);
    expect(other).toMatchObject({ code: 1, err: expect.stringMatching(/^RESUME .*learningRate/) });
    expect(readFileSync(join(run, "history.jsonl"), "utf8")).toBe(log);
    const over = await train("--column", "age", "--overwrite", "--output-dir", run);
    expect(over).toMatchObject({ code: 0 });
    expect(readFileSync(join(run, "history.jsonl"), "utf8").split("\n")).toHaveLength(log.split("\n").length);
  });
});

describe("unifrac", () => {
  const trees = ["--table", fixture("table.biom"), "--tree", fixture("tree.nwk")];
  it("refuses options that the metric does not take, and parts under another ending", async () => {
    for (const [metric, ...more] of [
      ["unweighted", "--alpha", "0.3"],
      ["generalized", "--pseudocount", "2"],
      ["faith-pd", "--stripes", "0:1"],
      ["faith-pd", "--float32"],
      ["shannon", "--keep-empty"],
      ["unweighted", "--stripes", "0:1"],
    ]) {
      const ran = await seqModel(["unifrac", ...trees, "--metric", metric!, ...more, "--out", out("o.npy")]);
      expect(ran, String(more)).toMatchObject({ code: 2, err: expect.stringMatching(/^OPTION_CHOICE/) });
    }
    expect(existsSync(out("o.npy"))).toBe(false);
  });

  it("says what features without a tip are left out", async () => {
    const small = fileOf(
      "t.nwk",
      `(${table.featureIds
        .slice(1)
        .map((id) => `${id}:1`)
        .join(",")});`,
    );
    for (const [metric, file] of [
      ["unweighted", "d.npy"],
      ["faith-pd", "d.tsv"],
    ] as const) {
      const ran = await seqModel([
        ...["unifrac", ...trees.slice(0, 2), "--tree", small, "--missing-tips", "drop", "--json"],
        ...["--metric", metric, "--keep-empty", "--out", out(file)].filter(
          (word) => word !== "--keep-empty" || metric === "unweighted",
        ),
      ]);
      expect(ran, ran.err).toMatchObject({ code: 0 });
      expect(ran.err).toContain("TIPS_DROPPED");
      const { dropped } = JSON.parse(ran.out);
      expect(dropped).toMatchObject({ features: 1, ids: [table.featureIds[0]] });
      const lost = table.indices.reduce((sum, f, e) => sum + (f === 0 ? table.values[e]! : 0), 0);
      expect(dropped.share).toBeCloseTo(lost / table.values.reduce((a, b) => a + b, 0), 12);
    }
  });
});

it("the study of these tests has what they speak of", () => {
  expect([...known.columns.keys()]).toEqual(expect.arrayContaining(["age", "group"]));
  expect(ids).toHaveLength(14);
});
