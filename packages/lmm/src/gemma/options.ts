import { type OptionSpec, type OptionValues, parseStrictNumber } from "@x/core/base";
import { lmmError } from "../errors.ts";
import type { FilterOptions } from "../filter.ts";
import type { LambdaOptions } from "../null-model.ts";

/** Options of GEMMA's that we have, with GEMMA's names and defaults. */
export const GEMMA_OPTIONS: readonly OptionSpec[] = [
  {
    name: "bfile",
    aliases: ["-bfile"],
    type: "string",
    value: "PREFIX",
    help: "fileset: PREFIX.bed, .bim, .fam",
  },
  {
    name: "g",
    aliases: ["-g"],
    type: "string",
    value: "FILE",
    help: "BIMBAM mean genotypes (plain or .gz) instead of -bfile, with -p",
  },
  {
    name: "a",
    aliases: ["-a"],
    type: "string",
    value: "FILE",
    help: "BIMBAM annotation: id, position, chromosome",
  },
  {
    name: "p",
    aliases: ["-p"],
    type: "string",
    value: "FILE",
    help: "phenotypes instead of those in the .fam, one row a person",
  },
  {
    name: "n",
    aliases: ["-n"],
    type: "int",
    range: { min: 1 },
    default: 1,
    value: "N",
    help: "phenotype column",
  },
  {
    name: "c",
    aliases: ["-c"],
    type: "string",
    value: "FILE",
    help: "covariates, one row a person; ones are added at the end if no column is constant",
  },
  {
    name: "gxe",
    aliases: ["-gxe"],
    type: "string",
    value: "FILE",
    help: "one environment value a person; tests the product of variant and environment, given both",
  },
  {
    name: "k",
    aliases: ["-k"],
    type: "string",
    value: "FILE",
    help: "kinship, GEMMA's text or our Arrow file",
  },
  {
    name: "d",
    aliases: ["-d"],
    type: "string",
    value: "FILE",
    help: "eigenvalues that -eigen wrote, with -u, instead of -k (beside -k they are checked against it)",
  },
  { name: "u", aliases: ["-u"], type: "string", value: "FILE", help: "eigenvectors that -eigen wrote" },
  {
    name: "eig",
    type: "string",
    value: "FILE",
    help: "both in one Arrow file, which knows whose they are",
  },
  {
    name: "gk",
    aliases: ["-gk"],
    type: "int",
    implied: 1,
    value: "1|2",
    help: "make the kinship of everyone, 1 centred, 2 standardised; writes PREFIX.cXX.txt or .sXX.txt",
  },
  {
    name: "eigen",
    aliases: ["-eigen"],
    type: "flag",
    help: "decompose -k for the analysed people; writes PREFIX.eigenD.txt and PREFIX.eigenU.txt",
  },
  {
    name: "lmm",
    aliases: ["-lmm"],
    type: "int",
    implied: 1,
    range: { min: 1, max: 9 },
    value: "1|2|3|4|9",
    help: "test every variant, needs -k; 1 Wald, 2 likelihood ratio, 3 score, 4 all, 9 likelihood ratio with effects; writes PREFIX.assoc.txt",
  },
  {
    name: "maf",
    aliases: ["-maf"],
    type: "number",
    range: { min: 0, max: 0.5 },
    default: 0.01,
    value: "F",
    help: "smallest allele frequency",
  },
  {
    name: "miss",
    aliases: ["-miss"],
    type: "number",
    range: { min: 0, max: 1 },
    default: 0.05,
    value: "F",
    help: "largest missing fraction",
  },
  {
    name: "hwe",
    aliases: ["-hwe"],
    type: "number",
    range: { min: 0, max: 1 },
    default: 0,
    value: "P",
    help: "smallest Hardy-Weinberg p; 0 = no test",
  },
  {
    name: "r2",
    aliases: ["-r2"],
    type: "number",
    range: { min: 0, max: 1 },
    default: 0.9999,
    value: "R",
    help: "largest r² with the covariates",
  },
  { name: "notsnp", aliases: ["-notsnp"], type: "flag", help: "no test of the allele frequency" },
  { name: "snps", aliases: ["-snps"], type: "string", value: "FILE", help: "only the variants listed" },
  {
    name: "ksnps",
    aliases: ["-ksnps"],
    type: "string",
    value: "FILE",
    help: "the kinship from the variants listed, whatever -snps lists",
  },
  {
    name: "lmin",
    aliases: ["-lmin"],
    type: "number",
    range: { min: 1e-300 },
    default: 1e-5,
    value: "L",
    help: "smallest lambda",
  },
  {
    name: "lmax",
    aliases: ["-lmax"],
    type: "number",
    range: { min: 1e-300 },
    default: 1e5,
    value: "L",
    help: "largest lambda",
  },
  {
    name: "region",
    aliases: ["-region"],
    type: "int",
    range: { min: 1, max: 1000 },
    default: 10,
    value: "N",
    help: "intervals searched for lambda",
  },
  {
    name: "o",
    aliases: ["-o"],
    type: "string",
    default: "result",
    value: "PREFIX",
    help: "prefix of the output files",
  },
  {
    name: "outdir",
    aliases: ["-outdir"],
    type: "string",
    default: "./output/",
    value: "DIR",
    help: "folder of the output files, made if absent",
  },
  {
    name: "traits",
    type: "list",
    value: "LIST",
    help: "several phenotype columns instead of -n, e.g. 1,2,5 or all, in one pass; writes PREFIX.N.assoc.txt of each",
  },
  {
    name: "neglog10p",
    type: "flag",
    help: "add −log10 of every p, which does not underflow, at the end of each row",
  },
  { name: "silence", aliases: ["-silence"], type: "flag", help: "print nothing" },
];

