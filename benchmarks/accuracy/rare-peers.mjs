// The same rare variants by other programs.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { compareRare, switchByMac } from "./rare-study.mjs";

/**
 * Switch error by MAC 1, 2, 3–5, 6–10 of programs that phased all rows of raremulti together, without a scaffold, in
 * percent; their own defaults, one run each, the switches counted as we count them.
 */
export const TOGETHER = {
  raremulti: { "SHAPEIT5 phase_common": [45.1, 11.7, 4.3, 2.6], "Beagle 5.4": [43.8, 10.4, 5.0, 2.6] },
};

/** SHAPEIT4 with the true scaffold: minutes. */
export async function shapeit4(set) {
  const output = join(set.scratch, `${set.name}.shapeit4.vcf.gz`);
  const files = ["--input", set.input, "--scaffold", set.scaffold, "--map", set.map, "--output", output];
  const options = ["--region", "20", "--sequencing", "--seed", "1", "--thread", "1"];
  const run = spawnSync("shapeit4", [...files, ...options], { encoding: "utf8", maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(`shapeit4 ended with ${run.status}: ${run.stderr}`);
  return await judge(set, output, options);
}

/** What an output of it is worth. */
export async function judge(set, output, options) {
  const { byMac, observedChanged } = compareRare(set, output);
  return { options, byMac, observedChanged, switchByMac: await switchByMac(output, set.truth) };
}
