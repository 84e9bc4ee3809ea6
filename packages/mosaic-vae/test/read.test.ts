// Readers: what they find by themselves, obs in every kind of column, rows in any order of storage.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { tableFromColumns, toIpc, writeIpcFile } from "@x/core";
import { describe, expect, it } from "vitest";
import {
  cellsFormat,
  type MosaicDataset,
  read10xH5,
  readArrow,
  readCells,
  readH5ad,
  readH5mu,
  readZarr,
  writeH5ad,
} from "../src/index.ts";
import { dense, failure, folder, GOLDEN, obsText, rows } from "./support.ts";

const at = folder();
const golden = (name: string): string => join(GOLDEN, name);

describe("h5ad", () => {
  it("finds the modalities, their names and who was measured", async () => {
    await using cells = await readH5ad(golden("cells.h5ad"), undefined, { batchKey: "batch" });
    expect([cells.cells, cells.cellIds[29], cells.registry.batches]).toEqual([
      30,
      "cell29",
      ["b0", "b1", "b2"],
    ]);
    expect(cells.registry.modalities.map((m) => [m.name, m.kind, m.features.length, m.features[1]])).toEqual([
      ["rna", "rna", 12, "gene1"],
      ["atac", "atac", 9, "chr1:100-150"],
      ["adt", "adt", 4, "CD1"],
    ]);
    const measured = (name: string): number[] => [...cells.modalities.get(name)!.available.slice(0, 4)];
    expect([measured("rna"), measured("atac"), measured("adt")]).toEqual([
      [0, 1, 1, 0],
      [1, 0, 1, 1],
      [1, 1, 1, 1],
    ]);
  });

  it("columns: ordered and unordered categories, gaps, whole numbers with gaps, booleans, text", async () => {
    await using cells = await readH5ad(golden("cells.h5ad"));
    const { obs } = cells;
    expect(obs.get(0)?.toJSON()).toMatchObject({
      batch: "b0",
      dose: "low",
      gaps: null,
      year: 2000n,
      flag: true,
      maybe: null,
      whole: null,
      score: -1,
      count: 0n,
      text: "größe 0 µm",
    });
    expect(obs.get(6)?.toJSON()).toMatchObject({ dose: "low", gaps: "k0", maybe: true, whole: 6 });
    const ordered = (name: string): boolean => obs.getChild(name)!.type.isOrdered;
    expect([ordered("dose"), ordered("batch")]).toEqual([true, false]);
    expect([...obs.getChild("dose")!.data[0]!.dictionary!]).toEqual(["low", "mid", "high"]);
  });

  it("LZF, with its texts, is the same as gzip", async () => {
    await using gzip = await readH5ad(golden("cells.h5ad"));
    await using lzf = await readH5ad(golden("lzf.h5ad"));
    expect(obsText(lzf)).toBe(obsText(gzip));
    expect(lzf.registry).toEqual(gzip.registry);
    for (const name of ["rna", "atac", "adt"])
      expect(await dense(lzf, name)).toEqual(await dense(gzip, name));
  });

  it("columns first: the same rows, in one band or in many", async () => {
    await using csr = await readH5ad(golden("cells.h5ad"));
    const allowEmpty = true;
    for (const memoryLimit of [undefined, 400]) {
      const options = memoryLimit === undefined ? { allowEmpty } : { allowEmpty, memoryLimit };
      await using csc = await readH5ad(golden("csc.h5ad"), { rna: "X" }, options);
      expect(await dense(csc, "rna")).toEqual(await dense(csr, "rna"));
      for (const [start, end] of [
        [20, 30],
        [0, 3],
        [3, 3],
        [2, 29],
      ] as const)
        expect(await rows(csc, "rna", start, end)).toEqual(await rows(csr, "rna", start, end));
    }
  });

  it("layers, raw, a modality split by feature_types, places of one's own", async () => {
    const allowEmpty = true;
    await using layer = await readH5ad(golden("cells.h5ad"), { rna: "layers/log" }, { allowEmpty });
    await using raw = await readH5ad(
      golden("cells.h5ad"),
      { mine: { at: "raw/X", kind: "rna", available: "flag" } },
      { allowEmpty },
    );
    const x = await dense(await readH5ad(golden("cells.h5ad"), { rna: "X" }, { allowEmpty }), "rna");
    const logs = await dense(layer, "rna");
    expect(Math.max(...logs.map((v, i) => Math.abs(v - Math.log1p(x[i]!))))).toBeLessThan(1e-6);
    expect(await dense(raw, "mine")).toEqual(x.map((v) => 2 * v));
    expect(raw.modalities.get("mine")!.features[0]).toBe("raw0");
    expect([...raw.modalities.get("mine")!.available.slice(0, 3)]).toEqual([1, 0, 1]);
    await using split = await readH5ad(golden("dense.h5ad"));
    expect([...split.modalities].map(([name, m]) => [name, m.features.length, m.features[0]])).toEqual([
      ["rna", 8, "f0"],
      ["adt", 4, "f8"],
    ]);
    const adt = await dense(split, "adt");
    expect(adt).toEqual(x.filter((_, i) => i % 12 >= 8));
  });

  it("says what it cannot find", async () => {
    const code = async (places: Parameters<typeof readH5ad>[1], options = {}): Promise<string> =>
      String(await failure(readH5ad(golden("cells.h5ad"), places, options)));
    expect(await code({ rna: "layers/counts" })).toMatch(/^H5AD_SCHEMA .*layers has log/);
    expect(await code({ other: "X" })).toMatch(/^MODALITY_UNKNOWN .*kind/);
    expect(await code({ rna: { at: "X", features: "uns/atac_names" } })).toMatch(
      /^DATASET_SHAPE .*12 columns.*9/,
    );
    expect(await code(undefined, { batchKey: "bach" })).toMatch(/^OBS_COLUMN .*batch/);
    expect(await code({ rna: "obs/text" })).toMatch(/^H5AD_SCHEMA/);
  });
});

