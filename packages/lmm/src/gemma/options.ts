import { type OptionSpec, type OptionValues, option, parseStrictNumber } from "@x/core/base";
import { lmmError } from "../errors.ts";
import type { FilterOptions } from "../filter.ts";
import type { LambdaOptions } from "../null-model.ts";

/** Options of GEMMA's that we have, with GEMMA's names and defaults. */
export const GEMMA_OPTIONS: readonly OptionSpec[] = [
  option.input("bfile", "fileset: PREFIX.bed, .bim, .fam", {
    aliases: ["-bfile"],
    value: "PREFIX",
    endings: [".bed", ".bim", ".fam"],
  }),
  option.input("g", "BIMBAM mean genotypes (plain or .gz) instead of -bfile, with -p", { aliases: ["-g"] }),
  option.input("a", "BIMBAM annotation: id, position, chromosome", { aliases: ["-a"] }),
  option.input("p", "phenotypes instead of those in the .fam, one row a person", { aliases: ["-p"] }),
  option.list("n", "phenotype column; several (-n 1 2) make one multivariate model", {
    aliases: ["-n"],
    default: ["1"],
    value: "N",
  }),
  option.input("c", "covariates, one row a person; ones are added at the end if no column is constant", {
    aliases: ["-c"],
  }),
  option.input(
    "gxe",
    "one environment value a person; tests the product of variant and environment, given both",
    { aliases: ["-gxe"] },
  ),
  option.input("k", "kinship, GEMMA's text or our Arrow file", { aliases: ["-k"] }),
  option.input(
    "d",
    "eigenvalues that -eigen wrote, with -u, instead of -k (beside -k they are checked against it)",
    { aliases: ["-d"] },
  ),
  option.input("u", "eigenvectors that -eigen wrote", { aliases: ["-u"] }),
  option.input("eig", "both in one Arrow file, which knows whose they are"),
  option.int(
    "gk",
    "make the kinship of everyone, 1 centred, 2 standardised; writes PREFIX.cXX.txt or .sXX.txt",
    { aliases: ["-gk"], implied: 1, value: "1|2" },
  ),
  option.flag(
    "eigen",
    "decompose -k for the analysed people; writes PREFIX.eigenD.txt and PREFIX.eigenU.txt",
    { aliases: ["-eigen"] },
  ),
  option.int(
    "lmm",
    "test every variant, needs -k; 1 Wald, 2 likelihood ratio, 3 score, 4 all, 9 likelihood ratio with effects; writes PREFIX.assoc.txt",
    { aliases: ["-lmm"], implied: 1, range: { min: 1, max: 9 }, value: "1|2|3|4|9" },
  ),
  option.number("maf", "smallest allele frequency", {
    aliases: ["-maf"],
    range: { min: 0, max: 0.5 },
    default: 0.01,
    value: "F",
  }),
  option.number("miss", "largest missing fraction", {
    aliases: ["-miss"],
    range: { min: 0, max: 1 },
    default: 0.05,
    value: "F",
  }),
  option.number("hwe", "smallest Hardy-Weinberg p; 0 = no test", {
    aliases: ["-hwe"],
    range: { min: 0, max: 1 },
    default: 0,
    value: "P",
  }),
  option.number("r2", "largest r² with the covariates", {
    aliases: ["-r2"],
    range: { min: 0, max: 1 },
    default: 0.9999,
    value: "R",
  }),
  option.flag("notsnp", "no test of the allele frequency", { aliases: ["-notsnp"] }),
  option.input("snps", "only the variants listed", { aliases: ["-snps"] }),
  option.input("ksnps", "the kinship from the variants listed, whatever -snps lists", {
    aliases: ["-ksnps"],
  }),
  option.number("lmin", "smallest lambda", {
    aliases: ["-lmin"],
    range: { min: 1e-300 },
    default: 1e-5,
    value: "L",
  }),
  option.number("lmax", "largest lambda", {
    aliases: ["-lmax"],
    range: { min: 1e-300 },
    default: 1e5,
    value: "L",
  }),
  option.int("region", "intervals searched for lambda", {
    aliases: ["-region"],
    range: { min: 1, max: 1000 },
    default: 10,
    value: "N",
  }),
  option.text("o", "prefix of the output files", { aliases: ["-o"], default: "result", value: "PREFIX" }),
  option.text("outdir", "folder of the output files, made if absent", {
    aliases: ["-outdir"],
    default: "./output/",
    value: "DIR",
  }),
  option.list(
    "traits",
    "several phenotype columns instead of -n, e.g. 1,2,5 or all, in one pass; writes PREFIX.N.assoc.txt of each",
    { value: "LIST" },
  ),
  option.flag("neglog10p", "add −log10 of every p, which does not underflow, at the end of each row"),
  option.text(
    "loco",
    "with -gk, leave this chromosome out of the kinship; with -lmm, test its variants only",
    { aliases: ["-loco"], value: "CHR" },
  ),
  option.int("emi", "several -n: most EM steps of the null model; 10000 by default", {
    aliases: ["-emi"],
    range: { min: 0 },
    value: "N",
  }),
  option.number("emp", "several -n: gain of log-likelihood that ends EM; 1e-3 by default", {
    aliases: ["-emp"],
    range: { min: 1e-300 },
    value: "L",
  }),
  option.int("nri", "several -n: most Newton steps of a model; 100 by default", {
    aliases: ["-nri"],
    range: { min: 1 },
    value: "N",
  }),
  option.number("nrp", "several -n: promised gain below which a Newton step is the last; 1e-10 by default", {
    aliases: ["-nrp"],
    range: { min: 1e-300 },
    value: "L",
  }),
  option.flag("silence", "print nothing", { aliases: ["-silence"] }),
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
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (!isOption(word)) continue;
    const [name = "", inline] = word.replace(/^--?/, "").split("=", 2);
    if (ONE_DASH_ONLY.has(word) || NOT_YET.has(name)) notImplemented(word);
    const values: string[] = inline === undefined ? [] : [inline];
    for (let j = i + 1; j < argv.length && !isOption(argv[j]!); j++) values.push(argv[j]!);
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

/** @throws NOT_IMPLEMENTED, a usage error. */
export function notImplemented(option: string): never {
  throw lmmError("NOT_IMPLEMENTED", `${option} is an option of GEMMA's that this version does not have.`, {
    usage: true,
    details: { option },
  });
}