/** Options that `gemma -h 1` … `gemma -h 14` list and this version does not have. */
export const NOT_YET: ReadonlySet<string> = new Set(
  (
    "widv weight mk cat beta cor epm en ebv emu mu gene r km pace loco vc lm pnr emi nri " +
    "emp nrp crt bslmm ldr hmin hmax rmin rmax pmin pmax smin smax gmean hscale rscale pscale w s rpace wpace mh " +
    "predict calccor windowbp windowcm windowns check no-fpe-check strict debug debug-data nind issue legacy license " +
    "gs gq gw sample wsnp wcat ci mbfile mg mq ms mv " +
    "blocks catc hyp mcat mcatc mref mstudy no-check noconstrain pve ref study"
  ).split(" "),
);

/** GEMMA spells `-seed` and `-h` with one dash; the first is not ours, the second asks for help. */
const ONE_DASH_ONLY: ReadonlySet<string> = new Set(["-seed"]);

/** The filter and the search of λ that a command line asks for. */
export function filterAndLambda(
  o: OptionValues,
): Required<Omit<FilterOptions, "snps">> & Required<LambdaOptions> {
  return {
    maf: o.notsnp ? -1 : Number(o.maf),
    miss: Number(o.miss),
    // GEMMA's -notsnp turns the Hardy-Weinberg test off as well.
    hwe: o.notsnp ? 0 : Number(o.hwe),
    r2: Number(o.r2),
    lmin: Number(o.lmin),
    lmax: Number(o.lmax),
    regions: Number(o.region),
  };
}

/** True for a command line written for GEMMA: it begins with an option, not with one of our verbs. */
export function isGemmaCommand(argv: readonly string[]): boolean {
  return argv.length > 0 && argv[0]!.startsWith("-");
}

/**
 * Refuses what GEMMA has and we lack, before anything is parsed: nothing is silently replaced.
 * @throws NOT_IMPLEMENTED with the option's name; a usage error.
 */
export function refuseNotYet(argv: readonly string[]): void {
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (!isOption(word)) continue;
    const [name = "", inline] = word.replace(/^--?/, "").split("=", 2);
    if (ONE_DASH_ONLY.has(word) || NOT_YET.has(name)) notImplemented(word);
    const values: string[] = inline === undefined ? [] : [inline];
    for (let j = i + 1; j < argv.length && !isOption(argv[j]!); j++) values.push(argv[j]!);
    if (name === "n" && values.length > 1) notImplemented(`-n ${values.join(" ")}`);
    if (name === "gk" && values.length > 0 && !["1", "2"].includes(values[0]!) && isNumber(values[0]!))
      notImplemented(`-${name} ${values[0]}`);
  }
}

const isNumber = (word: string): boolean => parseStrictNumber(word) !== undefined;
const isOption = (word: string): boolean => word.length > 1 && word.startsWith("-") && !isNumber(word);

function notImplemented(option: string): never {
  throw lmmError("NOT_IMPLEMENTED", `${option} is an option of GEMMA's that this version does not have.`, {
    usage: true,
    details: { option },
  });
}
