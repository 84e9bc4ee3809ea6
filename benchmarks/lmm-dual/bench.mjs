import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { measure } from "../lib/measure.mjs";
import { ours } from "../lib/paths.mjs";
import { buildExample } from "../lib/rust.mjs";
import { markdown, megabytes, seconds } from "../lib/tables.mjs";
import { simulatePacked } from "./simulate.mjs";

const KINSHIP = 2000;
const OTHERS = 20_000;
/** Plane products, by popcounts a word pair: two, and five more where calls are missing. */
const PRODUCTS = { none: 1, some: 3.5 };

/** CPU seconds of the whole command against what its products must cost at the rates measured beside it. */
export default {
  title: "the dual route: 2,000 kinship SNPs, 20,000 others tested",
  async run({ scratch, note, large, repeats }) {
    const example = buildExample("x-lmm", "lmm", "dual_rates");
    if (!example) note("x-lmm has no example dual_rates that builds here");
    const rows = [];
    const data = {};
    for (const people of large ? [10_000, 20_000, 50_000, 100_000] : [50_000]) {
      const prefix = join(scratch, "sim");
      simulatePacked(prefix, { people, snps: KINSHIP + OTHERS });
      const list = `${prefix}.ksnps`;
      writeFileSync(list, Array.from({ length: KINSHIP }, (_, s) => `s${s}\n`).join(""));
      const command = (out, ...more) =>
        ours("lmm", [
          ...["gwas", "--bfile", prefix, "-ksnps", list, "--route", "dual", "--without-report", "--json"],
          ...["--memory-limit", "2G", "--out", join(scratch, out), ...more],
        ]);
      const runs = [];
      for (let r = 0; r < (large ? 1 : repeats); r++) {
        const rates = example
          ? JSON.parse((await measure({ command: example, args: [String(people)] })).output)
          : null;
        // Only the kinship's own variants: nothing to multiply, so this is the optimiser (and the reading).
        const own = stages(await measure(command("own", "-snps", list)));
        const whole = await measure(command("all"));
        const said = stages(whole);
        runs.push({
          people,
          rates,
          ...whole,
          output: undefined,
          own,
          said,
          formula: rates && formula(people, rates, own),
        });
      }
      const best = runs.sort((a, b) => a.cpu - b.cpu)[runs.length >> 1];
      data[people] = best;
      rows.push([
        people,
        seconds(best.cpu),
        seconds(best.wall),
        seconds(best.formula),
        best.formula ? (best.cpu / best.formula).toFixed(2) : "–",
        megabytes(best.said.memory.measuredBytes),
        (best.said.memory.predicted.total / best.said.memory.measuredBytes).toFixed(2),
      ]);
      for (const ext of ["bed", "bim", "fam"]) rmSync(`${prefix}.${ext}`);
    }
    const header = ["people", "CPU", "wall", "formula", "CPU ÷ formula", "peak", "predicted ÷ peak"];
    const tables = [markdown(header, rows)];
    const last = Object.values(data).at(-1);
    if (Object.keys(data).length > 2) {
      const slope = growth(Object.values(data));
      data.slope = slope;
      tables.push(`CPU grows as n^${slope.toFixed(2)} over these sizes`);
    }
    if (last.rates) {
      const { pairsPerSecond: pairs, flopsPerSecond: flops } = last.rates;
      const [n, p] = [200_000, 95_000];
      const gram = ((p * p) / 2) * n * (PRODUCTS.some / pairs);
      const eigen = (4 * p ** 3) / flops;
      data.largest = { n, p, gramCoreHours: gram / 3600, eigenCoreHours: eigen / 3600 };
      tables.push(
        `200,000 people × 95,000 SNPs, all in the kinship, by the same law: ${(gram / 3600).toFixed(1)} core-hours of products, ` +
          `${(eigen / 3600).toFixed(1)} of eigendecomposition, ${((16 * p * p) / 1e9).toFixed(0)} GB`,
      );
    }
    return { tables, data };
  },
};

function stages(run) {
  const { memory, stages } = JSON.parse(run.output);
  const { predicted, measuredBytes } = memory;
  return { memory: { predicted: { total: predicted.total }, measuredBytes }, stages };
}

/** (p²/2 + p q) n c / R + 4 p³ / G + 2 p² q / G + the optimiser: core-seconds. */
function formula(n, { pairsPerSecond, flopsPerSecond }, own) {
  const [p, q] = [KINSHIP, OTHERS];
  const optimiser = own.stages.find(({ stage }) => stage === "association").cpuSeconds * ((p + q) / p);
  const products = (((p * p) / 2 + p * q) * n * PRODUCTS.some) / pairsPerSecond;
  return products + (4 * p ** 3 + 2 * p * p * q) / flopsPerSecond + optimiser;
}

/** Slope of log CPU over log n by least squares. */
function growth(runs) {
  const points = runs.filter((run) => run.people).map((run) => [Math.log(run.people), Math.log(run.cpu)]);
  const mean = (k) => points.reduce((s, point) => s + point[k], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const sum = (f) => points.reduce((s, point) => s + f(point), 0);
  return sum(([a, b]) => (a - x) * (b - y)) / sum(([a]) => (a - x) ** 2);
}
