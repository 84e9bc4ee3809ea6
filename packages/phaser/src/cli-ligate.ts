import { type CliCommand, checkOutputs, OutputFiles, option, protectInputs, readLines } from "@x/core/base";
import { phaserError } from "./errors.ts";
import { type LigateReport, ligate } from "./ligate.ts";
import { readSampleList } from "./lists.ts";

/** `phaser ligate`: chunks into a chromosome. */
export const ligateCommand: CliCommand = {
  name: "ligate",
  summary: "ligate overlapping phased chunks into one file",
  positionals: ["[FILE...]"],
  files: [{ role: "input" }],
  options: [
    option.input("input", "file with the chunks' names, one a line in order; or name them as words", {
      aliases: ["-I"],
      value: "LIST",
    }),
    option.output("output", ".bcf, .vcf.gz or .vcf; - for standard output", {
      aliases: ["-O"],
      required: true,
    }),
    option.input("haploids", "samples with one haplotype, one a line"),
    option.output("report", "table: matches and mismatches of every sample at every join"),
  ],
  examples: ["phaser ligate chunk1.bcf chunk2.bcf chunk3.bcf --output chr20.bcf --report joins.tsv"],
  async run(context) {
    const o = context.options;
    const { signal, onProgress } = context;
    const inputs = [...context.positionals];
    if (o.input !== undefined) inputs.push(...(await names(String(o.input), signal)));
    if (inputs.length === 0) {
      throw phaserError("NO_FILES", "name the chunks, or a list of them by --input", { usage: true });
    }
    const output = String(o.output);
    protectInputs(inputs);
    checkOutputs(o.report === undefined ? [output] : [output, String(o.report)]);
    const report = await ligate(inputs, output, {
      ...(o.haploids === undefined
        ? {}
        : { haploids: await readSampleList(String(o.haploids), { signal, warn: context.warn }) }),
      signal,
      onProgress,
    });
    const joins = report.joins.map(({ matches, mismatches, swaps: _, ...rest }) => {
      const sum = (values: Uint32Array): number => values.reduce((a, b) => a + b, 0);
      return { ...rest, matches: sum(matches), mismatches: sum(mismatches) };
    });
    if (!context.json && !context.quiet && output !== "-") {
      context.print(
        "before\tafter\tfrom\tto\tswitch_at\tshared\tonly_one\tswapped\tuntied\tmatches\tmismatches",
      );
      for (const j of joins) {
        const cells = [j.before, j.after, j.from, j.to, j.switchAt, j.shared, j.onlyOne, j.swapped, j.untied];
        context.print([...cells, j.matches, j.mismatches].join("\t"));
      }
    }
    const written = [...report.paths];
    if (o.report !== undefined) written.push(...(await writeReport(String(o.report), report, signal)));
    return { chrom: report.chrom, positions: report.positions, joins, written };
  },
};

/** One name a line, as the working directory sees it. */
async function names(path: string, signal: AbortSignal): Promise<string[]> {
  const out: string[] = [];
  for await (const { text } of readLines(path, { blank: "skip", signal })) out.push(text.trim());
  return out;
}

async function writeReport(path: string, r: LigateReport, signal: AbortSignal): Promise<string[]> {
  const lines = ["join\tsample\tmatches\tmismatches\tswapped"];
  for (const [i, j] of r.joins.entries()) {
    for (const [s, sample] of r.samples.entries()) {
      lines.push([i + 1, sample, j.matches[s], j.mismatches[s], j.swaps[s]].join("\t"));
    }
  }
  await using files = new OutputFiles({ signal });
  await files.open(path).write(`${lines.join("\n")}\n`);
  return await files.commit();
}
