// Mock data: who lacks what, the truth inside, and the same bytes everywhere.
import { readFileSync } from "node:fs";
import { Random } from "@x/core/base";
import { describe, expect, it } from "vitest";
import { gamma, poisson } from "../src/draws.ts";
import { openHdf5 } from "../src/hdf5/open.ts";
import {
  MOCK_FILES,
  type Mock,
  type MockProblem,
  type ModalityKind,
  mock,
  mockConfig,
  readH5ad,
  writeMock,
} from "../src/index.ts";
import { dense, failure, folder, sha } from "./support.ts";

const at = folder();
const PROBLEMS = Object.keys(MOCK_FILES) as MockProblem[];
const tiny = { cells: 60, features: { rna: 12, atac: 10, adt: 4 }, seed: 1 };

/** Share of the cells that have a modality. */
const share = ({ dataset }: Mock, name: string): number =>
  (dataset.modalities.get(name)?.available.reduce((a, b) => a + b, 0) ?? 0) / dataset.cells;
const column = ({ dataset }: Mock, name: string): string[] => Array.from(dataset.obs.getChild(name)!, String);

describe("who lacks what", () => {
  const made = Object.fromEntries(
    PROBLEMS.map((p) => [p, mock(p, { cells: 600, features: { rna: 3, atac: 3, adt: 3 } })]),
  );
  const shares = (p: MockProblem): number[] => ["rna", "atac", "adt"].map((name) => share(made[p]!, name));

  it("as the six problems say", () => {
    expect(shares("paired")).toEqual([1, 0, 1]);
    expect(shares("unpaired")).toEqual([0.5, 0.5, 0]);
    expect(shares("bridge").map((s) => s.toFixed(3))).toEqual(["0.525", "0.525", "0.000"]);
    expect(shares("prediction")).toEqual([1, 0.7, 0]);
    expect(shares("hierarchical").map((s) => s.toFixed(2))).toEqual(["0.67", "0.67", "0.33"]);
    // 60, 50 and 40 %, and the 12 % that would have nothing drawn again.
    shares("mosaic").forEach((s, i) => {
      expect(Math.abs(s - [0.6, 0.5, 0.4][i]! / 0.88)).toBeLessThan(0.06);
    });
    const both = made.bridge!;
    const paired = column(both, "dataset").filter((_, i) =>
      ["rna", "atac"].every((n) => both.dataset.modalities.get(n)!.available[i]),
    );
    expect([paired.length, new Set(paired)]).toEqual([30, new Set(["bridge"])]);
    expect(PROBLEMS.map((p) => made[p]!.dataset.registry.batches.length)).toEqual([2, 2, 3, 1, 2, 3]);
    // The split of prediction does not follow the batch.
    const evalBatches = column(made.prediction!, "batch").filter(
      (_, i) => column(made.prediction!, "split")[i] === "eval",
    );
    expect(new Set(evalBatches).size).toBe(2);
  });

  it("knobs: clusters, coverage, bridge share, library, noise, batch effects", async () => {
    for (const clusters of [3, 4, 5])
      expect(new Set(mock("paired", { ...tiny, cells: 200, clusters }).truth.labels).size).toBe(clusters);
    expect(share(mock("paired", { ...tiny, cells: 1000, coverage: { adt: 0.3 } }), "adt")).toBeLessThan(0.35);
    expect(share(mock("bridge", { ...tiny, cells: 100, bridgeShare: 0.5 }), "rna")).toBe(0.75);
    const total = (m: Mock): number => m.truth.drawn.rna!.reduce((a, b) => a + b, 0);
    const ratio = total(mock("paired", { ...tiny, libraryScale: 10 })) / total(mock("paired", tiny));
    expect(Math.abs(ratio - 10)).toBeLessThan(1.5);
    const excess = ({ truth }: Mock): number => {
      const { rna } = truth.drawn;
      const sums = Array.from({ length: 60 }, (_, i) =>
        rna!.slice(12 * i, 12 * i + 12).reduce((a, b) => a + b, 0),
      );
      return rna!.reduce(
        (sum, x, at) => sum + (x - truth.expected.rna![at]! * sums[Math.floor(at / 12)]!) ** 2,
        0,
      );
    };
    expect(excess(mock("paired", { ...tiny, noise: 8 }))).toBeGreaterThan(
      2 * excess(mock("paired", { ...tiny, noise: 0.1 })),
    );
    const still = mock("paired", { ...tiny, batchShift: 0 });
    expect(mock("paired", { ...tiny, batchShift: 2 }).truth.latent).not.toEqual(still.truth.latent);
    expect(mock("paired", { ...tiny, batchShift: 0, batchScale: 1 }).truth.latent).toEqual(
      still.truth.latent,
    );
    expect(mock("paired", { ...tiny, batchShift: 0, batchScale: 1 }).truth.expected).not.toEqual(
      still.truth.expected,
    );
    const more = mock("paired", { ...tiny, cells: 70 });
    expect(more.truth.drawn.rna!.slice(0, 60 * 12)).toEqual(mock("paired", tiny).truth.drawn.rna); // cells do not depend on each other
  });

  it("refuses unknown problems and knobs", async () => {
    expect((await failure(() => mock("pared" as MockProblem))).code).toBe("MOCK");
    expect((await failure(() => mock("paired", { cels: 5 } as object))).message).toMatch(/cells/);
    expect((await failure(() => mock("paired", { clusters: 6 }))).code).toBe("OPTION_RANGE");
  });
});

