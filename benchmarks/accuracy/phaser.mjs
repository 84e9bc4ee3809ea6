// node benchmarks/accuracy/phaser.mjs: every simulated set, three seeds, against known phase; exit 1 below a floor.
//   --set raremulti (may be repeated)   --seeds 1,2,3   --threads 2   --engine (the example binary instead of the package)
// Each set is kept in results/accuracy-phaser.json until it is run again.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { changedGenotypes, masked, readGenotypes, resolvedByParents } from "../lib/genotypes.mjs";
import { describeMachine } from "../lib/machine.mjs";
import { measure } from "../lib/measure.mjs";
import { root } from "../lib/paths.mjs";
import { findPeers } from "../lib/peers.mjs";
import {
  engineStep,
  engineVersion,
  oneAlleleViolations,
  phaserFolder,
  phaseStep,
  simulated,
  switchError,
} from "../lib/phaser.mjs";
import { markdown } from "../lib/tables.mjs";

/** Switch errors by position in percent, at most; mean over the seeds. */
const MOST = { bial: 0.025, multi: 0.025, hardbial: 0.88, hardmulti: 0.85, raremulti: 1.25, trio: 0.1 };
/** Squared correlation of imputed and true genotypes, at least; mean over the seeds. */
const LEAST_R2 = { raremulti: 0.953 };

const { values } = parseArgs({
  options: {
    set: { type: "string", multiple: true, default: Object.keys(MOST) },
    seeds: { type: "string", default: "1,2,3" },
    threads: { type: "string", default: "2" },
    engine: { type: "boolean", default: false },
  },
});
const unknown = values.set.filter((name) => !(name in MOST));
if (unknown.length > 0) {
  console.error(`no set ${unknown.join(", ")}; there are ${Object.keys(MOST).join(", ")}`);
  process.exit(2);
}
if (!phaserFolder()) {
  console.log("the simulated sets are not here (X_PHASER=folder): nothing was checked");
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), "accuracy-phaser-"));
const file = join(root, "benchmarks/results/accuracy-phaser.json");
let failed = 0;
try {
  for (const name of values.set) {
    const runs = [];
    for (const seed of values.seeds.split(",").map(Number)) {
      runs.push({ seed, version: engineVersion(), ...(await once(simulated(name), seed)) });
      console.log(`· ${name}, seed ${seed}: ${JSON.stringify(runs.at(-1))}`);
    }
    const lines = judge(name, runs);
    save({ [name]: { through: values.engine ? "engine" : "package", runs, lines } });
    failed += lines.filter(({ ok }) => !ok).length;
    console.log(`\n# ${name}\n`);
    const rows = lines.map(({ ok, what, value, floor }) => [ok ? "ok" : "FAIL", what, value, floor]);
    console.log(`${markdown(["", "what", "found", "floor"], rows)}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (failed > 0) process.exitCode = 1;

/** After every set, so that a run that is stopped leaves what it found. */
function save(found) {
  const before = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).sets : {};
  mkdirSync(join(root, "benchmarks/results"), { recursive: true });
  const title = "phasing of simulated studies against known phase";
  const sets = { ...before, ...found };
  const all = { name: "accuracy-phaser", title, machine: describeMachine(findPeers()), sets };
  writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
}

/** One run and all that can be counted in it. */
async function once(set, seed) {
  const output = join(folder, "out.vcf");
  const step = values.engine ? engineStep : phaseStep;
  const { cpu } = await measure(
    step(set, { output, seed, threads: Number(values.threads), scratch: folder }),
  );
  const [observed, estimate, truth] = [set.input, output, set.truth].map(readGenotypes);
  const found = {
    cpuSeconds: cpu,
    violations: await oneAlleleViolations(output),
    changed: changedGenotypes(observed, estimate),
    masked: masked(observed, estimate, truth),
  };
  if (!set.pedigree) return { ...found, ...error(await switchError(set.truth, output)) };
  const trios = readFileSync(set.pedigree, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(/\s+/));
  const children = join(folder, "children.txt");
  writeFileSync(children, trios.map(([child]) => `${child}\n`).join(""));
  return {
    ...found,
    ...error(await switchError(set.truth, output, ["--samples", children])),
    parents: resolvedByParents(observed, estimate, truth, trios),
  };
}

function error({ SER_percent, switches, flips, het_pairs }) {
  return { serPercent: SER_percent, switches, flips, pairs: het_pairs };
}

function judge(name, runs) {
  const mean = (of) => runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
  const sum = (of) => runs.reduce((total, run) => total + of(run), 0);
  const ser = Number(mean((run) => run.serPercent).toFixed(4));
  const line = (what, value, floor, ok) => ({ what, value, floor, ok });
  const whose = name === "trio" ? "children's switch error %" : "switch error %";
  const lines = [
    line(`${whose}, mean`, ser, `≤ ${MOST[name]}`, ser <= MOST[name]),
    ...[
      ["haplotypes with two ALTs", sum((run) => run.violations)],
      ["observed genotypes changed", sum((run) => run.changed)],
      ...(name === "trio" ? [["errors where parents decide", sum((run) => run.parents.wrong)]] : []),
    ].map(([what, value]) => line(what, value, "0", value === 0)),
  ];
  if (LEAST_R2[name]) {
    const r2 = Number(mean((run) => run.masked.r2).toFixed(4));
    lines.push(line("masked genotypes r², mean", r2, `≥ ${LEAST_R2[name]}`, r2 >= LEAST_R2[name]));
  }
  return lines;
}
