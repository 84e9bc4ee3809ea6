import { type CliCommand, resolveThreads } from "@x/core/base";
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
      {
        name: "out",
        aliases: ["-o"],
        type: "string",
        value: "PREFIX",
        required: true,
        file: { role: "output", endings: [".assoc.txt", ".assoc.arrow", ".log.txt", ".report.html"] },
        help: "writes PREFIX.assoc.txt, .assoc.arrow, .log.txt, .report.html",
      },
      {
        name: "bfile",
        type: "string",
        value: "PREFIX",
        file: { role: "input", endings: [".bed", ".bim", ".fam"] },
        help: "the fileset, where it has moved",
      },
      {
        name: "report",
        type: "string",
        value: "FILE",
        file: { role: "output" },
        help: "the HTML report; PREFIX.report.html by default",
      },
      { name: "without-report", type: "flag", help: "no report" },
      { name: "title", type: "string", value: "TEXT", help: "title of the report" },
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
