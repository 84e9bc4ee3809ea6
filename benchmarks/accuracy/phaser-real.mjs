// node benchmarks/accuracy/phaser-real.mjs [--seeds 3]: 203 people of 1000 Genomes, chr20:1.0-2.5 Mb, phased with and without
// 300 others as reference panel by us, and without by shapeit4 on the same file. Judged by the heterozygous genotypes that an
// array scaffold phased by family. Exit 1 when we are worse than shapeit4 or a panel does not help.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { checkOneAllele, switchError } from "@x/phaser";
import { describeMachine } from "../lib/machine.mjs";
import { measure } from "../lib/measure.mjs";
import { root } from "../lib/paths.mjs";
import { findPeers, INSTALL } from "../lib/peers.mjs";
import { markdown } from "../lib/tables.mjs";

const { values } = parseArgs({ options: { seeds: { type: "string", default: "3" } } });
const data = process.env.X_PHASER_DATA ?? join(dirname(root), "shared/data/phaser");
if (!existsSync(data)) {
  console.log(`${data} is not here: nothing was checked`);
  process.exit(0);
}
const real = (name) => join(data, "real", `${name}.chr20_1.0-2.5Mb.bcf`);
const map = join(data, "chr20.b37.gmap.gz");
const peers = findPeers();
const folder = mkdtempSync(join(tmpdir(), "accuracy-phaser-real-"));

/** One run of a program; its switch error against the scaffold. */
async function run(program, panel, seed) {
  const output = join(folder, `${program}-${panel ? "panel" : "alone"}-${seed}.bcf`);
  const common = ["--input", real("target.unphased"), "--map", map, "--region", "20", "--seed", String(seed)];
  const args = [...common, ...(panel ? ["--reference", real("reference")] : []), "--output", output];
  const command =
    program === "ours"
      ? {
          command: process.execPath,
          args: [join(root, "packages/phaser/bin/phaser.mjs"), "phase", ...args, "--threads", "1"],
        }
      : { command: "shapeit4", args: [...args, "--sequencing"] };
  const { cpu, peak } = await measure(command);
  const report = await switchError(output, real("scaffold"), { by: "position" });
  const { haplotypeViolations } = await checkOneAllele(output);
  const { pairs, switches, percent, flips } = report;
  console.log(
    `${program}, ${panel ? "with" : "without"} a panel, seed ${seed}: ${switches} switches of ${pairs} pairs`,
  );
  return { program, panel, seed, pairs, switches, percent, flips, haplotypeViolations, cpu, peak };
}

const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1);
const contenders = [["ours", false], ["ours", true], ...(peers.shapeit4 ? [["shapeit4", false]] : [])];
if (!peers.shapeit4) console.log(`shapeit4 is not here (${INSTALL.shapeit4})`);
const runs = [];
try {
  for (const seed of seeds) {
    for (const [program, panel] of contenders) runs.push(await run(program, panel, seed));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const mean = (program, panel, what) => {
  const some = runs.filter((r) => r.program === program && r.panel === panel).map((r) => r[what]);
  return some.includes(null) ? null : some.reduce((a, b) => a + b, 0) / some.length;
};
const shown = (value, digits) => (value === null ? "–" : value.toFixed(digits));
const rows = contenders.map(([program, panel]) => [
  program,
  panel ? "300 people" : "none",
  shown(mean(program, panel, "percent"), 4),
  shown(mean(program, panel, "switches"), 1),
  shown(mean(program, panel, "flips"), 1),
  shown(mean(program, panel, "cpu"), 1),
  shown(mean(program, panel, "peak") && mean(program, panel, "peak") / 1e6, 0),
]);
const header = ["program", "panel", "switch error %", "switches", "flips", "CPU s", "peak MB"];
console.log(`\n# real data, mean of ${seeds.length} seeds\n\n${markdown(header, rows)}`);

const rate = (program, panel) => mean(program, panel, "percent");
const holds = [
  { what: "a panel helps", ok: rate("ours", true) < rate("ours", false) },
  {
    what: "no haplotype with two ALTs",
    ok: runs.every((r) => r.program !== "ours" || r.haplotypeViolations === 0),
  },
];
if (peers.shapeit4) {
  const ok = rate("ours", false) <= rate("shapeit4", false);
  holds.push({ what: "no worse than shapeit4 without a panel", ok });
}
console.log();
for (const { what, ok } of holds) console.log(`${ok ? "ok  " : "FAIL"} ${what}`);
const title = "1000 Genomes chr20:1.0-2.5 Mb against an array scaffold phased by family";
const text = JSON.stringify({ title, machine: describeMachine(peers), holds, runs }, null, 2);
writeFileSync(join(root, "benchmarks/results/accuracy-phaser-real.json"), `${text}\n`);
if (holds.some(({ ok }) => !ok)) process.exitCode = 1;
