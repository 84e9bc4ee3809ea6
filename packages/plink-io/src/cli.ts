import { statSync } from "node:fs";
import { createRequire } from "node:module";
import {
  type CliCommand,
  type CliContext,
  checkOutputDir,
  checkOutputs,
  lockOutput,
  type OptionSpec,
  OutputFiles,
  option,
  protectInputs,
  runCli,
  xError,
} from "@x/core/base";
import type { ArrowPaths } from "./convert.ts";
import type { ReportOptions } from "./frequency.ts";
import { openPlink } from "./open.ts";
import type { SelectionLists } from "./subset.ts";
import type { GenotypeEncoding, PlinkPaths, PlinkStudy, RunningOptions } from "./types.ts";
import { checkPrefix, type Written, writeText } from "./write.ts";

// What only one command needs is loaded by it: every module costs part of a millisecond at the start.

/** The files of a prefix. */
const FILESET = [".bed", ".bim", ".fam"];
const BFILE: OptionSpec = option.input("bfile", "the fileset: PREFIX.bed, .bim, .fam", {
  aliases: ["-bfile"],
  value: "PREFIX",
  endings: FILESET,
});
const OUT: OptionSpec = option.text("out", "what the results are called; - is standard output", {
  aliases: ["-out"],
  value: "PREFIX",
  default: "plink",
});
const OUT_FILESET: OptionSpec = {
  ...OUT,
  file: { role: "output", endings: FILESET },
  help: "what the fileset is called: PREFIX.bed, .bim, .fam",
};
const FORMS: readonly GenotypeEncoding[] = ["int8", "float32", "float64", "packed"];
const STRICT: OptionSpec = option.flag("strict", "refuse what is only warned about otherwise");
const LISTS: readonly OptionSpec[] = [
  STRICT,
  option.input("extract", "only the variants listed"),
  option.input("exclude", "not the variants listed"),
  option.input("keep", "only the people listed (FID IID)"),
  option.input("remove", "not the people listed"),
];
const REPORT: readonly OptionSpec[] = [BFILE, OUT, ...LISTS];
const ALLELES: readonly OptionSpec[] = [
  option.flag("nonfounders", "count everybody, not founders only"),
  option.flag("keep-allele-order", "leave A1 and A2 as in the .bim"),
];

const commands: readonly CliCommand[] = [
  {
    name: "inspect",
    summary: "check a fileset and say what is in it",
    options: [BFILE, ...LISTS],
    positionals: ["[PREFIX]"],
    files: [{ role: "input", endings: FILESET }],
    examples: ["plink-io inspect --bfile study"],
    run: (context) =>
      withStudy(
        context,
        async (study) => {
          const { formatInspection, inspect } = await import("./inspect.ts");
          const found = await inspect(study, running(context));
          if (!context.json) context.print(formatInspection(found).trimEnd());
          return found;
        },
        false,
      ),
  },
  report("freq", "allele frequencies, as PLINK 1.9 --freq", ALLELES, async (study, options) => {
    const [{ frequencies }, { formatFrq }] = await Promise.all([import("./frequency.ts"), reports()]);
    return { frq: formatFrq(await frequencies(study, options)) };
  }),
  report(
    "missing",
    "missing calls by variant and by sample, as PLINK 1.9 --missing",
    [],
    async (study, options) => {
      const [{ missingness }, { formatImiss, formatLmiss }] = await Promise.all([
        import("./missing.ts"),
        reports(),
      ]);
      const { variants, samples } = await missingness(study, options);
      return { imiss: formatImiss(samples), lmiss: formatLmiss(variants) };
    },
  ),
  report("hardy", "Hardy-Weinberg exact tests, as PLINK 1.9 --hardy", ALLELES, async (study, options) => {
    const [{ hardyTests }, { formatHwe }] = await Promise.all([import("./hardy.ts"), reports()]);
    return { hwe: formatHwe(await hardyTests(study, options)) };
  }),
  {
    name: "convert",
    summary: "a fileset to an Arrow IPC file, or back",
    options: [
      { ...BFILE, help: "the fileset, or the .arrow file" },
      option.output("out", "the .arrow file, or the prefix of the fileset, instead of TO", {
        aliases: ["-out"],
        value: "NAME",
      }),
      option.text("as", "how genotypes stand in the Arrow file (default packed)", {
        choices: FORMS,
        value: FORMS.join("|"),
      }),
      option.int("chunk", "variants a record batch of the Arrow file", {
        range: { min: 1, max: 1 << 24 },
        value: "N",
      }),
    ],
    positionals: ["[FROM]", "[TO]"],
    examples: ["plink-io convert --bfile study --out study.arrow", "plink-io convert study.arrow copy"],
    run: async (context) => {
      const { convert } = await import("./convert.ts");
      const { options } = context;
      const { from, to } = ends(context);
      protectInputs([from], FILESET);
      checkOutputs(["", ...FILESET].map((ending) => to + ending));
      checkOutputDir(to);
      const settings = {
        ...running(context),
        ...(options.as !== undefined && { as: options.as as GenotypeEncoding }),
        ...(options.chunk !== undefined && { chunk: options.chunk as number }),
      };
      return wrote(context, await convert(from, to, settings));
    },
  },
  {
    name: "subset",
    summary: "write some variants and people as a new fileset",
    options: [
      BFILE,
      OUT_FILESET,
      ...LISTS,
      option.list("chr", "only these chromosomes", { value: "LIST" }),
      option.text("region", "only this region", { value: "CHR:FROM-TO" }),
    ],
    positionals: ["[PREFIX]"],
    files: [{ role: "input", endings: FILESET }],
    examples: ["plink-io subset --bfile study --keep people.txt --out part"],
    run: (context) => {
      const prefix = filesetPrefix(context);
      return withStudy(context, async (study) => {
        const { chr, region } = context.options;
        const where = {
          ...(chr !== undefined && { chrom: chr as readonly string[] }),
          ...(region !== undefined && { region: String(region) }),
        };
        const { subset } = await import("./subset.ts");
        return wrote(context, await subset(study, prefix, { ...where, ...running(context) }));
      });
    },
  },
  {
    name: "merge",
    summary: "join filesets of the same people, one a chromosome",
    options: [OUT_FILESET],
    positionals: ["PREFIX..."],
    files: [{ role: "input", endings: FILESET }],
    examples: ["plink-io merge chr1 chr2 chr3 --out all"],
    run: async (context) => {
      const prefix = filesetPrefix(context);
      checkOutputDir(prefix);
      const { merge } = await import("./merge.ts");
      return wrote(context, await merge(context.positionals, prefix, running(context)));
    },
  },
];

