// Rows of bad-inputs.tsv that reach the data half: test name = row id.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { tableFromColumns } from "@x/core";
import { inspectOnnx } from "@x/onnx-train";
import { describe, expect, it } from "vitest";
import { openHdf5 } from "../src/hdf5/open.ts";
import { Hdf5Writer, type WriteValues } from "../src/hdf5/write.ts";
import {
  batches,
  type MosaicDataset,
  MosaicVAE,
  mosaicDataset,
  readConfig,
  readH5ad,
  requireCounts,
  summarize,
  writeH5ad,
} from "../src/index.ts";
import { encoding, writeDataframe } from "../src/write-dataframe.ts";
import { failure, folder, GOLDEN } from "./support.ts";

const at = folder();
const good = readFileSync(join(GOLDEN, "cells.h5ad"));

/** 3 cells × 4 genes with a matrix as given. */
async function sparse(
  name: string,
  matrix: { indptr: number[]; indices: number[]; data: WriteValues },
  cellIds = ["a", "b", "c"],
): Promise<string> {
  await using file = new Hdf5Writer(at.path(name));
  file.group("/", encoding("anndata", "0.1.0"));
  await writeDataframe(file, "obs", cellIds, undefined);
  await writeDataframe(file, "var", ["g1", "g2", "g3", "g4"], undefined);
  const shape = { type: "int64", shape: [2], values: BigInt64Array.of(3n, 4n) } as const;
  file.group("X", { ...encoding("csr_matrix", "0.1.0"), shape });
  const { indptr, indices, data } = matrix;
  await file.array("X/indptr", { type: "int32", shape: [indptr.length] }, Int32Array.from(indptr));
  await file.array(
    "X/indices",
    { type: "int64", shape: [indices.length] },
    BigInt64Array.from(indices, BigInt),
  );
  await file.array("X/data", { type: "float32", shape: [indices.length] }, data);
  await file.commit();
  return at.path(name);
}

const reading = async (path: string): Promise<void> => {
  await using cells = await readH5ad(path);
  await batches(cells, { counts: ["rna"] });
};
const counts = (...rna: number[]): MosaicDataset =>
  mosaicDataset({
    cellIds: ["a", "b", "c"],
    modalities: { rna: { features: ["g1", "g2"], values: Float32Array.from(rna) } },
  });
const ok = { indptr: [0, 2, 2, 3], indices: [0, 3, 1], data: Float32Array.of(1, 2, 3) };

