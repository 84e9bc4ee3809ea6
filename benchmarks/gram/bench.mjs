import { join } from "node:path";
import { median, saidJson } from "../lib/measure.mjs";
import { buildExample } from "../lib/rust.mjs";
import { markdown } from "../lib/tables.mjs";

const ONE_THREAD = { OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1", MKL_NUM_THREADS: "1" };
const PEOPLE = 1940;
const SNPS = 12_226;

/**
 * Both sides by the same measure, the mouse set's size: a pair of genotypes is one multiply and one add of the double
 * product. OpenBLAS fills the whole square, our kernel the triangle that a symmetric matrix needs, so rates per pair
 * leave that factor of two out.
 */
export default {
  title: "integer Gram of 2-bit genotypes against one-thread OpenBLAS DGEMM, pairs a second",
  async run({ peers, race, note }) {
    const example = buildExample("x-genotype", "genotype", "gram");
    if (!example) {
      note("x-genotype has no example gram that builds here");
      return { tables: [], data: {} };
    }
    const contenders = [
      { name: "no missing calls", steps: [{ command: example, args: [PEOPLE, SNPS].map(String) }] },
      { name: "1 % missing", steps: [{ command: example, args: [PEOPLE, SNPS, 100].map(String) }] },
    ];
    if (peers.numpy) {
      const args = [join(import.meta.dirname, "dgemm.py"), PEOPLE, SNPS, 1].map(String);
      contenders.push({ name: "DGEMM", steps: [{ command: "python3", args, env: ONE_THREAD }] });
    } else note("without numpy there is no DGEMM to compare with");

    const data = await race(contenders);
    const dgemm = median(saidJson(data.DGEMM).map(({ gflops }) => gflops / 2));
    data.gigapairs = { DGEMM: dgemm };
    const rows = dgemm === null ? [] : [["DGEMM (numpy)", "–", "–", dgemm.toFixed(1), "1.00×"]];
    for (const name of ["no missing calls", "1 % missing"]) {
      const lines = saidJson(data[name]);
      for (const key of new Set(lines.map(({ what, level }) => `${what} ${level}`))) {
        const rate = median(
          lines.filter(({ what, level }) => `${what} ${level}` === key).map((line) => line.Gpairs_per_s),
        );
        data.gigapairs[`${key}, ${name}`] = rate;
        const [what, level] = key.split(" ");
        rows.push([
          what,
          level,
          name,
          rate.toFixed(1),
          dgemm === null ? "–" : `${(rate / dgemm).toFixed(2)}×`,
        ]);
      }
    }
    const header = ["kernel", "instructions", "genotypes", "10⁹ pairs/s", "÷ DGEMM"];
    return { tables: [markdown(header, rows)], data };
  },
};
