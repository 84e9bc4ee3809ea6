import { join } from "node:path";
import { planUnifrac } from "@x/seq-model";
import { median, saidJson } from "../lib/measure.mjs";
import { markdown, megabytes, seconds } from "../lib/tables.mjs";
import { simulateTable } from "./simulate.mjs";

/** Our names and those of `ssu`. */
const METRICS = {
  unweighted: "unweighted_fp64",
  "weighted-normalized": "weighted_normalized_fp64",
  weighted: "weighted_unnormalized_fp64",
  generalized: "generalized_fp64",
};
/** scikit-bio takes minutes above. */
const SKBIO = 500;
/** ssu's generalised UniFrac takes half a minute at 1,000 samples and grows as their square. */
const SSU_GENERALIZED = 1000;
/** Too large to be run here: what the formula says. */
const PLANNED = { samples: 30_000, branches: 200_000, density: 0.24 };

/**
 * CPU seconds, one thread each. Ours: the computing alone, and the whole command. `ssu`: the whole command, and that less
 * a run of its first stripe, which reads, walks the tree and writes as well.
 */
export async function unifracBenchmark({ peers, scratch, race, note, large }) {
  const data = {};
  for (const samples of large ? [200, 500, 1000, 2000, 4000] : [200, 500, 1000]) {
    const prefix = join(scratch, `t${samples}`);
    await simulateTable(prefix, { samples });
    data[samples] = {};
    for (const [metric, theirs] of Object.entries(METRICS)) {
      const contenders = [{ name: "us", steps: [ours(prefix, metric, `${prefix}.out.npy`)] }];
      const python = samples <= (large ? 1000 : SKBIO) && metric !== "generalized" && peers.scikitBio;
      if (peers.ssu && (metric !== "generalized" || samples <= SSU_GENERALIZED)) {
        contenders.push({ name: "ssu", steps: [ssu(prefix, theirs, metric, [])] });
        contenders.push({
          name: "stripe",
          steps: [ssu(prefix, theirs, metric, ["--mode", "partial", "--start", "0", "--stop", "1"])],
        });
      }
      const results = await race(contenders);
      const skbio = python
        ? (await race([{ name: "skbio", steps: [scikitBio(prefix, metric)] }], { repeats: 1 })).skbio
        : null;
      const said = saidJson(results.us);
      const compute = median(said.map((s) => s.compute));
      const their = results.ssu?.cpu == null ? null : results.ssu.cpu - (results.stripe?.cpu ?? 0);
      const slow = skbio && saidJson(skbio)[0]?.compute;
      data[samples][metric] = {
        compute,
        results,
        ssuCompute: their,
        skbioCompute: slow ?? null,
        skbio,
      };
    }
  }
  const sizes = Object.keys(data).map(Number);
  const growth = (metric) => {
    const [a, b] = [sizes.at(-2), sizes.at(-1)];
    return Math.log(data[b][metric].compute / data[a][metric].compute) / Math.log(b / a);
  };
  data.growth = Object.fromEntries(Object.keys(METRICS).map((metric) => [metric, growth(metric)]));
  for (const [metric, power] of Object.entries(data.growth)) {
    note(`${metric}: CPU grows as n^${power.toFixed(2)} from ${sizes.at(-2)} to ${sizes.at(-1)} samples`);
  }
  data.planned = plans(data);
  return data;
}

/** Tables of what was measured. */
export function unifracTables(data) {
  const rows = [];
  for (const [samples, metrics] of Object.entries(data).filter(([key]) => Number(key) > 0)) {
    for (const [metric, { compute, results, ssuCompute, skbioCompute }] of Object.entries(metrics)) {
      const all = results.ssu?.cpu ?? null;
      const cells = [compute, results.us.cpu, all, ssuCompute, skbioCompute].map(seconds);
      const times = (a) => (a == null ? "–" : `${(a / compute).toFixed(1)} ×`);
      rows.push([samples, metric, ...cells, times(all), times(ssuCompute), times(skbioCompute)]);
    }
  }
  const header = [
    "samples",
    "metric",
    "we compute",
    "we, all",
    "ssu, all",
    "ssu computes",
    "scikit-bio computes",
    "ssu, all ÷ we compute",
    "ssu computes ÷ we compute",
    "scikit-bio ÷ us",
  ];
  const planned = Object.entries(data.planned).map(([metric, { checked, bytes, cpuSeconds }]) => {
    const [here, found] = [checked.planned, checked.measured].map(seconds);
    return [metric, checked.samples, here, found, seconds(cpuSeconds), megabytes(bytes)];
  });
  const { samples, branches } = PLANNED;
  const names = [
    "metric",
    "samples",
    "planned",
    "measured",
    `${samples} samples on ${branches} branches, planned`,
    "memory",
  ];
  return [markdown(header, rows), markdown(names, planned)];
}

/** What the formula says of a size that was not run, and how well it meets the largest one that was. */
function plans(data) {
  const samples = Math.max(...Object.keys(data).map(Number).filter(Number.isFinite));
  const plan = (metric) => {
    // Of the simulated tree's 7,998 branches a sample has 24 %.
    const planned = planUnifrac({ samples, branches: 7998, density: 0.24, metric }).cpuSeconds;
    const checked = { samples, planned, measured: data[samples][metric].compute };
    return { ...PLANNED, ...planUnifrac({ ...PLANNED, metric }), checked };
  };
  return Object.fromEntries(Object.keys(METRICS).map((metric) => [metric, plan(metric)]));
}

function ours(prefix, metric, out) {
  return {
    command: process.execPath,
    args: [join(import.meta.dirname, "run-unifrac.mjs"), prefix, metric, "1", out],
  };
}

function ssu(prefix, method, metric, more) {
  const alpha = metric === "generalized" ? ["-a", "0.5"] : [];
  const out = ["-o", `${prefix}.ssu.h5`, ...(more.length > 0 ? [] : ["--pcoa", "0", "-r", "hdf5_fp64"])];
  const args = ["-i", `${prefix}.biom`, "-t", `${prefix}.nwk`, "-m", method, ...alpha, ...out, ...more];
  return { command: "ssu", args, env: { OMP_NUM_THREADS: "1", UNIFRAC_USE_GPU: "N" } };
}

function scikitBio(prefix, metric) {
  const env = { OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" };
  return { command: "python3", args: [join(import.meta.dirname, "scikit_bio.py"), prefix, metric], env };
}
