import { markdown } from "../lib/tables.mjs";
import { HEAD, kept, r, rowsOf, script, simulate } from "./race.mjs";

export default {
  title: "fits of four cubic regression splines against mgcv, CPU seconds of the fit alone",
  async run({ peers, scratch, race, note, repeats }) {
    if (!peers.mgcv) note("without R and mgcv only our own times are printed");
    const rows = [];
    const data = {};
    for (const family of ["gaussian", "binomial"])
      for (const n of [1e4, 1e5]) {
        const { csv, arrow } = simulate(scratch, family, n);
        const kinds = peers.mgcv ? ["gam", "bam", "discrete"] : [];
        const results = await race(
          [
            { name: "ours", steps: [script("fit.mjs", arrow, family)] },
            ...kinds.map((kind) => ({ name: `mgcv ${kind}`, steps: [r("fit.R", csv, family, kind)] })),
          ],
          { repeats: n >= 1e5 ? Math.min(repeats, 3) : repeats },
        );
        data[`${family} ${n}`] = kept(results);
        rows.push(...rowsOf(family, n, results));
      }
    return { tables: [markdown(HEAD, rows)], data };
  },
};
