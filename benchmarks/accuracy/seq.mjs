// node benchmarks/accuracy/seq.mjs [sim|mouse] [seed...]: pretraining on the tree of ASVs, then fine-tuning on the training
// samples, beside the baselines on the same split; mean of the seeds (1, 2, 3), exit 1 below a floor. Epochs are fixed
// beforehand and the last one is kept: no test sample decides anything. About 70 s of CPU a seed.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  baseline,
  fineTune,
  joinMetadata,
  numericTarget,
  pretrain,
  readBiom,
  readFasta,
  readMetadata,
  readNewick,
  readSplit,
} from "@x/seq-model";
import { describeMachine } from "../lib/machine.mjs";
import { root } from "../lib/paths.mjs";

const SETS = {
  sim: {
    folder: "sim",
    column: "age",
    split: "split.tsv",
    transform: "zscore",
    epochs: 4,
    floors: { r2: 0.78 },
  },
  mouse: {
    folder: "mouse-f1000",
    column: "age_days",
    split: "split-by-host.tsv",
    transform: "log-zscore",
    epochs: 2,
    floors: { r2: 0.85, mae: 22.5 },
  },
};

const [name = "sim", ...given] = process.argv.slice(2);
const set = SETS[name];
const seeds = given.length > 0 ? given.map(Number) : [1, 2, 3];
const folder = join(process.env.X_SHARED ?? join(root, "../shared"), "data/seq", set?.folder ?? "");
if (!set || !existsSync(folder)) {
  console.error(set ? `the 16S data are not in ${folder}` : `sets: ${Object.keys(SETS).join(", ")}`);
  process.exit(2);
}

const split = await readSplit(join(folder, set.split));
const wanted = new Set([...split.train, ...split.test]);
const whole = await readBiom(join(folder, "table.biom"));
const { table, metadata } = joinMetadata(
  whole.select({ samples: whole.sampleIds.filter((id) => wanted.has(id)) }),
  await readMetadata(join(folder, "metadata.tsv")),
);
const tree = await readNewick(join(folder, "tree.nwk"));
const sequences = await readFasta(join(folder, "rep-seqs.fasta"));
const target = numericTarget(metadata, set.column);
const cpu = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;

const runs = [];
for (const seed of seeds) {
  const start = cpu();
  const common = { sequences, split, seed, threads: 1 };
  const { model: from } = await pretrain(table, tree, {
    ...common,
    model: { encoder: "generalized", nucleotides: false },
    training: {
      epochs: set.epochs,
      batchSize: 2,
      learningRate: 0.002,
      bestMetric: "last",
      losses: { phylogeny: 1, encoder: 0, nucleotide: 0 },
      device: "cpu",
    },
  });
  const { result } = await fineTune(table, {
    ...common,
    from,
    target,
    transform: set.transform,
    training: {
      freeze: "asvs",
      batchSize: 40,
      epochs: 20,
      learningRate: 1e-4,
      bestMetric: "last",
      device: "cpu",
    },
  });
  const { r2, mae } = result.history.at(-1).validation.scores;
  const begin = result.history[0].validation.scores;
  runs.push({ seed, r2, mae, r2BeforeFineTuning: begin.r2, cpuSeconds: Math.round(cpu() - start) });
  console.log(
    `${name}, seed ${seed}: R² ${r2.toFixed(3)} (${begin.r2.toFixed(3)} before fine-tuning), MAE ${mae.toFixed(2)}`,
  );
}
const mean = (key) => runs.reduce((sum, run) => sum + run[key], 0) / runs.length;
const baselines = (await baseline(table, target, split, { tree, seed: 0, threads: 1 })).results.map(
  ({ model, scores }) => ({ model, ...scores }),
);
const found = { r2: mean("r2"), mae: mean("mae") };
const misses = Object.entries(set.floors).filter(([key, floor]) =>
  key === "r2" ? found.r2 < floor : found.mae > floor,
);
const results = join(root, "benchmarks/results");
mkdirSync(results, { recursive: true });
const file = join(results, "accuracy-seq.json");
const earlier = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).sets : {};
const sets = { ...earlier, [name]: { split: set.split, floors: set.floors, mean: found, runs, baselines } };
writeFileSync(file, `${JSON.stringify({ machine: describeMachine({}), sets }, null, 2)}\n`);
console.log(
  `mean R² ${found.r2.toFixed(3)}, MAE ${found.mae.toFixed(2)}; floors ${JSON.stringify(set.floors)}`,
);
for (const { model, r2, mae } of baselines)
  console.log(`${model.padEnd(20)} R² ${r2.toFixed(3)}, MAE ${mae.toFixed(2)}`);
for (const [key] of misses) console.log(`✗ ${key} misses its floor`);
process.exit(misses.length > 0 ? 1 : 0);
