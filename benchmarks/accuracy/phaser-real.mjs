// node benchmarks/accuracy/phaser-real.mjs [--seeds 1,2,3] [--programs ours,shapeit4]: 203 people of 1000 Genomes,
// chr20:1.0-2.5 Mb, phased with and without 300 others as reference panel by us, and without by shapeit4 on the same
// file. Judged by the heterozygous genotypes that an array scaffold phased by family. Runs of the last results file that
// were not made anew are kept if they are of the same version. Exit 1 when we are worse than shapeit4 or a panel does
// not help.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkOneAllele, switchError } from "@x/phaser";
import { describeMachine } from "../lib/machine.mjs";
import { measure } from "../lib/measure.mjs";
import { root } from "../lib/paths.mjs";
import { findPeers, INSTALL } from "../lib/peers.mjs";
import { engineVersion, phaserFolder } from "../lib/phaser.mjs";
import { markdown } from "../lib/tables.mjs";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1,2,3" },
    programs: { type: "string", default: "ours,shapeit4" },
  },
});
const data = phaserFolder();
if (!data) {
  console.log("the data are not here: nothing was checked");
  process.exit(0);
}
const real = (name) => join(data, "real", `${name}.chr20_1.0-2.5Mb.bcf`);
const map = join(data, "chr20.b37.gmap.gz");
const peers = findPeers();
const file = join(root, "benchmarks/results/accuracy-phaser-real.json");
const versions = { ours: engineVersion(), shapeit4: peers.shapeit4?.version };
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
  return {
    program,
    version: versions[program],
    panel,
    seed,
    pairs,
    switches,
    percent,
    flips,
    haplotypeViolations,
    cpu,
    peak,
  };
}

const seeds = values.seeds.split(",").map(Number);
const contenders = [["ours", false], ["ours", true], ...(peers.shapeit4 ? [["shapeit4", false]] : [])];
if (!peers.shapeit4) console.log(`shapeit4 is not here (${INSTALL.shapeit4})`);
const asked = contenders.filter(([program]) => values.programs.split(",").includes(program));
const known = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).runs : [];
let runs = known.filter((r) => r.version === versions[r.program]);
try {
  for (const seed of seeds) {
    for (const [program, panel] of asked) {
      const found = await run(program, panel, seed);
      const same = (r) => r.program === program && r.panel === panel && r.seed === seed;
      runs = [...runs.filter((r) => !same(r)), found];
      save();
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const shown = (value, digits) => (value === null ? "–" : value.toFixed(digits));
const rows = contenders.map(([program, panel]) => [
  program,
  panel ? "300 people" : "none",
  count(program, panel),
  shown(mean(program, panel, "percent"), 4),
  shown(mean(program, panel, "switches"), 1),
  shown(mean(program, panel, "flips"), 1),
  shown(mean(program, panel, "cpu"), 1),
  shown(mean(program, panel, "peak") && mean(program, panel, "peak") / 1e6, 0),
]);
const header = ["program", "panel", "seeds", "switch error %", "switches", "flips", "CPU s", "peak MB"];
console.log(`\n# real data, means\n\n${markdown(header, rows)}`);

const holds = judge();
console.log();
for (const { what, ok } of holds) console.log(`${ok ? "ok  " : "FAIL"} ${what}`);
if (holds.some(({ ok }) => !ok)) process.exitCode = 1;

function mean(program, panel, what) {
  const some = runs.filter((r) => r.program === program && r.panel === panel).map((r) => r[what]);
  return some.length === 0 || some.includes(null) ? null : some.reduce((a, b) => a + b, 0) / some.length;
}

function count(program, panel) {
  return runs.filter((r) => r.program === program && r.panel === panel).length;
}

/** What can be judged by the runs there are. */
function judge() {
  const rate = (program, panel) => mean(program, panel, "percent");
  const clean = runs.every((r) => r.program !== "ours" || r.haplotypeViolations === 0);
  const holds = [{ what: "no haplotype with two ALTs", ok: clean }];
  const [alone, helped, peer] = [rate("ours", false), rate("ours", true), rate("shapeit4", false)];
  if (alone !== null && helped !== null) holds.push({ what: "a panel helps", ok: helped < alone });
  if (alone !== null && peer !== null) {
    holds.push({ what: "no worse than shapeit4 without a panel", ok: alone <= peer });
  }
  return holds;
}

/** After every run, so that one that is stopped leaves what it found. */
function save() {
  const title = "1000 Genomes chr20:1.0-2.5 Mb against an array scaffold phased by family";
  const all = { title, machine: describeMachine(peers), holds: judge(), runs };
  writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
}
