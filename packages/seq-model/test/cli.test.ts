import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readDistances } from "../src/index.ts";
import { fileOf, golden, readJson, seqModel, tempFolder, worst } from "./support/files.ts";

const folder = tempFolder();
const out = (name: string): string => join(folder, name);
const input = ["--table", golden("table.biom"), "--tree", golden("tree.nwk")];
const expected = readJson(golden("expected.json")) as { matrices: Record<string, number[]> };

it("unifrac writes a matrix, in parts too", async () => {
  const ran = await seqModel(["unifrac", ...input, "--metric", "unweighted", "--out", out("u.npy")]);
  expect(ran, ran.err).toMatchObject({ code: 0 });
  expect(ran.out).toMatch(/unweighted: 14 samples/);
  expect(worst(await readDistances(out("u.npy")), expected.matrices.unweighted!)).toBeLessThan(1e-12);
  for (const [name, range] of [
    ["a", "0:3"],
    ["b", "3:7"],
  ] as const) {
    const part = [
      "--metric",
      "unweighted",
      "--stripes",
      range,
      "--out",
      out(`${name}.arrow`),
      "--threads",
      "1",
    ];
    expect(await seqModel(["unifrac", ...input, ...part])).toMatchObject({ code: 0 });
  }
  const merged = await seqModel(["merge", out("b.arrow"), out("a.arrow"), "--out", out("m.npy"), "--json"]);
  expect(JSON.parse(merged.out)).toMatchObject({ metric: "unweighted", samples: 14 });
  expect(readFileSync(out("m.npy")).equals(readFileSync(out("u.npy")))).toBe(true);
});

it("unifrac writes diversities and distances without a tree", async () => {
  const faith = await seqModel(["unifrac", ...input, "--metric", "faith-pd", "--out", out("faith.tsv")]);
  expect(faith, faith.err).toMatchObject({ code: 0 });
  expect(readFileSync(out("faith.tsv"), "utf8")).toMatch(/^sample_id\tfaith_pd\nS00\t/);
  const bray = ["unifrac", "--table", golden("table.qza"), "--metric", "bray-curtis", "--out", out("b.tsv")];
  expect(await seqModel(bray)).toMatchObject({ code: 0 });
  expect(worst(await readDistances(out("b.tsv")), expected.matrices["bray-curtis"]!)).toBeLessThan(1e-12);
});

it("mistakes are named without a stack trace", async () => {
  const none = await seqModel([
    "unifrac",
    "--table",
    golden("table.biom"),
    "--metric",
    "unweighted",
    "--out",
    out("x.npy"),
  ]);
  expect(none).toMatchObject({ code: 2, err: expect.stringMatching(/^OPTION_MISSING .*--tree/) });
  const tree = fileOf("t.nwk", "(f0:1,f1:1);");
  const tips = await seqModel([
    "unifrac",
    "--table",
    golden("table.biom"),
    "--tree",
    tree,
    "--metric",
    "weighted",
    "--out",
    out("x.npy"),
  ]);
  expect(tips).toMatchObject({ code: 1, err: expect.stringMatching(/^TREE_TIP .*38 of 40 features/) });
  expect(tips.err).not.toMatch(/\n\s+at /);
  expect(existsSync(out("x.npy"))).toBe(false);
  const ending = await seqModel(["unifrac", ...input, "--metric", "weighted", "--out", out("x.csv")]);
  expect(ending).toMatchObject({ code: 2, err: expect.stringMatching(/^OPTION_CHOICE/) });
});

it("pcoa and permanova go on from a matrix", async () => {
  await seqModel(["unifrac", ...input, "--metric", "generalized", "--out", out("g.h5")]);
  const metadata = ["--metadata", golden("metadata.tsv")];
  const pcoa = [
    "pcoa",
    out("g.h5"),
    "--axes",
    "3",
    "--out",
    out("p.tsv"),
    "--svg",
    out("p.svg"),
    ...metadata,
    "--colour",
    "age",
  ];
  const ran = await seqModel([...pcoa, "--json"]);
  expect(ran, ran.err).toMatchObject({ code: 0 });
  expect(JSON.parse(ran.out).explained).toHaveLength(3);
  expect(readFileSync(out("p.tsv"), "utf8")).toMatch(/^sample_id\taxis1\taxis2\taxis3\nS00\t/);
  expect(readFileSync(out("p.svg"), "utf8")).toMatch(/<svg[\s\S]*age/);
  const test = await seqModel(["permanova", out("g.h5"), ...metadata, "--column", "group", "--seed", "1"]);
  expect(test.out).toMatch(/^pseudo-F .* p 0\.\d+ \(999 permutations\)/);
});

it("inspect and baseline", async () => {
  const metadata = ["--metadata", golden("metadata.tsv")];
  const seen = await seqModel(["inspect", ...input, ...metadata]);
  expect(seen.out).toMatch(/^14 samples × 40 features[\s\S]*41 tips[\s\S]*columns group, age/);
  const args = [
    "baseline",
    ...input,
    ...metadata,
    "--metadata-column",
    "age",
    "--trees",
    "20",
    "--test-size",
    "0.3",
  ];
  const ran = await seqModel([...args, "--out", out("report.json"), "--predictions", out("pred.tsv")]);
  expect(ran, ran.err).toMatchObject({ code: 0 });
  expect(ran.out).toMatch(/10 samples to learn from, 4 to test on[\s\S]*random-forest/);
  expect(readJson(out("report.json"))).toMatchObject({ target: "age", split: { train: 10, test: 4 } });
  expect(readFileSync(out("pred.tsv"), "utf8").split("\n")[0]).toMatch(/^sample_id\tage\t/);
  const shallow = ["--rarefy-depth", "300", "--seed", "2", "--drop-missing", "--json"];
  const rarefied = await seqModel([...args, ...shallow]);
  expect(rarefied.err).toMatch(/RAREFY_DROPPED/);
});
