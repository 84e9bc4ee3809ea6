import { type CliCommand, type CliContext, OutputFiles, option } from "@x/core/base";
import { readPedigree, readSampleList } from "./lists.ts";
import { type MacRate, type SwitchErrorReport, type SwitchRate, switchError } from "./switch-error.ts";

/** `phaser switch`: switch error against a truth or parents. */
export const switchCommand: CliCommand = {
  name: "switch",
  summary: "switch error of phased genotypes against a truth, or against parents",
  options: [
    option.input("estimate", "phased VCF or BCF", { aliases: ["--estimation", "--est"], required: true }),
    option.input("truth", "VCF or BCF with known phase, or with the parents of --pedigree", {
      aliases: ["--validation"],
      required: true,
    }),
    option.input("pedigree", "kid father mother: phase known where a parent decides"),
    option.text("by", "what a site is", { choices: ["row", "position"], default: "row" }),
    option.text("region", "chr or chr:from-to", { value: "REGION" }),
    option.input("samples", "only these samples, one a line"),
    option.output("output", "tables PREFIX.sample.tsv, .site.tsv, .mac.tsv, .near.tsv", {
      value: "PREFIX",
      endings: [".sample.tsv", ".site.tsv", ".mac.tsv", ".near.tsv"],
    }),
  ],
  examples: ["phaser switch --estimate phased.bcf --truth truth.bcf --by position"],
  async run(context) {
    const o = context.options;
    const { signal, onProgress, warn } = context;
    const text = (name: string): string | undefined => (o[name] === undefined ? undefined : String(o[name]));
    const [pedigree, samples, region] = [text("pedigree"), text("samples"), text("region")];
    const report = await switchError(String(o.estimate), String(o.truth), {
      by: o.by as "row" | "position",
      ...(pedigree === undefined ? {} : { pedigree: await readPedigree(pedigree, { signal }) }),
      ...(samples === undefined ? {} : { samples: await readSampleList(samples, { signal, warn }) }),
      ...(region === undefined ? {} : { region }),
      warn,
      signal,
      onProgress,
    });
    if (!context.json) print(context, report);
    const output = text("output");
    if (output !== undefined) await writeTables(output, report, signal);
    return report;
  },
};

function print(context: CliContext, r: SwitchErrorReport): void {
  const lines: [string, number | string][] = [
    ["samples", r.samples],
    ["rows", r.rows],
    ["truth_hets", r.truthHets],
    ["het_pairs", r.pairs],
    ["switches", r.switches],
    ["SER_percent", percent(r)],
    ["flips", r.flips],
    ["switches_outside_flips", r.switchesOutsideFlips],
    ["hamming_percent", r.hammingPercent.toFixed(3)],
    ["het_discordant", r.discordant],
    ["perfect_samples", r.perfectSamples],
    ["invalid_sample_positions", r.invalid],
    ["mendel_errors", r.mendelErrors],
  ];
  for (const [name, value] of lines) context.print(`${name}\t${value}`);
  for (const bin of r.byMac) context.print(`mac_${macBin(bin)}\t${row(bin)}`);
  for (const near of r.nearSupersites) context.print(`within_${near.hets}_hets_of_supersite\t${row(near)}`);
  context.print(`far_from_supersites\t${row(r.farFromSupersites)}`);
}

const percent = (r: SwitchRate): string => (r.pairs === 0 ? "nan" : r.percent.toFixed(4));

/** Percent, switches, pairs. */
function row(rate: SwitchRate): string {
  return `${percent(rate)}\t${rate.switches}\t${rate.pairs}`;
}

const macBin = (b: MacRate): string => `${b.from}-${Number.isFinite(b.to) ? b.to : "max"}`;

/** By sample, by site (row or position), by minor allele count and by distance from a position with several ALTs. */
async function writeTables(prefix: string, r: SwitchErrorReport, signal: AbortSignal): Promise<void> {
  await using files = new OutputFiles({ signal });
  const rates = "percent\tswitches\tpairs";
  const tables: Record<string, string[]> = {
    sample: [`sample\t${rates}\tflips`, ...r.bySample.map((s) => `${s.sample}\t${row(s)}\t${s.flips}`)],
    site: [
      `position\trows\tmac\t${rates}`,
      ...r.bySite.map((s) => `${s.position}\t${s.rows}\t${s.mac}\t${row(s)}`),
    ],
    mac: [`mac\t${rates}`, ...r.byMac.map((b) => `${macBin(b)}\t${row(b)}`)],
    near: [
      `hets_from_supersite\t${rates}`,
      ...r.nearSupersites.map((n) => `${n.hets}\t${row(n)}`),
      `more\t${row(r.farFromSupersites)}`,
    ],
  };
  for (const [name, lines] of Object.entries(tables)) {
    await files.open(`${prefix}.${name}.tsv`).write(`${lines.join("\n")}\n`);
  }
  await files.commit();
}
