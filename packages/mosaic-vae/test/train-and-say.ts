// node train-and-say.ts FOLDER: trains, or goes on where the folder was left; says "go" once it trains. Killed by tests.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { MosaicVAE, mock } from "../src/index.ts";

const out = process.argv[2]!;
const { dataset } = mock("mosaic", { cells: 90, features: { rna: 20, atac: 25, adt: 5 }, seed: 5 });
const config = {
  model: { latent: 4, hidden: [12] },
  train: {
    epochs: 60,
    batchSize: 16,
    device: "cpu",
    checkpointEvery: 1,
    stepsPerCall: 3,
    patience: 0,
    seed: 7,
  },
};
await using model = await MosaicVAE.create(dataset, config, { threads: 1 });
const resume = existsSync(join(out, "last.safetensors"));
let said = false;
await model.train(dataset, {
  out,
  resume,
  onProgress: () => {
    if (!said) process.stdout.write("go\n");
    said = true;
  },
});