it("h5mu: each modality has its own cells, in its own order", async () => {
  const order = readFileSync(golden("h5mu-order.txt"), "utf8").trim().split("\n").map(Number);
  await using all = await readH5ad(golden("cells.h5ad"));
  await using cells = await readH5mu(golden("cells.h5mu"));
  expect([...cells.modalities.keys()].sort()).toEqual(["adt", "rna"]);
  expect(cells.cells).toBe(30);
  const [rna, adt] = [await dense(all, "rna"), await dense(all, "adt")];
  const [foundRna, foundAdt] = [await dense(cells, "rna"), await dense(cells, "adt")];
  cells.cellIds.forEach((id, i) => {
    const k = Number(id.slice(4));
    const has = (name: string): number => cells.modalities.get(name)!.available[i]!;
    expect([id, has("rna"), has("adt")]).toEqual([id, k < 20 ? 1 : 0, order.includes(k) ? 1 : 0]);
    if (k < 20) expect(foundRna.slice(i * 12, i * 12 + 12)).toEqual(rna.slice(k * 12, k * 12 + 12));
    if (order.includes(k)) expect(foundAdt.slice(i * 4, i * 4 + 4)).toEqual(adt.slice(k * 4, k * 4 + 4));
  });
});

it("10x, versions 3 and 2", async () => {
  await using all = await readH5ad(golden("cells.h5ad"));
  const warnings: string[] = [];
  await using three = await read10xH5(golden("tenx3.h5"), { warn: (w) => warnings.push(w.code) });
  expect(await dense(three, "rna")).toEqual(await dense(all, "rna"));
  expect(await dense(three, "atac")).toEqual(await dense(all, "atac"));
  expect(three.modalities.get("rna")!.features.slice(0, 3)).toEqual(["GENE0", "GENE0-1", "GENE2"]);
  expect([warnings, three.cellIds[3]]).toEqual([["DUP_FEATURE"], "CELL3-1"]);
  await using ids = await read10xH5(golden("tenx3.h5"), { featureNames: "id" });
  expect(ids.modalities.get("rna")!.features[1]).toBe("ENSG00001");
  expect((await failure(read10xH5(golden("tenx2.h5")))).message).toMatch(/hg19, mm10/);
  await using two = await read10xH5(golden("tenx2.h5"), { genome: "mm10" });
  expect(two.modalities.get("rna")!.features[2]).toBe("mm10_2");
  expect(await dense(two, "rna")).toEqual(await dense(all, "rna"));
});

