// node benchmarks/accuracy/mosaic.mjs [seed...]: the SNARE-seq cortex made mosaic, beside SVD + kNN and LSI + kNN on the
// same cells; mean of the seeds (1, 2, 3), exit 1 below a floor. About a minute of CPU a seed. The defaults of the package were
// chosen on cells that train here, with another seed (docs/design/mosaic-vae.md).
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Random } from "@x/core/base";
import {
  auroc,
  csrToDense,
  log1p,
  lsi,
  MosaicVAE,
  matching,
  mosaicDataset,
  mostFound,
  normalizeTotal,
  pearson,
  readH5ad,
  scoreLabels,
  selectFeatures,
  splitCells,
  transferLabels,
  truncatedSvd,
} from "@x/mosaic-vae";
import { describeMachine } from "../lib/machine.mjs";
import { root } from "../lib/paths.mjs";

const run = promisify(execFile);
const PEAKS = 5000;
const TEST = 0.2;
/** The defaults of the package. */
const CONFIG = { train: { device: "cpu" } };

/** The cells with a label, their 5,000 commonest peaks, which of them train, and the labels. */
async function cortex(file) {
  const whole = await readH5ad(file, { rna: "X", atac: "obsm/X_atac" });
  const label = whole.obs.getChild("cell_type");
  const rows = Int32Array.from({ length: whole.cells }, (_, i) => i).filter((i) => label.get(i) !== "Mis");
  const labels = Array.from(rows, (i) => String(label.get(i)));
  const [rna, atac] = [await dense(whole, "rna", rows), await dense(whole, "atac", rows)];
  const cellIds = Array.from(rows, (i) => whole.cellIds[i]);
  const all = mosaicDataset({ cellIds, modalities: { rna, atac } });
  const { train, test } = splitCells(all, { valid: 0, test: TEST, seed: 0 });
  const part = (some) => subset({ cellIds, modalities: { rna, atac } }, some);
  const chosen = await mostFound(part(train).modalities.get("atac"), PEAKS);
  return { all: selectFeatures(all, { atac: chosen }), labels, train, test };
}

async function dense(dataset, name, rows) {
  const modality = dataset.modalities.get(name);
  const block = await modality.rows(0, dataset.cells);
  return { kind: modality.kind, features: modality.features, values: gather(block, rows) };
}

function gather(block, rows) {
  const indptr = new Int32Array(rows.length + 1);
  rows.forEach((row, i) => {
    indptr[i + 1] = indptr[i] + block.indptr[row + 1] - block.indptr[row];
  });
  const indices = new Int32Array(indptr[rows.length]);
  const values = new Float32Array(indices.length);
  rows.forEach((row, i) => {
    indices.set(block.indices.subarray(block.indptr[row], block.indptr[row + 1]), indptr[i]);
    values.set(block.values.subarray(block.indptr[row], block.indptr[row + 1]), indptr[i]);
  });
  return { rows: rows.length, columns: block.columns, indptr, indices, values };
}

/** Some cells; `has` says which modalities they keep. */
function subset({ cellIds, modalities }, rows, has) {
  return mosaicDataset({
    cellIds: Array.from(rows, (i) => cellIds[i]),
    modalities: Object.fromEntries(
      Object.entries(modalities).map(([name, m]) => [
        name,
        {
          ...m,
          values: gather(m.values, rows),
          ...(has && { available: rows.map((_, i) => (has(i, name) ? 1 : 0)) }),
        },
      ]),
    ),
  });
}

const points = (values, dimensions) => ({ values, count: values.length / dimensions, dimensions });
const pickRows = (values, rows, d) => {
  const out = new Float32Array(rows.length * d);
  rows.forEach((row, i) => {
    out.set(values.subarray(row * d, (row + 1) * d), i * d);
  });
  return points(out, d);
};

async function baselines({ all, labels, train, test }) {
  const fit = new Uint8Array(all.cells);
  for (const row of train) fit[row] = 1;
  const svd = await truncatedSvd(all.modalities.get("rna"), {
    fit,
    components: 20,
    center: true,
    transform: (b) => log1p(normalizeTotal(b)),
  });
  const topics = await lsi(all.modalities.get("atac"), { fit, components: 20 });
  const score = (scores) => {
    const found = transferLabels(
      pickRows(scores, test, 20),
      pickRows(scores, train, 20),
      pickOf(labels, train),
    );
    return scoreLabels(found, pickOf(labels, test));
  };
  return { svd: score(svd.scores), lsi: score(topics.scores) };
}

const pickOf = (list, rows) => Array.from(rows, (i) => list[i]);

