import { type CliCommand, type CliContext, OutputFiles } from "@x/core/base";
import { readPedigree, readSampleList } from "./lists.ts";
import { phaseRare } from "./phase-rare.ts";
import type { PhasedRare } from "./phased-rare.ts";

/** `phaser rare`: rare variants onto a phased scaffold. */
export const rareCommand: CliCommand = {
  name: "rare",
  summary: "place rare variants on a phased scaffold, each with the probability of its phase",
  random: true,
  options: [
    {
      name: "input",
      aliases: ["-I"],
      type: "string",
      required: true,
      value: "FILE",
      file: { role: "input" },
      help: "VCF or BCF to place",
    },
    {
      name: "scaffold",
      aliases: ["-S"],
      type: "string",
      required: true,
      value: "FILE",
      file: { role: "input" },
      help: "phased VCF or BCF of the same samples",
    },
    {
      name: "output",
      aliases: ["-O"],
      type: "string",
      required: true,
      value: "FILE",
      file: { role: "output" },
      help: ".bcf, .vcf.gz or .vcf; - for standard output",
    },
    {
      name: "map",
      aliases: ["-M"],
      type: "string",
      value: "FILE",
      file: { role: "input" },
      help: "genetic map; 1 cM/Mb without",
    },
    {
      name: "input-region",
      aliases: ["-R"],
      type: "string",
      value: "REGION",
      help: "what is placed and written: chr or chr:from-to",
    },
    {
      name: "scaffold-region",
      type: "string",
      value: "REGION",
      help: "of the scaffold, wider than --input-region",
    },
    {
      name: "samples",
      type: "string",
      value: "FILE",
      file: { role: "input" },
      help: "only these samples, one a line",
    },
    {
      name: "haploids",
      type: "string",
      value: "FILE",
      file: { role: "input" },
      help: "samples with one haplotype, one a line",
    },
    {
      name: "pedigree",
      type: "string",
      value: "FILE",
      file: { role: "input" },
      help: "kid father mother, where the kids' first scaffold haplotypes are their fathers'",
    },
    {
      name: "supersite-conflict",
      type: "string",
      choices: ["drop", "error"],
      default: "drop",
      help: "a sample with more ALTs than haplotypes",
    },
    { name: "keep-missing", type: "flag", help: "leave missing genotypes missing" },
    {
      name: "pbwt-modulo",
      type: "number",
      range: { min: 1e-6 },
      default: 0.1,
      value: "CM",
      help: "between two choices of neighbours",
    },
    {
      name: "pbwt-depth-common",
      type: "int",
      range: { min: 1, max: 1000 },
      default: 2,
      value: "N",
      help: "neighbours, each way",
    },
    {
      name: "pbwt-depth-rare",
      type: "int",
      range: { min: 0, max: 1000 },
      default: 2,
      value: "N",
      help: "neighbours among carriers, each way",
    },
    {
      name: "pbwt-mac",
      type: "int",
      range: { min: 1 },
      default: 2,
      value: "N",
      help: "minor copies of a scaffold position that orders haplotypes",
    },
    {
      name: "effective-size",
      type: "number",
      range: { min: 1 },
      default: 100_000,
      value: "NE",
      help: "of the population",
    },
    {
      name: "conflicts",
      type: "string",
      value: "FILE",
      file: { role: "output" },
      help: "table of samples with too many ALTs",
    },
    {
      name: "threads",
      aliases: ["--thread", "-T"],
      type: "int",
      range: { min: 1, max: 1024 },
      value: "N",
      help: "worker threads; all cores by default, results do not depend on it",
    },
  ],
  examples: [
    "phaser rare --input wgs.bcf --scaffold common.bcf --map chr20.gmap.gz --input-region 20:5000000-9000000 --scaffold-region 20:4000000-10000000 --output rare.bcf",
  ],
  async run(context) {
    const o = context.options;
    const { signal, onProgress, warn } = context;
    const text = (name: string): string | undefined => (o[name] === undefined ? undefined : String(o[name]));
    const list = async (name: string): Promise<string[] | undefined> => {
      const path = text(name);
      return path === undefined ? undefined : await readSampleList(path, { signal });
    };
    const [samples, haploids] = [await list("samples"), await list("haploids")];
    const [mapPath, pedigree] = [text("map"), text("pedigree")];
    const inputRegion = text("input-region");
    using placed = await phaseRare(String(o.input), String(o.scaffold), {
      ...(mapPath === undefined ? {} : { map: mapPath }),
      ...(inputRegion === undefined ? {} : { inputRegion }),
      ...(text("scaffold-region") === undefined ? {} : { scaffoldRegion: text("scaffold-region")! }),
      ...(samples === undefined ? {} : { samples }),
      ...(haploids === undefined ? {} : { haploids }),
      ...(pedigree === undefined ? {} : { pedigree: await readPedigree(pedigree, { signal }) }),
      supersiteConflict: o["supersite-conflict"] as "drop" | "error",
      keepMissing: o["keep-missing"] === true,
      pbwtModulo: Number(o["pbwt-modulo"]),
      pbwtDepthCommon: Number(o["pbwt-depth-common"]),
      pbwtDepthRare: Number(o["pbwt-depth-rare"]),
      pbwtMac: Number(o["pbwt-mac"]),
      effectiveSize: Number(o["effective-size"]),
      ...(context.seed === undefined ? {} : { seed: context.seed }),
      ...(context.threads === undefined ? {} : { threads: context.threads }),
      warn,
      signal,
      onProgress,
    });
    const written = await placed.write(String(o.output), { signal, onProgress });
    const conflicts = text("conflicts");
    if (conflicts !== undefined) written.push(...(await writeConflicts(conflicts, placed, signal)));
    if (!context.json && !context.quiet && o.output !== "-") print(context, placed);
    return { ...placed.summary, written };
  },
};

/** Names of the summary as the switch report writes them. */
function print(context: CliContext, placed: PhasedRare): void {
  for (const [name, value] of Object.entries(placed.summary)) {
    context.print(`${name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)}\t${value}`);
  }
}

async function writeConflicts(path: string, placed: PhasedRare, signal: AbortSignal): Promise<string[]> {
  const rows = placed.conflicts().map((c) => `${c.position}\t${c.sample}\t${c.rows}\t${c.excluded}`);
  await using files = new OutputFiles({ signal });
  await files.open(path).write(`${["position\tsample\trows\texcluded", ...rows].join("\n")}\n`);
  return await files.commit();
}
