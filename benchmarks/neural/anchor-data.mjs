// The cells of the anchor: 5,000 with 2,000 genes (density about 0.32) and 5,000 peaks (about 0.09), as compressed rows
// for both programs. node benchmarks/neural/anchor-data.mjs FOLDER [CELLS]
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "@x/core/base";

const TYPES = 10;
const [folder, cells = "5000"] = process.argv.slice(2);
const sizes = { rna: 2000, atac: 5000 };

/** Knuth's Poisson; the means here are small. */
function poisson(random, mean) {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let p = 1 - random.uniform(); p > limit; p *= 1 - random.uniform()) count++;
  return count;
}

mkdirSync(folder, { recursive: true });
for (const [name, features] of Object.entries(sizes)) {
  const rates = new Random(1, name === "rna" ? 1n : 2n);
  const level = Array.from({ length: features }, () => Math.exp(1.2 * rates.normal()));
  const types = Array.from({ length: TYPES }, () => level.map((v) => v * Math.exp(0.8 * rates.normal())));
  const indptr = Int32Array.from({ length: Number(cells) + 1 }, () => 0);
  const indices = [];
  const values = [];
  for (let i = 0; i < Number(cells); i++) {
    const random = new Random(name === "rna" ? 3 : 4, BigInt(i));
    const mean = types[i % TYPES];
    for (let j = 0; j < features; j++) {
      const x =
        name === "rna"
          ? poisson(random, 0.28 * mean[j])
          : Number(random.uniform() < 1 - Math.exp(-0.045 * mean[j]));
      if (x === 0) continue;
      indices.push(j);
      values.push(x);
    }
    indptr[i + 1] = indices.length;
  }
  writeFileSync(join(folder, `${name}.indptr`), indptr);
  writeFileSync(join(folder, `${name}.indices`), Int32Array.from(indices));
  writeFileSync(join(folder, `${name}.values`), Float32Array.from(values));
  console.log(`${name}: density ${(indices.length / Number(cells) / features).toFixed(3)}`);
}
