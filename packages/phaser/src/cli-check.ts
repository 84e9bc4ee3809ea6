import { type CliCommand, option } from "@x/core/base";
import { checkOneAllele } from "./check-one-allele.ts";

/** `phaser check-oneallele FILE`: haplotypes with two ALTs at a position. */
export const checkCommand: CliCommand = {
  name: "check-oneallele",
  summary: "haplotypes that carry two ALT alleles at one position",
  positionals: ["FILE"],
  files: [{ role: "input" }],
  options: [
    option.text("region", "chr or chr:from-to", { value: "REGION" }),
    option.int("list", "print the first N violations", {
      range: { min: 0, max: 1_000_000 },
      default: 0,
      value: "N",
    }),
  ],
  examples: ["phaser check-oneallele phased.bcf --list 5"],
  async run(context) {
    const { region, list } = context.options;
    const report = await checkOneAllele(context.positionals[0]!, {
      ...(region === undefined ? {} : { region: String(region) }),
      list: Number(list),
      signal: context.signal,
    });
    const { atRisk, unphased } = report;
    if (unphased > 0) {
      const message = `${unphased} of the ${atRisk} genotypes that could violate are unphased: nothing can be said of their haplotypes`;
      context.warn({ code: "UNPHASED", message, details: { unphased, atRisk } });
    }
    if (!context.json) {
      for (const v of report.listed)
        context.print(`violation\t${v.chrom}:${v.position}\t${v.sample}\t${v.rows}`);
      const lines: [string, number][] = [
        ["positions", report.positions],
        ["multi_row_positions", report.multiRowPositions],
        ["haplotype_violations", report.haplotypeViolations],
        ["positions_with_violation", report.positionsWithViolation],
        ["samples_with_violation", report.samplesWithViolation],
        ["multi_ALT_sample_positions", report.atRisk],
        ["of_which_unphased", report.unphased],
        ["impossible_genotypes", report.impossible],
      ];
      for (const [name, value] of lines) context.print(`${name}\t${value}`);
    }
    return report;
  },
};
