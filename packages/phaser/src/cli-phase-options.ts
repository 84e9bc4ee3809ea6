import type { FileUse, OptionSpec } from "@x/core/base";

type More = Partial<OptionSpec>;
const file =
  (role: FileUse["role"]) =>
  (name: string, help: string, more: More = {}): OptionSpec => ({
    name,
    type: "string",
    value: "FILE",
    file: { role },
    help,
    ...more,
  });
const [reads, writes] = [file("input"), file("output")];
const flag = (name: string, help: string, more: More = {}): OptionSpec => ({
  name,
  type: "flag",
  help,
  ...more,
});
const number = (name: string, min: number, value: string, help: string): OptionSpec => ({
  name,
  type: "number",
  range: { min },
  value,
  help,
});
const whole = (name: string, min: number, value: string, help: string): OptionSpec => ({
  name,
  type: "int",
  range: { min },
  value,
  help,
});

/** SHAPEIT's names where it has one. */
export const PHASE_CLI_OPTIONS: readonly OptionSpec[] = [
  reads("input", "VCF or BCF to phase", { aliases: ["-I"], required: true }),
  writes("output", ".bcf, .vcf.gz or .vcf; - for standard output", { aliases: ["-O"], required: true }),
  reads("map", "genetic map; 1 cM/Mb without", { aliases: ["-M"] }),
  { name: "region", aliases: ["-R"], type: "string", value: "REGION", help: "chr or chr:from-to" },
  whole("buffer", 0, "BP", "phased with the region on either side, and not written"),
  reads("reference", "phased panel", { aliases: ["-H"] }),
  reads("scaffold", "phased genotypes of the same samples", { aliases: ["-S"] }),
  reads("pedigree", "kid father mother, NA for unknown"),
  reads("haploids", "samples with one haplotype, one a line"),
  reads("samples", "only these samples, one a line"),
  number("filter-maf", 0, "MAF", "leave out positions with rarer minor alleles"),
  flag("enforce-oneallele-supersite", "rows of a position are one locus; --no-… phases them apart", {
    default: true,
  }),
  {
    name: "supersite-conflict",
    type: "string",
    choices: ["drop", "error"],
    default: "drop",
    help: "a sample with more ALTs than haplotypes",
  },
  {
    name: "supersite-imputation",
    type: "string",
    choices: ["argmax", "anchor"],
    default: "argmax",
    help: "missing codes: the likeliest of all, or REF against one ALT",
  },
  {
    name: "supersite-anchor",
    type: "string",
    choices: ["pbwt", "hmm"],
    help: "that ALT: most donors, or most forward weight",
  },
  flag("supersite-pbwt", "supersites order the haplotypes; --no-supersite-pbwt leaves them out", {
    default: true,
  }),
  flag("join-multiallelic", "write one record a position"),
  flag("keep-excluded", "write positions that were left out as well, unphased"),
  flag("keep-missing", "leave missing genotypes missing"),
  flag("use-gl", "PL or GL weigh missing and doubtful genotypes"),
  flag("confidence", "write FORMAT/PP and FORMAT/CP"),
  {
    name: "mcmc-iterations",
    type: "string",
    value: "LIST",
    help: "b burn-in, p pruning, m main; 3b,1p,1b,1p,1b,1p,24m by default",
  },
  number("mcmc-prune", 0.5, "P", "probability a merged segment keeps; 0.999 by default"),
  whole("pbwt-depth", 1, "N", "neighbours; by default from the number of samples"),
  number(
    "pbwt-modulo",
    1e-6,
    "CM",
    "between two choices of neighbours; by default from the number of samples",
  ),
  whole("pbwt-mac", 1, "N", "minor copies of a position that orders haplotypes; 5 by default"),
  number("pbwt-mdr", 0, "RATE", "its largest missing rate; 0.1 by default"),
  number("pbwt-window", 1e-3, "CM", "haplotypes are ordered in pieces this long; 4 by default"),
  number("hmm-window", 1e-3, "CM", "shortest window of the model; 2 by default"),
  whole("hmm-donors", 2, "N", "most conditioning haplotypes of a window; 150 by default"),
  {
    ...number("hmm-ne", 1, "NE", "effective population size; 15000 by default"),
    aliases: ["--effective-size"],
  },
  writes("conflicts", "table of samples with too many ALTs"),
  writes("mendel-errors", "table of genotypes no parents can have given"),
  writes("log", "table of what was done"),
  {
    name: "threads",
    aliases: ["--thread", "-T"],
    type: "int",
    range: { min: 1, max: 1024 },
    value: "N",
    help: "worker threads; all cores by default, results do not depend on it",
  },
];