const cases: Record<string, () => Promise<void>> = {
  "h5-trunc": async () => {
    const e = await failure(readH5ad(at.file("cut.h5ad", good.subarray(0, good.length - 1024))));
    expect([e.code, e.details.size]).toEqual(["HDF5_TRUNCATED", good.length - 1024]);
  },
  "h5-notanndata": async () => {
    const e = await failure(readH5ad(join(GOLDEN, "tenx3.h5")));
    expect([e.code, e.message]).toEqual([
      "H5AD_SCHEMA",
      expect.stringMatching(/no obs and no var; there is matrix/),
    ]);
    await using file = new Hdf5Writer(at.path("nox.h5ad"));
    await writeDataframe(file, "obs", ["a"], undefined);
    await writeDataframe(file, "var", [], undefined);
    await file.commit();
    expect((await failure(readH5ad(at.path("nox.h5ad")))).code).toBe("H5AD_SCHEMA");
    expect((await failure(readH5ad(at.file("text.h5ad", "this is text, and more of it")))).code).toBe(
      "HDF5_FORMAT",
    );
  },
  "h5-csr-indptr": async () => {
    const back = await failure(reading(await sparse("back.h5ad", { ...ok, indptr: [0, 2, 1, 3] })));
    expect([back.code, back.details.row, back.message]).toEqual([
      "CSR_INDPTR",
      1,
      expect.stringMatching(/from 2 to 1/),
    ]);
    const short = await failure(reading(await sparse("short.h5ad", { ...ok, indptr: [0, 2, 2, 2] })));
    expect([short.code, short.message]).toEqual([
      "CSR_INDPTR",
      expect.stringMatching(/ends at 2, there are 3/),
    ]);
    const few = await failure(reading(await sparse("few.h5ad", { ...ok, indptr: [0, 2, 3] })));
    expect([few.code, few.message]).toEqual(["CSR_INDPTR", expect.stringMatching(/3 numbers, 4 were/)]);
  },
  "h5-csr-oob": async () => {
    for (const column of [4, 2 ** 31, 2 ** 40, -1]) {
      const e = await failure(reading(await sparse("oob.h5ad", { ...ok, indices: [0, 3, column] })));
      expect([e.code, e.details.row]).toEqual(["CSR_INDEX", 2]);
    }
  },
  "h5-counts-neg": async () => {
    for (const [value, why] of [
      [-1, /negative/],
      [0.5, /whole/],
      [Number.NaN, /no number/],
      [Number.POSITIVE_INFINITY, /no number/],
    ] as const) {
      const e = await failure(
        reading(await sparse("counts.h5ad", { ...ok, data: Float32Array.of(1, value, 3) })),
      );
      expect([e.code, e.details.row, e.details.column]).toEqual(["COUNTS", 0, 3]);
      expect(e.message).toMatch(/cell a \(row 1\), feature g4 \(column 4\)/);
      expect(e.message).toMatch(why);
    }
    // Another likelihood takes any number, but not NaN.
    await batches(counts(0.5, -1, 0, 0, 1, 1));
    expect((await failure(batches(counts(Number.NaN, 1, 0, 0, 1, 1)))).code).toBe("COUNTS");
    const data = counts(0.5, 1, 0, 0, 1, 1);
    expect((await failure(requireCounts(data, data.modalities.get("rna")!))).code).toBe("COUNTS");
  },
  "h5-dupobs": async () => {
    const e = await failure(readH5ad(await sparse("dup.h5ad", ok, ["a", "b", "a"])));
    expect([e.code, e.details.name]).toEqual(["DUP_SAMPLE", "a"]);
  },
  "h5-bomb": async () => {
    const path = at.path("bomb.h5ad");
    await writeH5ad(path, {
      cellIds: Array.from({ length: 50 }, (_, i) => `c${i}`),
      varNames: Array.from({ length: 70 }, (_, j) => `g${j}`),
      X: { columns: 70, values: new Float32Array(50 * 70) },
    });
    // One chunk of 50 × 70 becomes one of 50,000 × 50,000: 10 GB.
    const lie = (rows: number, columns: number, lengths = [rows, columns], read = 1): Promise<unknown> => {
      const file = readFileSync(path);
      const layout = file.indexOf(Uint8Array.of(50, 0, 0, 0, 70, 0, 0, 0, 4, 0, 0, 0));
      file.writeUInt32LE(rows, layout);
      file.writeUInt32LE(columns, layout + 4);
      const space = file.indexOf(Uint8Array.of(50, 0, 0, 0, 0, 0, 0, 0, 70, 0, 0, 0, 0, 0, 0, 0));
      expect([layout > 0, space > 0]).toEqual([true, true]);
      file.writeUInt32LE(lengths[0]!, space);
      file.writeUInt32LE(lengths[1]!, space + 8);
      at.file("lie.h5", file);
      return openHdf5(at.path("lie.h5")).then(async (tree) => {
        const x = await tree.root.get("X");
        if (x?.type === "array") await x.read(0, read);
      });
    };
    expect((await failure(lie(50_000, 50_000))).code).toBe("DECOMPRESS_LIMIT");
    expect((await failure(lie(5_000, 7_000))).code).toBe("DECOMPRESS_LIMIT");
    // 140 GB of which one chunk was ever written.
    expect((await failure(lie(50, 70, [50_000, 700_000], 200))).code).toBe("DECOMPRESS_LIMIT");
    expect((await failure(lie(50, 60))).code).toBe("DECOMPRESS_LIMIT"); // more comes out than was declared
    expect((await failure(lie(50, 80))).code).toBe("HDF5_CHUNK"); // less
  },
  "h5-external": async () => {
    const e = await failure(readH5ad(join(GOLDEN, "external.h5ad")));
    expect([e.code, e.details.target]).toEqual(["HDF5_EXTERNAL_LINK", "/etc/passwd"]);
    await using tree = await openHdf5(join(GOLDEN, "virtual.h5"));
    for (const name of ["virtual", "outside", "link"])
      expect([name, (await failure(tree.root.get(name))).code]).toEqual([name, "HDF5_EXTERNAL_LINK"]);
  },
  "mosaic-none": async () => {
    const data = {
      cellIds: ["a", "b", "c"],
      modalities: {
        rna: { features: ["g"], values: Float32Array.of(1, 0, 0), available: [1, 0, 1] },
        adt: { features: ["p"], values: Float32Array.of(0, 0, 2), available: [0, 0, 1] },
      },
    };
    const e = await failure(() => mosaicDataset(data));
    expect([e.code, e.details.first]).toEqual(["NO_MODALITY", "b"]);
    const cells = mosaicDataset({ ...data, allowEmpty: true });
    expect((await failure(batches(cells))).code).toBe("NO_MODALITY");
    expect((await batches(cells, { allowEmpty: true })).cells).toBe(3);
    expect((await batches(cells, { split: [0, 2] })).cells).toBe(2);
    expect((await failure(readH5ad(join(GOLDEN, "cells.h5ad"), { rna: "X" }))).code).toBe("NO_MODALITY");
  },
};

