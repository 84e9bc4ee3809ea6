import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import {
  DISTANCE_FORMATS,
  DistanceMatrix,
  openBiom,
  openQza,
  pcoa,
  pcoaSvg,
  readBiom,
  readDistances,
  readNewick,
  unifrac,
  writeDistances,
} from "../src/index.ts";
import { failure, fileOf, golden, tempFolder } from "./support/files.ts";

const table = await readBiom(golden("table.biom"));
const tree = await readNewick(golden("tree.nwk"));
const matrix = await unifrac(table, tree, { metric: "generalized" });

it.each(DISTANCE_FORMATS)("a matrix survives .%s", async (format) => {
  const path = `${tempFolder()}/d.${format}`;
  const files = await writeDistances(path, matrix);
  expect(files[0]).toBe(path);
  const again = await readDistances(path);
  expect(again.ids).toEqual(matrix.ids);
  expect(again.toArray()).toEqual(matrix.toArray());
});

it("float32 matrices are written as float32", async () => {
  const single = await unifrac(table, tree, { metric: "weighted", float32: true });
  for (const format of ["npy", "h5"]) {
    const path = `${tempFolder()}/d.${format}`;
    await writeDistances(path, single);
    expect((await readDistances(path)).toArray()).toEqual(single.toArray());
  }
  const header = readFileSync((await writeDistances(`${tempFolder()}/d.npy`, single))[0]!).toString(
    "latin1",
    0,
    64,
  );
  expect(header).toContain("'<f4'");
});

it("Arrow holds a row a sample", () => {
  const arrow = matrix.toArrow();
  expect([arrow.numRows, arrow.schema.metadata.get("metric")]).toEqual([14, "generalized(0.5)"]);
  const entries = table.toArrow();
  expect(entries.schema.fields.map((f) => f.name)).toEqual(["sample", "feature", "count"]);
  expect(entries.numRows).toBe(table.nnz);
});

it("matrices that are none are refused", async () => {
  const square = (values: number[]) => () => DistanceMatrix.fromSquare(Float64Array.from(values), ["a", "b"]);
  expect((await failure(square([0, 1, 2, 0]))).code).toBe("MATRIX_VALUES");
  expect((await failure(square([1, 1, 1, 0]))).code).toBe("MATRIX_VALUES");
  expect((await failure(square([0, Number.NaN, Number.NaN, 0]))).code).toBe("MATRIX_VALUES");
  expect((await failure(() => DistanceMatrix.fromSquare(new Float64Array(4), ["a", "a"]))).code).toBe(
    "DUP_SAMPLE",
  );
  const [npy] = await writeDistances(`${tempFolder()}/d.npy`, matrix);
  const cut = fileOf("d.npy", readFileSync(npy!).subarray(0, 200));
  expect((await failure(() => readDistances(cut, { ids: matrix.ids }))).code).toBe("MATRIX_FORMAT");
  expect((await failure(() => readDistances(cut))).code).toBe("MATRIX_FORMAT");
  const tsv = fileOf("d.tsv", "\ta\tb\nb\t0\t1\na\t1\t0\n");
  expect((await failure(() => readDistances(tsv))).message).toMatch(/same names/);
  expect((await failure(() => writeDistances(`${tempFolder()}/d.xlsx`, matrix))).code).toBe("OPTION_CHOICE");
});

it("a large table comes in blocks of samples", async () => {
  using file = await openBiom(golden("table.biom"));
  expect([file.sampleIds.length, file.featureIds.length, file.nnz]).toEqual([14, 40, table.nnz]);
  const seen: string[] = [];
  let sum = 0;
  for await (const block of file.stream({ chunk: 5 })) {
    expect(block.sampleIds.length).toBeLessThanOrEqual(5);
    seen.push(...block.sampleIds);
    sum += block.totals().reduce((a, b) => a + b, 0);
  }
  expect(seen).toEqual(table.sampleIds);
  expect(sum).toBe(table.totals().reduce((a, b) => a + b, 0));
  expect((await failure(() => openBiom(golden("table.v1.biom")))).code).toBe("BIOM_FORMAT");
});

it("formats are told by content, not by name, and gzip is undone", async () => {
  const odd = fileOf("table.tsv", readFileSync(golden("table.biom")));
  expect((await readBiom(odd)).nnz).toBe(table.nnz);
  const zipped = fileOf("table.biom", gzipSync(readFileSync(golden("table.v1.biom"))));
  expect((await readBiom(zipped)).nnz).toBe(table.nnz);
  const newick = fileOf("tree.gz", gzipSync(readFileSync(golden("tree.nwk"))));
  expect((await readNewick(newick)).tips).toBe(tree.tips);
});

it("artefacts say what they are", async () => {
  const qza = await openQza(golden("table.qza"));
  expect([qza.type, qza.files]).toEqual(["FeatureTable[Frequency]", ["feature-table.biom"]]);
  expect((await failure(() => readNewick(golden("table.qza")))).code).toBe("QZA_TYPE");
  const bytes = readFileSync(golden("table.qza"));
  expect((await failure(() => openQza(fileOf("cut.qza", bytes.subarray(0, 1000))))).code).toBe("QZA_FORMAT");
});

it("the picture has a dot a sample and no surprises", async () => {
  const found = await pcoa(matrix);
  const values = found.ids.map((_, s) => (s % 2 ? "<gut>" : null));
  const svg = pcoaSvg(found, { colour: { kind: "categorical", values }, label: "site" });
  expect(svg.match(/<circle/g)).toHaveLength(14 + 1);
  expect(svg).not.toMatch(/NaN|undefined|<gut>/);
  const numbers = found.ids.map((_, s) => s);
  expect(pcoaSvg(found, { colour: { kind: "numeric", values: numbers } })).toMatch(/rgb\(33,59,110\)/);
  expect(found.toArrow().schema.fields[1]!.name).toBe("axis1");
});
