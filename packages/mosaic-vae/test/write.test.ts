// Writing .h5ad: what was written is what is read; golden/check-anndata.py shows that anndata reads it too.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { tableFromColumns } from "@x/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { openHdf5 } from "../src/hdf5/open.ts";
import { Hdf5Writer } from "../src/hdf5/write.ts";
import { csrToDense, denseToCsr, readH5ad, writeH5ad } from "../src/index.ts";
import type { Values } from "../src/tree.ts";
import { bytes, dense, failure, folder, GOLDEN, obsText, sha } from "./support.ts";

const at = folder();

it("embedding and imputed layer beside what was read: every column comes back", async () => {
  await using cells = await readH5ad(join(GOLDEN, "cells.h5ad"));
  const [rna, atac, adt] = ["rna", "atac", "adt"].map((name) => cells.modalities.get(name)!);
  const z = Float32Array.from({ length: 30 * 5 }, (_, i) => Math.sin(i));
  const layer = new Float64Array(30 * 12).fill(Math.PI);
  const data = {
    cellIds: cells.cellIds,
    obs: cells.obs,
    varNames: rna!.features,
    X: rna!,
    layers: { imputed: { columns: 12, values: layer } },
    obsm: {
      X_mosaicvae: { columns: 5, values: z },
      X_atac: atac!,
      protein_expression: { columns: 4, values: await dense(cells, "adt") },
    },
    uns: {
      atac_names: atac!.features,
      protein_names: adt!.features,
      run: { seed: 3, version: "0.0.0", done: true },
    },
  };
  const size = await writeH5ad(at.path("out.h5ad"), data);
  expect(statSync(at.path("out.h5ad")).size).toBe(size);
  await using back = await readH5ad(at.path("out.h5ad"));
  expect(obsText(back)).toBe(obsText(cells));
  expect(back.obs.getChild("dose")!.type.isOrdered).toBe(true);
  expect(back.obs.getChild("batch")!.type.isOrdered).toBe(false);
  expect(back.registry).toEqual(cells.registry);
  for (const name of ["rna", "atac", "adt"])
    expect(await dense(back, name)).toEqual(await dense(cells, name));
  await using tree = await openHdf5(at.path("out.h5ad"));
  const read = async (path: string): Promise<Values | undefined> => {
    const node = await tree.root.get(path);
    return node?.type === "array" ? node.read() : undefined;
  };
  expect([await read("obsm/X_mosaicvae"), await read("layers/imputed")]).toEqual([z, layer]);
  expect([await read("uns/run/seed"), await read("uns/run/version")]).toEqual([
    BigInt64Array.of(3n),
    ["0.0.0"],
  ]);
  await writeH5ad(at.path("again.h5ad"), data);
  expect(sha(readFileSync(at.path("again.h5ad")))).toBe(sha(readFileSync(at.path("out.h5ad"))));
});

it("leaves nothing behind when it fails, and overwrites only when it may", async () => {
  const cellIds = ["a", "b"];
  const path = at.path("none.h5ad");
  const code = async (data: Parameters<typeof writeH5ad>[1], options = {}): Promise<string> =>
    (await failure(writeH5ad(path, data, options))).code;
  expect(await code({ cellIds, varNames: ["g"], X: { columns: 2, values: new Float32Array(4) } })).toBe(
    "DATASET_SHAPE",
  );
  expect(await code({ cellIds, obsm: { z: { columns: 2, values: new Float32Array(3) } } })).toBe(
    "HDF5_CHUNK",
  );
  expect(await code({ cellIds, obs: tableFromColumns({ "a/b": ["x", "y"] }) })).toBe("OBS_COLUMN");
  expect(existsSync(path)).toBe(false);
  expect(readdirSync(at.path(".")).filter((name) => name.includes("none"))).toEqual([]);
  await writeH5ad(path, { cellIds });
  expect(await code({ cellIds }, { overwrite: false })).toBe("OUT_EXISTS");
  expect((await failure(writeH5ad("-", { cellIds }))).code).toBe("NOT_SEEKABLE");
});

it("arrays of any size and groups of any number come back, compressed and not", async () => {
  const shapes = fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 90 }));
  await fc.assert(
    fc.asyncProperty(
      shapes,
      fc.integer({ min: 0, max: 700 }),
      fc.boolean(),
      async ([rows, columns], many, compress) => {
        const path = at.path("any.h5");
        const values = Float64Array.from({ length: rows * columns }, (_, i) => Math.cos(i * 7.3));
        const texts = Array.from({ length: rows }, (_, i) => "ä".repeat(i % 17) + i);
        {
          await using file = new Hdf5Writer(path, { compress });
          await file.array("x", { type: "float64", shape: [rows, columns] }, values);
          await file.array("deep/texts", { type: "text", shape: [rows] }, texts);
          for (let i = 0; i < many; i++) file.group(`many/g${i}`, { number: `${i}` });
          await file.commit();
        }
        await using tree = await openHdf5(path);
        const [x, t] = [await tree.root.get("x"), await tree.root.get("deep/texts")];
        if (x?.type !== "array" || t?.type !== "array") throw new Error("not there");
        expect(sha(bytes((await x.read()) as Float64Array))).toBe(sha(bytes(values)));
        expect(await t.read()).toEqual(rows === 0 ? [] : texts);
        const group = await tree.root.get("many");
        expect(group?.type === "group" ? (await group.children()).length : 0).toBe(many);
        if (many > 0)
          expect((await (await tree.root.get(`many/g${many - 1}`))!.attributes()).number).toBe(`${many - 1}`);
      },
    ),
    { numRuns: 25 },
  );
});

it("many chunks: an array larger than one node of the index, in pieces", async () => {
  const [rows, columns] = [400, 60_000];
  const piece = (i: number): Float32Array => new Float32Array(columns * 4).fill(i);
  const pieces = function* (): Generator<Float32Array> {
    for (let i = 0; i < rows / 4; i++) yield piece(i);
  };
  await writeH5ad(at.path("large.h5ad"), {
    cellIds: Array.from({ length: rows }, (_, i) => `c${i}`),
    obsm: { big: { columns, values: pieces() } },
  });
  await using tree = await openHdf5(at.path("large.h5ad"));
  const big = await tree.root.get("obsm/big");
  if (big?.type !== "array") throw new Error("not there");
  for (const row of [0, 3, 4, 257, 399])
    expect(((await big.read(row, row + 1)) as Float32Array).every((v) => v === Math.floor(row / 4))).toBe(
      true,
    );
});

it("dense and sparse are the same numbers", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ min: 0, max: 9 }),
      fc.array(fc.integer({ min: 0, max: 2 })),
      (n, d, v) => {
        const values = Float32Array.from({ length: n * d }, (_, i) => v[i % Math.max(1, v.length)] ?? 0);
        expect(csrToDense(denseToCsr(values, n, d, "x"))).toEqual(values);
      },
    ),
  );
});
