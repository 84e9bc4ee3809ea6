import { batches, mock, readH5ad, splitCells, writeMock } from "@x/mosaic-vae";

const path = process.argv[2] ?? "bridge.h5ad";
await writeMock(path, mock("bridge", { seed: 7 })); // RNA of some cells, ATAC of others, both of a few

await using cells = await readH5ad(path, undefined, { batchKey: "batch" });
for (const { name, features, available } of cells.modalities.values())
  console.log(
    `${name}: ${available.filter((a) => a === 1).length} of ${cells.cells} cells, ${features.length} features`,
  );

const { train } = splitCells(cells, { valid: 0.1 });
const source = await batches(cells, { split: train, shuffle: true, counts: ["rna"] });
for await (const { rows, modalities, batch } of source.epoch(0))
  console.log(rows.length, modalities.rna?.block.values.length, modalities.rna?.library[0], batch[0]);
