import { describe, expect, it } from "vitest";
import {
  faithPd,
  mergeStripes,
  parseTree,
  phylogeny,
  planUnifrac,
  readBiom,
  readNewick,
  readStripes,
  stripeCount,
  TREE_METRICS,
  unifrac,
  unifracStripes,
  writeStripes,
} from "../src/index.ts";
import { failure, golden, tableOf, tempFolder } from "./support/files.ts";
import { fc, test } from "./support/property.ts";

const TREE = "(((f0:1,f1:2):0.5,f2:1.5):0.25,(f3:0.125,f4:3):1);";
const tree = parseTree(TREE);
const table = await readBiom(golden("table.biom"));
const big = await readNewick(golden("tree.nwk"));

describe("a matrix", () => {
  it.each(TREE_METRICS)("%s: threads, stripes, pairs and one-to-many give the same bytes", async (metric) => {
    const one = await unifrac(table, big, { metric, threads: 1 });
    const two = await unifrac(table, big, { metric, threads: 2 });
    expect(two.toArray()).toEqual(one.toArray());
    const parts = [];
    for (const stripes of [
      [5, 7],
      [0, 2],
      [2, 5],
    ] as const) {
      parts.push(await unifracStripes(table, big, { metric, stripes, threads: 2 }));
    }
    using merged = mergeStripes(parts);
    expect(merged.toArray()).toEqual(one.toArray());
    const on = phylogeny(table, big);
    const [a, b] = [table.sampleIds[3]!, table.sampleIds[11]!];
    expect(
      await on.pairs(
        [
          [a, b],
          [b, b],
        ],
        { metric },
      ),
    ).toEqual(Float64Array.of(one.between(a, b), 0));
    expect(await on.from(b, { metric })).toEqual(one.tile(11, 1, 0, one.n));
    const some = await on.distances({ metric, samples: [b, a] });
    expect(some.tile(0, 1, 1, 1)[0]).toBe(one.between(a, b));
  });

  it("parts survive a file, and wrong ones are named", async () => {
    const path = `${tempFolder()}/part.arrow`;
    const part = await unifracStripes(table, big, { metric: "unweighted", stripes: [0, 3] });
    await writeStripes(path, part);
    expect(await readStripes(path)).toEqual(part);
    expect((await failure(() => mergeStripes([part]))).code).toBe("STRIPES");
    expect((await failure(() => mergeStripes([part, part]))).message).toMatch(/two of the parts/);
    const other = await unifracStripes(table, big, { metric: "weighted", stripes: [3, 7] });
    expect((await failure(() => mergeStripes([part, other]))).message).toMatch(/different matrices/);
    const outside = (stripes: [number, number]) =>
      unifracStripes(table, big, { metric: "weighted", stripes });
    expect((await failure(() => outside([3, stripeCount(14) + 1]))).code).toBe("STRIPES");
    expect((await failure(() => outside([3, 3]))).code).toBe("STRIPES");
  });

  it("cancels, reports progress, refuses too much memory and unknown options", async () => {
    const aborted = AbortSignal.abort(new Error("enough"));
    await expect(unifrac(table, big, { metric: "weighted", signal: aborted })).rejects.toThrow("enough");
    const seen: string[] = [];
    await unifrac(table, big, {
      metric: "weighted",
      onProgress: (p) => seen.push(`${p.stage} ${p.done}/${p.total}`),
    });
    expect(seen.at(-1)).toMatch(/^distances (\d+)\/\1$/);
    const code = async (options: object): Promise<string> =>
      (await failure(() => unifrac(table, big, { metric: "weighted", ...options } as never))).code;
    expect(await code({ memoryLimit: 1000 })).toBe("MEM_PREFLIGHT");
    expect(await code({ treads: 1 })).toBe("UNKNOWN_OPTION");
    expect(await code({ metric: "euclidean" })).toBe("OPTION_CHOICE");
    expect(await code({ alpha: 2 })).toBe("OPTION_RANGE");
    expect(await code({ samples: ["nobody"] })).toBe("SAMPLE_UNKNOWN");
    expect(await code({ samples: [] })).toBe("EMPTY_TABLE");
  });
});

