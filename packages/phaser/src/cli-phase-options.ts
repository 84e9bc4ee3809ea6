import { type OptionSpec, option } from "@x/core/base";

/** SHAPEIT's names where it has one. */
export const PHASE_CLI_OPTIONS: readonly OptionSpec[] = [
  option.input("input", "VCF or BCF to phase", { aliases: ["-I"], required: true }),
  option.output("output", ".bcf, .vcf.gz or .vcf; - for standard output", {
    aliases: ["-O"],
    required: true,
  }),
  option.input("map", "genetic map; 1 cM/Mb without", { aliases: ["-M"] }),
  option.text("region", "chr or chr:from-to", { aliases: ["-R"], value: "REGION" }),
  option.int("buffer", "phased with the region on either side, and not written", {
    range: { min: 0, max: 2 ** 31 - 1 },
    value: "BP",
  }),
  option.input("reference", "phased panel", { aliases: ["-H"] }),
  option.input("scaffold", "phased genotypes of the same samples", { aliases: ["-S"] }),
  option.input("pedigree", "kid father mother, NA for unknown"),
  option.input("haploids", "samples with one haplotype, one a line"),
  option.input("samples", "only these samples, one a line"),
  option.number("filter-maf", "leave out positions with rarer minor alleles", {
    range: { min: 0, max: 0.5 },
    value: "MAF",
  }),
  option.flag("enforce-oneallele-supersite", "rows of a position are one locus; --no-… phases them apart", {
    default: true,
  }),
  option.text("supersite-conflict", "a sample with more ALTs than haplotypes", {
    choices: ["drop", "error"],
    default: "drop",
  }),
  option.text("supersite-imputation", "missing codes: the likeliest of all, or REF against one ALT", {
    choices: ["argmax", "anchor"],
    default: "argmax",
  }),
  option.text("supersite-anchor", "that ALT: most donors, or most forward weight", {
    choices: ["pbwt", "hmm"],
  }),
  option.flag("supersite-pbwt", "supersites order the haplotypes; --no-supersite-pbwt leaves them out", {
    default: true,
  }),
  option.flag("join-multiallelic", "write one record a position"),
  option.flag("keep-excluded", "write positions that were left out as well, unphased"),
  option.flag("keep-missing", "leave missing genotypes missing"),
  option.flag("use-gl", "PL or GL weigh missing and doubtful genotypes"),
  option.flag("confidence", "write FORMAT/PP and FORMAT/CP"),
  option.text("mcmc-iterations", "b burn-in, p pruning, m main; 3b,1p,1b,1p,1b,1p,24m by default", {
    value: "LIST",
  }),
  option.number("mcmc-prune", "probability a merged segment keeps; 0.999 by default", {
    range: { min: 0.5, max: 1 },
    value: "P",
  }),
  option.int("pbwt-depth", "neighbours; by default from the number of samples", {
    range: { min: 1, max: 1000 },
    value: "N",
  }),
  option.number("pbwt-modulo", "between two choices of neighbours; by default from the number of samples", {
    range: { min: 1e-6, max: 1e6 },
    value: "CM",
  }),
  option.int("pbwt-mac", "minor copies of a position that orders haplotypes; 5 by default", {
    range: { min: 1, max: 1e9 },
    value: "N",
  }),
  option.number("pbwt-mdr", "its largest missing rate; 0.1 by default", {
    range: { min: 0, max: 1 },
    value: "RATE",
  }),
  option.number("pbwt-window", "haplotypes are ordered in pieces this long; 4 by default", {
    range: { min: 1e-3, max: 1e6 },
    value: "CM",
  }),
  option.number("hmm-window", "shortest window of the model; 2 by default", {
    range: { min: 1e-3, max: 1e6 },
    value: "CM",
  }),
  option.int("hmm-donors", "most conditioning haplotypes of a window; 150 by default", {
    range: { min: 2, max: 1e6 },
    value: "N",
  }),
  option.number("hmm-ne", "effective population size; 15000 by default", {
    range: { min: 1, max: 1e9 },
    value: "NE",
    aliases: ["--effective-size"],
  }),
  option.output("conflicts", "table of samples with too many ALTs"),
  option.output("mendel-errors", "table of genotypes no parents can have given"),
  option.output("log", "table of what was done"),
  option.int("threads", "worker threads; all cores by default, results do not depend on it", {
    aliases: ["--thread", "-T"],
    range: { min: 1, max: 1024 },
    value: "N",
  }),
];
