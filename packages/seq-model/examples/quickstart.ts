import { pcoa, permanova, readBiom, readMetadata, readNewick, unifrac, writeDistances } from "@x/seq-model";

const folder = process.argv[2] ?? "packages/seq-model/test/golden";
const table = await readBiom(`${folder}/table.biom`);
const tree = await readNewick(`${folder}/tree.nwk`);
const metadata = (await readMetadata(`${folder}/metadata.tsv`)).select(table.sampleIds);

using d = await unifrac(table, tree, { metric: "unweighted" });
console.log(`${d.n} samples; S00 and S01 are ${d.between("S00", "S01").toFixed(4)} apart`);
const { explained } = await pcoa(d);
console.log(`the first axis explains ${(100 * explained[0]!).toFixed(1)} %`);
const { pseudoF, p } = await permanova(d, metadata.column("group").values.map(String), { seed: 1 });
console.log(`groups: pseudo-F ${pseudoF.toFixed(2)}, p ${p}`);
await writeDistances(process.argv[3] ?? "unweighted.npy", d);
