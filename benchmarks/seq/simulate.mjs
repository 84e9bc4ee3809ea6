import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Random } from "@x/core/base";
import { root } from "../lib/paths.mjs";

/** A dependency of the package, not of the benchmarks. */
const H5WASM = join(root, "packages/seq-model/node_modules/h5wasm/dist/node/hdf5_hl.js");

/**
 * A table of samples that draw from a common pool and one of ten habitats, on a random tree: `<prefix>.biom` (BIOM 2.1)
 * and `<prefix>.nwk`. About `richness` features a sample.
 */
export async function simulateTable(prefix, { samples, features = 4000, richness = 364, seed = 1 }) {
  const random = new Random(seed, 0);
  let parts = Array.from({ length: features }, (_, f) => `f${f}:${(0.05 * random.uniform()).toFixed(6)}`);
  while (parts.length > 1) {
    const next = [];
    for (let i = 0; i + 1 < parts.length; i += 2) {
      const length = (0.03 * random.uniform()).toFixed(6);
      next.push(
        parts.length > 2 ? `(${parts[i]},${parts[i + 1]}):${length}` : `(${parts[i]},${parts[i + 1]})`,
      );
    }
    if (parts.length % 2) next.push(parts.at(-1));
    parts = random.shuffle(next);
  }
  writeFileSync(`${prefix}.nwk`, `${parts[0]};\n`);
  const [indptr, indices, data] = [[0], [], []];
  for (let s = 0; s < samples; s++) {
    const own = new Random(seed, s + 1);
    for (let f = 0; f < features; f++) {
      const home = f % 11 === 10 || f % 11 === s % 10;
      if (own.uniform() >= (home ? 4.2 : 0.45) * (richness / features)) continue;
      indices.push(f);
      data.push(Math.ceil(Math.exp(3 * Math.abs(own.normal()))));
    }
    indptr.push(data.length);
  }
  await writeBiom(`${prefix}.biom`, { samples, features, indptr, indices, data });
}

async function writeBiom(path, { samples, features, indptr, indices, data }) {
  const { default: h5wasm } = await import(pathToFileURL(H5WASM).href);
  await h5wasm.ready;
  const file = new h5wasm.File(path, "w");
  const attribute = (name, value, ...more) => file.create_attribute(name, value, ...more);
  attribute("id", "simulated");
  attribute("type", "OTU table");
  attribute("format-url", "http://biom-format.org");
  attribute("generated-by", "simulate.mjs");
  attribute("creation-date", "2026-01-01T00:00:00");
  attribute("format-version", [2, 1], [2], "<i");
  attribute("shape", [features, samples], [2], "<i");
  attribute("nnz", data.length, [], "<i");
  const names = (letter, n) => Array.from({ length: n }, (_, i) => `${letter}${i}`);
  const write = (axis, ids, matrix) => {
    const group = file.create_group(axis);
    group.create_dataset({ name: "ids", data: ids, dtype: "S" });
    for (const room of ["metadata", "group-metadata"]) group.create_group(room);
    const to = group.create_group("matrix");
    to.create_dataset({ name: "data", data: Float64Array.from(matrix.data), dtype: "<d" });
    to.create_dataset({ name: "indices", data: Int32Array.from(matrix.indices), dtype: "<i" });
    to.create_dataset({ name: "indptr", data: Int32Array.from(matrix.indptr), dtype: "<i" });
  };
  write("sample", names("S", samples), { indptr, indices, data });
  write("observation", names("f", features), transpose({ indptr, indices, data }, features));
  file.close();
}

function transpose({ indptr, indices, data }, features) {
  const rows = Array.from({ length: features }, () => []);
  for (let s = 0; s + 1 < indptr.length; s++) {
    for (let at = indptr[s]; at < indptr[s + 1]; at++) rows[indices[at]].push([s, data[at]]);
  }
  const starts = [0];
  for (const row of rows) starts.push(starts.at(-1) + row.length);
  return {
    indptr: starts,
    indices: rows.flatMap((r) => r.map((e) => e[0])),
    data: rows.flatMap((r) => r.map((e) => e[1])),
  };
}
