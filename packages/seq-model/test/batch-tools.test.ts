// What happens to a batch before a model sees it: sampling, augmentation, targets, categories.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  augmentSamples,
  batchTargets,
  distances,
  ENCODER_TARGETS,
  type EncoderTarget,
  encodeCategories,
  faithPd,
  fileTargets,
  fitCategories,
  lengthFindings,
  lengthProfile,
  readBiom,
  readDistances,
  readMetadata,
  readNewick,
  sequenceBatch,
  sequenceCache,
  shuffleAsvs,
  unifrac,
  writeDistances,
} from "../src/index.ts";
import { failure, fixture, tableOf, tempFolder } from "./support/files.ts";

const table = await readBiom(fixture("table.biom"));
const tree = await readNewick(fixture("tree.nwk"));

describe("14.2 augmentation", () => {
  const all = table.sampleIds.map((_, s) => s);
  const content = () => JSON.stringify([table.indptr, table.indices, table.values]);

  it("is seeded, draws anew every step, and leaves the table alone", () => {
    const before = content();
    const options = { asvDropout: 0.3, rarefactionNoise: 0.5, seed: 4 };
    const once = augmentSamples(table, all, options);
    expect(augmentSamples(table, all, options).values).toEqual(once.values);
    expect(augmentSamples(table, all, { ...options, step: 1 }).values).not.toEqual(once.values);
    expect(augmentSamples(table, all, { ...options, seed: 5 }).values).not.toEqual(once.values);
    // A sample's draw does not depend on who else is there.
    const alone = augmentSamples(table, [3], options);
    expect(alone.values).toEqual(once.values.slice(once.indptr[3], once.indptr[4]));
    expect(content()).toBe(before);
    expect(augmentSamples(table, all).values).toEqual(table.values);
  });

  it("ASV dropout leaves out about as many as asked, never the largest", () => {
    const wide = tableOf(
      Array.from({ length: 20 }, (_, s) => Array.from({ length: 200 }, (_, f) => 1 + ((f * 7 + s) % 90))),
    );
    const rows = wide.sampleIds.map((_, s) => s);
    const cut = augmentSamples(wide, rows, { asvDropout: 0.25, seed: 1 });
    // 4,000 draws: three standard errors are 0.02.
    expect(Math.abs(cut.nnz / wide.nnz - 0.75)).toBeLessThan(0.021);
    const none = augmentSamples(wide, rows, { asvDropout: 1 });
    expect(none.nnz).toBe(20);
    none.values.forEach((count, s) => {
      expect(count).toBe(Math.max(...wide.values.slice(s * 200, s * 200 + 200)));
    });
  });

  it("rarefaction noise takes away reads, in proportion", async () => {
    const deep = tableOf([[6000, 3000, 1000, 0]]);
    const shares: number[] = [];
    for (let step = 0; step < 40; step++) {
      const { values } = augmentSamples(deep, [0], { rarefactionNoise: 0.4, seed: 2, step });
      const total = values.reduce((a, b) => a + b, 0);
      expect(total).toBeGreaterThanOrEqual(6000);
      expect(total).toBeLessThanOrEqual(10_000);
      values.forEach((count, k) => {
        expect(count).toBeLessThanOrEqual(deep.values[k]!);
      });
      shares.push(values[0]! / total);
    }
    expect(shares.reduce((a, b) => a + b, 0) / 40).toBeCloseTo(0.6, 2);
    const half = await failure(() => augmentSamples(tableOf([[0.5, 1]]), [0], { rarefactionNoise: 0.1 }));
    expect([half.code, half.details.samples]).toEqual(["RAREFY_COUNTS", ["s0"]]);
    expect((await failure(() => augmentSamples(deep, [0], { asvDropout: 2 }))).code).toBe("OPTION_RANGE");
  });

  it("shuffling moves ASVs with their counts, padding stays behind", () => {
    const letters = (f: number): string =>
      Array.from({ length: 24 }, (_, k) => "ACGT"[(f >> (2 * (k % 3))) & 3]).join("");
    const small = tableOf(
      [
        [5, 1, 2, 3, 7],
        [0, 4, 0, 6, 0],
      ],
      [0, 1, 2, 3, 4].map(letters),
    );
    const batch = sequenceBatch(small, sequenceCache(small), [0, 1]);
    const before = JSON.stringify(batch);
    const shuffled = shuffleAsvs(batch, { seed: 3 });
    expect(JSON.stringify(batch)).toBe(before);
    expect(shuffled.mask).toEqual(batch.mask);
    expect(shuffled.sequence).not.toEqual(batch.sequence);
    const pairs = ({ sequence, counts, slots }: typeof batch, s: number) =>
      Array.from({ length: slots }, (_, k) => `${sequence[s * slots + k]}:${counts[s * slots + k]}`);
    for (const s of [0, 1]) expect(pairs(shuffled, s).toSorted()).toEqual(pairs(batch, s).toSorted());
    expect(pairs(shuffled, 1).slice(2)).toEqual(["0:0", "0:0", "0:0"]);
    expect(shuffleAsvs(batch, { seed: 3 })).toEqual(shuffled);
  });
});

