// One fit of ours; prints CPU seconds, wall seconds and peak memory over the baseline of the fit alone, data in memory.
import { readFileSync } from "node:fs";
import { fromIpc } from "@x/core";
import { StageMeter } from "@x/core/base";
import { fit, parseFamily } from "@x/gam-warmstart";

const [path, family, mode] = process.argv.slice(2);
const data = fromIpc(readFileSync(path));
const formula = `y ~ ${["x0", "x1", "x2", "x3"].map((x) => `s(${x}, bs="cr", k=10)`).join(" + ")}`;
await fit("y ~ x0", { y: [1, 2, 4, 3], x0: [1, 2, 3, 4] }, { threads: 1 }); // the code is loaded
const before = process.memoryUsage.rss();
const meter = new StageMeter();
const model = await meter.measure("fit", () =>
  fit(formula, data, { family: parseFamily(family), discrete: mode === "discrete", threads: 1 }),
);
const { cpuSeconds: cpu, wallSeconds: wall, peakRssBytes } = meter.stages[0];
console.log(
  JSON.stringify({
    cpu,
    wall,
    peak: peakRssBytes - before,
    criterion: model.criterion,
    edf: model.edf,
    ...model.iterations,
  }),
);