it("zarr, versions 2 and 3", async () => {
  await using all = await readH5ad(golden("cells.h5ad"), { rna: "X" }, { allowEmpty: true });
  for (const name of ["zarr2.zarr", "zarr3.zarr"]) {
    await using cells = await readZarr(golden(name));
    expect([cells.cells, cells.cellIds[5], cells.modalities.get("rna")!.features[11]]).toEqual([
      6,
      "cell5",
      "gene11",
    ]);
    expect(await rows(cells, "rna", 1, 6)).toEqual(await rows(all, "rna", 1, 6));
    expect(cells.obs.get(1)?.toJSON()).toEqual({ batch: "b1", flag: false, text: "größe 1 µm" });
  }
  expect((await failure(readZarr(at.path("none.zarr")))).code).toBe("ZARR_FORMAT");
  expect((await failure(readZarr(GOLDEN))).code).toBe("ZARR_FORMAT");
});

it("Arrow: one table a modality, wide or in lists; cells that are in some", async () => {
  const rna = tableFromColumns({
    cell: ["a", "b", "c"],
    g1: Float32Array.of(1, 0, 3),
    g2: Int32Array.of(0, 2, 0),
  });
  const adt = tableFromColumns({ cell: ["d", "b"], CD3: Float64Array.of(5, 6) });
  const cells = await readArrow({ rna, adt: toIpc(adt) });
  expect(cells.cellIds).toEqual(["a", "b", "c", "d"]);
  expect([...(await dense(cells, "rna"))]).toEqual([1, 0, 0, 2, 3, 0, 0, 0]);
  expect([...cells.modalities.get("rna")!.available]).toEqual([1, 1, 1, 0]);
  expect([...(await dense(cells, "adt"))]).toEqual([0, 6, 0, 5]);
  expect([...cells.modalities.get("adt")!.available]).toEqual([0, 1, 0, 1]);
  const twice = tableFromColumns({ cell: ["a", "a"], g: Float32Array.of(1, 2) });
  expect((await failure(readArrow({ rna: twice }))).code).toBe("DUP_SAMPLE");
  await writeIpcFile(at.path("rna.arrow"), rna);
  expect((await readCells(at.path("rna.arrow"))).cells).toBe(3);
});

it("tells what a file is by what is in it", async () => {
  const files = ["cells.h5ad", "cells.h5mu", "tenx3.h5", "tenx2.h5", "zarr3.zarr"];
  const formats = await Promise.all(files.map((name) => cellsFormat(golden(name))));
  expect(formats).toEqual(["h5ad", "h5mu", "10x", "10x", "zarr"]);
  const read: MosaicDataset = await readCells(golden("tenx2.h5"), undefined, { genome: "hg19" });
  expect(read.cells).toBe(30);
  await read[Symbol.asyncDispose]();
});

it("has_<modality>: words for yes and no are known, others are refused; nobody measured is a warning", async () => {
  const cellIds = ["a", "b", "c"];
  const file = async (name: string, flags: readonly (string | number | null)[]): Promise<string> => {
    const path = at.path(name);
    await writeH5ad(path, {
      cellIds,
      obs: tableFromColumns({ has_rna: flags }),
      varNames: ["g"],
      X: { columns: 1, values: Float32Array.of(1, 2, 3) },
    });
    return path;
  };
  const measured = async (flags: readonly (string | number | null)[]): Promise<number[]> => {
    await using cells = await readH5ad(await file("flags.h5ad", flags), { rna: "X" }, { allowEmpty: true });
    return [...cells.modalities.get("rna")!.available];
  };
  expect(await measured(["Y", "n", "T"])).toEqual([1, 0, 1]);
  expect(await measured(["Yes", "no", ""])).toEqual([1, 0, 0]);
  expect(await measured([1, 0, 1])).toEqual([1, 0, 1]);
  for (const odd of [
    ["measured", "Y", "Y"],
    [2, 1, 0],
  ])
    expect(await failure(readH5ad(await file("odd.h5ad", odd), { rna: "X" }))).toMatchObject({
      code: "OBS_COLUMN",
      message: expect.stringMatching(/has_rna says "(measured|2)" of cell 1/),
    });
  const warnings: string[] = [];
  await using _ = await readH5ad(
    await file("none.h5ad", ["no", "no", "no"]),
    { rna: "X" },
    { allowEmpty: true, warn: (w) => warnings.push(w.code) },
  );
  expect(warnings).toContain("MODALITY_EMPTY");
});