describe("the numbers", () => {
  it("measured values are the drawn ones, the others 0; expectations are what they say", async () => {
    for (const problem of PROBLEMS) {
      const m = mock(problem, tiny);
      for (const [name, drawn] of Object.entries(m.truth.drawn)) {
        const modality = m.dataset.modalities.get(name)!;
        const width = modality.features.length;
        const seen = await dense(m.dataset, name);
        expect(seen).toEqual(drawn!.map((v, i) => (modality.available[Math.floor(i / width)] ? v : 0)));
        const expected = m.truth.expected[name as ModalityKind]!;
        if (name === "rna")
          for (let i = 0; i < 60; i++)
            expect(expected.slice(i * width, (i + 1) * width).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
      }
    }
  });

  it("what is drawn has the mean that is expected", () => {
    const { truth } = mock("hierarchical", {
      cells: 2000,
      features: { rna: 20, atac: 20, adt: 20 },
      seed: 5,
    });
    const mean = (v: Float32Array): number => v.reduce((a, b) => a + b, 0) / v.length;
    for (const name of ["atac", "adt"] as const)
      expect(Math.abs(mean(truth.drawn[name]!) / mean(truth.expected[name]!) - 1)).toBeLessThan(0.02);
    // RNA: 5 counts a gene times the mean of the lognormal library, exp(0.3² / 2).
    expect(Math.abs(mean(truth.drawn.rna!) / (5 * Math.exp(0.045)) - 1)).toBeLessThan(0.03);
  });

  it("Poisson and gamma have the right means and variances", () => {
    for (const mean of [0.3, 4, 29, 31, 250, 5000]) {
      const random = new Random(7, 3);
      const draws = Float64Array.from({ length: 4000 }, () => poisson(random, mean));
      const average = draws.reduce((a, b) => a + b, 0) / draws.length;
      const variance = draws.reduce((a, b) => a + (b - average) ** 2, 0) / draws.length;
      expect(Math.abs(average - mean)).toBeLessThan(4 * Math.sqrt(mean / 4000));
      expect(Math.abs(variance / mean - 1)).toBeLessThan(0.12);
    }
    for (const shape of [0.2, 1, 7]) {
      const random = new Random(8, 3);
      const draws = Float64Array.from({ length: 8000 }, () => gamma(random, shape, 3));
      const average = draws.reduce((a, b) => a + b, 0) / draws.length;
      expect(Math.abs(average - 3)).toBeLessThan((4 * 3) / Math.sqrt(shape * 8000));
    }
  });

  it("ATAC: the truth tells open peaks better than the mean of a peak, as in real data", () => {
    const m = mock("paired", { ...tiny }).settings;
    expect(m.noise).toBe(1);
    const { truth } = mock("unpaired", { cells: 400, features: { rna: 5, atac: 60 }, seed: 2 });
    const [p, x] = [truth.expected.atac!, truth.drawn.atac!];
    const means = Float32Array.from({ length: 60 }, (_, j) =>
      x.filter((_, i) => i % 60 === j).reduce((a, b) => a + b, 0),
    );
    const auroc = (score: (i: number) => number): number => {
      const order = Array.from(x, (v, i) => [score(i), v] as const).sort((a, b) => a[0] - b[0]);
      let [below, wins, ones] = [0, 0, 0];
      for (const [, v] of order) {
        if (v === 0) below++;
        else {
          wins += below;
          ones++;
        }
      }
      return wins / (ones * below);
    };
    const [oracle, baseline] = [auroc((i) => p[i]!), auroc((i) => means[i % 60]!)];
    expect(oracle).toBeGreaterThan(0.8);
    expect(oracle - baseline).toBeGreaterThan(0.08);
  });
});

describe("files", () => {
  /** SHA-256 of each file; they are not compressed, so a machine's zlib has no say. */
  const KNOWN: Readonly<Record<MockProblem, string>> = {
    paired: "dec20f5dff968061fe43162acd89d1ec998d361bcce6e56671e2c5b606c84612",
    unpaired: "56fda99553703fb38839e909cb0babcaa0359859617de016bd9a18f6e7bbdf82",
    bridge: "ec693c1b1ab59840f8a39e47d945a09c4a0a6dd89f473c0552c404f29d1a0470",
    mosaic: "5ebf6ba2318bff2e17c0fad961104b8e79fbbd88342ff6aa94b94f7a3dd0e9ff",
    prediction: "1f4450417d9db14035a4a7ee8d6fd85974f27f6ad7a9b824d06b474560b5e7ad",
    hierarchical: "29bd26a0ef578125d6a5165669b7cbcecc34a6c0a2d595c4e86a9bb91dc94b6a",
  };
  for (const problem of PROBLEMS)
    it(`${MOCK_FILES[problem]}: reads back as it was made, truth included; known bytes`, async () => {
      const made = mock(problem, tiny);
      const path = at.path(`${MOCK_FILES[problem]}.h5ad`);
      await writeMock(path, made);
      await using cells = await readH5ad(path, undefined, { batchKey: "batch" });
      expect([...cells.modalities.keys()].sort()).toEqual([...made.dataset.modalities.keys()].sort());
      for (const [name, modality] of made.dataset.modalities) {
        expect([name, [...cells.modalities.get(name)!.available]]).toEqual([name, [...modality.available]]);
        expect(await dense(cells, name)).toEqual(await dense(made.dataset, name));
      }
      await using tree = await openHdf5(path);
      const z = await tree.root.get("obsm/z_true");
      expect(z?.type === "array" && (await z.read())).toEqual(made.truth.latent);
      expect(mockConfig(made, "x.h5ad")).toContain('path: "x.h5ad"');
      expect([problem, sha(readFileSync(path))]).toEqual([problem, KNOWN[problem]]);
    });
});
