// What users get wrong, each with its code; the `biom`, `fasta` and `newick` rows of bad-inputs.tsv by their ids.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  classTarget,
  joinMetadata,
  numericTarget,
  parseTree,
  readBiom,
  readFasta,
  readMetadata,
  readNewick,
  readSplit,
  sequencesOf,
  splitSamples,
  tokenize,
  unifrac,
} from "../src/index.ts";
import { failure, fileOf, fixture, shared, tableOf } from "./support/files.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** A BIOM 1.0 table with some of its fields changed. */
function biom(changes: object): string {
  const ids = (names: string[]) => names.map((id) => ({ id, metadata: null }));
  const json = {
    matrix_type: "sparse",
    shape: [3, 4],
    rows: ids(["f0", "f1", "f2"]),
    columns: ids(["s0", "s1", "s2", "s3"]),
    data: [
      [0, 0, 1],
      [2, 3, 5],
    ],
    ...changes,
  };
  return fileOf("table.biom", JSON.stringify(json));
}

const rows = (names: string[]) => names.map((id) => ({ id, metadata: null }));

describe("BIOM", () => {
  it.each<[string, object, string]>([
    ["biom-json-shape: an entry outside the shape", { data: [[5, 0, 1]] }, "BIOM_INDEX"],
    ["biom-dup: feature ids twice", { rows: rows(["f0", "f0", "f2"]) }, "DUP_FEATURE"],
    ["sample ids twice", { columns: rows(["s0", "s1", "s1", "s3"]) }, "DUP_SAMPLE"],
    ["a shape that is not that of the ids", { shape: [3, 5] }, "BIOM_SHAPE"],
    ["a negative count", { data: [[0, 0, -1]] }, "BIOM_VALUE"],
    [
      "two entries for one place",
      {
        data: [
          [0, 0, 1],
          [0, 0, 2],
        ],
      },
      "BIOM_INDEX",
    ],
    ["an entry that is none", { data: [[0, 0]] }, "BIOM_FORMAT"],
    ["a row without an id", { rows: [{}, {}, {}] }, "BIOM_FORMAT"],
    ["an id without letters", { rows: rows(["f0", " ", "f2"]) }, "BIOM_FORMAT"],
    ["an unknown matrix type", { matrix_type: "ragged" }, "BIOM_FORMAT"],
    ["dense rows of another length", { matrix_type: "dense", data: [[1], [2], [3]] }, "BIOM_SHAPE"],
    [
      "dense texts",
      {
        matrix_type: "dense",
        data: [
          ["a", 0, 0, 0],
          [0, 0, 0, 0],
          [0, 0, 0, 0],
        ],
      },
      "BIOM_VALUE",
    ],
    ["no data", { data: null }, "BIOM_FORMAT"],
  ])("%s", async (_, changes, code) => {
    const error = await failure(() => readBiom(biom(changes)));
    expect(error.code).toBe(code);
    expect(error.message).toContain("table.biom");
  });

  it("biom-proto: a key __proto__ stays an own property and changes nothing else", async () => {
    const text = readFileSync(biom({}), "utf8").replace(
      '"metadata":null',
      '"metadata":{"__proto__":{"polluted":1}}',
    );
    const table = await readBiom(fileOf("table.biom", text));
    expect(Object.keys(table.featureMetadata![0] as object)).toEqual(["__proto__"]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it("files that are something else, cut, or empty", async () => {
    const whole = readFileSync(fixture("table.biom"));
    const code = async (name: string, content: string | Uint8Array): Promise<string> =>
      (await failure(() => readBiom(fileOf(name, content)))).code;
    expect(await code("a.biom", "#OTU ID\ts0\nf0\t1\n")).toBe("BIOM_FORMAT");
    expect(await code("b.biom", "")).toBe("BIOM_FORMAT");
    expect(await code("c.biom", '{"rows": [')).toBe("BIOM_FORMAT");
    expect(await code("d.biom", whole.subarray(0, 3000))).toBe("BIOM_HDF5");
    expect((await failure(() => readBiom("/nowhere/t.biom"))).code).toBe("ENOENT");
  });
});

describe("FASTA", () => {
  it("biom-seq-bad: letters outside the IUPAC alphabet are refused, IUPAC ones follow the rule", async () => {
    const error = await failure(() => readFasta(bytes(">a\nACGT\n>b\nAC!T\n")));
    expect([error.code, error.details.line, error.details.column]).toEqual(["FASTA_CHAR", 4, 3]);
    expect((await failure(() => readFasta(bytes(">a\nAC-T\n")))).message).toMatch(/gap/);
    const read = await readFasta(bytes(">a first\nacgu\nNN\n>b\nACG\n"));
    expect([read.ids, read.sequences]).toEqual([
      ["a", "b"],
      ["ACGTNN", "ACG"],
    ]);
    expect(Array.from(tokenize(read.sequences).tokens)).toEqual([5, 1, 2, 3, 4, 7, 7, 5, 1, 2, 3, 0, 0, 0]);
    expect((await failure(() => tokenize(read.sequences, { unknown: "error" }))).code).toBe("FASTA_CHAR");
    expect(tokenize(read.sequences, { unknown: "pad" }).tokens[5]).toBe(0);
  });

  it("biom-seq-bad: ids of mixed lengths read as they are", () => {
    const names = ["ACGTACGTACGTACGTACGTA", "ACGTACGTACGTACGTACGTACGTN"];
    expect(sequencesOf(tableOf([[1, 2]], names))).toEqual(names);
  });

  it.each([
    ["ACGT\n", "FASTA_FORMAT"],
    [">\nACGT\n", "FASTA_FORMAT"],
    [">a\n>b\nACGT\n", "FASTA_FORMAT"],
    ["", "FASTA_FORMAT"],
    [">a\nAC\n>a\nAC\n", "DUP_FEATURE"],
  ])("%j", async (text, code) => {
    expect((await failure(() => readFasta(bytes(text)))).code).toBe(code);
  });

  it("features without a sequence are listed", async () => {
    const error = await failure(() => sequencesOf(tableOf([[1, 2]], ["x", "y"])));
    expect([error.code, error.details.features]).toEqual(["SEQUENCE_MISSING", ["x", "y"]]);
  });
});

describe("Newick", () => {
  const table = tableOf(
    [
      [1, 2],
      [2, 1],
    ],
    ["a", "b"],
  );

  it("tree-missing-tip: a feature without a tip", async () => {
    const error = await failure(() => unifrac(table, parseTree("(a:1,c:1);"), { metric: "weighted" }));
    expect([error.code, error.details.features]).toEqual(["TREE_TIP", ["b"]]);
  });

  it("tree-missing-tip: a negative branch length", async () => {
    const error = await failure(() => readNewick(bytes("(a:1,\nb:-1);")));
    expect([error.code, error.details.line]).toEqual(["TREE_LENGTH", 2]);
  });

  it("tree-missing-tip: a hundred thousand brackets deep", async () => {
    const n = 100_000;
    const deep = await readNewick(bytes(`${"(".repeat(n)}a:1${",b:1):1".repeat(1)}${"):1".repeat(n - 1)};`));
    expect(deep.nodes).toBe(n + 2);
    const d = await unifrac(table, deep, { metric: "unweighted" });
    expect(d.between("s0", "s1")).toBe(0);
  });

  it("a branch without length", async () => {
    const error = await failure(() => unifrac(table, parseTree("(a:1,b);"), { metric: "weighted" }));
    expect([error.code, error.details.missing]).toEqual(["TREE_LENGTH", 1]);
  });

  it.each(["", "(a,b)", "((a,b);", "(a,b));", "(a,b);(c,d);", "(a:x,b:1);", "('a,b);"])(
    "%j",
    async (text) => {
      expect((await failure(() => readNewick(fileOf("t.nwk", text)))).code).toBe("TREE_PARSE");
    },
  );
});

describe("metadata, targets and splits", () => {
  const read = (text: string) => readMetadata(bytes(text));
  const good = "sample-id\tage\tsite\ns0\t1\tgut\ns1\t2\tskin\ns2\t\tgut\n";

  it.each([
    ["nonsense\tage\ns0\t1\n", "METADATA_HEADER"],
    ["", "METADATA_HEADER"],
    ["id\tage\ts0\textra\ns0\t1\t2\t3\t4\n", "METADATA_HEADER"],
    ["id\tage\tage\ns0\t1\t2\n", "METADATA_DUP"],
    ["id\tage\ns0\t1\ns0\t2\n", "METADATA_DUP"],
    ["id\tage\n#q2:types\tnumber\ns0\t1\n", "METADATA_TYPE"],
    ["id\tage\n#q2:types\tnumeric\ns0\told\n", "METADATA_TYPE"],
    ["id\tage\ns0\t1\n#q2:types\tnumeric\n", "METADATA_TYPE"],
  ])("%j", async (text, code) => {
    expect((await failure(() => read(text))).code).toBe(code);
  });

  it("samples without metadata are listed, or dropped with a report", async () => {
    const table = tableOf([[1], [1], [1], [1]]);
    const metadata = await read(good);
    const error = await failure(() => joinMetadata(table, metadata));
    expect([error.code, error.details.samples]).toEqual(["METADATA_MISSING", ["s3"]]);
    const joined = joinMetadata(table.select({ samples: ["s1", "s3"] }), metadata, { missing: "drop" });
    expect([joined.onlyInTable, joined.onlyInMetadata]).toEqual([["s3"], ["s0", "s2"]]);
    expect(joined.metadata.ids).toEqual(["s1"]);
    expect(
      (await failure(() => joinMetadata(table.select({ samples: ["s3"] }), metadata, { missing: "drop" })))
        .code,
    ).toBe("EMPTY_TABLE");
  });

  it("all-zero samples are listed, or dropped", async () => {
    const table = tableOf([[1], [0], [1]]);
    const metadata = await read(good);
    const error = await failure(() => joinMetadata(table, metadata));
    expect([error.code, error.details.samples]).toEqual(["EMPTY_SAMPLE", ["s1"]]);
    expect(joinMetadata(table, metadata, { empty: "drop" }).empty).toEqual(["s1"]);
  });

  it("targets that are missing, no numbers, or one class", async () => {
    const metadata = await read(good);
    expect((await failure(() => numericTarget(metadata, "site"))).details.samples).toEqual([
      "s0",
      "s1",
      "s2",
    ]);
    expect((await failure(() => numericTarget(metadata, "site"))).code).toBe("TARGET_NUMERIC");
    expect((await failure(() => numericTarget(metadata, "age"))).code).toBe("TARGET_MISSING");
    expect((await failure(() => numericTarget(metadata, "height"))).code).toBe("METADATA_COLUMN");
    expect((await failure(() => classTarget(metadata.select(["s0", "s2"]), "site"))).code).toBe(
      "TARGET_CLASSES",
    );
    expect(numericTarget(metadata.select(["s1", "s0"]), " age ").values).toEqual(Float64Array.of(2, 1));
  });

  it("an empty side of a split", async () => {
    expect((await failure(() => splitSamples(["a", "b"], { testSize: 0 }))).code).toBe("SPLIT_EMPTY");
    expect((await failure(() => splitSamples(["a"], {}))).code).toBe("SPLIT_EMPTY");
    const split = (text: string) => readSplit(bytes(`sample_id\tsplit\n${text}`));
    expect((await failure(() => split("a\ttrain\nb\ttrain\n"))).code).toBe("SPLIT_EMPTY");
    expect((await failure(() => split("a\ttrain\na\ttest\n"))).code).toBe("SPLIT_SAMPLES");
  });
});

describe("bad-inputs.tsv", () => {
  const tsv = join(shared, "../bad-inputs.tsv");
  it.runIf(existsSync(tsv))("every row of these formats has a test named after it", () => {
    const here = readFileSync(fileURLToPath(import.meta.url), "utf8");
    const rows = readFileSync(tsv, "utf8")
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.split("\t"));
    const ours = rows.filter(([, format]) => ["biom", "fasta", "newick"].includes(format!));
    expect(ours.length).toBeGreaterThanOrEqual(5);
    for (const [id] of ours) expect(here, id).toContain(`"${id}: `);
  });
});
