import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { saidJson } from "../lib/measure.mjs";
import { buildExample } from "../lib/rust.mjs";
import { markdown, ratio, seconds } from "../lib/tables.mjs";

const ONE_THREAD = { OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1", MKL_NUM_THREADS: "1" };

/** Time inside the process, reading the file left out, from what each side prints about itself. */
export default {
  title: "symmetric eigendecomposition of a kinship, one thread",
  async run({ peers, scratch, race, note, large }) {
    const example = buildExample("x-dense", "dense", "eigen_bench");
    if (!example) note("x-dense has no example eigen_bench that builds here");
    if (!peers.scipy) note("without scipy there is nothing to compare with, and no matrix");
    if (!example || !peers.scipy) return { tables: [], data: {} };

    const data = {};
    const rows = [];
    for (const n of large ? [500, 1000, 2000, 4000, 6000] : [500, 1000, 2000]) {
      const name = `kin_${n}`;
      const file = join(scratch, `${name}.f64`);
      spawnSync("python3", [join(import.meta.dirname, "inputs.py"), scratch, name], { stdio: "inherit" });
      const scipy = {
        name: "OpenBLAS DSYEVD (scipy)",
        steps: [
          {
            command: "python3",
            args: [join(import.meta.dirname, "dsyevd.py"), file, String(n)],
            env: ONE_THREAD,
          },
        ],
      };
      const us = { name: "x-dense", steps: [{ command: example, args: [file, String(n), "1"] }] };
      // The small ones are over in a blink; the large ones take minutes and vary less.
      const results = await race([us, scipy], n >= 4000 ? { repeats: 1 } : {});
      rmSync(file);
      data[n] = results;
      const inside = Object.entries(results).map(([name, result]) => [name, middle(saidJson(result))]);
      const ourCpu = inside[0][1]?.cpu ?? null;
      for (const [name, said] of inside) {
        if (!said) continue;
        results[name].said = said;
        rows.push([
          n,
          name,
          seconds(said.cpu),
          ratio(said.cpu, ourCpu),
          `${Math.round(said.peak_mb)} MB`,
          said.residual.toExponential(1),
          said.orthogonality.toExponential(1),
        ]);
      }
    }
    const header = ["n", "solver", "CPU", "÷ x-dense", "peak", "residual", "orthogonality"];
    return { tables: [markdown(header, rows)], data };
  },
};

/** The run with the middle CPU time. */
function middle(runs) {
  return [...runs].sort((a, b) => a.cpu - b.cpu)[runs.length >> 1] ?? null;
}
