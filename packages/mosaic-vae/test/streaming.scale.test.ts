// 100,000 cells streamed from a file: the memory it takes does not grow with the file.
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { writeH5ad } from "../src/index.ts";
import { folder } from "./support.ts";

const at = folder();
const CELLS = 100_000;
const GENES = 2000;
const PER_CELL = 300;

/** Rows with 300 values each, a block at a time. */
const rna = {
  name: "rna",
  kind: "rna" as const,
  features: Array.from({ length: GENES }, (_, j) => `g${j}`),
  available: new Uint8Array(CELLS).fill(1),
  rows: async (start: number, end: number) => {
    const rows = end - start;
    const indptr = Int32Array.from({ length: rows + 1 }, (_, i) => i * PER_CELL);
    const indices = Int32Array.from({ length: rows * PER_CELL }, (_, k) => {
      const [row, j] = [Math.floor(k / PER_CELL), k % PER_CELL];
      return Math.floor((j * GENES) / PER_CELL) + ((start + row) % 6);
    });
    const values = Float32Array.from(indices, (v, k) => 1 + ((v * 7 + k) % 5));
    return { rows, columns: GENES, indptr, indices, values };
  },
};

it("100,000 cells × 2,000 genes: an epoch of batches below 700 MB, the matrices alone are 240 MB", async () => {
  const path = at.path("large.h5ad");
  const cellIds = Array.from({ length: CELLS }, (_, i) => `cell${i}`);
  await writeH5ad(path, { cellIds, varNames: rna.features, X: rna });
  const script = `
    import { batches, readH5ad } from "@x/mosaic-vae";
    await using cells = await readH5ad(${JSON.stringify(path)});
    const source = await batches(cells, { shuffle: true, cache: "stream", counts: ["rna"] });
    let seen = 0, sum = 0;
    for await (const b of source.epoch(0)) { seen += b.rows.length; sum += b.modalities.rna.library[0]; }
    console.log(JSON.stringify({ seen, peak: process.resourceUsage().maxRSS * 1024, cpu: process.cpuUsage() }));
  `;
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    cwd: import.meta.dirname,
  });
  const { seen, peak } = JSON.parse(run.stdout);
  console.log(run.stdout.trim());
  expect(seen).toBe(CELLS);
  expect(peak).toBeLessThan(700e6);
});
