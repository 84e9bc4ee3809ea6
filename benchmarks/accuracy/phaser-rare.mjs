// node benchmarks/accuracy/phaser-rare.mjs: rare variants on the true haplotypes of the common ones; exit 1 below a floor.
//   --set raremulti (may be repeated)   --both: on common variants phased by us   --peers: SHAPEIT4 beside it (minutes)
// Each set, and of a set each part, is kept in results/accuracy-phaser-rare.json until it is run again.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine } from "../lib/machine.mjs";
import { root } from "../lib/paths.mjs";
import { findPeers } from "../lib/peers.mjs";
import { engineVersion } from "../lib/phaser.mjs";
import { markdown } from "../lib/tables.mjs";
import { rareFloors } from "./rare-floors.mjs";
import { shapeit4, TOGETHER } from "./rare-peers.mjs";
import { rareSet, studyBoth, studyRare } from "./rare-study.mjs";

const SETS = ["raremulti", "hardmulti", "hardbial", "multi", "bial"];
const { values } = parseArgs({
  options: {
    set: { type: "string", multiple: true, default: SETS },
    both: { type: "boolean", default: false },
    peers: { type: "boolean", default: false },
  },
});
const folder = process.env.X_PHASED ?? join(dirname(root), "shared/data/phaser/sim");
const scratch = mkdtempSync(join(tmpdir(), "x-rare-"));
const title = "rare variants (MAC ≤ 10) on the true scaffold; by chance 50 % are wrong";
const results = join(root, "benchmarks/results");
const file = join(results, "accuracy-phaser-rare.json");
const before = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).sets : [];
const sets = new Map(before.map((s) => [s.name, s]));
const failed = [];
try {
  for (const name of values.set) {
    const set = await rareSet({ folder, name, scratch });
    const { both, peers } = sets.get(name) ?? {};
    const study = await studyRare(set);
    study.both = values.both ? await studyBoth(set) : both;
    study.peers = values.peers ? { shapeit4: await shapeit4(set) } : peers;
    study.version = engineVersion();
    sets.set(name, study);
    failed.push(...rareFloors(study));
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

const all = SETS.flatMap((name) => sets.get(name) ?? []);
const percent = (value) => (typeof value === "number" ? value.toFixed(2) : "–");
const cells = (bins, count) =>
  bins.map((b) => (typeof b === "number" ? percent(b) : `${percent(b.percent)} (${b[count]})`));
const bins = all[0].byMac.map((b) => `MAC ${b.from}–${b.to}`);
console.log(`# ${title}\n\nwrong %, (hets)\n`);
const orders = all.flatMap((s) => [
  [s.name, "placed", ...cells(s.byMac, "hets"), s.calibrationError.toFixed(4), String(s.violations)],
  ...(s.peers ? [[s.name, "shapeit4 --scaffold", ...cells(s.peers.shapeit4.byMac, "hets"), "–", "–"]] : []),
]);
console.log(markdown(["set", "by", ...bins, "PP error", "two ALTs"], orders));
console.log("\nswitches %, (pairs)\n");
const switches = all.flatMap((s) => [
  [s.name, "placed on the truth", ...cells(s.switchByMac, "pairs")],
  ...(s.peers ? [[s.name, "shapeit4 on the truth", ...cells(s.peers.shapeit4.switchByMac, "pairs")]] : []),
  ...(s.both ? [[s.name, "phased, then placed", ...cells(s.both.switchByMac, "pairs")]] : []),
  ...Object.entries(TOGETHER[s.name] ?? {}).map(([by, row]) => [
    s.name,
    `${by}, all together`,
    ...cells(row),
  ]),
]);
console.log(markdown(["set", "by", ...bins], switches));
for (const line of failed) console.log(`FAIL ${line}`);
mkdirSync(results, { recursive: true });
const text = JSON.stringify(
  { name: "accuracy-phaser-rare", title, machine: describeMachine(findPeers()), sets: all, failed },
  null,
  2,
);
writeFileSync(file, `${text}\n`);
if (failed.length > 0) process.exitCode = 1;