/** Rows about models and their settings. */
const settings: Record<string, () => Promise<void>> = {
  "art-pickle": async () => {
    const pickle = at.file(
      "model.pt",
      Uint8Array.of(0x80, 2, 0x63, 0x6f, 0x73, 0x0a, 0x73, 0x79, 0x73, 0x74, 0x65, 0x6d),
    );
    const zip = at.file("zip.pt", "PK\u0003\u0004 as torch.save writes it");
    for (const path of [pickle, zip])
      expect((await failure(MosaicVAE.load(path))).code).toBe("CHECKPOINT_FORMAT");
  },
  "onnx-external": async () => {
    // ModelProto{ir 8, graph{name g, initializer{dims 1, float, name w, external_data{location ../../x}, EXTERNAL}}}
    const text = (field: number, value: string): number[] => [
      8 * field + 2,
      value.length,
      ...Buffer.from(value),
    ];
    const inside = (field: number, bytes: number[]): number[] => [8 * field + 2, bytes.length, ...bytes];
    const external = inside(13, [...text(1, "location"), ...text(2, "../../x")]);
    const tensor = inside(5, [8, 1, 16, 1, ...text(8, "w"), ...external, 112, 1]);
    const path = at.file("outside.onnx", Uint8Array.of(8, 8, ...inside(7, [...text(2, "g"), ...tensor])));
    expect((await failure(() => inspectOnnx(path))).code).toBe("ONNX_EXTERNAL_PATH");
  },
  "cfg-proto": async () => {
    for (const text of [
      '{"__proto__": {"polluted": 1}}',
      '{"train": {"constructor": {"prototype": {"polluted": 1}}}}',
    ]) {
      const e = await failure(() => readConfig(at.file("proto.json", text)));
      expect(["UNKNOWN_OPTION", "CONFIG"]).toContain(e.code);
      expect(({} as { polluted?: number }).polluted).toBeUndefined();
    }
  },
  "cfg-unknown": async () => {
    const e = await failure(() => readConfig(at.file("wrong.yaml", "train:\n  learningrate: 0.1\n")));
    expect([e.code, e.details.nearest]).toEqual(["UNKNOWN_OPTION", "learningRate"]);
    expect(
      (await failure(MosaicVAE.create(counts(1, 0, 0, 2, 1, 1), { model: { latnet: 2 } } as never))).code,
    ).toBe("UNKNOWN_OPTION");
  },
  "cfg-num": async () => {
    for (const n of [-1, 0, 1.5, Number.NaN, 1e9])
      for (const train of [{ epochs: n }, { batchSize: n }])
        expect((await failure(MosaicVAE.create(counts(1, 0, 0, 2, 1, 1), { train }))).code).toBe(
          "OPTION_RANGE",
        );
  },
};

describe("bad inputs", () => {
  for (const [id, check] of Object.entries(settings)) it(id, check);
  for (const [id, check] of Object.entries(cases)) it(id, check);
});

const tsv = join(import.meta.dirname, "../../../../shared/data/bad-inputs.tsv");
it.skipIf(!existsSync(tsv))(
  "every h5ad, multi-omics, checkpoint and config row of bad-inputs.tsv has a test",
  () => {
    const wanted = readFileSync(tsv, "utf8")
      .split("\n")
      .map((line) => line.split("\t"))
      .filter(([, format]) => ["h5ad", "multi-omics", "checkpoint", "config"].includes(format!))
      .map(([id]) => id);
    expect([...Object.keys(cases), ...Object.keys(settings)].sort()).toEqual(wanted.sort());
  },
);

describe("further damage", () => {
  it("shapes, names and kinds that do not fit", async () => {
    const values = new Float32Array(4);
    const make = (modalities: Parameters<typeof mosaicDataset>[0]["modalities"], more = {}) =>
      failure(() => mosaicDataset({ cellIds: ["a", "b"], modalities, ...more }));
    expect((await make({ rna: { features: ["g"], values } })).code).toBe("DATASET_SHAPE");
    expect((await make({ rna: { features: ["g", "g"], values } })).code).toBe("DUP_FEATURE");
    expect((await make({ x: { features: ["g", "h"], values } })).code).toBe("MODALITY_UNKNOWN");
    const rna = { features: ["g", "h"], values };
    expect((await make({ rna }, { batchKey: "batch" })).code).toBe("OBS_COLUMN");
    expect((await make({ rna }, { obs: tableFromColumns({ x: [1] }) })).code).toBe("DATASET_SHAPE");
    const csr = {
      rows: 2,
      columns: 2,
      indptr: Int32Array.of(0, 1, 2),
      indices: Int32Array.of(0, 2),
      values: new Float32Array(2),
    };
    expect((await make({ rna: { features: ["g", "h"], values: csr } })).code).toBe("CSR_INDEX");
    const cells = mosaicDataset({ cellIds: ["a", "b"], modalities: { rna } });
    expect((await failure(cells.modalities.get("rna")!.rows(1, 3))).code).toBe("ROW_RANGE");
  });

  it("cells without any count: a warning, a library of 1, and a line of the summary", async () => {
    const data = counts(0, 0, 3, 1, 0, 2);
    const warnings: string[] = [];
    const source = await batches(data, { counts: ["rna"], warn: (w) => warnings.push(w.code) });
    for await (const batch of source.epoch(0)) expect([...batch.modalities.rna!.library]).toEqual([1, 4, 2]);
    expect(warnings).toEqual(["EMPTY_CELLS"]);
    expect((await summarize(data.modalities.get("rna")!)).emptyCells).toBe(1);
  });
});
