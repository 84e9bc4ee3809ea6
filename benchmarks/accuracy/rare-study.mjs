// Rare variants of a simulated set placed on its true common haplotypes, against the truth.
import { createWriteStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { gunzipSync } from "node:zlib";
import { checkOneAllele, phaseRare, readGeneticMap } from "@x/phaser";

const BINS = [1, 2, 5, 10];
/** Rows with more minor copies than the last bin are the scaffold. */
const SCAFFOLD_MAC = BINS.at(-1) + 1;

function rowsOf(path) {
  const bytes = readFileSync(path);
  const lines = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString().split("\n");
  const head = lines.filter((line) => line.startsWith("#"));
  return {
    head,
    rows: lines.filter((line) => line !== "" && !line.startsWith("#")).map((l) => l.split("\t")),
  };
}

const key = (t) => `${t[1]} ${t[3]} ${t[4]}`;

/** Minor copies of a truth row. */
function mac(t) {
  const copies = t.slice(9).reduce((n, g) => n + Number(g[0] === "1") + Number(g[2] === "1"), 0);
  return Math.min(copies, 2 * (t.length - 9) - copies);
}

/**
 * @param options.folder has NAME.unphased.vcf.gz, NAME.truth.vcf.gz and chr20.gmap.gz; `scratch` takes what is written.
 * @returns errors by MAC, probabilities against what was right, and counts.
 */
export async function studyRare({ folder, name, scratch, threads = 1, seed = 1 }) {
  const truth = rowsOf(join(folder, `${name}.truth.vcf.gz`));
  const scaffold = join(scratch, `${name}.scaffold.vcf`);
  const out = createWriteStream(scaffold);
  out.write(truth.head.map((line) => `${line}\n`).join(""));
  const wanted = new Map();
  for (const t of truth.rows) {
    const n = mac(t);
    if (n >= SCAFFOLD_MAC) out.write(`${t.join("\t")}\n`);
    else if (n > 0) wanted.set(key(t), { n, haplotypes: t.slice(9).map((g) => g.slice(0, 3)) });
  }
  out.end();
  await finished(out);
  const map = await readGeneticMap(join(folder, "chr20.gmap.gz"));
  const input = join(folder, `${name}.unphased.vcf.gz`);
  const path = join(scratch, `${name}.placed.vcf`);
  const cpu = process.cpuUsage();
  const placed = await phaseRare(input, scaffold, { map, threads, seed });
  const { user, system } = process.cpuUsage(cpu);
  await placed.write(path);
  const { summary } = placed;
  placed.release();
  return {
    name,
    cpuSeconds: (user + system) / 1e6,
    summary,
    violations: (await checkOneAllele(path)).haplotypeViolations,
    ...compare(wanted, rowsOf(path).rows, observed(input)),
  };
}

/** Genotypes as read, by row. */
function observed(input) {
  return new Map(rowsOf(input).rows.map((t) => [key(t), t.slice(9).map((g) => g.slice(0, 3))]));
}

function compare(wanted, rows, read) {
  const bins = BINS.map((to, i) => ({ from: i === 0 ? 1 : BINS[i - 1] + 1, to, hets: 0, wrong: 0 }));
  const calibration = Array.from({ length: 10 }, (_, i) => ({
    from: 0.5 + i * 0.05,
    hets: 0,
    said: 0,
    right: 0,
  }));
  let changed = 0;
  const singletons = { said: 0 };
  for (const t of rows) {
    const want = wanted.get(key(t));
    if (!want) continue;
    const before = read.get(key(t));
    const bin = bins.find((b) => want.n <= b.to);
    for (const [s, field] of t.slice(9).entries()) {
      const [gt, pp] = field.split(":");
      if (before[s].includes(".")) continue;
      const copies = (g) => Number(g[0]) + Number(g[2]);
      changed += Number(copies(before[s]) !== copies(gt));
      if (copies(gt) !== 1) continue;
      const [right, p] = [gt === want.haplotypes[s], Number(pp)];
      bin.hets++;
      bin.wrong += Number(!right);
      if (want.n === 1) singletons.said += p;
      const c = calibration[Math.min(9, Math.floor((p - 0.5) * 20))];
      c.hets++;
      c.said += p;
      c.right += Number(right);
    }
  }
  const rate = (b) => ({ ...b, percent: b.hets === 0 ? null : (100 * b.wrong) / b.hets });
  const share = (c) => (c.hets === 0 ? c : { ...c, said: c.said / c.hets, right: c.right / c.hets });
  const all = calibration.reduce((n, c) => n + c.hets, 0);
  // Mean distance of what was said from what was right, weighed by genotypes.
  const apart = calibration.reduce((n, c) => n + Math.abs(c.said - c.right), 0) / all;
  return {
    byMac: bins.map(rate),
    singletonSaid: bins[0].hets === 0 ? null : singletons.said / bins[0].hets,
    calibration: calibration.map(share),
    calibrationError: apart,
    observedChanged: changed,
  };
}
