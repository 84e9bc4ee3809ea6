// Writes the simulated data of a race as CSV and as Arrow: `node data.mjs OUT.csv N family [subjects]`.
// gamSim's example 1: y depends on x0, x1, x2 and not on x3.
import { writeFileSync } from "node:fs";
import { tableFromColumns, toIpc } from "@x/core";
import { Random } from "@x/core/base";

const [path, count, family, subjects = "0"] = process.argv.slice(2);
const n = Number(count);
const random = new Random(20, 1);
const columns = Object.fromEntries(["x0", "x1", "x2", "x3", "y"].map((name) => [name, new Float64Array(n)]));
const groups = Number(subjects);
const effect = Array.from({ length: groups }, () => 0.6 * random.normal());
for (let i = 0; i < n; i++) {
  const x = ["x0", "x1", "x2", "x3"].map((name) => {
    columns[name][i] = random.uniform();
    return columns[name][i];
  });
  const f2 = 0.2 * x[2] ** 11 * (10 * (1 - x[2])) ** 6 + 10 * (10 * x[2]) ** 3 * (1 - x[2]) ** 10;
  const f = 2 * Math.sin(Math.PI * x[0]) + Math.exp(2 * x[1]) + f2;
  const eta = family === "binomial" ? 0.33 * (f - 5) * 3 : f;
  const own = eta + (groups > 0 ? effect[i % groups] : 0);
  columns.y[i] =
    family === "binomial" ? Number(random.uniform() < 1 / (1 + Math.exp(-own))) : own + 2 * random.normal();
}
const id = groups > 0 ? { id: Array.from({ length: n }, (_, i) => `s${(i % groups) + 100}`) } : {};
const all = { ...columns, ...id };
const names = Object.keys(all);
const lines = Array.from({ length: n }, (_, i) => names.map((name) => all[name][i]).join(","));
writeFileSync(path, `${names.join(",")}\n${lines.join("\n")}\n`);
writeFileSync(path.replace(/csv$/, "arrow"), toIpc(tableFromColumns(all), "file"));
