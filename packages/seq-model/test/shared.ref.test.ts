// Against the float64 references of ../shared/data/seq (scikit-bio 0.5.8).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  baseline,
  distances,
  type FeatureTable,
  faithPd,
  joinMetadata,
  numericTarget,
  readBiom,
  readDistances,
  readFasta,
  readMetadata,
  readNewick,
  readSplit,
  sequenceCache,
  sequencesOf,
  type Tree,
  type TreeMetric,
  unifrac,
} from "../src/index.ts";
import { hasShared, shared, worst } from "./support/files.ts";

const at = (...parts: string[]): string => join(shared, ...parts);
const SETS = [
  ["toy", "test.biom", "test.tre"],
  ["crawford", "crawford.biom", "crawford.tre"],
  ["mouse-f1000", "table.biom", "tree.nwk"],
  ["mouse-f1000", "table.v1.json.biom", "tree-unrooted.nwk"],
  ["moving-pictures", "table.qza", "rooted-tree.qza"],
  ["sim", "table.biom", "tree.nwk"],
] as const;
const METRICS: [string, TreeMetric][] = [
  ["unweighted", "unweighted"],
  ["weighted_normalized", "weighted-normalized"],
  ["weighted_unnormalized", "weighted"],
  ["generalized_a05", "generalized"],
];

describe.runIf(hasShared)("the references", () => {
  it.each(SETS)("%s: %s and %s give UniFrac and Faith to 1e-12", async (set, biom, newick) => {
    const { table, tree } = await study(set, biom, newick);
    for (const [file, metric] of METRICS) {
      const reference = await readDistances(at(set, "reference", `${file}.npy`), { ids: table.sampleIds });
      const found = await unifrac(table, tree, { metric });
      expect(worst(found, reference.toArray()), `${set} ${metric}`).toBeLessThan(1e-12);
    }
    const faith = tsv(at(set, "reference", "faith_pd.tsv"));
    const found = faithPd(table, tree);
    for (const [s, id] of found.ids.entries()) {
      expect(Math.abs(found.values[s]! - faith.get(id)!)).toBeLessThan(1e-12 * Math.max(1, faith.get(id)!));
    }
  });

  it("toy's variance-adjusted UniFrac is that of unifrac-binaries", async () => {
    const { table, tree } = await study("crawford", "crawford.biom", "crawford.tre");
    const lines = readFileSync(at("toy", "test.ssu_vaw.exp"), "utf8").trimEnd().split("\n");
    const ids = lines[0]!.split("\t").slice(1);
    const found = await unifrac(table, tree, { metric: "unweighted-vaw", samples: ids });
    const wanted = lines.slice(1).flatMap((line) => line.split("\t").slice(1).map(Number));
    expect(worst(found, wanted)).toBeLessThan(1e-7);
  });

  it("HDF5 and TSV matrices hold the same as the arrays", async () => {
    for (const file of ["unweighted.h5", "unweighted.tsv"]) {
      const found = await readDistances(at("mouse-f1000/reference", file));
      const reference = await readDistances(at("mouse-f1000/reference/unweighted.npy"), { ids: found.ids });
      expect(worst(found, reference.toArray())).toBeLessThan(1e-12);
    }
  });

  it("sequences join tables named by sequence and by md5 sum", async () => {
    const table = await readBiom(at("mouse-f1000/table.biom"));
    const fasta = await readFasta(at("mouse-f1000/rep-seqs.fasta"));
    expect(sequencesOf(table)).toEqual(table.featureIds);
    const byName = sequencesOf(table.select({ features: table.featureIds }), fasta);
    expect(new Set(byName)).toEqual(new Set(fasta.sequences));
    const cache = sequenceCache(table, fasta, { maxLength: 150 });
    expect([cache.table.width, cache.table.cut]).toEqual([151, table.featureIds.length]);
  });

  it("a table without sequences or tree", async () => {
    const table = await readBiom(at("ecam/ecam-table-maturity.qza"));
    expect([table.sampleIds.length, table.featureIds.length]).toEqual([875, 3117]);
    const some = await distances(table, { metric: "bray-curtis", emptySamples: "keep" });
    expect(some.n).toBe(875);
  });

  it("baselines on sim reach what scikit-learn's reach", async () => {
    const metadata = await readMetadata(at("sim/metadata.tsv"));
    const joined = joinMetadata(await readBiom(at("sim/table.biom")), metadata);
    const target = numericTarget(joined.metadata, "age");
    const split = await readSplit(at("sim/split.tsv"));
    const tree = await readNewick(at("sim/tree.nwk"));
    const report = await baseline(joined.table, target, split, { tree });
    const r2 = new Map(report.results.map((r) => [r.model, r.score]));
    // scikit-learn: forest 0.479, ridge on CLR 0.760, on Hellinger 0.761, generalised UniFrac 0.822.
    expect(r2.get("random-forest")).toBeGreaterThan(0.43);
    expect(r2.get("ridge-clr")).toBeCloseTo(0.76, 1);
    expect(r2.get("ridge-hellinger")).toBeCloseTo(0.761, 1);
    expect(r2.get("unifrac-generalized")).toBeGreaterThan(0.79);
    expect(report.verdict).toMatch(/^unifrac-generalized/);
  });
});

async function study(
  set: string,
  biom: string,
  newick: string,
): Promise<{ table: FeatureTable; tree: Tree }> {
  const table = await readBiom(at(set, biom));
  const ids = readFileSync(at(set, "reference/sample_ids.txt"), "utf8").trim().split("\n");
  return { table: table.select({ samples: ids }), tree: await readNewick(at(set, newick)) };
}

function tsv(path: string): Map<string, number> {
  const lines = readFileSync(path, "utf8").trim().split("\n").slice(1);
  return new Map(lines.map((line) => line.split("\t") as [string, string]).map(([id, v]) => [id, Number(v)]));
}