describe("13.3 targets of a batch, computed when asked for", () => {
  const chosen = [3, 0, 7, 11];
  const expected = async (metric: EncoderTarget): Promise<Float64Array> => {
    const onTree = !["bray-curtis", "jaccard", "aitchison"].includes(metric);
    using d = onTree
      ? await unifrac(table, tree, { metric: metric as "weighted" })
      : await distances(table, { metric: metric as "jaccard" });
    const n = table.sampleIds.length;
    const all = d.toArray();
    return Float64Array.from(chosen.flatMap((i) => chosen.map((j) => all[i * n + j]!)));
  };

  it.each(ENCODER_TARGETS.filter((m) => m !== "faith-pd"))(
    "%s: the bits of the whole matrix",
    async (metric) => {
      const targets = batchTargets(table, { metric, tree });
      expect([targets.kind, targets.metric]).toEqual(["pairs", metric]);
      expect(await targets.of(chosen)).toEqual(await expected(metric));
      expect(targets.bounded).toBe(!["weighted", "aitchison"].includes(metric));
    },
  );

  it("faith-pd: a number a sample", async () => {
    const targets = batchTargets(table, { metric: "faith-pd", tree, threads: 1 });
    const all = faithPd(table, tree).values;
    expect(await targets.of(chosen)).toEqual(Float64Array.from(chosen, (s) => all[s]!));
  });

  it("from a file, in the table's order whatever the file's", async () => {
    const folder = tempFolder();
    using d = await unifrac(table, tree, { metric: "unweighted", samples: table.sampleIds.toReversed() });
    const path = join(folder, "u.tsv");
    await writeDistances(path, d);
    using read = await readDistances(path);
    const targets = fileTargets(table, read);
    expect(await targets.of(chosen)).toEqual(await expected("unweighted"));
    expect(targets.bounded).toBe(true);
    using part = await unifrac(table, tree, { metric: "unweighted", samples: table.sampleIds.slice(1) });
    const error = await failure(() => fileTargets(table, part));
    expect([error.code, error.details.samples]).toEqual(["TARGET_SAMPLES", [table.sampleIds[0]]]);
  });

  it("a metric of a tree needs one", async () => {
    expect((await failure(() => batchTargets(table, { metric: "unweighted" }))).code).toBe("TREE_NEEDED");
    expect((await failure(() => batchTargets(table, { metric: "manhattan" as "jaccard" }))).code).toBe(
      "OPTION_CHOICE",
    );
  });
});

describe("categorical metadata", () => {
  const read = (text: string) => readMetadata(Buffer.from(text));

  it("codes by training's values; one it did not see is 0, like a missing one, and reported", async () => {
    const training = await read("id\tsite\tbatch\na\tskin\t2\nb\tgut\t1\nc\tgut\t\n");
    const columns = fitCategories(training, ["site", " batch "]);
    expect(columns).toEqual([
      { name: "site", levels: ["gut", "skin"] },
      { name: "batch", levels: ["1", "2"] },
    ]);
    const fresh = await read("id\tsite\tbatch\nx\tmoon\t2\ny\tskin\t\nz\tgut\t1\n");
    const { codes, unseen } = encodeCategories(columns, fresh);
    expect(Array.from(codes)).toEqual([0, 2, 2, 0, 1, 1]);
    expect(unseen).toEqual({ site: ["moon"] });
    const error = await failure(() => encodeCategories(columns, fresh, { unseen: "error" }));
    expect([error.code, error.details.samples]).toEqual(["CATEGORY_UNSEEN", ["x"]]);
    expect((await failure(() => fitCategories(training, ["height"]))).code).toBe("METADATA_COLUMN");
  });
});

describe("lengths of sequences", () => {
  const of = (lengths: number[]) => lengthProfile(lengths.map((n) => "A".repeat(n)));

  it("one region with insertions is fine, two regions are told", () => {
    expect(lengthFindings(of([251, 252, 253, 253, 254, 260])).warnings).toEqual([]);
    const mixed = lengthFindings(of([90, 90, 100, 150, 150, 151]));
    expect(mixed.regions.map(({ from, to }) => [from, to])).toEqual([
      [90, 90],
      [100, 100],
      [150, 151],
    ]);
    expect(mixed.warnings[0]).toMatch(
      /3 groups of lengths: 90 bp \(33 %\), 100 bp \(17 %\), 150–151 bp \(50 %\)/,
    );
    const stray = of([...Array<number>(60).fill(150), 90]);
    expect(lengthFindings(stray).warnings).toEqual([]);
  });

  it("lengths that training did not see are told", () => {
    const training = JSON.parse(JSON.stringify(of([150, 150, 149])));
    expect(lengthFindings(of([150, 149]), { training }).warnings).toEqual([]);
    const drifted = lengthFindings(of([100, 100, 150]), { training });
    expect(drifted).toMatchObject({ unseenLengths: [100] });
    expect(drifted.unseenShare).toBeCloseTo(2 / 3, 12);
    expect(drifted.warnings.at(-1)).toMatch(/67 % .* training did not see \(149 to 150 bp\)/);
  });
});

describe("TRN data stays what it was", () => {
  it("a table made of unsorted entries does not sort its caller's arrays", async () => {
    const { FeatureTable } = await import("../src/index.ts");
    const [indices, values] = [Uint32Array.of(2, 0), Float64Array.of(5, 7)];
    const made = new FeatureTable({
      sampleIds: ["s"],
      featureIds: ["a", "b", "c"],
      indptr: Float64Array.of(0, 2),
      indices,
      values,
    });
    expect([Array.from(made.indices), Array.from(made.values)]).toEqual([
      [0, 2],
      [7, 5],
    ]);
    expect([Array.from(indices), Array.from(values)]).toEqual([
      [2, 0],
      [5, 7],
    ]);
  });
});
