// Every flag of `phaser phase`: listed, and the same as the library's option.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { type PhaseOptions, phase, readPedigree, writeVcf } from "../src/index.ts";
import { simulate, toVcf } from "./simulate.ts";
import { folder, phaser, records } from "./support.ts";

const at = folder();
const people = simulate({ people: 40, positions: 400, seed: 81, trios: 4 });
const [targets, donors] = [people.samples.slice(0, 20), people.samples.slice(20)];
const haploids = targets.slice(-3);
const written = { samples: targets, rows: "mixed", haploids } as const;
const input = at.file("in.vcf", toVcf(people, { ...written, missing: 60 }));
const scaffold = at.file(
  "scaffold.vcf",
  toVcf(people, { ...written, phased: true, keep: (l) => l % 7 === 0 }),
);
const reference = at.file("panel.vcf", toVcf(people, { samples: donors, phased: true }));
const map = at.file("m.gmap", "pos chr cM\n1 20 0\n1000000 20 2\n3000000 20 4.5\n");
const list = (name: string, lines: readonly string[]): string => at.file(name, `${lines.join("\n")}\n`);
const pedigree = list(
  "trios.fam",
  people.pedigree.map((f) => `${f.child} ${f.father} ${f.mother}`),
);
const few = list("samples.txt", targets.slice(0, 12));
const single = list("haploids.txt", haploids);
const always = ["--haploids", single, "--seed", "3", "--threads", "2"];

/** What the verb writes with these flags. */
function verb(...flags: string[]): string {
  const out = at.path("verb.vcf");
  const run = phaser("phase", "--input", input, "--output", out, ...always, ...flags);
  expect([run.code, run.err.replace(/^warning: .*\n/gm, "")]).toEqual([0, ""]);
  return records(readFileSync(out)).join("\n");
}

/** What the library writes with these options. */
async function library(options: PhaseOptions, writing = {}): Promise<string> {
  await using phased = phase(input, { haploids, seed: 3, threads: 2, ...options });
  await writeVcf(phased, at.path("library.vcf"), writing);
  return records(readFileSync(at.path("library.vcf"))).join("\n");
}

it("the help has every flag, and names the defaults that the engine has", () => {
  const help = phaser("phase", "--help").out;
  const flags = [
    ..."input output map region buffer reference scaffold pedigree haploids samples filter-maf".split(" "),
    ..."enforce-oneallele-supersite supersite-conflict supersite-imputation supersite-anchor".split(" "),
    ..."supersite-pbwt join-multiallelic keep-excluded keep-missing use-gl confidence".split(" "),
    ..."mcmc-iterations mcmc-prune pbwt-depth pbwt-modulo pbwt-mac pbwt-mdr pbwt-window".split(" "),
    ..."hmm-window hmm-donors hmm-ne conflicts mendel-errors log threads thread seed".split(" "),
  ];
  for (const flag of flags) expect(help).toMatch(new RegExp(`--${flag}\\b`));
  const defaults = new Map(
    [...help.matchAll(/--((?:mcmc|pbwt|hmm)-[a-z]+)\b.*; (\S+) by default\n/g)].map((m) => [m[1]!, m[2]!]),
  );
  expect([...defaults.keys()].sort()).toEqual(
    "hmm-donors hmm-ne hmm-window mcmc-iterations mcmc-prune pbwt-mac pbwt-mdr pbwt-window".split(" "),
  );
  expect(verb(...[...defaults].flatMap(([name, value]) => [`--${name}`, value]))).toBe(verb());
});

/** One neighbour, so that it matters which. */
const quick = ["--mcmc-iterations", "2b,1p,3m", "--pbwt-depth", "1"];
const fast = { mcmcIterations: "2b,1p,3m", pbwtDepth: 1 } as const;
const cases: [flags: string[], options: () => PhaseOptions | Promise<PhaseOptions>, writing?: object][] = [
  [["--map", map], () => ({ map })],
  [["--reference", reference], () => ({ reference })],
  [["--scaffold", scaffold], () => ({ scaffold })],
  [["--pedigree", pedigree], async () => ({ pedigree: await readPedigree(pedigree) })],
  [["--filter-maf", "0.1"], () => ({ minMaf: 0.1 })],
  [["--no-enforce-oneallele-supersite"], () => ({ enforceOneAlleleSupersite: false })],
  [["--no-supersite-pbwt"], () => ({ supersitePbwt: false })],
  [
    ["--supersite-imputation", "anchor", "--supersite-anchor", "hmm"],
    () => ({ supersiteImputation: "anchor", supersiteAnchor: "hmm" }),
  ],
  [["--keep-missing"], () => ({ keepMissing: true })],
  [["--confidence"], () => ({ confidence: true })],
  [["--mcmc-prune", "0.5"], () => ({ mcmcPrune: 0.5 })],
  [["--pbwt-depth", "2"], () => ({ pbwtDepth: 2 })],
  [["--pbwt-modulo", "0.3"], () => ({ pbwtModulo: 0.3 })],
  [["--pbwt-mac", "1"], () => ({ pbwtMac: 1 })],
  [["--pbwt-mdr", "0"], () => ({ pbwtMdr: 0 })],
  [["--pbwt-window", "1"], () => ({ pbwtWindow: 1 })],
  [["--hmm-window", "0.3"], () => ({ hmmWindow: 0.3 })],
  [["--hmm-donors", "5"], () => ({ hmmDonors: 5 })],
  [["--hmm-ne", "500"], () => ({ effectiveSize: 500 })],
  [["--join-multiallelic"], () => ({}), { joinMultiallelic: true }],
  [["--filter-maf", "0.1", "--keep-excluded"], () => ({ minMaf: 0.1 }), { keepExcluded: true }],
];
it.each(cases)("%j", async (flags, options, writing) => {
  const found = verb(...(flags.includes("--pbwt-depth") ? quick.slice(0, 2) : quick), ...flags);
  expect(found).toBe(await library({ ...fast, ...(await options()) }, writing));
  // A flag that does nothing would pass otherwise.
  expect(found).not.toBe(plain());
});
let without: string | undefined;
const plain = (): string => {
  without ??= verb(...quick);
  return without;
};

it("samples and a region with its buffer", async () => {
  const [from, to] = [people.positions[30]!, people.positions[89]!];
  const region = `20:${from}-${to}`;
  const some = phaser(
    ...["phase", "--input", input, "--output", "-", "--samples", few, "--region", region],
    ...["--buffer", "300000", "--seed", "3", ...quick],
  );
  await using phased = phase(input, {
    ...fast,
    samples: targets.slice(0, 12),
    region,
    buffer: 300_000,
    seed: 3,
  });
  await writeVcf(phased, at.path("some.vcf"));
  expect(records(Buffer.from(some.out))).toEqual(records(readFileSync(at.path("some.vcf"))));
});
