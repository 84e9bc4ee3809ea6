import { join } from "node:path";
import {
  engineStep,
  oneAlleleViolations,
  phaserFolder,
  phaseStep,
  simulated,
  switchError,
} from "../lib/phaser.mjs";
import { markdown, megabytes, ratio, seconds } from "../lib/tables.mjs";
import { phaserFloors } from "./floors.mjs";
import { growth, growthTables } from "./growth.mjs";

const SETS = ["raremulti", "hardmulti"];
const OWN = new Set(["ours", "split", "engine"]);
const KNOWN = [...SETS, "bial", "multi", "hardbial"];
/** `split`: ours with every row a position of its own. `engine`: ours without Node and our reader. */
const TOOLS = ["ours", "split", "engine", "beagle", "shapeit4"];

/**
 * Whole runs on simulated studies, at one and two threads. `--set`, `--tool` and `--threads` (each may be repeated) choose
 * a part of it (`--set bial --tool ours --tool split`: what supersites cost where there are none). `--growth samples` or
 * `--growth sites` measures growth instead (`--set 250`: at this size only). What was measured before is kept.
 */
export default {
  title: "phasing of simulated studies, whole commands, against Beagle and SHAPEIT4",
  async run(context) {
    const { only, note, large } = context;
    if (!phaserFolder()) {
      note("the simulated sets are not here (X_PHASER=folder)");
      return { tables: [], data: {} };
    }
    if (only.growth.length > 0) return { data: { growth: await growth(context, only.growth) } };
    refuse(only.set, KNOWN);
    refuse(only.tool, TOOLS);
    const data = {};
    for (const name of pick(only.set, SETS)) {
      const set = simulated(name);
      const contenders = pick(
        only.tool,
        TOOLS.filter((tool) => tool !== "split"),
      ).flatMap((tool) =>
        OWN.has(tool) || context.peers[tool]
          ? pick(only.threads, ["1", "2"]).map((threads) => contender(tool, Number(threads), set, context))
          : [],
      );
      // Minutes a run: one round, unless asked for more.
      const results = await context.race(contenders, {
        repeats: large || only.tool.includes("split") ? context.repeats : 1,
      });
      for (const { name: who, found } of contenders)
        if (!results[who].failed) Object.assign(results[who], found);
      data[name] = results;
    }
    return { data: { sets: data } };
  },
  floors: ({ sets = {} }) => phaserFloors(sets),
  tables({ sets = {}, growth: grown = {} }) {
    return [
      ...Object.entries(sets).map(([name, results]) => setTable(name, results)),
      ...growthTables(grown),
    ];
  },
};

function refuse(asked, known) {
  const odd = asked.find((name) => !known.includes(name));
  if (odd !== undefined) throw new Error(`there is no ${odd}, only ${known.join(", ")}`);
}

const pick = (asked, all) => (asked.length > 0 ? asked : all);

function contender(tool, threads, set, { scratch, peers }) {
  const name = `${tool}, ${threads} thread${threads > 1 ? "s" : ""}`;
  const output = join(scratch, `${tool}-${threads}.vcf`);
  const steps = {
    ours: () => [phaseStep(set, { output, threads })],
    split: () => [phaseStep(set, { output, threads, more: ["--no-enforce-oneallele-supersite"] })],
    engine: () => [engineStep(set, { output, threads, scratch })],
    shapeit4: () => [
      {
        command: peers.shapeit4?.command,
        args: [
          ...["--input", set.input, "--map", set.map, "--region", "20", "--sequencing", "--seed", "1"],
          ...["--thread", String(threads), "--output", output],
        ],
      },
    ],
    beagle: () => [
      {
        command: peers.beagle?.command,
        args: [`gt=${set.input}`, `map=${set.beagleMap}`, "seed=1", `nthreads=${threads}`, `out=${output}`],
      },
    ],
  }[tool]();
  const written = tool === "beagle" ? `${output}.vcf.gz` : output;
  const found = {};
  return {
    name,
    found,
    steps,
    async after() {
      if (found.serPercent !== undefined) return;
      found.serPercent = (await switchError(set.truth, written)).SER_percent;
      found.violations = await oneAlleleViolations(written);
    },
  };
}

function setTable(name, results) {
  const wall = (tool) => results[`${tool}, 1 thread`]?.wall;
  const place = ([who]) => TOOLS.indexOf(who.split(",")[0]);
  const sorted = Object.entries(results).sort((a, b) => place(a) - place(b) || a[0].localeCompare(b[0]));
  const rows = sorted.map(([who, result]) =>
    result.failed
      ? [who, "failed", "–", "–", "–", "–", "–", "–", "–"]
      : [
          who,
          seconds(result.wall),
          seconds(result.cpu),
          megabytes(result.peak),
          result.serPercent,
          result.violations,
          ratio(wall(who.split(",")[0]), result.wall),
          ratio(wall("ours"), result.wall),
          ratio(wall("beagle"), result.wall),
        ],
  );
  const header = [
    "run",
    "wall",
    "CPU",
    "peak",
    "switch error %",
    "two ALTs",
    "1 thread ÷ wall",
    "ours, 1 thread ÷ wall",
    "Beagle ÷ wall",
  ];
  return `${name}\n\n${markdown(header, rows)}`;
}
