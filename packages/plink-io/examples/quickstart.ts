import { freq, openPlink, subset, variantCounts, writeFreq } from "@x/plink-io";

await using study = await openPlink("fixtures/demo/demo"); // .bed, .bim and .fam are checked before anything else
console.log(`${study.n} people, ${study.p} variants`, study.warnings);
for await (const batch of study.genotypes({ region: "3:1-5000000", as: "int8" }))
  console.log(batch.numRows, batch.getChild("id")?.get(0)); // Arrow record batches; −127 is a missing call
const counts = await variantCounts(study); // Arrow table: n_missing a1_count af hwe_p …
console.log(counts.get(0)?.toJSON());
await writeFreq("demo.frq", await freq(study)); // PLINK 1.9's file, byte for byte
await subset(study, "demo.chr3", { chrom: "3" });
