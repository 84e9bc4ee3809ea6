// 100,000 cells streamed from a file: the memory it takes does not grow with the file.
import { spawnSync } from "node:child_process";
import { beforeAll, expect, it } from "vitest";
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

const path = at.path("large.h5ad");
beforeAll(async () => {
  const cellIds = Array.from({ length: CELLS }, (_, i) => `cell${i}`);
  await writeH5ad(path, { cellIds, varNames: rna.features, X: rna });
}, 1_800_000);

function runScript(script: string): { seen: number; peak: number } {
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    cwd: import.meta.dirname,
  });
  console.log(run.stdout.trim(), run.stderr);
  return JSON.parse(run.stdout);
}

it("embedding 100,000 cells from a file: below 700 MB, and the same however many cells go at once", () => {
  const script = `
    import { MosaicVAE, readH5ad } from "@x/mosaic-vae";
    await using cells = await readH5ad(${JSON.stringify(path)});
    await using model = await MosaicVAE.create(cells, { train: { device: "cpu" } }, { threads: 1 });
    const { mean, latent } = await model.embed(cells);
    const other = await model.embed(cells, { batchSize: 300 });
    let far = 0;
    for (let i = 0; i < mean.length; i++) far = Math.max(far, Math.abs(mean[i] - other.mean[i]));
    if (far > 1e-5) throw new Error("embeddings differ by " + far);
    console.log(JSON.stringify({ seen: mean.length / latent, peak: process.resourceUsage().maxRSS * 1024, cpu: process.cpuUsage() }));
  `;
  const { seen, peak } = runScript(script);
  expect(seen).toBe(CELLS);
  expect(peak).toBeLessThan(700e6);
});

it("100,000 cells × 2,000 genes: an epoch of batches below 700 MB, the matrices alone are 240 MB", () => {
  const script = `
    import { batches, readH5ad } from "@x/mosaic-vae";
    await using cells = await readH5ad(${JSON.stringify(path)});
    const source = await batches(cells, { shuffle: true, cache: "stream", counts: ["rna"] });
    let seen = 0, sum = 0;
    for await (const b of source.epoch(0)) { seen += b.rows.length; sum += b.modalities.rna.library[0]; }
    console.log(JSON.stringify({ seen, peak: process.resourceUsage().maxRSS * 1024, cpu: process.cpuUsage() }));
  `;
  const { seen, peak } = runScript(script);
  expect(seen).toBe(CELLS);
  expect(peak).toBeLessThan(700e6);
});
