// Batches: order, masks, libraries, registries, and the same whether matrices stay in memory or not.
import { join } from "node:path";
import { tableFromColumns } from "@x/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  alignTo,
  type BatchesOptions,
  batches,
  csrToDense,
  type MosaicBatch,
  type MosaicDataset,
  mock,
  mosaicDataset,
  readH5ad,
  splitCells,
} from "../src/index.ts";
import { epochOrder, windowSize } from "../src/row-order.ts";
import { timeScale } from "../src/train-feeds.ts";
import { writeMock } from "../src/write-mock.ts";
import { all, dense, failure, folder, GOLDEN } from "./support.ts";

const at = folder();

async function collect(
  cells: MosaicDataset,
  options: BatchesOptions,
  epoch = 0,
  from = 0,
): Promise<MosaicBatch[]> {
  return all((await batches(cells, options)).epoch(epoch, from));
}

/** Everything in a batch as text. */
function text(batch: MosaicBatch): string {
  const parts = Object.entries(batch.modalities).map(
    ([name, m]) => `${name} ${csrToDense(m.block)} ${m.mask} ${m.library}`,
  );
  return [batch.rows, batch.batch, batch.dataset, batch.time, ...parts].join("\n");
}

const small = mock("hierarchical", { cells: 90, features: { rna: 20, atac: 30, adt: 5 }, seed: 4 });

describe("epochs", () => {
  it("from memory and from the file: the same batches, in every epoch, from any batch on", async () => {
    await writeMock(at.path("small.h5ad"), small);
    await using cells = await readH5ad(at.path("small.h5ad"), undefined, { batchKey: "batch" });
    const options = { shuffle: true, batchSize: 16, seed: 9, split: splitCells(cells).train };
    const memory = await batches(small.dataset, { ...options, cache: "memory" });
    const stream = await batches(cells, { ...options, cache: "stream" });
    const tight = await batches(cells, { ...options, memoryLimit: 1000 });
    expect([memory.cached, stream.cached, tight.cached]).toEqual([true, false, false]);
    expect([memory.cells, memory.batchesPerEpoch, memory.datasets]).toEqual([
      81,
      6,
      ["studyA", "studyB", "studyC"],
    ]);
    for (const epoch of [0, 3]) {
      const wanted = (await all(memory.epoch(epoch))).map(text);
      expect((await all(stream.epoch(epoch))).map(text)).toEqual(wanted);
      expect((await all(tight.epoch(epoch))).map(text)).toEqual(wanted);
      expect((await all(stream.epoch(epoch, 4))).map(text)).toEqual(wanted.slice(4));
    }
    const first = (await all(memory.epoch(0))).flatMap((b) => [...b.rows]);
    const second = (await all(memory.epoch(1))).flatMap((b) => [...b.rows]);
    expect(first).not.toEqual(second);
    expect([...first].sort((a, b) => a - b)).toEqual([...options.split]);
    expect((await collect(small.dataset, { batchSize: 16, dropLast: true })).length).toBe(5);
    expect((await collect(small.dataset, { batchSize: 1, split: [7] })).map((b) => [...b.rows])).toEqual([
      [7],
    ]);
  });

  it("an order is a permutation that mixes at least a window", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40_000 }),
        fc.integer({ min: 1, max: 300 }),
        fc.nat(5),
        (n, batchSize, epoch) => {
          const order = epochOrder(n, { batchSize, seed: 1, epoch, shuffle: true });
          expect(
            order
              .slice()
              .sort()
              .every((v, i) => v === i),
          ).toBe(true);
          expect(windowSize(batchSize) % batchSize).toBe(0);
        },
      ),
      { numRuns: 15 },
    );
    const far = epochOrder(100_000, { batchSize: 128, seed: 0, epoch: 0, shuffle: true });
    const moved = far.reduce((sum, v, i) => sum + Math.abs(v - i), 0) / far.length;
    expect(moved).toBeGreaterThan(25_000); // a third of the length where the order is random
  });
});

