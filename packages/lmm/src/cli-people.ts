import { type OptionSpec, type OptionValues, option } from "@x/core/base";
import { isGiven } from "./cli-words.ts";
import type { EigenSource } from "./eigen-load.ts";
import { lmmError } from "./errors.ts";
import { phenotypeColumns } from "./gemma/options.ts";
import type { JoinOptions } from "./join-samples.ts";
import { refuseBoth, requireOther } from "./option-names.ts";

/** Who is analysed and with which covariates, beyond GEMMA's `-p -n -c`: the same in both forms of the command line. */
export const PEOPLE_OPTIONS: readonly OptionSpec[] = [
  option.text("on", "match -p, -c and -gxe by ids in their header instead of by row", {
    choices: ["iid", "fid+iid"],
    value: "iid|fid+iid",
  }),
  option.input("ids", "the people of -g: FID and IID, or IID, a line"),
  option.list("pheno", "phenotype column by name, with --on; several as several -n", { value: "NAMES" }),
  option.list("covar", "covariate columns by name, with --on", { value: "NAMES" }),
  option.list(
    "categorical",
    "covariates that are categories, by name or, without --on, by column: 0/1 columns for all levels but the first",
    { value: "NAMES" },
  ),
  option.int("pcs", "the first K principal components of the kinship as covariates", {
    range: { min: 1, max: 1000 },
    value: "K",
  }),
];

/** The phenotypes of `--pheno`, or of `-n`. @throws OPTION_RANGE for a `-n` that is no whole number from 1 on. */
export function chosenPhenotypes(o: OptionValues): ReadonlyArray<number | string> {
  return (o.pheno as readonly string[] | undefined) ?? phenotypeColumns(o);
}

/** The join that a command line asks for. */
export function peopleOptions(o: OptionValues, argv: readonly string[]): JoinOptions {
  refuseBoth("--pheno", o.pheno !== undefined, "-n", isGiven(argv, "n"), "both choose the phenotype");
  const text = (name: string): string | undefined => (o[name] === undefined ? undefined : String(o[name]));
  const all = {
    phenotypes: text("p"),
    phenotype: chosenPhenotypes(o)[0]!,
    covariates: text("c"),
    environment: text("gxe"),
    covariateNames: o.covar as string[] | undefined,
    categorical: o.categorical as string[] | undefined,
    on: o.on as "iid" | "fid+iid" | undefined,
  };
  return Object.fromEntries(Object.entries(all).filter(([, v]) => v !== undefined)) as JoinOptions;
}

/** Refuses options about the input that contradict each other or would be ignored. */
export function checkInputs(o: OptionValues): void {
  const given = (name: string): boolean => o[name] !== undefined;
  refuseBoth("-bfile", given("bfile"), "-g", given("g"), "the genotypes come from one of both");
  if (!given("bfile") && !given("g"))
    throw lmmError("OPTION_MISSING", "give the genotypes: -bfile PREFIX, or -g FILE -p FILE", {
      usage: true,
      details: { option: "bfile" },
    });
  requireOther("-g", given("g"), "-p", given("p"), "BIMBAM genotypes carry no phenotype");
  requireOther("-a", given("a"), "-g", given("g"), "a fileset has its own .bim");
  requireOther("--ids", given("ids"), "-g", given("g"), "a fileset has its own .fam");
  requireOther("-d", given("d"), "-u", given("u"), "eigenvalues need their vectors");
  requireOther("-u", given("u"), "-d", given("d"), "eigenvectors need their values");
  refuseBoth("--eig", given("eig"), "-d", given("d"), "the decomposition comes from one of both");
}

/** Which eigendecomposition is read, if any. */
export function eigenSource(o: OptionValues): EigenSource | undefined {
  if (o.eig !== undefined) return String(o.eig);
  return o.d === undefined ? undefined : { values: String(o.d), vectors: String(o.u) };
}
