// The steps of the sequence model at its default form, for the cuda check: pretraining on letters, clades and distances of
// samples, and fine-tuning of everything to a target. Numbers look random and are the same everywhere.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../lib/paths.mjs";

// The step alone, without what feeds it: not a door of the package.
const inner = (name) => import(pathToFileURL(join(root, `packages/seq-model/dist/${name}.js`)).href);
const { modelConfig } = await inner("model-config");
const { buildNetwork } = await inner("network");
const { asvWidth } = await inner("asv-encoder");

const [samples, slots, asvs, clades] = [8, 64, 256, 256];
const hash = (i, seed) => {
  const x = Math.sin(12.9898 * (i + 1) + 78.233 * seed) * 43758.5453;
  return x - Math.floor(x);
};
const numbers = (n, seed, of) => Float32Array.from({ length: n }, (_, i) => of(hash(i, seed), i));

function step(outputs, weights) {
  const config = modelConfig({ clades, distance: "shared", outputs });
  const model = buildNetwork(config, {
    part: "whole",
    weights,
    loss: { loss: "huber", overPenalty: 1, underPenalty: 1 },
    chunk: 32,
  });
  const width = asvWidth(config);
  const letters = numbers(asvs * width, 1, (u, i) => (i % width === 0 ? 5 : 1 + Math.floor(4 * u)));
  const scored = numbers(asvs * width, 2, (u, i) => (i % width !== 0 && u < 0.15 ? 1 : 0));
  const batch = {
    letters,
    scored,
    tokens: letters.map((t, i) => (scored[i] ? 6 : t)),
    index: numbers(samples * slots, 3, (u) => Math.floor(asvs * u)),
    counts: numbers(samples * slots, 4, (u) => 1 + Math.floor(100 * u * u)),
    mask: numbers(samples * slots, 5, (u) => (u < 0.8 ? 1 : 0)),
    weight: new Float32Array(samples).fill(1),
    known: new Float32Array(asvs).fill(1),
    cladeTargets: numbers(asvs * clades, 6, (u) => (u < 0.05 ? 1 : 0)),
    distances: numbers(samples * samples, 7, (_, i) => {
      const [a, b] = [Math.floor(i / samples), i % samples];
      return a === b ? 0 : 0.5 + 0.3 * hash(a * b + a + b, 8);
    }),
    target: numbers(samples, 9, (u) => 2 * u - 1),
  };
  const used = Object.fromEntries(Object.keys(model.inputs).map((name) => [name, batch[name]]));
  return { model, batch: used, dims: { samples, slots, asvs } };
}

/** Hidden letters, memberships in clades, distances of samples. */
export const pretraining = () => step(0, { target: 0, count: 0, encoder: 1, nucleotide: 1, clades: 1 });

/** A target alone, through all levels. */
export const fineTuning = () => step(1, { target: 1, count: 0, encoder: 0, nucleotide: 0 });
