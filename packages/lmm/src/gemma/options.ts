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
    file: { role: "input", endings: [".bed", ".bim", ".fam"] },
    help: "fileset: PREFIX.bed, .bim, .fam",
  },
  {
    name: "g",
    aliases: ["-g"],
    type: "string",
    value: "FILE",
    file: { role: "input" },
    help: "BIMBAM mean genotypes (plain or .gz) instead of -bfile, with -p",
  },
  {
    name: "a",
    aliases: ["-a"],
    type: "string",
    value: "FILE",
    file: { role: "input" },
    help: "BIMBAM annotation: id, position, chromosome",
  },
  {
    name: "p",
    aliases: ["-p"],
    type: "string",
    value: "FILE",
    file: { role: "input" },
    help: "phenotypes instead of those in the .fam, one row a person",
  },
  {
    name: "n",
    aliases: ["-n"],
    type: "list",
    default: ["1"],
    value: "N",
    help: "phenotype column; several (-n 1 2) make one multivariate model",
  },
  {
    name: "c",
    aliases: ["-c"],
    type: "string",
    value: "FILE",
    file: { role: "input" },
    help: "covariates, one row a person; ones are added at the end if no column is constant",
  },
  {
    name: "gxe",
    aliases: ["-gxe"],
    type: "string",
    value: "FILE",
    file: { role: "input" },
    help: "one environment value a person; tests the product of variant and environment, given both",
  },
  {
    name: "k",
    aliases: ["-k"],
    type: "string",
    value: "FILE",
    file: { role: "input" },
    help: "kinship, GEMMA's text or our Arrow file",
  },
  {
    name: "d",
    aliases: ["-d"],
    type: "string",
    value: "FILE",
    file: { role: "input" },
    help: "eigenvalues that -eigen wrote, with -u, instead of -k (beside -k they are checked against it)",
  },
  {
    name: "u",
    aliases: ["-u"],
    type: "string",
    value: "FILE",
    file: { role: "input" },
    help: "eigenvectors that -eigen wrote",
  },
  {
    name: "eig",
    type: "string",
    value: "FILE",
    file: { role: "input" },
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
  {
    name: "snps",
    aliases: ["-snps"],
    type: "string",
    value: "FILE",
    file: { role: "input" },
    help: "only the variants listed",
  },
  {
    name: "ksnps",
    aliases: ["-ksnps"],
    type: "string",
    value: "FILE",
    file: { role: "input" },
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
  {
    name: "loco",
    aliases: ["-loco"],
    type: "string",
    value: "CHR",
    help: "with -gk, leave this chromosome out of the kinship; with -lmm, test its variants only",
  },
  {
    name: "emi",
    aliases: ["-emi"],
    type: "int",
    range: { min: 0 },
    value: "N",
    help: "several -n: most EM steps of the null model; 10000 by default",
  },
  {
    name: "emp",
    aliases: ["-emp"],
    type: "number",
    range: { min: 1e-300 },
    value: "L",
    help: "several -n: gain of log-likelihood that ends EM; 1e-3 by default",
  },
  {
    name: "nri",
    aliases: ["-nri"],
    type: "int",
    range: { min: 1 },
    value: "N",
    help: "several -n: most Newton steps of a model; 100 by default",
  },
  {
    name: "nrp",
    aliases: ["-nrp"],
    type: "number",
    range: { min: 1e-300 },
    value: "L",
    help: "several -n: promised gain below which a Newton step is the last; 1e-10 by default",
  },
  { name: "silence", aliases: ["-silence"], type: "flag", help: "print nothing" },
];

/** Options that `gemma -h 1` … `gemma -h 14` list and this version does not have. */
export const NOT_YET: ReadonlySet<string> = new Set(
  (
    "widv weight mk cat beta cor epm en ebv emu mu gene r km pace vc lm pnr " +
    "crt bslmm ldr hmin hmax rmin rmax pmin pmax smin smax gmean hscale rscale pscale w s rpace wpace mh " +
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
  const several = joinPhenotypes(argv).some((word) => /^--?n=.*,/.test(word));
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (!isOption(word)) continue;
    const [name = "", inline] = word.replace(/^--?/, "").split("=", 2);
    if (ONE_DASH_ONLY.has(word) || NOT_YET.has(name)) notImplemented(word);
    const values: string[] = inline === undefined ? [] : [inline];
    for (let j = i + 1; j < argv.length && !isOption(argv[j]!); j++) values.push(argv[j]!);
    if (name === "lmm" && several && values[0] === "9") notImplemented("-lmm 9 with several -n");
    if (name === "gk" && values.length > 0 && !["1", "2"].includes(values[0]!) && isNumber(values[0]!))
      notImplemented(`-${name} ${values[0]}`);
  }
}

/** `-n 1 2` as one word `-n=1,2`, which the parser of options takes. */
export function joinPhenotypes(argv: readonly string[]): string[] {
  const words: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const values: string[] = [];
    while (/^--?n$/.test(argv[i]!) && argv[i + 1 + values.length] && isNumber(argv[i + 1 + values.length]!))
      values.push(argv[i + 1 + values.length]!);
    words.push(values.length > 1 ? `${argv[i]}=${values.join(",")}` : argv[i]!);
    if (values.length > 1) i += values.length;
  }
  return words;
}

/** The columns of `-n`. @throws OPTION_RANGE for what is no whole number from 1 on. */
export function phenotypeColumns(o: OptionValues): number[] {
  return (o.n as readonly string[]).map((text) => {
    const value = parseStrictNumber(text);
    if (value !== undefined && Number.isSafeInteger(value) && value >= 1) return value;
    throw lmmError("OPTION_RANGE", `-n must be a whole number from 1, got ${JSON.stringify(text)}.`, {
      usage: true,
      details: { option: "n", value: text },
    });
  });
}

const isNumber = (word: string): boolean => parseStrictNumber(word) !== undefined;
const isOption = (word: string): boolean => word.length > 1 && word.startsWith("-") && !isNumber(word);

function notImplemented(option: string): never {
  throw lmmError("NOT_IMPLEMENTED", `${option} is an option of GEMMA's that this version does not have.`, {
    usage: true,
    details: { option },
  });
}
