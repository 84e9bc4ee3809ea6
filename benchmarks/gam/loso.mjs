// Leave one subject out with ours; prints seconds and the counts, warm against cold.
import { readFileSync } from "node:fs";
import { fromIpc } from "@x/core";
import { StageMeter } from "@x/core/base";
import { crossFit, parseFamily } from "@x/gam-warmstart";

const [path, family] = process.argv.slice(2);
const data = fromIpc(readFileSync(path));
const formula = `y ~ ${["x0", "x1", "x2", "x3"].map((x) => `s(${x}, bs="cr", k=10)`).join(" + ")} + s(id, bs="re")`;
const options = { family: parseFamily(family), group: "id", threads: 1 };
const meter = new StageMeter();
const warm = await meter.measure("warm", () => crossFit(formula, data, { ...options, countCold: false }));
const both = await crossFit(formula, data, options);
const { cpuSeconds: cpu, wallSeconds: wall } = meter.stages[0];
console.log(
  JSON.stringify({
    cpu,
    wall,
    folds: warm.folds.length,
    warm: both.cost.warm,
    cold: both.cost.cold,
    probes: both.cost.probes,
    basinChecks: both.cost.basinChecks,
    restarts: both.cost.restarts,
  }),
);
