import { HEAD, kept, r, rowsOf, script, simulate } from "../gam/race.mjs";
import { markdown } from "../lib/tables.mjs";

export default {
  title: "a million rows, discretised and exact, against bam(discrete=TRUE), CPU seconds of the fit alone",
  async run({ peers, scratch, race, note, repeats }) {
    if (!peers.mgcv) note("without R and mgcv only our own times are printed");
    const rows = [];
    const data = {};
    for (const family of ["gaussian", "binomial"]) {
      const { csv, arrow } = simulate(scratch, family, 1e6);
      const results = await race(
        [
          { name: "ours, discretised", steps: [script("fit.mjs", arrow, family, "discrete")] },
          { name: "ours, exact", steps: [script("fit.mjs", arrow, family)] },
          ...(peers.mgcv ? [{ name: "mgcv discrete", steps: [r("fit.R", csv, family, "discrete")] }] : []),
        ],
        { repeats: Math.min(repeats, 3) },
      );
      data[`${family} 1e6`] = kept(results);
      rows.push(...rowsOf(family, 1e6, results));
    }
    return { tables: [markdown(HEAD, rows)], data };
  },
};
