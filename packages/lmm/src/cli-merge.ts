import { type CliCommand, option, resolveThreads } from "@x/core/base";
import { quoteWord } from "./cli-words.ts";
import { defined, refuseBoth } from "./option-names.ts";

/** `lmm merge`: the shards of one run become its results. */
export function mergeCommand(argv: readonly string[]): CliCommand {
  return {
    name: "merge",
    summary: "put the shards of lmm gwas --shard together: the same bytes as one run",
    positionals: ["SHARD..."],
    files: [{ role: "input", endings: [".assoc.arrow", ".arrow", ".log.txt"] }],
    options: [
      option.output("out", "writes PREFIX.assoc.txt, .assoc.arrow, .log.txt, .report.html", {
        aliases: ["-o"],
        value: "PREFIX",
        required: true,
        endings: [".assoc.txt", ".assoc.arrow", ".log.txt", ".report.html"],
      }),
      option.input("bfile", "the fileset, where it has moved", {
        value: "PREFIX",
        endings: [".bed", ".bim", ".fam"],
      }),
      option.output("report", "the HTML report; PREFIX.report.html by default"),
      option.flag("without-report", "no report"),
      option.text("title", "title of the report", { value: "TEXT" }),
    ],
    examples: ["lmm merge big.shard-* --out big"],
    async run(context) {
      const { options: o, positionals } = context;
      const text = (name: string): string | undefined =>
        o[name] === undefined ? undefined : String(o[name]);
      const without = o["without-report"] === true;
      refuseBoth("--report", o.report !== undefined, "--without-report", without, "write it or not");
      const [{ mergeShards }, { gwasJson, gwasSummary }] = await Promise.all([
        import("./merge.ts"),
        import("./gwas-summary.ts"),
      ]);
      const command = `lmm ${argv.map(quoteWord).join(" ")}`;
      const result = await mergeShards(positionals, {
        ...defined({
          fileset: text("bfile"),
          report: without ? (false as const) : text("report"),
          title: text("title"),
        }),
        out: String(o.out),
        command,
        signal: context.signal,
        onProgress: context.onProgress,
      });
      if (!context.json && !context.quiet) for (const line of gwasSummary(result)) context.print(line);
      return context.json
        ? gwasJson(result, { command, threads: resolveThreads(context.threads) })
        : undefined;
    },
  };
}
