// node benchmarks/neural/anchor.mjs FOLDER [EPOCHS]: the anchor with @x/mosaic-vae, one thread, prints one line of JSON.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MosaicVAE, mosaicDataset } from "@x/mosaic-vae";

const [folder, epochs = "3"] = process.argv.slice(2);
const BATCH = 256;
const array = (Type, file) => {
  const bytes = readFileSync(join(folder, file));
  return new Type(bytes.buffer, bytes.byteOffset, bytes.length / 4);
};
const block = (name, columns) => {
  const indptr = array(Int32Array, `${name}.indptr`);
  const [indices, values] = [array(Int32Array, `${name}.indices`), array(Float32Array, `${name}.values`)];
  return { rows: indptr.length - 1, columns, indptr, indices, values };
};
const names = (letter, n) => Array.from({ length: n }, (_, i) => `${letter}${i}`);
const rna = block("rna", 2000);
const dataset = mosaicDataset({
  cellIds: names("c", rna.rows),
  modalities: {
    rna: { features: names("g", 2000), values: rna },
    atac: { features: names("p", 5000), values: block("atac", 5000) },
  },
});
const config = {
  model: {
    latent: 20,
    hidden: [128, 128],
    layerNorm: false,
    dropout: 0,
    modalities: { rna: { input: "log1p" }, atac: { weight: 1, expertWeight: 1 } },
  },
  loss: { beta: 1, paired: { kind: "none" }, modalityDropout: 0 },
  train: {
    epochs: Number(epochs) + 1,
    batchSize: BATCH,
    validation: 0,
    patience: 0,
    learningRate: 1e-3,
    rateSchedule: "constant",
    clip: 0,
    device: "cpu",
  },
};
await using model = await MosaicVAE.create(dataset, config, { threads: 1 });
let last = process.cpuUsage();
const cpus = [];
// Without validation a tracker hears of each epoch at its end.
const clock = {
  log() {
    const { user, system } = process.cpuUsage(last);
    last = process.cpuUsage();
    cpus.push((user + system) / 1e6);
  },
  close() {},
};
const { history } = await model.train(dataset, { trackers: [clock] });
const rest = cpus.slice(1).sort((a, b) => a - b);
const cells = Math.floor(rna.rows / BATCH) * BATCH;
console.log(
  JSON.stringify({
    cellsPerCpuSecond: cells / rest[rest.length >> 1],
    cpus,
    peak: process.resourceUsage().maxRSS * 1024,
    losses: history.map(({ loss }) => loss),
  }),
);
