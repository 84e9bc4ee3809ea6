import { type CliCommand, type CliContext, OutputFiles, option } from "@x/core/base";
import { readPedigree, readSampleList } from "./lists.ts";
import { phaseRare } from "./phase-rare.ts";
import type { PhasedRare } from "./phased-rare.ts";

/** `phaser rare`: rare variants onto a phased scaffold. */
export const rareCommand: CliCommand = {
  name: "rare",
  summary: "place rare variants on a phased scaffold, each with the probability of its phase",
  random: true,
  options: [
    option.input("input", "VCF or BCF to place", { aliases: ["-I"], required: true }),
    option.input("scaffold", "phased VCF or BCF of the same samples", { aliases: ["-S"], required: true }),
    option.output("output", ".bcf, .vcf.gz or .vcf; - for standard output", {
      aliases: ["-O"],
      required: true,
    }),
    option.input("map", "genetic map; 1 cM/Mb without", { aliases: ["-M"] }),
    option.text("input-region", "what is placed and written: chr or chr:from-to", {
      aliases: ["-R"],
      value: "REGION",
    }),
    option.text("scaffold-region", "of the scaffold, wider than --input-region", { value: "REGION" }),
    option.input("samples", "only these samples, one a line"),
    option.input("haploids", "samples with one haplotype, one a line"),
    option.input(
      "pedigree",
      "kid father mother, where the kids' first scaffold haplotypes are their fathers'",
    ),
    option.text("supersite-conflict", "a sample with more ALTs than haplotypes", {
      choices: ["drop", "error"],
      default: "drop",
    }),
    option.flag("keep-missing", "leave missing genotypes missing"),
    option.number("pbwt-modulo", "between two choices of neighbours", {
      range: { min: 1e-6, max: 1e6 },
      default: 0.1,
      value: "CM",
    }),
    option.int("pbwt-depth-common", "neighbours, each way", {
      range: { min: 1, max: 1000 },
      default: 2,
      value: "N",
    }),
    option.int("pbwt-depth-rare", "neighbours among carriers, each way", {
      range: { min: 0, max: 1000 },
      default: 2,
      value: "N",
    }),
    option.int("pbwt-mac", "minor copies of a scaffold position that orders haplotypes", {
      range: { min: 1, max: 1e9 },
      default: 2,
      value: "N",
    }),
    option.number("effective-size", "of the population", {
      range: { min: 1, max: 1e9 },
      default: 100_000,
      value: "NE",
    }),
    option.output("conflicts", "table of samples with too many ALTs"),
    option.int("threads", "worker threads; all cores by default, results do not depend on it", {
      aliases: ["--thread", "-T"],
      range: { min: 1, max: 1024 },
      value: "N",
    }),
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
      return path === undefined ? undefined : await readSampleList(path, { signal, warn });
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

/** Where the name of the summary does not say what is counted. */
const COUNTED: Readonly<Record<string, string>> = {
  entries: "genotypes_not_common_homozygote",
  byDonors: "hets_by_donors",
  byLength: "hets_by_length",
  byScaffold: "hets_by_scaffold",
  byPedigree: "hets_by_pedigree",
  byCoin: "hets_by_coin",
  imputed: "alleles_imputed",
  missing: "alleles_missing",
};

/** Names of the summary as the switch report writes them. */
function print(context: CliContext, placed: PhasedRare): void {
  for (const [name, value] of Object.entries(placed.summary)) {
    const shown = COUNTED[name] ?? name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
    context.print(`${shown}\t${value}`);
  }
}

async function writeConflicts(path: string, placed: PhasedRare, signal: AbortSignal): Promise<string[]> {
  const rows = placed.conflicts().map((c) => `${c.position}\t${c.sample}\t${c.rows}\t${c.excluded}`);
  await using files = new OutputFiles({ signal });
  await files.open(path).write(`${["position\tsample\trows\texcluded", ...rows].join("\n")}\n`);
  return await files.commit();
}
