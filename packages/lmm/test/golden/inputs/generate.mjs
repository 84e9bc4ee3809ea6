// BIMBAM mean genotypes with every oddity that GEMMA takes, and tables for them: node generate.mjs writes the same bytes.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;
const [n, p] = [90, 140];
let state = 20260206;
const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
const normal = () => Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random());

const y = new Float64Array(n);
const lines = [];
const notes = [];
for (let j = 0; j < p; j++) {
  const f = 0.05 + 0.45 * random();
  let parent = 0;
  const dosages = Array.from({ length: n }, (_, i) => {
    if (i % 3 === 0) parent = Number(random() < f);
    const g = parent + Number(random() < f);
    if (j < 12) y[i] += (g * (j % 4)) / 12;
    // Imputed: a genotype blurred, three decimals; some variants are hard calls.
    const x = j % 5 === 0 ? g : Math.min(2, Math.max(0, g + 0.25 * normal()));
    return random() < 0.02 ? "NA" : String(Math.round(x * 1000) / 1000);
  });
  // Every sixth variant is absent from the annotation.
  if (j % 6 !== 0) notes.push(`d${j + 1}, ${1000 * (j + 1)}, ${1 + (j % 3)}`);
  const separator = [", ", "\t", " ", ","][j % 4];
  lines.push([`d${j + 1}`, "AC"[j % 2], "GT"[j % 2], ...dosages].join(separator));
}
const odd = (id, value) => lines.push([id, "A", "G", ...Array.from({ length: n }, (_, i) => value(i))].join(" "));
odd("constant", () => 1.3);
odd("constant-na", (i) => (i % 20 === 3 ? "NA" : 0.7));
odd("one-class", (i) => (i % 2 ? 0.1 : 0.2));
odd("all-missing", () => "NA");
odd("constant-analysed", (i) => (i === 7 ? 2 : 1));
odd("hwe-low", (i) => (i % 2 ? 0.5 : 2));
odd("hwe-high", (i) => (i % 2 ? 1.5 : 0));
odd("hwe-het", (i) => (i % 2 ? 1.499 : 0));
odd("rare", (i) => (i === 0 ? 0.5 : 0));
odd("as-covariate", (i) => (i % 4) / 2);

const text = (rows) => rows.map((row) => `${row}\n`).join("");
writeFileSync(join(here, "dosage.geno.txt"), text(lines));
writeFileSync(join(here, "dosage.anno.txt"), text(notes));
writeFileSync(
  join(here, "dosage.pheno.txt"),
  text(Array.from(y, (v, i) => (i === 7 || i === 30 ? "NA" : (v + 0.8 * normal()).toFixed(5)))),
);
const batches = ["north", "south", "east"];
const covariates = Array.from({ length: n }, (_, i) => [
  (i % 4) / 2,
  i === 11 ? "NA" : (20 + 40 * random()).toFixed(2),
  batches[(i * 7) % 3],
]);
writeFileSync(
  join(here, "dosage.covar.txt"),
  text(covariates.map(([a, age]) => `${a}\t${age}`)),
);
// The same with names, ids and a category, and its dummy columns spelt out for GEMMA.
writeFileSync(
  join(here, "dosage.covar.tsv"),
  text(["IID\tdose\tage\tbatch", ...covariates.map((row, i) => [i + 1, ...row].join("\t"))]),
);
writeFileSync(
  join(here, "dosage.dummies.txt"),
  text(covariates.map(([a, age, b]) => [a, age, Number(b === "north"), Number(b === "south")].join("\t"))),
);
