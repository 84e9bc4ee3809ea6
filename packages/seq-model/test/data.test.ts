import { describe, expect, it } from "vitest";
import {
  baseline,
  classTarget,
  encodeCategories,
  fitCategories,
  inspectTable,
  metadataOf,
  numericTarget,
  parseTree,
  rarefy,
  readBiom,
  readFasta,
  readMetadata,
  readNewick,
  sequenceBatch,
  sequenceCache,
  splitSamples,
  tokenize,
} from "../src/index.ts";
import { failure, fixture, tableOf } from "./support/files.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe("metadata", () => {
  const spellings = [
    ...[
      "id",
      "SampleID",
      "sampleid",
      "Sample ID",
      "sample-id",
      "FeatureID",
      "feature id",
      "Feature-ID",
      "sample_id",
    ],
    ...["#SampleID", "#Sample ID", "#OTUID", "#OTU ID", "sample_name"],
  ];
  it.each(spellings)("a header beginning with %s", async (first) => {
    const found = await readMetadata(bytes(`${first}\tage\ns0\t1.5\n`));
    expect([found.ids, found.column("age").values]).toEqual([["s0"], [1.5]]);
  });

  it("types, comments, quotes, blanks, missing cells and cells left off", async () => {
    const text = [
      "# made by hand",
      'sample-id\t age \tsite\t"note, long"',
      "#q2:types\tcategorical\tcategorical",
      "",
      's0\t1\tgut\t"a ""b"""',
      "# not this one\t7",
      "s1\t2",
      "\t\t",
    ].join("\r\n");
    const found = await readMetadata(bytes(text));
    expect(found.ids).toEqual(["s0", "s1"]);
    expect(found.column("age")).toEqual({ kind: "categorical", values: ["1", "2"] });
    expect(found.column("site").values).toEqual(["gut", null]);
    expect(found.column("note, long").values).toEqual(['a "b"', null]);
    expect(found.toArrow().schema.fields.map((f) => f.name)).toEqual([
      "sample_id",
      "age",
      "site",
      "note, long",
    ]);
  });

  it("a column called __proto__ is a column like any other", async () => {
    const found = await readMetadata(bytes("sample_id\t__proto__\tconstructor\ns0\ta\t1\ns1\tb\t2\n"));
    expect([...found.columns.keys()]).toEqual(["__proto__", "constructor"]);
    expect(found.toArrow().schema.fields.map((f) => f.name)).toEqual([
      "sample_id",
      "__proto__",
      "constructor",
    ]);
    expect(found.toArrow().getChild("__proto__")!.toArray()).toEqual(["a", "b"]);
    const columns = fitCategories(found.select(["s0"]), ["__proto__"]);
    const { codes, unseen } = encodeCategories(columns, found);
    expect([[...codes], Object.entries(unseen)]).toEqual([[1, 0], [["__proto__", ["b"]]]]);
    expect(Object.prototype).not.toHaveProperty("b");
  });
});

describe("trees", () => {
  it("a byte order mark is skipped, and errors still name the byte of the file", async () => {
    const marked = (text: string): Uint8Array =>
      Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes(text)]);
    expect((await readNewick(marked("(a:1,b:2);"))).tips).toBe(2);
    expect(parseTree("\uFEFF(a:1,b:2);").tips).toBe(2);
    const plain = await failure(() => readNewick(bytes("(a:1,b:x);")));
    const error = await failure(() => readNewick(marked("(a:1,b:x);")));
    expect(error.code).toBe(plain.code);
    expect(error.details.byte).toBe((plain.details.byte as number) + 3);
  });
});

describe("rarefaction", () => {
  it("gives every sample the depth, is seeded, recorded, and does not look at other samples", async () => {
    const table = await readBiom(fixture("table.biom"));
    const depth = 200;
    const { table: cut, dropped } = await rarefy(table, { depth, seed: 3, threads: 2 });
    expect(new Set(cut.totals())).toEqual(new Set([depth]));
    expect(cut.sampleIds.length + dropped.length).toBe(table.sampleIds.length);
    expect(cut.history).toEqual([`rarefied to ${depth}, seed 3, ${dropped.length} samples dropped`]);
    const some = cut.sampleIds.slice(2, 4);
    const alone = await rarefy(table.select({ samples: some }), { depth, seed: 3, threads: 1 });
    const both = cut.select({ samples: some }).dropEmptyFeatures();
    expect([alone.table.featureIds, alone.table.values]).toEqual([both.featureIds, both.values]);
    const other = await rarefy(table, { depth, seed: 4 });
    expect(other.table.values).not.toEqual(cut.values);
    expect((await failure(() => rarefy(table, { depth: 1e6 }))).code).toBe("RAREFY_DEPTH");
    expect((await failure(() => rarefy(tableOf([[0.5]]), { depth: 1 }))).code).toBe("RAREFY_COUNTS");
  });
});

