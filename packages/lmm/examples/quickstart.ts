import { gwas } from "@x/lmm";

const study = process.argv[2] ?? "fixtures/demo/demo";
const { nullModel, results, filters } = await gwas(study, { out: process.argv[3] ?? "demo" });

console.log(
  `pve ${nullModel.pve.toFixed(3)} ± ${nullModel.pveSe.toFixed(3)}, ${filters.kept} variants tested`,
);
for (const { chrom, id, pos, neg_log10_p_wald } of results)
  if (neg_log10_p_wald > 7.3) console.log(`${chrom}:${pos} ${id} −log10 p = ${neg_log10_p_wald.toFixed(1)}`);
// demo.assoc.txt (GEMMA's columns), demo.assoc.arrow, demo.log.txt and demo.report.html are written.
