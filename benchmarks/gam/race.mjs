// What the three gam benchmarks share.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { median, saidJson } from "../lib/measure.mjs";
import { megabytes, ratio, seconds } from "../lib/tables.mjs";

const here = import.meta.dirname;
// One thread of BLAS: CPU seconds are what is compared.
const one = { OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1" };

export const script = (name, ...args) => ({ command: process.execPath, args: [join(here, name), ...args] });
export const r = (name, ...args) => ({ command: "Rscript", args: [join(here, name), ...args], env: one });

/** Simulated data as CSV and Arrow. */
export function simulate(scratch, family, n, subjects = 0) {
  const csv = join(scratch, `${family}-${n}-${subjects}.csv`);
  spawnSync(process.execPath, [join(here, "data.mjs"), csv, String(n), family, String(subjects)], {
    stdio: "inherit",
  });
  return { csv, arrow: csv.replace(/csv$/, "arrow") };
}

/** Medians of what the runs printed. */
export function said(result) {
  const lines = saidJson(result);
  const of = (key) => median(lines.map((line) => line[key] ?? null));
  return { cpu: of("cpu"), wall: of("wall"), peak: of("peak") };
}

/** Results with what each run printed beside its times: counts, and seconds and memory of the fit alone. */
export const kept = (results) =>
  Object.fromEntries(
    Object.entries(results).map(([name, result]) => [
      name,
      result.failed ? result : { ...result, said: saidJson(result) },
    ]),
  );

export const HEAD = ["family", "rows", "who", "CPU", "÷ ours", "peak over baseline", "÷ ours"];

/** One row a contender; the ratios are to the first. */
export function rowsOf(family, n, results) {
  const [ours] = Object.values(results).map(said);
  return Object.entries(results).map(([name, result], i) => {
    const s = said(result);
    const share = (key) => (i === 0 ? "" : ratio(s[key], ours[key]));
    const size = [megabytes(s.peak), share("peak")];
    return [family, n.toLocaleString("en-US"), name, seconds(s.cpu), share("cpu"), ...size];
  });
}
