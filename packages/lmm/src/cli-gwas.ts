import { type CliCommand, option, resolveThreads } from "@x/core/base";
import { checkInputs, chosenPhenotypes, eigenSource, PEOPLE_OPTIONS, peopleOptions } from "./cli-people.ts";
import { printPlan, ROUTE_OPTION } from "./cli-plan.ts";
import { isGiven, quoteWord } from "./cli-words.ts";
import { type GemmaMode, testsOf } from "./gemma/modes.ts";
import { filterAndLambda, GEMMA_OPTIONS } from "./gemma/options.ts";
import { parseShard } from "./journal/shard.ts";
import { openStudy } from "./open-study.ts";
import { defined, refuseBoth } from "./option-names.ts";
import type { RouteChoice } from "./plan.ts";

/** GEMMA's own options that mean the same here. */
const SHARED = new Set([
  "bfile",
  "g",
  "a",
  "p",
  "n",
  "c",
  "k",
  "d",
  "u",
  "eig",
  "ksnps",
  "maf",
  "miss",
  "hwe",
  "r2",
  "notsnp",
  "snps",
  "lmin",
  "lmax",
  "region",
  "gxe",
  "lmm",
  "neglog10p",
]);

/** `lmm gwas`: the whole pipeline. */
export function gwasCommand(argv: readonly string[]): CliCommand {
  return {
    name: "gwas",
    summary: "kinship, null model and association in one go, with a report",
    options: [
      ...GEMMA_OPTIONS.filter((o) => SHARED.has(o.name)).map((o) =>
        o.name === "lmm" ? { ...o, help: "which tests, by GEMMA's number: 1 Wald (default), 2, 3, 4, 9" } : o,
      ),
      option.output("out", "writes PREFIX.assoc.txt, .assoc.arrow, .log.txt, .report.html", {
        aliases: ["-o"],
        value: "PREFIX",
        required: true,
        endings: [".assoc.txt", ".assoc.arrow", ".log.txt", ".report.html"],
      }),
      ...PEOPLE_OPTIONS,
      option.int("gk", "the kinship made: 1 centred (also without -gk), 2 standardised", {
        aliases: ["-gk"],
        range: { min: 1, max: 2 },
        implied: 1,
        value: "1|2",
      }),
      ROUTE_OPTION,
      option.flag("plan", "print memory and rough time by either route, and stop"),
      option.output("save-kinship", "keep the kinship: .txt as GEMMA's text, else Arrow"),
      option.output("save-eigen", "keep the eigendecomposition for --eig, as Arrow"),
      option.output("report", "the HTML report; PREFIX.report.html by default"),
      option.flag("without-report", "no report"),
      option.text("title", "title of the report", { value: "TEXT" }),
      option.flag("resume", "go on where a killed run with this flag stopped; the files are the same bytes"),
      option.text(
        "shard",
        "only this part of the variants, into PREFIX.shard-I-of-N; lmm merge puts the N together",
        { value: "I/N" },
      ),
      option.flag("loco", "leave the tested variant's chromosome out of its kinship"),
      option.int("chunk", "variants read at once", { range: { min: 1, max: 1e6 }, value: "N" }),
    ],
    examples: [
      "lmm gwas --bfile study --out study",
      "lmm gwas --bfile study -p traits.tsv --on iid --pheno height --out height",
      "lmm gwas --bfile study -c covar.tsv --on iid --categorical batch --pcs 5 --out study",
      "lmm gwas --bfile study --out big --shard 3/8 --resume",
    ],
    async run(context) {
      const o = context.options;
      const text = (name: string): string | undefined =>
        o[name] === undefined ? undefined : String(o[name]);
      const without = o["without-report"] === true;
      if (o.lmm !== undefined) testsOf(Number(o.lmm));
      refuseBoth("--report", o.report !== undefined, "--without-report", without, "write it or not");
      checkInputs(o);
      refuseBoth(
        "-notsnp",
        o.notsnp === true,
        "-maf",
        isGiven(argv, "maf"),
        "the frequency is tested or not",
      );
      const chosen = chosenPhenotypes(o);
      refuseBoth(
        "gwas",
        true,
        `several phenotypes (${chosen.join(" ")})`,
        chosen.length > 1,
        "a multivariate model is GEMMA's form, lmm -bfile … -k … -n 1 2 -lmm 4",
      );
      const given = {
        ...peopleOptions(o, argv),
        components: o.pcs === undefined ? undefined : Number(o.pcs),
        route: o.route as RouteChoice,
        kinship: text("k"),
        kinshipMode:
          o.gk === undefined ? undefined : o.gk === 2 ? ("standardized" as const) : ("centered" as const),
        saveKinship: text("save-kinship"),
        kinshipSnpFile: text("ksnps"),
        eigen: eigenSource(o),
        saveEigen: text("save-eigen"),
        snpFile: text("snps"),
        report: without ? (false as const) : text("report"),
        lmm: o.lmm === undefined ? undefined : (Number(o.lmm) as GemmaMode),
        negLog10P: o.neglog10p === true ? true : undefined,
        title: text("title"),
        resume: o.resume === true ? true : undefined,
        shard: o.shard === undefined ? undefined : parseShard(String(o.shard)),
        loco: o.loco === true ? true : undefined,
        chunk: o.chunk === undefined ? undefined : Number(o.chunk),
        threads: context.threads,
        memoryLimit: context.memoryLimit,
      };
      // Loaded here: the other commands start faster without the report's modules.
      const [{ gwas }, { gwasJson, gwasSummary }] = await Promise.all([
        import("./gwas.ts"),
        import("./gwas-summary.ts"),
      ]);
      const command = `lmm ${argv.map(quoteWord).join(" ")}`;
      const { signal, onProgress } = context;
      // A fileset is opened by gwas itself, which measures the reading.
      await using dosages = o.g === undefined ? undefined : await openStudy(o, { signal, onProgress });
      const options = {
        ...defined(given),
        out: String(o.out),
        ...filterAndLambda(o),
        command,
        signal,
        onProgress,
        onWarning: context.warn,
      };
      if (o.plan) {
        const { planStudy } = await import("./plan-study.ts");
        const plan = await planStudy(dosages ?? String(o.bfile), options);
        if (!context.json) printPlan(context, plan);
        return plan;
      }
      const result = await gwas(dosages ?? String(o.bfile), options);
      if (!context.json && !context.quiet) for (const line of gwasSummary(result)) context.print(line);
      return context.json
        ? gwasJson(result, { command, threads: resolveThreads(context.threads) })
        : undefined;
    },
  };
}
