import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { phaseMemory } from "@x/phaser";
import { readGenotypes } from "../lib/genotypes.mjs";
import { engineStep, phaserFolder, phaserTool, phaseStep } from "../lib/phaser.mjs";
import { markdown, megabytes, seconds } from "../lib/tables.mjs";

/** What grows, at how many, and what stays. */
const KINDS = {
  samples: { at: [250, 500, 1000, 2000, 4000], size: (n) => ({ samples: n, sites: 2000 }) },
  sites: { at: [500, 1000, 2000, 4000], size: (n) => ({ samples: 500, sites: n }) },
};

/** Runs the asked sizes (all, unless some are named) of the asked kinds once: by kind, tool and size what was measured. */
export async function growth({ only, peers, scratch, race, note }, kinds) {
  const out = {};
  for (const kind of kinds) {
    if (!(kind in KINDS)) throw new Error(`--growth wants ${Object.keys(KINDS).join(" or ")}, not ${kind}`);
    out[kind] = {};
    for (const at of only.set.length > 0 ? only.set.map(Number) : KINDS[kind].at) {
      if (!(at > 0)) throw new Error(`with --growth, --set wants how many ${kind}`);
      const set = simulate(KINDS[kind].size(at), scratch);
      if (!set) {
        note("simulate_phased.py does not run here (python3 with numpy, bcftools, bgzip, tabix)");
        return {};
      }
      for (const tool of only.tool.length > 0 ? only.tool : ["ours"]) {
        if (!["ours", "engine"].includes(tool) && !peers[tool]) continue;
        const { [tool]: result } = await race([{ name: tool, steps: [step(tool, set, peers, scratch)] }], {
          repeats: 1,
        });
        const { cpu, wall, peak, failed } = result;
        const predicted = tool === "ours" || tool === "engine" ? phaseMemory(set.size).total : null;
        out[kind][tool] ??= {};
        out[kind][tool][at] = failed ? { at, failed } : { at, cpu, wall, peak, predicted };
      }
    }
  }
  return out;
}

function step(tool, set, peers, scratch) {
  const output = join(scratch, `grown-${tool}.vcf`);
  if (tool === "ours") return phaseStep(set, { output });
  if (tool === "engine") return engineStep(set, { output, scratch });
  const args = {
    shapeit4: [
      ...["--input", set.input, "--map", set.map, "--region", "20", "--sequencing", "--seed", "1"],
      ...["--output", output],
    ],
    beagle: [`gt=${set.input}`, `map=${set.beagleMap}`, "seed=1", "nthreads=1", `out=${output}`],
  }[tool];
  return { command: peers[tool].command, args };
}

/** People of a random-mating population of 5,000 after 20 generations, or null where the simulation does not run. */
function simulate({ samples, sites }, scratch) {
  const real = (name) => join(phaserFolder(), "real", `${name}.chr20_1.0-2.5Mb.bcf`);
  const out = join(scratch, "grown");
  const args = [
    phaserTool("simulate_phased.py"),
    ...["--founders", real("reference"), real("target.statphased")],
    ...["--map", join(phaserFolder(), "chr20.b37.gmap.gz"), "--out", out, "--seed", "7"],
    ...[
      "--n",
      String(samples),
      "--sites",
      String(sites),
      "--pop",
      "5000",
      "--gens",
      "20",
      "--missing",
      "0.005",
    ],
  ];
  const { status, stdout } = spawnSync("python3", args, { encoding: "utf8" });
  if (status !== 0) return null;
  const input = `${out}.unphased.vcf.gz`;
  const { samples: names, rows } = readGenotypes(input);
  return {
    input,
    truth: `${out}.truth.vcf.gz`,
    map: join(phaserFolder(), "chr20.b37.gmap.gz"),
    beagleMap: join(phaserFolder(), "sim/chr20.plink.map"),
    size: { positions: rows.length, samples: names.length, cm: Number(/span_cM (\S+)/.exec(stdout)[1]) },
  };
}

/** Slope of log cost over log size, by least squares. */
export function exponent(points, of) {
  const logs = points.filter((p) => p[of] > 0).map((p) => [Math.log(p.at), Math.log(p[of])]);
  if (logs.length < 2) return null;
  const mean = (i) => logs.reduce((sum, point) => sum + point[i], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  return (
    logs.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) /
    logs.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
  );
}

export function growthTables(grown) {
  return Object.entries(grown).flatMap(([kind, tools]) =>
    Object.entries(tools).map(([tool, sizes]) => {
      const points = Object.values(sizes).sort((a, b) => a.at - b.at);
      const rows = points.map((p) => [
        p.at,
        p.failed ? "failed" : seconds(p.wall),
        seconds(p.cpu),
        megabytes(p.peak),
        megabytes(p.predicted),
      ]);
      const good = points.filter((p) => !p.failed);
      const slope = (of) => exponent(good, of)?.toFixed(2) ?? "–";
      const fit = ["exponent", slope("wall"), slope("cpu"), slope("peak"), slope("predicted")];
      return `${tool}, growth in ${kind}\n\n${markdown([kind, "wall", "CPU", "peak", "predicted beside Node"], [...rows, fit])}`;
    }),
  );
}
