import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { measure } from "./measure.mjs";
import { ours, root } from "./paths.mjs";
import { buildExample } from "./rust.mjs";

/**
 * Simulated studies with known phase. They are not part of this repository: X_PHASER names a folder that has them,
 * `../shared/data/phaser` is where ours lie.
 */
export function phaserFolder() {
  const candidates = [process.env.X_PHASER, join(dirname(root), "shared/data/phaser")];
  return (
    candidates.find((folder) => folder && existsSync(join(folder, "sim/raremulti.truth.vcf.gz"))) ?? null
  );
}

/** The evaluators that lie beside the data: `switch_error.py`, `one_allele.py`, `simulate_phased.py`. */
export function phaserTool(name) {
  return join(phaserFolder(), "../../tools", name);
}

/** Ours is the engine as it was built: the same hash has the same defaults and gives the same bytes. */
export function engineVersion() {
  const home = join(root, "native/phasing");
  const built = readdirSync(home).find((name) => name.endsWith(".node"));
  return createHash("sha256")
    .update(readFileSync(join(home, built)))
    .digest("hex")
    .slice(0, 12);
}

/** What a simulated set consists of. */
export function simulated(name) {
  const at = (file) => join(phaserFolder(), "sim", file);
  return {
    name,
    input: at(`${name}.unphased.vcf.gz`),
    truth: at(`${name}.truth.vcf.gz`),
    map: at("chr20.gmap.gz"),
    beagleMap: at("chr20.plink.map"),
    pedigree: name === "trio" ? at("trio.fam") : undefined,
  };
}

/** The command that phases `set.input` into `output` as our users do; `more`: further options. */
export function phaseStep(set, { output, seed = 1, threads = 1, more = [] }) {
  const files = ["--input", set.input, "--map", set.map, "--region", "20", "--output", output];
  const family = set.pedigree ? ["--pedigree", set.pedigree] : [];
  const rest = ["--seed", String(seed), "--threads", String(threads), ...more];
  return ours("phaser", ["phase", ...files, ...family, ...rest]);
}

let engine;

/** The same by the engine's example binary, which reads text from bcftools: what it takes without Node and our reader. */
export function engineStep(set, { output, seed = 1, threads = 1, scratch, settings = [] }) {
  engine ??= buildExample("x-hmm", "hmm", "phase_vcf");
  if (!engine) throw new Error("the example phase_vcf of x-hmm does not build here");
  const map = join(scratch, "map.txt");
  writeFileSync(map, gunzipSync(readFileSync(set.map)));
  const more = [...settings, ...(set.pedigree ? [`pedigree=${set.pedigree}`] : []), "quiet=1"];
  const script = 'input=$1 output=$2; shift 2; bcftools view "$input" | "$@" > "$output"';
  const args = ["-c", script, "sh", set.input, output, engine, map, String(seed), String(threads), ...more];
  return { command: "sh", args };
}

/** Switch errors by position, as `switch_error.py` counts them. */
export async function switchError(truth, estimate, more = []) {
  const args = [
    phaserTool("switch_error.py"),
    "--truth",
    truth,
    "--est",
    estimate,
    "--by-position",
    "--json",
    ...more,
  ];
  return JSON.parse((await measure({ command: "python3", args })).output);
}

/** Haplotypes that carry two ALTs at one position, as `one_allele.py` counts them. */
export async function oneAlleleViolations(file) {
  const { output } = await measure({ command: "python3", args: [phaserTool("one_allele.py"), file] });
  return Number(/^haplotype_violations\t(\d+)$/m.exec(output)[1]);
}
