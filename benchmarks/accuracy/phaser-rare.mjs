// node benchmarks/accuracy/phaser-rare.mjs: rare variants on the true haplotypes of the common ones; exit 1 below a floor.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describeMachine } from "../lib/machine.mjs";
import { root } from "../lib/paths.mjs";
import { findPeers } from "../lib/peers.mjs";
import { markdown } from "../lib/tables.mjs";
import { rareFloors } from "./rare-floors.mjs";
import { studyRare } from "./rare-study.mjs";

const folder = process.env.X_PHASED ?? join(dirname(root), "shared/data/phaser/sim");
const scratch = mkdtempSync(join(tmpdir(), "x-rare-"));
const title = "rare variants (MAC ≤ 10) on the true scaffold; by chance 50 % are wrong";
const sets = [];
const failed = [];
try {
  for (const name of ["raremulti", "hardmulti", "hardbial", "multi", "bial"]) {
    const study = await studyRare({ folder, name, scratch });
    sets.push(study);
    failed.push(...rareFloors(study));
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`# ${title}\n`);
const percent = (b) => (b.percent === null ? "–" : `${b.percent.toFixed(2)} (${b.hets})`);
console.log(
  markdown(
    [
      "set",
      ...sets[0].byMac.map((b) => `wrong %, MAC ${b.from}–${b.to} (hets)`),
      "PP error",
      "violations",
      "CPU s",
    ],
    sets.map((s) => [
      s.name,
      ...s.byMac.map(percent),
      s.calibrationError.toFixed(4),
      String(s.violations),
      s.cpuSeconds.toFixed(1),
    ]),
  ),
);
for (const line of failed) console.log(`FAIL ${line}`);
const results = join(root, "benchmarks/results");
mkdirSync(results, { recursive: true });
const text = JSON.stringify(
  { name: "accuracy-phaser-rare", title, machine: describeMachine(findPeers()), sets, failed },
  null,
  2,
);
writeFileSync(join(results, "accuracy-phaser-rare.json"), `${text}\n`);
if (failed.length > 0) process.exitCode = 1;
