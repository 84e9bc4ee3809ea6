// node peak.mjs JSON: trains two steps on a made-up table of the sizes given and prints the process's peak memory beside
// the formula's, as JSON. A process of its own, since a peak never falls.
import { pathToFileURL } from "node:url";

const inner = (name) =>
  import(pathToFileURL(new URL(`../../dist/${name}.js`, import.meta.url).pathname).href);
const { FeatureTable, parseTree, pretrain } = await inner("index");
const { stepBytes } = await inner("training-memory");
const { samples, slots, features, letters, model, training } = JSON.parse(process.argv[2]);

const word = (f) =>
  Array.from(
    { length: letters },
    (_, k) => "ACGT"[(f * 7 + k * (3 + (f % 11)) + ((f >> (k % 9)) & 3)) & 3],
  ).join("");
const featureIds = Array.from({ length: features }, (_, f) => `f${f}`);
const sequences = { ids: featureIds, sequences: featureIds.map((_, f) => word(f)), path: "made up" };
const steps = 2;
const rows = Array.from({ length: steps * samples }, (_, s) =>
  Uint32Array.from(new Set(Array.from({ length: slots }, (_, k) => (s * 131 + k * 17) % features))).sort(),
);
const indptr = Float64Array.from([
  0,
  ...rows.map(
    (
      (total) => (row) =>
        (total += row.length)
    )(0),
  ),
]);
const table = new FeatureTable({
  sampleIds: rows.map((_, s) => `s${s}`),
  featureIds,
  indptr,
  indices: Uint32Array.from(rows.flatMap((row) => Array.from(row))),
  values: new Float64Array(indptr.at(-1)).fill(3),
});
// A comb of pairs: deep enough for clades of every size.
let text = featureIds[0];
for (let f = 1; f < features; f++)
  text = f % 2 ? `(${text}:1,${featureIds[f]}:1)` : `(${featureIds[f]}:0.5,${text}:1)`;
const { model: made } = await pretrain(table, parseTree(`${text};`), {
  sequences,
  threads: 1,
  split: { train: table.sampleIds, test: [], how: "all" },
  model,
  training: { epochs: 1, batchSize: samples, bestMetric: "last", device: "cpu", synthetic: 0, ...training },
});
const peak = process.resourceUsage().maxRSS * 1024;
const union = new Set(rows.slice(0, samples).flatMap((row) => Array.from(row))).size;
const most = Math.max(...rows.map((row) => row.length));
const planned = stepBytes(made.facts.config, {
  samples,
  asvs: union,
  slots: most,
  chunk: made.facts.training.chunk,
  keep: made.facts.training.keep,
});
console.log(JSON.stringify({ peak, planned, asvs: union, slots: most }));
await made[Symbol.asyncDispose]();
