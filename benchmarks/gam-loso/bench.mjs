import { kept, r, said, script, simulate } from "../gam/race.mjs";
import { saidJson } from "../lib/measure.mjs";
import { markdown, ratio, seconds } from "../lib/tables.mjs";

/** Evaluations of the criterion a fold; those beside the parent's optimum, which serve all folds, are spread over them. */
const perFold = ({ warm, probes, folds }) =>
  ((warm.criterionEvaluations + probes.criterionEvaluations) / folds).toFixed(2);

export default {
  title: "leave-one-subject-out with 20 subjects against the same loop in mgcv",
  async run({ peers, scratch, race, note, repeats }) {
    if (!peers.mgcv) note("without R and mgcv only our own times are printed");
    const data = {};
    const folds = [];
    for (const family of ["gaussian", "binomial"]) {
      const { csv, arrow } = simulate(scratch, family, 5000, 20);
      const results = await race(
        [
          { name: "ours", steps: [script("loso.mjs", arrow, family)] },
          ...(peers.mgcv ? [{ name: "mgcv gam in a loop", steps: [r("loso.R", csv, family)] }] : []),
        ],
        { repeats: Math.min(repeats, 3) },
      );
      data[family] = kept(results);
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
          own ? perFold(counts) : "",
          own ? `${counts.cold.inner} / ${counts.warm.inner + counts.probes.inner}` : "",
          name === "ours" ? "" : ratio(s.wall, ours.wall),
        ]);
      }
    }
    const tables = [
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
    ];
    return { tables, data };
  },
};
