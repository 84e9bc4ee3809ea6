import { checkOneAllele, openVcf, writeBcf } from "@x/phaser";

const path = process.argv[2] ?? "fixtures/demo/split.vcf";
const file = await openVcf(path);
using loci = await file.loci({ region: "20" });
console.log(`${loci.rows} rows are ${loci.length} positions, ${loci.counts.supersites} with several ALTs`);

const [out] = await writeBcf(loci, process.argv[3] ?? "joined.bcf", { joinMultiallelic: true });
console.log(
  `${out}: ${(await checkOneAllele(path)).haplotypeViolations} haplotypes had two ALTs at a position`,
);
