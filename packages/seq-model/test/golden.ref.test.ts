// Against scikit-bio 0.6.3 and formulas written out in numpy (golden/make.py).
import { describe, expect, it } from "vitest";
import {
  type DistanceMatrix,
  distances,
  faithPd,
  observedFeatures,
  pcoa,
  permanova,
  readBiom,
  readMetadata,
  readNewick,
  shannon,
  type TableMetric,
  TREE_METRICS,
  type TreeMetric,
  unifrac,
} from "../src/index.ts";
import { golden, readJson, worst } from "./support/files.ts";

interface Expected {
  samples: string[];
  matrices: Record<string, number[]>;
  "faith-pd": number[];
  shannon: number[];
  observed: number[];
  pcoa: { eigenvalues: number[]; coordinates: number[] };
  permanova: { f: number; p: number; groups: string[] };
}

const expected = readJson(golden("expected.json")) as Expected;
const table = await readBiom(golden("table.biom"));
const tree = await readNewick(golden("tree.nwk"));

function compute(
  name: string,
  options: { threads?: number; float32?: boolean } = {},
): Promise<DistanceMatrix> {
  const [metric, alpha] = name === "generalized-0.2" ? ["generalized", 0.2] : [name, 0.5];
  const onTree = (TREE_METRICS as readonly string[]).includes(metric!);
  if (onTree)
    return unifrac(table, tree, { ...options, metric: metric as TreeMetric, alpha: alpha as number });
  return distances(table, { ...options, metric: metric as TableMetric });
}

describe("every metric", () => {
  it.each(Object.keys(expected.matrices))("%s is the reference to 1e-12", async (name) => {
    const found = await compute(name);
    expect(found.ids).toEqual(expected.samples);
    expect(worst(found, expected.matrices[name]!)).toBeLessThan(1e-12);
    expect(found.between("S02", "S09")).toBe(0);
    const single = await compute(name, { float32: true });
    expect(single.float32).toBe(true);
    expect(worst(single, expected.matrices[name]!)).toBeLessThan(1e-5);
  });
});

it("the same table as BIOM 1.0 and as an artefact", async () => {
  for (const name of ["table.v1.biom", "table.qza"]) {
    const other = await readBiom(golden(name));
    expect(other.sampleIds).toEqual(table.sampleIds);
    expect(other.featureIds).toEqual(table.featureIds);
    expect([other.indptr, other.indices, other.values]).toEqual([table.indptr, table.indices, table.values]);
  }
});

it("diversities", () => {
  const near = (found: Float64Array, wanted: number[]): void =>
    wanted.forEach((w, s) => {
      expect(Math.abs(found[s]! - w)).toBeLessThan(1e-12);
    });
  near(faithPd(table, tree).values, expected["faith-pd"]);
  near(shannon(table).values, expected.shannon);
  near(observedFeatures(table).values, expected.observed);
  expect(
    faithPd(table, tree)
      .toArrow()
      .schema.fields.map((f) => f.name),
  ).toEqual(["sample", "faith_pd"]);
});

it("principal coordinates", async () => {
  const found = await pcoa(await compute("weighted-normalized"), { axes: 5 });
  const { eigenvalues, coordinates } = expected.pcoa;
  for (let a = 0; a < 5; a++) {
    expect(Math.abs(found.eigenvalues[a]! - eigenvalues[a]!)).toBeLessThan(1e-12);
    const ours = expected.samples.map((_, s) => found.coordinates[s * 5 + a]!);
    const theirs = expected.samples.map((_, s) => coordinates[s * expected.samples.length + a]!);
    const sign = Math.sign(ours.reduce((sum, x, s) => sum + x * theirs[s]!, 0));
    for (const [s, x] of ours.entries()) expect(Math.abs(x - sign * theirs[s]!)).toBeLessThan(1e-10);
  }
});

it("the permutation test", async () => {
  const { values } = (await readMetadata(golden("metadata.tsv"))).column("group");
  const groups = values.map(String);
  expect(groups).toEqual(expected.permanova.groups);
  const found = await permanova(await compute("weighted-normalized"), groups, {
    permutations: 9999,
    seed: 1,
  });
  expect(found.pseudoF).toBeCloseTo(expected.permanova.f, 12);
  expect(Math.abs(found.p - expected.permanova.p)).toBeLessThan(0.06);
});