describe("what a batch holds", () => {
  it("rows of cells that were not measured are empty, whatever the file holds", async () => {
    const values = Float32Array.of(1, 2, Number.NaN, -7, 5, 0);
    const rna = (v: Float32Array) => ({ features: ["g", "h"], values: v, available: [1, 0, 1] });
    const adt = { features: ["p"], values: new Float32Array(3) };
    const make = (v: Float32Array): MosaicDataset =>
      mosaicDataset({ cellIds: ["a", "b", "c"], modalities: { rna: rna(v), adt } });
    for (const cache of ["memory", "stream"] as const) {
      const bad = await collect(make(values), { counts: ["rna"], cache });
      const clean = await collect(make(Float32Array.of(1, 2, 0, 0, 5, 0)), { counts: ["rna"], cache });
      expect(bad.map(text)).toEqual(clean.map(text));
    }
  });

  it("libraries: sums of the measured, medians of their batch for the others, never 0", async () => {
    const obs = tableFromColumns({ lab: ["x", "x", "x", "y", "y", "z"], time: [1, 2, 3, null, 5, 6] });
    const cells = mosaicDataset({
      cellIds: ["a", "b", "c", "d", "e", "f"],
      obs,
      batchKey: "lab",
      modalities: {
        rna: {
          features: ["g", "h"],
          values: Float32Array.of(1, 1, 3, 3, 9, 9, 8, 0, 0, 0, 9, 9),
          available: [1, 1, 0, 1, 1, 0],
        },
        atac: { features: ["p"], values: new Float32Array(6).fill(1) },
      },
    });
    const source = await batches(cells);
    const [batch] = await all(source.epoch(0));
    // c: median of 2 and 6; e is measured but empty; f: nobody of z was measured, so the median of 2, 6 and 8.
    expect([...batch!.modalities.rna!.library]).toEqual([2, 6, 4, 8, 1, 6]);
    expect([...source.medianLibrary("rna")]).toEqual([4, 8, 6]);
    expect([...batch!.batch]).toEqual([0, 0, 0, 1, 1, 2]);
    expect([...batch!.time]).toEqual([1, 2, 3, Number.NaN, 5, 6]);
    const other = { ...cells.registry, batches: ["y", "x"] };
    const [coded] = await collect(cells, { registry: other });
    expect([...coded!.batch]).toEqual([1, 1, 1, 0, 0, -1]);
  });

  it.each([
    ["numbers", [10, null, 14]],
    ["texts", ["10", "", "14"]],
  ])("the scale of time in %s knows only cells that have one", (_, time) => {
    const cells = mosaicDataset({
      cellIds: ["a", "b", "c"],
      obs: tableFromColumns({ time }),
      modalities: { rna: { features: ["g"], values: new Float32Array(3) } },
    });
    expect(timeScale(cells)).toEqual({ known: 2, mean: 12, sd: 2 });
  });

  it("refuses what no model can take, and options nobody knows", async () => {
    const code = async (options: object): Promise<string> =>
      (await failure(batches(small.dataset, options as BatchesOptions))).code;
    expect(await code({ split: [3, 2] })).toBe("ROW_RANGE");
    expect(await code({ split: [90] })).toBe("ROW_RANGE");
    expect(await code({ counts: ["RNA"] })).toBe("MODALITY_UNKNOWN");
    expect(await code({ batchsize: 3 })).toBe("UNKNOWN_OPTION");
    expect(await code({ datasetKey: "study" })).toBe("OBS_COLUMN");
    const aborted = batches(small.dataset, { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toThrow(/abort/i);
  });
});

describe("registries", () => {
  const features = ["g0", "g1", "g2", "g3", "g4"];
  const make = (names: string[], values: number[], extra = {}): MosaicDataset =>
    mosaicDataset({
      cellIds: ["a"],
      modalities: { rna: { features: names, values: Float32Array.from(values) }, ...extra },
    });
  const model = make(features, [1, 2, 3, 4, 5], {
    adt: { features: ["p"], values: Float32Array.of(1) },
  }).registry;

  it("moves features, fills missing ones with 0, leaves out unknown ones, and says so", async () => {
    const warnings: string[] = [];
    const query = make(["g4", "new", "g0", "g2", "g1"], [50, 99, 10, 30, 20]);
    const { dataset, overlaps } = alignTo(query, model, { warn: (w) => warnings.push(w.message) });
    expect([...(await dense(dataset, "rna"))]).toEqual([10, 20, 30, 0, 50]);
    expect(overlaps.map(({ filled, ...o }) => [o, filled.toFixed(2)])).toEqual([
      [{ modality: "rna", wanted: 5, found: 4, unused: 1 }, "0.20"],
    ]);
    expect(warnings).toEqual([expect.stringMatching(/1 of 5 features \(20.0 %\)/)]);
    expect([dataset.registry, [...dataset.modalities.get("adt")!.available]]).toEqual([model, [0]]);
    const [batch] = await collect(query, { registry: model });
    expect([...batch!.modalities.rna!.block.values]).toEqual([50, 10, 30, 20]);
  });

  it("refuses an overlap below 80 %, and data that have nothing in common", async () => {
    const query = make(["g4", "g0", "g2", "x", "y"], [1, 1, 1, 1, 1]);
    const e = await failure(() => alignTo(query, model));
    expect([e.code, e.message]).toEqual([
      "REGISTRY_OVERLAP",
      expect.stringMatching(/60.0 % of the model's 5/),
    ]);
    expect(alignTo(query, model, { leastOverlap: 0.5 }).overlaps[0]!.found).toBe(3);
    const atac = mosaicDataset({
      cellIds: ["a"],
      modalities: { atac: { features: ["p"], values: Float32Array.of(1) } },
    });
    expect((await failure(() => alignTo(atac, model))).code).toBe("REGISTRY_MISSING");
  });

  it("any order of features: aligning brings back the numbers", async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(features, { minLength: 5 }), async (names) => {
        const values = names.map((name) => 1 + features.indexOf(name));
        const { dataset } = alignTo(make(names, values), model);
        expect([...(await dense(dataset, "rna"))]).toEqual([1, 2, 3, 4, 5]);
      }),
    );
  });
});

