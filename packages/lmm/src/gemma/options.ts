import { nearestName } from "@x/core/base";
import { lmmError } from "../errors.ts";

/** How many values an option of GEMMA 0.98.5 takes. */
type Arity = 0 | 1 | "optional" | "many";

/** What we have, by GEMMA's names. */
const OURS: Readonly<Record<string, Arity>> = {
  bfile: 1,
  p: 1,
  n: "many",
  c: 1,
  k: 1,
  gk: "optional",
  lmm: "optional",
  maf: 1,
  miss: 1,
  notsnp: 0,
  snps: 1,
  hwe: 1,
  r2: 1,
  lmin: 1,
  lmax: 1,
  region: 1,
  o: 1,
  outdir: 1,
  silence: 0,
};

/** Our own additions to a GEMMA command line, spelt with two dashes. */
const ADDED: Readonly<Record<string, Arity>> = {
  format: 1,
  threads: 1,
  "memory-limit": 1,
  json: 0,
  quiet: 0,
  seed: 1,
};

/** Options that `gemma -h 1` … `gemma -h 14` list and this version does not have. */
export const NOT_YET: readonly string[] = (
  "g a gxe widv weight mk u d cat beta cor epm en ebv emu mu gene r km pace ksnps loco eigen vc lm pnr emi nri " +
  "emp nrp crt bslmm ldr hmin hmax rmin rmax pmin pmax smin smax gmean hscale rscale pscale w s rpace wpace seed mh " +
  "predict calccor windowbp windowcm windowns check no-fpe-check strict debug debug-data nind issue legacy license " +
  "gs gq gw sample wsnp wcat ci mbfile mg mq ms mv"
).split(" ");

/** A parsed GEMMA command line. */
export interface GemmaOptions {
  readonly bfile: string;
  /** Task: a kinship matrix or an association. */
  readonly task: "gk" | "lmm";
  readonly phenotypes?: string;
  /** 1-based phenotype column. */
  readonly phenotype: number;
  readonly covariates?: string;
  readonly kinship?: string;
  readonly maf: number;
  readonly miss: number;
  readonly hwe: number;
  readonly r2: number;
  readonly snps?: string;
  readonly lmin: number;
  readonly lmax: number;
  readonly regions: number;
  readonly prefix: string;
  readonly outdir: string;
  readonly format: "text" | "arrow";
  readonly quiet: boolean;
  readonly json: boolean;
  readonly threads?: number;
  readonly memoryLimit?: string;
}

/** True for an argument list written for GEMMA: its first word is an option with one dash and more than one letter, or -g/-p/-o… */
export function isGemmaCommand(argv: readonly string[]): boolean {
  return argv.some((a) => /^-[a-z]/.test(a) && !["-h", "-V"].includes(a)) && !/^[a-z]/.test(argv[0] ?? "");
}

/**
 * Reads GEMMA's own flags. Nothing is silently replaced: what GEMMA has and we lack ends with NOT_IMPLEMENTED and the
 * option's name, anything else with UNKNOWN_OPTION; both are usage errors (exit 2).
 */
export function parseGemmaOptions(argv: readonly string[]): GemmaOptions {
  const given = new Map<string, string[]>();
  for (let i = 0; i < argv.length; ) {
    const word = argv[i++]!;
    const name = optionName(word);
    const arity = word.startsWith("--") ? (ADDED[name] ?? OURS[name]) : OURS[name];
    if (arity === undefined) refuse(word, name);
    const values: string[] = [];
    const most = arity === 0 ? 0 : arity === "many" ? Number.POSITIVE_INFINITY : 1;
    while (values.length < most && i < argv.length && !isOption(argv[i]!)) values.push(argv[i++]!);
    if (values.length === 0 && (arity === 1 || arity === "many"))
      throw usage("OPTION_MISSING", `${word} needs a value.`, word);
    if (given.has(name)) throw usage("OPTION_RANGE", `${word} is given twice.`, word);
    given.set(name, values);
  }
  return checked(given);
}

