// npm run demo: a genome-wide association study on the simulated fileset of fixtures/demo, and what was planted in it.
import { mkdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { genomicInflation, gwas } from "@x/lmm";

const root = join(import.meta.dirname, "..");
// Relative, so that the report does not carry the paths of this machine.
process.chdir(root);
const data = "fixtures/demo/demo";
const folder = "demo-out";
const out = join(folder, "demo");
/** A hit belongs to a planted SNP when it lies this near on the same chromosome: LD carries the signal along. */
const NEAR_BP = 500_000;
const GENOME_WIDE = 5e-8;

mkdirSync(folder, { recursive: true });
const started = performance.now();
console.log(
  "A GWAS of 502 simulated people × 4,800 SNPs: three populations, 60 families, four planted hits.\n",
);

const study = await gwas(data, {
  covariates: `${data}.covar.tsv`,
  covariateNames: ["sex", "age"],
  on: "fid+iid",
  out,
  report: join(folder, "report.html"),
  onProgress: progress(),
});
process.stderr.isTTY && process.stderr.write("\r\x1b[K");

const planted = table(`${data}.truth.tsv`);
const rows = table(`${out}.assoc.txt`).map((row) => ({ ...row, p: Number(row.p_wald) }));
const { pve, pveSe, vg, ve } = study.nullModel;
console.log(
  `Analysed ${study.cohort.analyzed.length} people with trait, sex and age, and ${rows.length} SNPs.`,
);
console.log(
  `Null model: kinship explains ${percent(pve)} ± ${percent(pveSe)} of the variance (vg ${vg.toFixed(3)}, ve ${ve.toFixed(3)}).\n`,
);

console.log("Peaks found                                           planted there");
console.log("  SNP      place                 beta          p      SNP      beta");
for (const peak of peaks(rows)) {
  const truth = planted.find((one) => near(one.chrom, one.pos, peak));
  const found = `  ${peak.rs.padEnd(8)} ${`${peak.chr}:${Number(peak.ps).toLocaleString("en")}`.padEnd(16)} ${signed(peak.beta)} ${peak.p.toExponential(1).padStart(10)}`;
  console.log(
    `${found}      ${truth ? `${truth.id.padEnd(8)} ${effect(truth, peak)}` : "nothing: a false positive"}`,
  );
}
const missed = planted.filter(
  (one) => !rows.some((row) => row.p < GENOME_WIDE && near(one.chrom, one.pos, row)),
);
const last =
  missed.length === 0 ? "All planted SNPs were found" : `Missed: ${missed.map((one) => one.id).join(", ")}`;
console.log(
  `\n${last} at p < 5e-8. Genomic inflation ${genomicInflation(study.columns.negLog10PWald).toFixed(3)} (1 = calibrated).`,
);

console.log(`\nWritten in ${((performance.now() - started) / 1000).toFixed(1)} s:`);
for (const file of study.files) console.log(`  ${relative(root, file).padEnd(26)} ${describe(file)}`);

function describe(file) {
  const known = {
    ".html": "the report: open it in a browser",
    ".assoc.txt": "the results as GEMMA writes them",
    ".arrow": "the same, exact, for DuckDB, Polars, R …",
    ".log.txt": "what was done, GEMMA's way",
  };
  return Object.entries(known).find(([end]) => file.endsWith(end))?.[1] ?? "";
}

function table(path) {
  const [header, ...lines] = readFileSync(path, "utf8").trimEnd().split("\n");
  const names = header.split("\t");
  return lines.map((line) => Object.fromEntries(line.split("\t").map((value, i) => [names[i], value])));
}

function near(chrom, pos, row) {
  return row.chr === chrom && Math.abs(Number(row.ps) - Number(pos)) <= NEAR_BP;
}

/** The best SNP of each place that passes the genome-wide level. */
function peaks(all) {
  const found = [];
  for (const row of all.filter(({ p }) => p < GENOME_WIDE).sort((a, b) => a.p - b.p)) {
    if (!found.some((peak) => near(peak.chr, peak.ps, row))) found.push(row);
  }
  return found;
}

/** The planted effect; a neighbour's own effect differs with its LD, so the name says whether it is the SNP itself. */
function effect(truth, peak) {
  return `${signed(truth.beta)}  ${truth.id === peak.rs ? "(this SNP)" : "(a neighbour)"}`;
}

function signed(value) {
  return `${Number(value) < 0 ? "−" : "+"}${Math.abs(Number(value)).toFixed(3)}`;
}

function percent(value) {
  return `${(100 * value).toFixed(1)} %`;
}

/** One line that is rewritten in place, and nothing at all where no person looks on. */
function progress() {
  if (!process.stderr.isTTY) return () => {};
  return ({ stage, done, total }) => {
    process.stderr.write(`\r\x1b[K  ${stage} ${total > 0 ? `${Math.round((100 * done) / total)} %` : ""}`);
  };
}
