// node train-step.mjs DATA.json STEPS CHUNK: times the training step of a network on a batch, prints one line of JSON.
// Chunks of ASVs are computed again in the backward pass; 0 keeps all in memory.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { adamW, compile } from "@x/onnx-train";
import { root } from "../lib/paths.mjs";

// The step alone, without what feeds it: not a door of the package.
const inner = (name) => import(pathToFileURL(join(root, `packages/seq-model/dist/${name}.js`)).href);
const { AAM_CONFIG, modelConfig } = await inner("model-config");
const { buildNetwork } = await inner("network");

const [path, steps, chunk] = process.argv.slice(2);
const data = JSON.parse(readFileSync(path, "utf8"));
const { samples, slots, dim } = data;
const config = modelConfig({
  ...AAM_CONFIG,
  dim,
  dropout: 0,
  countEmbedding: "add",
  countPrediction: false,
  targetFrom: "embedding",
  targetLayerNorm: false,
  layers: { asv: data.layers.asv, sample: data.layers.sample, encoder: 0, count: 0, target: 0 },
  outputs: 1,
});
const model = buildNetwork(config, {
  part: "whole",
  weights: { target: 1, count: 0, encoder: 1, nucleotide: 1 },
  loss: { loss: "huber", overPenalty: 1, underPenalty: 1 },
  chunk: Number(chunk),
});
const batch = {
  tokens: data.tokens,
  letters: data.letters,
  scored: data.tokens.map((t) => (t === 6 ? 1 : 0)),
  index: data.index,
  mask: data.mask,
  counts: data.counts,
  weight: new Float32Array(samples).fill(1),
  positions: Array.from({ length: slots }, (_, i) => i),
  distances: data.distances,
  target: data.target,
};
const asvs = data.tokens.length / data.width;
const trainer = await compile(model, {
  dims: { samples, slots, asvs },
  device: "cpu",
  threads: 1,
  optimizer: adamW({ lr: 1e-4 }),
});
for await (const _ of trainer.run([batch]));
const before = process.cpuUsage();
let loss = 0;
for await (const step of trainer.run(Array(Number(steps)).fill(batch))) loss = step.loss;
const { user, system } = process.cpuUsage(before);
const peak = process.resourceUsage().maxRSS * 1024;
const cpu = (user + system) / 1e6 / Number(steps);
console.log(JSON.stringify({ cpu, peak, parameters: trainer.size, loss }));
await trainer[Symbol.asyncDispose]();