function checked(given: ReadonlyMap<string, string[]>): GemmaOptions {
  const one = (name: string): string | undefined => given.get(name)?.[0];
  const bfile = one("bfile");
  if (bfile === undefined) throw usage("OPTION_MISSING", "-bfile is missing: the prefix of a .bed/.bim/.fam trio.", "-bfile");
  if (given.has("gk") === given.has("lmm"))
    throw usage("OPTION_MISSING", "give exactly one of -gk 1 (kinship) and -lmm 1 (association).", "-lmm");
  const task = given.has("gk") ? "gk" : "lmm";
  const mode = one(task) ?? "1";
  if (mode !== "1") notImplemented(`-${task} ${mode}`);
  const columns = given.get("n") ?? ["1"];
  if (columns.length > 1) notImplemented(`-n ${columns.join(" ")} (several phenotypes at once)`);
  const kinship = one("k");
  if (task === "lmm" && kinship === undefined)
    throw usage("OPTION_MISSING", "-lmm needs -k, the kinship file that -gk 1 wrote.", "-k");
  const format = one("format") ?? "text";
  if (format !== "text" && format !== "arrow")
    throw usage("OPTION_RANGE", `--format is text or arrow, not ${format}.`, "--format");
  const phenotypes = one("p");
  const covariates = one("c");
  const snps = one("snps");
  const memoryLimit = one("memory-limit");
  const threads = one("threads");
  return {
    bfile,
    task,
    phenotype: whole("-n", columns[0]!, 1),
    maf: given.has("notsnp") ? -1 : number("-maf", one("maf") ?? "0.01", 0, 0.5),
    miss: number("-miss", one("miss") ?? "0.05", 0, 1),
    hwe: number("-hwe", one("hwe") ?? "0", 0, 1),
    r2: number("-r2", one("r2") ?? "0.9999", 0, 1),
    lmin: number("-lmin", one("lmin") ?? "1e-5", Number.MIN_VALUE, 1e300),
    lmax: number("-lmax", one("lmax") ?? "1e5", Number.MIN_VALUE, 1e300),
    regions: whole("-region", one("region") ?? "10", 1),
    prefix: one("o") ?? "result",
    outdir: one("outdir") ?? "./output/",
    format,
    quiet: given.has("silence") || given.has("quiet"),
    json: given.has("json"),
    ...(phenotypes === undefined ? {} : { phenotypes }),
    ...(covariates === undefined ? {} : { covariates }),
    ...(kinship === undefined ? {} : { kinship }),
    ...(snps === undefined ? {} : { snps }),
    ...(memoryLimit === undefined ? {} : { memoryLimit }),
    ...(threads === undefined ? {} : { threads: whole("--threads", threads, 1) }),
  };
}

const isOption = (word: string): boolean => /^--?[a-zA-Z]/.test(word);
const optionName = (word: string): string => word.replace(/^--?/, "");

function refuse(word: string, name: string): never {
  if (!isOption(word)) throw usage("UNKNOWN_OPTION", `"${word}" is not an option of a GEMMA command line.`, word);
  if (NOT_YET.includes(name)) notImplemented(word);
  const near = nearestName(name, [...Object.keys(OURS), ...NOT_YET]);
  const hint = near === undefined ? "" : `; did you mean -${near}?`;
  throw usage("UNKNOWN_OPTION", `${word} is no option of GEMMA's nor of ours${hint}`, word);
}

function notImplemented(option: string): never {
  throw usage("NOT_IMPLEMENTED", `${option} is an option of GEMMA's that this version does not have.`, option);
}

function usage(code: "OPTION_MISSING" | "OPTION_RANGE" | "UNKNOWN_OPTION" | "NOT_IMPLEMENTED", message: string, option: string) {
  return lmmError(code, message, { usage: true, details: { option } });
}

function number(option: string, text: string, low: number, high: number): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= low && value <= high))
    throw usage("OPTION_RANGE", `${option} must be a number from ${low} to ${high}, not "${text}".`, option);
  return value;
}

function whole(option: string, text: string, low: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= low && value <= 1e9))
    throw usage("OPTION_RANGE", `${option} must be a whole number from ${low}, not "${text}".`, option);
  return value;
}
