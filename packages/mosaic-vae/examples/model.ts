import { MosaicVAE, mock } from "@x/mosaic-vae";

const { dataset } = mock("bridge", { cells: 200 }); // RNA of some cells, ATAC of others, both of 5 %
await using model = await MosaicVAE.create(dataset, { model: { latent: 16 }, train: { epochs: 10 } });
await model.train(dataset);
const { mean, latent } = await model.embed(dataset);
const rna = await model.impute(dataset, "rna");
const { verdict } = await model.evaluate(dataset, { labels: "cluster" });
console.log(mean.length / latent, rna.features.length, verdict);