describe("edge cases of trees, as docs/design/seq-model.md decides", () => {
  const rows = tableOf([
    [1, 0, 2, 0, 1],
    [0, 3, 0, 4, 0],
    [5, 1, 1, 0, 0],
  ]);
  const values = async (text: string, options = {}): Promise<number[]> =>
    Array.from((await unifrac(rows, parseTree(text), { metric: "unweighted", ...options })).toArray());

  it("a length written at the root does not count, in distances or Faith's", async () => {
    expect(await values(TREE.replace(";", ":7;"))).toEqual(await values(TREE));
    expect(faithPd(rows, parseTree(TREE.replace(";", ":7;"))).values).toEqual(faithPd(rows, tree).values);
  });

  it("three children at the root and a single child inside change nothing that they should not", async () => {
    const chain = "(((f0:1,f1:2):0.5,(f2:1):0.5):0.25,(f3:0.125,f4:3):1);";
    for (const [k, d] of (await values(chain)).entries()) expect(d).toBeCloseTo((await values(TREE))[k]!, 14);
    const three = "((f0:1,f1:2):0.75,f2:1.5,(f3:0.125,f4:3):1);";
    const bifurcating = "(((f0:1,f1:2):0.75,f2:1.5):0,(f3:0.125,f4:3):1);";
    expect(await values(three)).toEqual(await values(bifurcating));
  });

  it("the stem above the used part counts", () => {
    const one = tableOf([[2, 1]], ["f0", "f1"]);
    expect(faithPd(one, tree).values[0]).toBe(1 + 2 + 0.5 + 0.25);
  });

  it("missing lengths are refused unless told; unused ones do not matter", async () => {
    const text = TREE.replace("f1:2", "f1");
    const error = await failure(() => values(text));
    expect([error.code, error.details.missing]).toEqual(["TREE_LENGTH", 1]);
    expect(error.message).toMatch(/"f1".*missingLength/);
    expect(await values(text, { missingLength: 2 })).toEqual(await values(TREE));
    expect(await values(TREE.replace(")", ",unused)"))).toEqual(await values(TREE));
  });

  it("features without a tip are listed, or dropped when told", async () => {
    const wide = tableOf(
      [
        [1, 0, 2, 0, 1, 9],
        [0, 3, 0, 4, 0, 1],
      ],
      ["f0", "f1", "f2", "f3", "f4", "ghost"],
    );
    const error = await failure(() => unifrac(wide, tree, { metric: "unweighted" }));
    expect([error.code, error.details.features]).toEqual(["TREE_TIP", ["ghost"]]);
    const dropped = await unifrac(wide, tree, { metric: "unweighted", missingTips: "drop" });
    expect(dropped.n).toBe(2);
    const twice = parseTree(TREE.replace("f4", "f3"));
    expect((await failure(() => unifrac(rows, twice, { metric: "unweighted" }))).code).toBe("TREE_TIP");
    const both = tableOf([[1], [2]], ["f3"]);
    expect((await failure(() => unifrac(both, twice, { metric: "unweighted" }))).code).toBe("TREE_DUP_TIP");
  });

  it("all-zero samples are listed; kept ones are at distance 1, and 0 of each other", async () => {
    const some = tableOf([
      [1, 0, 2, 0, 1],
      [0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0],
    ]);
    const error = await failure(() => unifrac(some, tree, { metric: "unweighted" }));
    expect([error.code, error.details.samples]).toEqual(["EMPTY_SAMPLE", ["s1", "s2"]]);
    for (const metric of ["unweighted", "weighted-normalized", "generalized", "unweighted-vaw"] as const) {
      const kept = await unifrac(some, tree, { metric, emptySamples: "keep" });
      expect([kept.between("s0", "s1"), kept.between("s1", "s2")], metric).toEqual([1, 0]);
    }
    expect(faithPd(some, tree).values[1]).toBe(0);
  });
});

describe("properties", () => {
  const counts = fc.array(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 5, maxLength: 5 }), {
    minLength: 2,
    maxLength: 40,
  });
  test(
    "distances lie between 0 and 1, follow their samples, and do not feel a factor",
    counts,
    async (rows) => {
      const filled = rows.map((row) => (row.every((v) => v === 0) ? [1, 0, 0, 0, 0] : row));
      const [one, tenfold] = [tableOf(filled), tableOf(filled.map((row) => row.map((v) => v * 10)))];
      const backwards = [...one.sampleIds].reverse();
      for (const metric of ["unweighted", "weighted-normalized", "generalized"] as const) {
        using d = await unifrac(one, tree, { metric });
        using e = await unifrac(tenfold, tree, { metric });
        using r = await unifrac(one, tree, { metric, samples: backwards });
        const [x, y, z] = [d.toArray(), e.toArray(), r.toArray()];
        expect(x.every((v) => v >= 0 && v <= 1)).toBe(true);
        x.forEach((v, k) => {
          expect(Math.abs(v - y[k]!)).toBeLessThan(1e-14);
          expect(z[z.length - 1 - k]).toBe(v);
        });
      }
    },
  );

  test("unweighted keeps the triangle", counts, async (rows) => {
    const filled = rows.slice(0, 8).map((row) => (row.every((v) => v === 0) ? [0, 0, 1, 0, 0] : row));
    using d = await unifrac(tableOf(filled), tree, { metric: "unweighted" });
    const x = d.toArray();
    for (let i = 0; i < d.n; i++)
      for (let j = 0; j < d.n; j++)
        for (let k = 0; k < d.n; k++)
          expect(x[i * d.n + j]!).toBeLessThanOrEqual(x[i * d.n + k]! + x[k * d.n + j]! + 1e-12);
  });
});

it("plans thirty thousand samples by formula", () => {
  const plan = planUnifrac({ samples: 30_000, branches: 200_000, metric: "unweighted" });
  expect(plan.pairs).toBe((30_000 * 29_999) / 2);
  expect(plan.terms).toBe(plan.pairs * 200_000 * 0.15);
  expect(plan.bytes).toBeGreaterThan(plan.pairs * 8);
  const single = planUnifrac({ samples: 30_000, branches: 200_000, metric: "unweighted", float32: true });
  expect(single.bytes).toBeLessThan(0.65 * plan.bytes);
  expect(plan.fileBytes).toBe(128 + 8 * 9e8);
});
