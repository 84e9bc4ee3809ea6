import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { median, saidJson } from "../lib/measure.mjs";
import { markdown, megabytes, ratio, seconds } from "../lib/tables.mjs";

const here = import.meta.dirname;
const script = (name, ...args) => ({ command: process.execPath, args: [join(here, name), ...args] });
// One thread of BLAS: CPU seconds are what is compared.
const one = { OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1" };
const r = (name, ...args) => ({ command: "Rscript", args: [join(here, name), ...args], env: one });

export default {
  title: "fits and leave-one-subject-out against mgcv, CPU seconds of the fit alone",
  async run({ peers, scratch, race, note, repeats, large }) {
    if (!peers.mgcv) note("without R and mgcv only our own times are printed");
    const tables = [];
    const data = {};
    const sizes = [1e4, 1e5, ...(large ? [1e6] : [])];
    const rows = [];
    for (const family of ["gaussian", "binomial"])
      for (const n of sizes) {
        const csv = join(scratch, `${family}-${n}.csv`);
        spawnSync(process.execPath, [join(here, "data.mjs"), csv, String(n), family], { stdio: "inherit" });
        const arrow = csv.replace(/csv$/, "arrow");
        const peersHere = peers.mgcv ? (n >= 1e6 ? ["discrete"] : ["gam", "bam", "discrete"]) : [];
        const results = await race(
          [
            { name: "ours", steps: [script("fit.mjs", arrow, family)] },
            ...peersHere.map((kind) => ({ name: `mgcv ${kind}`, steps: [r("fit.R", csv, family, kind)] })),
          ],
          { repeats: n >= 1e5 ? Math.min(repeats, 3) : repeats },
        );
        data[`${family} ${n}`] = results;
        const ours = said(results.ours);
        for (const [name, result] of Object.entries(results)) {
          const s = said(result);
          rows.push([
            family,
            n.toLocaleString("en-US"),
            name,
            seconds(s.cpu),
            megabytes(s.peak),
            name === "ours" ? "" : ratio(s.cpu, ours.cpu),
          ]);
        }
      }
    tables.push(markdown(["family", "rows", "who", "CPU", "peak over baseline", "÷ ours"], rows));
    const folds = [];
    for (const family of ["gaussian", "binomial"]) {
      const csv = join(scratch, `loso-${family}.csv`);
      spawnSync(process.execPath, [join(here, "data.mjs"), csv, "5000", family, "20"], { stdio: "inherit" });
      const results = await race(
        [
          { name: "ours", steps: [script("loso.mjs", csv.replace(/csv$/, "arrow"), family)] },
          ...(peers.mgcv ? [{ name: "mgcv gam in a loop", steps: [r("loso.R", csv, family)] }] : []),
        ],
        { repeats: Math.min(repeats, 3) },
      );
      data[`loso ${family}`] = results;
      const [counts] = saidJson(results.ours);
      const ours = said(results.ours);
      for (const [name, result] of Object.entries(results)) {
        const s = said(result);
        const own = name === "ours" && counts;
        folds.push([
          family,
          name,
          seconds(s.wall),
          seconds(s.cpu),
          own ? (counts.warm.criterionEvaluations / counts.folds).toFixed(2) : "",
          own ? `${counts.cold.inner} / ${counts.warm.inner}` : "",
          name === "ours" ? "" : ratio(s.wall, ours.wall),
        ]);
      }
    }
    tables.push(
      markdown(
        [
          "LOSO, 20 folds, n = 5,000",
          "who",
          "wall",
          "CPU",
          "evaluations a fold",
          "inner cold / warm",
          "÷ ours",
        ],
        folds,
      ),
    );
    return { tables, data };
  },
};

/** Medians of what the runs printed. */
function said(result) {
  const lines = saidJson(result);
  const of = (key) => median(lines.map((line) => line[key] ?? null));
  return { cpu: of("cpu"), wall: of("wall"), peak: of("peak") };
}
