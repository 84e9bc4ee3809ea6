// Every array and matrix of every file as h5py reads it; golden/digest.py made the digests.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openHdf5 } from "../src/hdf5/open.ts";
import { csrToDense } from "../src/index.ts";
import { openMatrix } from "../src/matrix.ts";
import { isTexts, type Values } from "../src/tree.ts";
import { bytes, failure, GOLDEN, SHARED, sha } from "./support.ts";

interface Digest {
  arrays: Record<string, { shape: number[]; values: string | Record<string, string> }>;
  matrices: Record<string, string>;
}

const digests = (name: string): Record<string, Digest> =>
  JSON.parse(readFileSync(join(GOLDEN, name), "utf8"));
const digest = (values: Values): string =>
  isTexts(values) ? sha(values.join("\n")) : sha(bytes(Float64Array.from(values as Float64Array, Number)));

async function check(path: string, wanted: Digest): Promise<void> {
  await using tree = await openHdf5(path);
  for (const [name, { shape, values }] of Object.entries(wanted.arrays)) {
    const node = await tree.root.get(name);
    if (node?.type !== "array") throw new Error(`${name} is no array`);
    expect([name, node.shape]).toEqual([name, shape]);
    if (typeof values === "string") expect([name, digest(await node.read())]).toEqual([name, values]);
    else
      for (const [field, value] of Object.entries(values))
        expect([name, field, digest(await node.readField(field))]).toEqual([name, field, value]);
  }
  for (const [name, value] of Object.entries(wanted.matrices)) {
    const matrix = await openMatrix(tree, (await tree.root.get(name))!);
    // In pieces that fit no chunk.
    const parts: Float32Array[] = [];
    const step = Math.max(7, Math.ceil(matrix.rows / 5));
    for (let i = 0; i < matrix.rows; i += step)
      parts.push(csrToDense(await matrix.read(i, Math.min(matrix.rows, i + step))));
    expect([name, sha(Buffer.concat(parts.map(bytes)))]).toEqual([name, value]);
  }
}

describe("our files", () => {
  for (const [name, wanted] of Object.entries(digests("digest.json")))
    it(name, () => check(join(GOLDEN, name), wanted));
});

describe.skipIf(!existsSync(SHARED))("reference data", () => {
  const all = digests("shared-digest.json");
  const where = (name: string): string =>
    ["", "formats", "presets"].map((f) => join(SHARED, f, name)).find(existsSync) ?? name;
  for (const [name, wanted] of Object.entries(all)) it(name, () => check(where(name), wanted));
  it("all 13 formats are among them", () => {
    const formats = Object.keys(all).filter((name) => existsSync(join(SHARED, "formats", name)));
    expect(formats.length).toBe(13);
  });
});

it("attributes of old and new files; a link inside the file", async () => {
  for (const name of ["styles-old.h5", "styles-18.h5", "styles-new.h5"]) {
    await using tree = await openHdf5(join(GOLDEN, name));
    const many = await tree.root.get("many");
    const attributes = await many!.attributes();
    expect(Object.keys(attributes).length).toBe(12);
    expect(Number(attributes.attribute11)).toBe(11);
    const soft = await tree.root.get("soft");
    expect(soft?.type === "array" && Array.from((await soft.read()) as BigInt64Array, Number)).toEqual([
      0, 1, 2, 3, 4, 5, 6,
    ]);
  }
});

it("zstd is read exactly, a filter we do not know fails by name before anything is read", async () => {
  await using zstd = await openHdf5(join(GOLDEN, "zstd.h5"));
  const x = await zstd.root.get("x");
  expect(x?.type === "array" && Array.from((await x.read()) as BigInt64Array, Number)).toEqual(
    Array.from({ length: 1000 }, (_, i) => i),
  );
  await using blosc = await openHdf5(join(GOLDEN, "blosc.h5"));
  const y = await blosc.root.get("x");
  if (y?.type !== "array") throw new Error("x is no array");
  const e = await failure(y.read());
  expect([e.code, e.message]).toEqual(["HDF5_FILTER", expect.stringMatching(/\/x .*blosc/)]);
});