describe("splits", () => {
  it("parts cover all cells once, have their sizes, and depend on the seed alone", () => {
    const cells = small.dataset;
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.4, noNaN: true }),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        fc.nat(9),
        fc.boolean(),
        (valid, test, seed, byType) => {
          const options = { valid, test, seed, ...(byType ? { stratify: "cluster" } : {}) };
          const parts = splitCells(cells, options);
          const covered = [...parts.train, ...parts.valid, ...parts.test].sort((a, b) => a - b);
          expect(covered).toEqual(Array.from({ length: 90 }, (_, i) => i));
          expect(Math.abs(parts.valid.length - 90 * valid)).toBeLessThan(2);
          expect(splitCells(cells, options)).toEqual(parts);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("strata keep their shares; a column may name the parts", async () => {
    const { dataset } = mock("paired", { cells: 1000, features: { rna: 2, adt: 2 } });
    const type = [...dataset.obs.getChild("cluster")!];
    const { valid } = splitCells(dataset, { valid: 0.2, stratify: "cluster" });
    expect(valid.length).toBe(200);
    for (const name of new Set(type)) {
      const [inAll, inValid] = [
        type.filter((t) => t === name).length,
        [...valid].filter((i) => type[i] === name).length,
      ];
      expect(Math.abs(inValid - 0.2 * inAll)).toBeLessThanOrEqual(1);
    }
    const named = mock("prediction", { cells: 100, features: { rna: 2, atac: 2 } }).dataset;
    const parts = splitCells(named, { column: "split" });
    expect([parts.train.length, parts.valid.length, parts.test.length]).toEqual([70, 0, 30]);
    expect((await failure(() => splitCells(named, { column: "cluster" }))).code).toBe("SPLIT");
    expect((await failure(() => splitCells(named, { valid: 0.6, test: 0.4 }))).code).toBe("SPLIT");
  });
});

it("a file closes with its data set", async () => {
  const cells = await readH5ad(join(GOLDEN, "cells.h5ad"));
  await cells[Symbol.asyncDispose]();
  expect((await failure(cells.modalities.get("rna")!.rows(0, 2))).code).toBe("FILE_CLOSED");
});