async function oneSeed(study, seed) {
  const { all, labels, train, test } = study;
  const data = {
    cellIds: all.cellIds,
    modalities: Object.fromEntries(
      await Promise.all(
        [...all.modalities].map(async ([name, m]) => [
          name,
          { kind: m.kind, features: m.features, values: await m.rows(0, all.cells) },
        ]),
      ),
    ),
  };
  // Half of the cells keep both, a quarter RNA, a quarter ATAC.
  const order = new Random(seed, 77).shuffle(Int32Array.from(train, (_, i) => i));
  const kind = new Uint8Array(train.length);
  order.forEach((cell, i) => {
    kind[cell] = i < train.length / 2 ? 0 : i < (3 * train.length) / 4 ? 1 : 2;
  });
  const mosaic = subset(data, train, (i, name) => kind[i] !== (name === "rna" ? 2 : 1));
  const queries = subset(data, test);
  const config = { ...CONFIG, train: { ...CONFIG.train, seed } };
  await using model = await MosaicVAE.create(mosaic, config, { threads: 1 });
  const begun = process.cpuUsage();
  const report = await model.train(mosaic);
  const used = process.cpuUsage(begun);
  const d = model.state.plan.latent;
  const reference = await model.embed(mosaic);
  const scores = {};
  const embedded = {};
  for (const [name, modalities] of Object.entries({ joint: ["rna", "atac"], rna: ["rna"], atac: ["atac"] })) {
    embedded[name] = points((await model.embed(queries, { modalities })).mean, d);
    const found = transferLabels(embedded[name], points(reference.mean, d), pickOf(labels, train));
    scores[name] = scoreLabels(found, pickOf(labels, test));
  }
  const peaks = await perPeak(model, queries);
  return {
    seed,
    ...scores,
    foscttm: matching(embedded.rna, embedded.atac).foscttm,
    ...peaks,
    epochs: report.epochs,
    best: report.best,
    parts: report.history.at(-1).parts,
    cpuSeconds: (used.user + used.system) / 1e6,
  };
}

/** Mean AUROC over the peaks that are open in a test cell at least, ATAC decoded from RNA. */
async function perPeak(model, queries) {
  const atac = queries.modalities.get("atac");
  const truth = csrToDense(await atac.rows(0, queries.cells));
  const n = atac.features.length;
  const found = new Float32Array(truth.length);
  let at = 0;
  for await (const { mean } of model.decode(queries, "atac", { modalities: ["rna"] })) {
    found.set(mean, at);
    at += mean.length;
  }
  const column = (values, j) => Float32Array.from({ length: queries.cells }, (_, i) => values[i * n + j]);
  const each = Array.from({ length: n }, (_, j) => auroc(column(found, j), column(truth, j))).filter(
    (v) => !Number.isNaN(v),
  );
  const rna = queries.modalities.get("rna");
  const g = rna.features.length;
  const counts = csrToDense(log1p(normalizeTotal(await rna.rows(0, queries.cells))));
  const genes = new Float32Array(counts.length);
  at = 0;
  for await (const { mean } of model.decode(queries, "rna", { modalities: ["atac"], library: 1e4 })) {
    genes.set(
      mean.map((v) => Math.log1p(v)),
      at,
    );
    at += mean.length;
  }
  const gene = (values, j) => Float32Array.from({ length: queries.cells }, (_, i) => values[i * g + j]);
  const cors = Array.from({ length: g }, (_, j) => pearson(gene(genes, j), gene(counts, j))).filter(
    (v) => !Number.isNaN(v),
  );
  const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
  return { perPeakAuroc: mean(each), perGenePearson: mean(cors) };
}

const file = join(root, "../shared/data/mosaic/mop_snare_rna_atac.h5ad");
if (!existsSync(file)) {
  console.log("mop_snare_rna_atac.h5ad is not here: nothing was checked");
  process.exit(1);
}
const study = await cortex(file);
if (process.argv[2] === "--seed") {
  console.log(JSON.stringify(await oneSeed(study, Number(process.argv[3]))));
  process.exit(0);
}
const seeds = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1, 2, 3];
// One process a seed, one thread each.
const children = seeds.map((seed) => run(process.execPath, [import.meta.filename, "--seed", String(seed)]));
const base = await baselines(study);
console.log(`${study.train.length} cells train, ${study.test.length} test`, JSON.stringify(base));
const runs = (await Promise.all(children)).map(({ stdout }) => JSON.parse(stdout));
for (const one of runs) console.log(JSON.stringify(one));
const mean = (f) => runs.reduce((s, r) => s + f(r), 0) / runs.length;
const lines = [
  ["RNA only, accuracy", mean((r) => r.rna.accuracy), base.svd.accuracy - 0.03, 1],
  ["ATAC only, accuracy", mean((r) => r.atac.accuracy), base.lsi.accuracy + 0.08, 1],
  ["joint, accuracy", mean((r) => r.joint.accuracy), mean((r) => r.rna.accuracy) - 0.03, 1],
  ["FOSCTTM", mean((r) => r.foscttm), 0.2, -1],
  ["RNA to ATAC, AUROC by peak", mean((r) => r.perPeakAuroc), 0.6, 1],
].map(([what, value, floor, sign]) => ({ what, value, floor, ok: sign * (value - floor) >= 0 }));
for (const { what, value, floor, ok } of lines)
  console.log(`${ok ? "ok  " : "FAIL"} ${what.padEnd(28)} ${value.toFixed(4)}  floor ${floor.toFixed(4)}`);
if (seeds.length >= 3) {
  const folder = join(root, "benchmarks/results");
  mkdirSync(folder, { recursive: true });
  const cells = { train: study.train.length, test: study.test.length, peaks: PEAKS };
  const result = {
    name: "accuracy-mosaic",
    machine: describeMachine([]),
    config: CONFIG,
    cells,
    baselines: base,
    runs,
    results: lines,
  };
  writeFileSync(join(folder, "accuracy-mosaic.json"), `${JSON.stringify(result, null, 2)}\n`);
}
if (lines.some((line) => !line.ok)) process.exitCode = 1;