describe("sequences", () => {
  it("are cut and padded to the longest", () => {
    const found = tokenize(["ACGTA", "GG"], { maxLength: 4 });
    expect(Array.from(found.tokens)).toEqual([5, 1, 2, 3, 4, 5, 3, 3, 0, 0]);
    expect([found.width, found.cut, Array.from(found.lengths), found.vocabulary]).toEqual([5, 1, [5, 3], 8]);
  });

  it("of a batch stand once each, padded to the batch", async () => {
    const table = tableOf(
      [
        [3, 0, 2, 0],
        [0, 1, 4, 0],
        [0, 0, 0, 7],
      ],
      ["a", "b", "c", "d"],
    );
    const fasta = await readFasta(bytes(">a\nACGT\n>b\nACGT\n>c\nGG\n>d\nTTTTTT\n"));
    const cache = sequenceCache(table, fasta);
    expect([cache.table.width, Array.from(cache.rowOf), cache.sequenceLengths]).toEqual([
      7,
      [0, 0, 1, 2],
      [2, 4, 6],
    ]);
    const batch = sequenceBatch(table, cache, [1, 0]);
    expect([Array.from(batch.unique), batch.width, batch.slots]).toEqual([[0, 1], 5, 2]);
    expect(Array.from(batch.tokens)).toEqual([5, 1, 2, 3, 4, 5, 3, 3, 0, 0]);
    expect([Array.from(batch.sequence), Array.from(batch.counts)]).toEqual([
      [0, 1, 0, 1],
      [1, 4, 3, 2],
    ]);
    const limited = sequenceBatch(table, cache, [1, 2], { tokenLimit: 1 });
    expect([Array.from(limited.unique), Array.from(limited.counts), Array.from(limited.mask)]).toEqual([
      [1, 2],
      [4, 7],
      [1, 1],
    ]);
    const drawn = (step: number) =>
      sequenceBatch(table, cache, [0], { tokenLimit: 1, sampling: "random", seed: 1, step });
    expect(new Set([0, 1, 2, 3, 4, 5].map((step) => drawn(step).counts[0])).size).toBe(2);
    expect((await failure(() => sequenceBatch(tableOf([[0]], ["a"]), cache, [0]))).code).toBe("EMPTY_SAMPLE");
  });
});

describe("splits", () => {
  const ids = Array.from({ length: 40 }, (_, k) => `s${k}`);

  it("keep groups together where they repeat", () => {
    const groups = ids.map((_, k) => `host${k % 8}`);
    const split = splitSamples(ids, { groups, groupName: "host", seed: 2 });
    const hosts = (side: readonly string[]) => new Set(side.map((id) => groups[ids.indexOf(id)]));
    expect([...hosts(split.train)].filter((h) => hosts(split.test).has(h))).toEqual([]);
    expect([split.test.length, split.how]).toEqual([10, "by host, 0.2 to test, seed 2"]);
    expect(splitSamples(ids, { groups, seed: 2 }).test).toEqual(split.test);
    expect(splitSamples(ids, { groups: ids }).how).toMatch(/^at random/);
    expect(splitSamples(ids, { seed: 1 }).test).toHaveLength(8);
  });
});

it("inspection says what does not go together", async () => {
  const table = tableOf(
    [
      [3, 0],
      [0, 0],
    ],
    ["ACGTACGTACGTACGTACGT", "x"],
  );
  const metadata = await readMetadata(bytes("id\tage\ns0\t1\n"));
  const found = inspectTable(table, {
    tree: parseTree("(x:1,y:1);"),
    metadata,
    sequences: await readFasta(bytes(">q\nACG\n")),
  });
  expect(found).toMatchObject({
    samples: 2,
    depth: [0, 3, 3],
    emptySamples: ["s1"],
    missingTips: ["ACGTACGTACGTACGTACGT"],
    missingSequences: ["x"],
    missingMetadata: ["s1"],
  });
  expect(found.lines.join("\n")).toMatch(/1 features without a tip: ACGT/);
});

describe("baselines", () => {
  // Feature 0 tells the target, features 1 to 7 are noise.
  const n = 60;
  const noise = (s: number, f: number): number => ((s * 7919 + f * 104729) % 97) + 1;
  const rows = Array.from({ length: n }, (_, s) => [
    (s % 12) * 40 + 1,
    ...[1, 2, 3, 4, 5, 6, 7].map((f) => noise(s, f)),
  ]);
  const table = tableOf(rows);
  const age = { kind: "numeric", values: rows.map((row) => row[0]!) } as const;
  const stage = {
    kind: "categorical",
    values: rows.map((row) => (row[0]! > 200 ? "old" : "young")),
  } as const;
  const metadata = metadataOf(
    table.sampleIds,
    new Map<string, typeof age | typeof stage>([
      ["age", age],
      ["stage", stage],
    ]),
  );
  const split = splitSamples(table.sampleIds, { seed: 1 });
  const tree = parseTree(`(${table.featureIds.map((f) => `${f}:1`).join(",")});`);

  it("of numbers: all models, one split, a verdict, the same numbers for any threads", async () => {
    const target = numericTarget(metadata, "age");
    const report = await baseline(table, target, split, { tree, trees: 60, threads: 2 });
    expect(report.results.map((r) => r.model).sort()).toEqual(
      [
        ...["extra-trees", "mean", "random-forest", "ridge-clr", "ridge-hellinger"],
        ...["unifrac-generalized", "unifrac-unweighted"],
      ].sort(),
    );
    expect(report.results[0]!.score).toBeGreaterThan(0.8);
    expect(report.verdict).toContain(report.results[0]!.model);
    const again = await baseline(table, target, split, { tree, trees: 60, threads: 1 });
    expect(again).toEqual(report);
  });

  it("of classes", async () => {
    const target = classTarget(metadata, "stage");
    const report = await baseline(table, target, split, { trees: 60 });
    expect(report.classes).toEqual(["old", "young"]);
    expect(report.results[0]!.score).toBeGreaterThan(0.85);
    expect(report.results.at(-1)!.model).toBe("majority");
  });

  it("say so when nothing is better than nothing", async () => {
    const target = { name: "coin", values: Float64Array.from(rows, (_, s) => (s * 31) % 17), classes: [] };
    const report = await baseline(table, target, split, { models: ["ridge-clr"], trees: 10 });
    if (report.results[0]!.model === "mean") expect(report.verdict).toMatch(/says nothing/);
    expect(
      (await failure(() => baseline(table, { ...target, values: new Float64Array(3) }, split))).code,
    ).toBe("SPLIT_SAMPLES");
  });
});
