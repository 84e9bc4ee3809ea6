import { checkOneAllele, phase, writeBcf } from "@x/phaser";

const [input = "fixtures/demo/split.vcf", output = "phased.bcf"] = process.argv.slice(2);
await using phased = phase(input, { region: "20", seed: 1 });
const { samples, rows, positions, supersites } = await phased.summary;
console.log(`${samples} people, ${rows} rows at ${positions} positions, ${supersites} with several ALTs`);

await writeBcf(phased, output);
console.log(`${(await checkOneAllele(output)).haplotypeViolations} haplotypes with two ALTs`);
for await (const { numRows } of phased) console.log(`an Arrow batch of ${numRows} positions`);
