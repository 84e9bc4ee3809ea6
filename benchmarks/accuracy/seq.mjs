// node benchmarks/accuracy/seq.mjs [sim|mouse] [seed...]: pretraining on the tree, then fine-tuning on the training samples,
// beside the baselines on the same split; mean of the seeds (1, 2, 3), exit 1 below a floor. The scale of the target is
// chosen by folds of the training samples (of hosts, where these repeat), epochs are fixed beforehand and the last one is
// kept: test samples are looked at once, when all is done.
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
    epochs: 4,
    floors: { r2: 0.78 },
  },
  mouse: {
    folder: "mouse-f1000",
    column: "age_days",
    split: "split-by-host.tsv",
    group: "host_subject_id",
    epochs: 3,
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

const groups = set.group && metadata.column(set.group).values.map(String);
const places = new Map(table.sampleIds.map((id, s) => [id, s]));

/** Three folds of the training samples: whole groups where there are any, dealt out in turn, largest first. */
function foldsOf(ids) {
  const unitOf = (id) => (groups ? groups[places.get(id)] : id);
  const units = Map.groupBy(ids, unitOf);
  const sorted = [...units].sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1));
  return [0, 1, 2].map((fold) => {
    const out = new Set(sorted.filter((_, k) => k % 3 === fold).map(([unit]) => unit));
    const test = ids.filter((id) => out.has(unitOf(id)));
    return { train: ids.filter((id) => !out.has(unitOf(id))), test, how: `fold ${fold}` };
  });
}

/** R² and mean absolute error of a model on samples. */
async function scoresOf(model, samples) {
  const { values } = await model.predictTable(table.select({ samples }), { sequences });
  return scores(samples, values);
}

function scores(samples, said) {
  const truth = samples.map((id) => target.values[places.get(id)]);
  const middle = truth.reduce((a, b) => a + b, 0) / truth.length;
  const sum = (of) => truth.reduce((total, y, i) => total + of(y, said[i]), 0);
  const sse = sum((y, f) => (y - f) ** 2);
  return {
    r2: 1 - sse / sum((y) => (y - middle) ** 2),
    mae: sum((y, f) => Math.abs(y - f)) / truth.length,
    sse,
  };
}

async function tuned(from, part, transform, seed) {
  const { model, result } = await fineTune(table, {
    sequences,
    seed,
    threads: 1,
    from,
    target,
    transform,
    // Samples to judge by come later: nothing here depends on them.
    split: { ...part, test: [] },
    ...(groups && { leaveOut: groups }),
    training: {
      freeze: "base",
      batchSize: 40,
      epochs: 20,
      learningRate: 1e-4,
      bestMetric: "last",
      device: "cpu",
    },
  });
  return { model, result };
}

/** The scale whose errors of samples left out, mean absolute and root mean square, have the smallest sum. */
async function chosen(from, seed) {
  for (const kind of ["zscore", "sqrt-zscore", "log-zscore"]) {
    let [absolute, squares] = [0, 0];
    for (const fold of foldsOf(split.train)) {
      const { model } = await tuned(from, fold, kind, seed);
      const { mae, sse } = await scoresOf(model, fold.test);
      absolute += mae * fold.test.length;
      squares += sse;
      await model[Symbol.asyncDispose]();
    }
    const n = split.train.length;
    folds[kind] = { mae: absolute / n, rmse: Math.sqrt(squares / n) };
    console.log(`${kind}, folds of the training samples: ${JSON.stringify(folds[kind])}`);
  }
  const sum = ([, { mae, rmse }]) => mae + rmse;
  return Object.entries(folds).sort((a, b) => sum(a) - sum(b))[0][0];
}

const folds = {};
let transform;
const runs = [];
for (const seed of seeds) {
  const start = cpu();
  const { model: from } = await pretrain(table, tree, {
    sequences,
    seed,
    threads: 1,
    split: { train: split.train, test: [], how: set.split },
    model: { encoder: "unifrac", nucleotides: false },
    training: {
      epochs: set.epochs,
      batchSize: 2,
      learningRate: 0.003,
      bestMetric: "last",
      losses: { encoder: 0.05, phylogeny: 0 },
      device: "cpu",
    },
  });
  // The same samples whatever the seed: the first one chooses for all.
  transform ??= await chosen(from, seed);
  const { model } = await tuned(from, split, transform, seed);
  const { r2, mae } = await scoresOf(model, [...split.test]);
  await model[Symbol.asyncDispose]();
  runs.push({ seed, r2, mae, cpuSeconds: Math.round(cpu() - start) });
  console.log(`${name}, seed ${seed}: R² ${r2.toFixed(3)}, MAE ${mae.toFixed(2)} (${transform})`);
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
const sets = {
  ...earlier,
  [name]: { split: set.split, floors: set.floors, mean: found, transform, folds, runs, baselines },
};
writeFileSync(file, `${JSON.stringify({ machine: describeMachine({}), sets }, null, 2)}\n`);
console.log(
  `mean R² ${found.r2.toFixed(3)}, MAE ${found.mae.toFixed(2)}; floors ${JSON.stringify(set.floors)}`,
);
for (const { model, r2, mae } of baselines)
  console.log(`${model.padEnd(20)} R² ${r2.toFixed(3)}, MAE ${mae.toFixed(2)}`);
for (const [key] of misses) console.log(`✗ ${key} misses its floor`);
process.exit(misses.length > 0 ? 1 : 0);
