// Rare variants of a simulated set placed on common haplotypes, against the truth.
import { createWriteStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { gunzipSync } from "node:zlib";
import { checkOneAllele, openVcf, phase, phaseRare, switchError, writeVcf } from "@x/phaser";

/** Upper ends of the bins of minor allele counts. */
export const BINS = [1, 2, 5, 10];
/** Rows with more minor copies than the last bin are the scaffold. */
const SCAFFOLD_MAC = BINS.at(-1) + 1;

export function rowsOf(path) {
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

async function writeRows(path, head, rows) {
  const out = createWriteStream(path);
  out.write(head.map((line) => `${line}\n`).join(""));
  for (const t of rows) out.write(`${t.join("\t")}\n`);
  out.end();
  await finished(out);
}

/** Files and truth of a set: the input, its true scaffold (with an index), the rare rows' haplotypes. */
export async function rareSet({ folder, name, scratch }) {
  const truth = rowsOf(join(folder, `${name}.truth.vcf.gz`));
  const common = truth.rows.filter((t) => mac(t) >= SCAFFOLD_MAC);
  const rare = truth.rows.filter((t) => mac(t) > 0 && mac(t) < SCAFFOLD_MAC);
  const plain = join(scratch, `${name}.scaffold.vcf`);
  await writeRows(plain, truth.head, common);
  using loci = await (await openVcf(plain)).loci({ role: "scaffold" });
  const scaffold = join(scratch, `${name}.scaffold.vcf.gz`);
  await writeVcf(loci, scaffold);
  return {
    name,
    scratch,
    scaffold,
    common: new Set(common.map(key)),
    truth: join(folder, `${name}.truth.vcf.gz`),
    input: join(folder, `${name}.unphased.vcf.gz`),
    map: join(folder, "chr20.gmap.gz"),
    wanted: new Map(
      rare.map((t) => [key(t), { n: mac(t), haplotypes: t.slice(9).map((g) => g.slice(0, 3)) }]),
    ),
  };
}

/** Errors by minor allele count, probabilities against what was right, and counts. */
export async function studyRare(set, { threads = 1, seed = 1 } = {}) {
  const path = join(set.scratch, `${set.name}.placed.vcf`);
  const cpu = process.cpuUsage();
  const placed = await phaseRare(set.input, set.scaffold, { map: set.map, threads, seed });
  const { user, system } = process.cpuUsage(cpu);
  await placed.write(path);
  const { summary } = placed;
  placed.release();
  return {
    name: set.name,
    cpuSeconds: (user + system) / 1e6,
    summary,
    violations: (await checkOneAllele(path)).haplotypeViolations,
    ...compareRare(set, path),
    switchByMac: await switchByMac(path, set.truth),
  };
}

/** Common rows phased first, the rare ones placed on what was found: switch error by minor allele count. */
export async function studyBoth(set, { threads = 1, seed = 1 } = {}) {
  const { head, rows } = rowsOf(set.input);
  const common = join(set.scratch, `${set.name}.common.vcf`);
  await writeRows(
    common,
    head,
    rows.filter((t) => set.common.has(key(t))),
  );
  const [scaffold, path] = ["phased", "both"].map((n) => join(set.scratch, `${set.name}.${n}.vcf`));
  await using phased = phase(common, { map: set.map, threads, seed });
  await writeVcf(phased, scaffold);
  using placed = await phaseRare(set.input, scaffold, { map: set.map, threads, seed });
  await placed.write(path);
  return {
    switchByMac: await switchByMac(path, set.truth),
    violations: (await checkOneAllele(path)).haplotypeViolations,
  };
}

/** Switches in percent of the pairs that end at a row of so many minor copies. */
export async function switchByMac(path, truth) {
  const { byMac } = await switchError(path, truth);
  return byMac.slice(0, BINS.length).map(({ from, to, pairs, switches }) => ({
    from,
    to,
    pairs,
    switches,
    percent: pairs === 0 ? null : (100 * switches) / pairs,
  }));
}

/** Heterozygous genotypes of rare rows in the wrong order; probabilities where the file has PP. */
export function compareRare(set, path) {
  const read = new Map(rowsOf(set.input).rows.map((t) => [key(t), t.slice(9).map((g) => g.slice(0, 3))]));
  const bins = BINS.map((to, i) => ({ from: i === 0 ? 1 : BINS[i - 1] + 1, to, hets: 0, wrong: 0 }));
  const calibration = Array.from({ length: 10 }, (_, i) => ({
    from: 0.5 + i * 0.05,
    hets: 0,
    said: 0,
    right: 0,
  }));
  let changed = 0;
  const singletons = { said: 0 };
  for (const t of rowsOf(path).rows) {
    const want = set.wanted.get(key(t));
    if (!want) continue;
    const before = read.get(key(t));
    const bin = bins.find((b) => want.n <= b.to);
    for (const [s, field] of t.slice(9).entries()) {
      const [gt, pp] = field.split(":");
      if (before[s].includes(".")) continue;
      const copies = (g) => Number(g[0]) + Number(g[2]);
      changed += Number(copies(before[s]) !== copies(gt));
      if (copies(gt) !== 1) continue;
      const right = gt === want.haplotypes[s];
      bin.hets++;
      bin.wrong += Number(!right);
      if (pp === undefined) continue;
      const p = Number(pp);
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
