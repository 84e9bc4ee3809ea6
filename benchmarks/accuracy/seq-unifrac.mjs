// node benchmarks/accuracy/seq-unifrac.mjs [seed...]: unweighted UniFrac of the simulated test samples from embeddings of
// a network that saw the sequences, the tree and the training samples, and communities made of them; R² over all pairs of
// test samples, mean of the seeds (1, 2, 3), exit 1 below 0.9. Epochs are fixed beforehand and the last one is kept.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pretrain, readBiom, readFasta, readNewick, readSplit, unifrac } from "@x/seq-model";
import { describeMachine } from "../lib/machine.mjs";
import { root } from "../lib/paths.mjs";

const FLOOR = 0.9;
const folder = join(process.env.X_SHARED ?? join(root, "../shared"), "data/seq/sim");
if (!existsSync(folder)) {
  console.error(`the 16S data are not in ${folder}`);
  process.exit(2);
}
const seeds = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1, 2, 3];
const { train, test } = await readSplit(join(folder, "split.tsv"));
const table = await readBiom(join(folder, "table.biom"));
const tree = await readNewick(join(folder, "tree.nwk"));
const sequences = await readFasta(join(folder, "rep-seqs.fasta"));
const judged = table.select({ samples: test });
using exact = await unifrac(judged, tree, { metric: "unweighted" });
const truth = exact.toArray();
const cpu = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;

/** R² and root mean square error over pairs of different samples. */
function scores(found) {
  const n = test.length;
  const pairs = Array.from(truth, (_, i) => i).filter((i) => Math.floor(i / n) < i % n);
  const mean = pairs.reduce((sum, i) => sum + truth[i], 0) / pairs.length;
  const sse = pairs.reduce((sum, i) => sum + (found[i] - truth[i]) ** 2, 0);
  const sst = pairs.reduce((sum, i) => sum + (truth[i] - mean) ** 2, 0);
  return { r2: 1 - sse / sst, rmse: Math.sqrt(sse / pairs.length), pairs: pairs.length };
}

const runs = [];
for (const seed of seeds) {
  const start = cpu();
  const { model, result } = await pretrain(table, tree, {
    sequences,
    seed,
    threads: 1,
    split: { train, test: [], how: "sim/split.tsv" },
    model: { encoder: "unifrac", nucleotides: false },
    training: {
      epochs: 4,
      batchSize: 2,
      learningRate: 0.003,
      bestMetric: "last",
      losses: { encoder: 0.05, phylogeny: 0 },
      device: "cpu",
    },
  });
  const { embeddings } = await model.predictTable(judged, { sequences });
  const run = { seed, ...scores(model.distances(embeddings)), cpuSeconds: Math.round(cpu() - start) };
  runs.push({ ...run, losses: result.history.at(-1).parts });
  console.log(`seed ${seed}: R² ${run.r2.toFixed(3)}, RMSE ${run.rmse.toFixed(4)}, ${run.cpuSeconds} CPU s`);
  await model[Symbol.asyncDispose]();
}
const r2 = runs.reduce((sum, run) => sum + run.r2, 0) / runs.length;
const results = join(root, "benchmarks/results");
mkdirSync(results, { recursive: true });
writeFileSync(
  join(results, "accuracy-seq-unifrac.json"),
  `${JSON.stringify({ machine: describeMachine({}), floor: FLOOR, r2, runs }, null, 2)}\n`,
);
console.log(`mean R² ${r2.toFixed(3)}, floor ${FLOOR}`);
if (r2 < FLOOR) console.log("✗ below its floor");
process.exit(r2 < FLOOR ? 1 : 0);