function reports(): Promise<typeof import("./plink/reports.ts")> {
  return import("./plink/reports.ts");
}

function report(
  name: string,
  summary: string,
  options: readonly OptionSpec[],
  make: (study: PlinkStudy, options: ReportOptions) => Promise<Record<string, Iterable<Uint8Array>>>,
): CliCommand {
  return {
    name,
    summary,
    options: [...REPORT, ...options],
    positionals: ["[PREFIX]"],
    files: [{ role: "input", endings: FILESET }],
    examples: [`plink-io ${name} --bfile study --out study`],
    run: (context) =>
      withStudy(context, async (study) => {
        const out = String(context.options.out);
        const options = {
          ...running(context),
          nonfounders: context.options.nonfounders === true,
          keepAlleleOrder: context.options["keep-allele-order"] === true,
        };
        const files = await writeReports(out, await make(study, options));
        if (!context.json && !context.quiet && out !== "-") context.print(`wrote ${files.join(" and ")}`);
        return out === "-" ? undefined : { files, samples: study.n, variants: study.p };
      }),
  };
}

/** Opens the fileset, applies the lists and runs; the output folder is checked before anything is read. */
async function withStudy<T>(
  context: CliContext,
  run: (study: PlinkStudy) => Promise<T>,
  warn = true,
): Promise<T> {
  const { out } = context.options;
  if (out !== undefined && out !== "-") checkOutputDir(String(out));
  await using study = await openPlink(input(context), {
    ...running(context),
    strict: context.options.strict === true,
  });
  if (warn) for (const warning of study.warnings) context.warn(warning);
  const lists: SelectionLists = { warn: context.warn, signal: context.signal };
  const given = (["extract", "exclude", "keep", "remove"] as const).filter(
    (name) => context.options[name] !== undefined,
  );
  for (const name of given) lists[name] = String(context.options[name]);
  if (given.length === 0) return await run(study);
  const { selectStudy } = await import("./subset.ts");
  return await run(await selectStudy(study, lists));
}

/** The fileset: --bfile or the first word. */
function input(context: CliContext): string {
  const [path, rest] = inputAndRest(context);
  refuseRest(rest);
  return path;
}

/** What `convert` reads and writes: each given once, as an option or as a word. */
function ends(context: CliContext): { from: string; to: string } {
  const [from, [word, ...rest]] = inputAndRest(context);
  const { out } = context.options;
  refuseRest(out === undefined || word === undefined ? rest : [word]);
  return { from, to: word ?? String(out ?? "plink") };
}

function inputAndRest({ options, positionals }: CliContext): [path: string, rest: readonly string[]] {
  if (options.bfile !== undefined) return [String(options.bfile), positionals];
  const [path, ...rest] = positionals;
  if (path !== undefined) return [path, rest];
  throw xError("OPTION_MISSING", "which fileset? Give --bfile PREFIX.", { usage: true });
}

function refuseRest([word]: readonly string[]): void {
  if (word === undefined) return;
  const message = `nothing is left for ${JSON.stringify(word)} to mean: give the fileset and the output once each.`;
  throw xError("ARGUMENT_UNEXPECTED", message, { usage: true, details: { argument: word } });
}

/** --out of a verb that writes a fileset, refused before anything is read. */
function filesetPrefix({ options }: CliContext): string {
  const prefix = String(options.out);
  checkPrefix(prefix);
  return prefix;
}

function running({ signal, threads, memoryLimit, onProgress }: CliContext): RunningOptions {
  return {
    signal,
    onProgress,
    ...(threads !== undefined && { threads }),
    ...(memoryLimit !== undefined && { memoryLimit }),
  };
}

/** Writes each text to `<out>.<ending>`, all or none; standard output and devices get the texts one after another. */
async function writeReports(out: string, texts: Record<string, Iterable<Uint8Array>>): Promise<string[]> {
  const straight = out === "-" || statSync(out, { throwIfNoEntry: false })?.isCharacterDevice() === true;
  await using _lock = straight ? undefined : lockOutput(out);
  await using files = new OutputFiles();
  for (const [ending, text] of Object.entries(texts))
    await writeText(files.open(straight ? out : `${out}.${ending}`), text);
  return await files.commit();
}

function wrote<T extends Written<PlinkPaths | ArrowPaths>>(context: CliContext, written: T): T {
  const { paths, samples, variants } = written;
  const name = "bed" in paths ? paths.bed : paths.genotypes;
  if (!context.json && !context.quiet)
    context.print(
      `wrote ${name}: ${variants.toLocaleString("en")} variants × ${samples.toLocaleString("en")} samples`,
    );
  return written;
}

const { version } = createRequire(import.meta.url)("../package.json") as { version: string };
await runCli({
  name: "plink-io",
  version,
  summary: "PLINK 1 filesets: check, report, convert, cut and join",
  commands,
});
